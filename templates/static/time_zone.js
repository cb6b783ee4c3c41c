// Gives the server the browser's time zone: pages show times in it until their reader chooses another.
{
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const secure = location.protocol === "https:" ? "; secure" : "";
    if (zone) document.cookie = `time_zone=${zone}; path=/admin; max-age=31536000; samesite=lax${secure}`;
}

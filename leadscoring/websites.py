"""Websites with the snippet: the line that their pages need, and which addresses are theirs."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Max
from django.urls import reverse
from django.utils.html import format_html

from leadscoring.models import SourceCount, WaitingActivity, Website

MOST_DOMAINS = 20


def snippet_line(website: Website) -> str:
    """Return the line to paste into each page."""
    consent = ' data-consent="required"' if website.consent_required else ""
    domains = " ".join(website.domains)
    return format_html(
        f'<script async src="{{}}" data-key="{{}}"{consent}{{}}></script>',
        f"{settings.BASE_URL}{reverse('snippet')}",
        website.write_key,
        format_html(' data-domains="{}"', domains) if len(website.domains) > 1 else "",
    )


def parse_domains(text: str) -> list[str]:
    """Return the domains that somebody typed or pasted, addresses of pages too. Raise ValueError."""
    found = []
    for word in text.replace(",", " ").split():
        try:
            host = urlsplit(word if "//" in word else f"//{word}").hostname or ""
            domain = host.removeprefix("www.").encode("idna").decode()
        except ValueError:
            domain = ""
        if not domain or len(domain) > 253:
            raise ValueError(f"{word!r} is not a domain such as example.com.")
        found.append(domain)
    if len(set(found)) > MOST_DOMAINS:
        raise ValueError(f"At most {MOST_DOMAINS} domains.")
    return list(dict.fromkeys(found))


def is_own_address(address: str) -> bool:
    """Return whether an address leads to a page of a website whose key is good."""
    host = f".{urlsplit(address).hostname or ''}"
    known = Website.objects.filter(api_key__revoked_at=None).values_list("domains", flat=True)
    return any(host.endswith(f".{domain}") for domains in known for domain in domains)


@dataclass(frozen=True, slots=True)
class WebsiteArrival:
    """When a website last sent something, and the page of a view that came since somebody waits for it."""

    at: datetime | None
    page: str = ""


def last_arrival(website: Website, since: datetime) -> WebsiteArrival:
    name = website.api_key.name
    last = SourceCount.objects.filter(source__name=name).aggregate(at=Max("last_at"))["at"]
    waiting = WaitingActivity.objects.filter(source=name, received_at__gte=since)
    view = waiting.filter(type="page_view").order_by("-received_at").first()
    return WebsiteArrival(last, str(view.properties.get("url", "")) if view else "")

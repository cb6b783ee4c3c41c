"""A task's body as it may be shown: a few harmless tags, everything else as text or not at all."""

import re
from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit

from .markup import Safe

ALLOWED = {"b", "i", "em", "strong", "p", "br", "ul", "ol", "li", "a"}
SILENT = {"script", "style", "title", "template", "noscript", "iframe", "textarea", "svg", "math"}
SCHEMES = {"http", "https", "mailto"}
DEEPEST = 50
# A bracket that opens no tag. The parser would look for its end again and again: 60,000
# characters of `<a <a <a` took it 40 s.
LOOSE = re.compile(r"<(?![^<>]{1,2000}>)")


class _Cleaner(HTMLParser):
    """Writes out anew what is allowed, so that nothing of the input passes by itself."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._open: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent.append(tag)
        if self._silent or tag not in ALLOWED:
            return
        if tag == "br":
            self.out.append("<br>")
        elif len(self._open) < DEEPEST:
            self.out.append(_opened(tag, attrs))
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br" and not self._silent:
            self.out.append("<br>")

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
            return
        if tag in self._open:
            while (last := self._open.pop()) != tag:
                self.out.append(f"</{last}>")
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(escape(data))

    def rest(self) -> str:
        """End tags for whatever was left open."""
        return "".join(f"</{tag}>" for tag in reversed(self._open))


def _opened(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    if tag != "a":
        return f"<{tag}>"
    href = _address(dict(attrs).get("href") or "")
    link = f' href="{escape(href)}" target="_blank"' if href else ""
    return f'<a{link} rel="noopener noreferrer nofollow">'


def _address(href: str) -> str:
    """The address if it is of the web or for mail; control characters hide schemes, so none."""
    try:
        scheme = urlsplit(href.strip()).scheme
    except ValueError:
        return ""
    return href.strip() if scheme in SCHEMES and href.isprintable() else ""


def clean(text: str) -> Safe:
    cleaner = _Cleaner()
    cleaner.feed(LOOSE.sub("&lt;", text))
    cleaner.close()
    return Safe("".join(cleaner.out) + cleaner.rest())

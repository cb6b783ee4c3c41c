"""Values as people read them: filters of the templates."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import nh3
from markupsafe import Markup

TAGS = {"b", "i", "em", "strong", "p", "br", "ul", "ol", "li", "a"}
SCHEMES = {"http", "https", "mailto"}
SILENT = {"script", "style", "title", "template", "noscript", "iframe", "textarea", "svg", "math"}


def clean(text: str) -> Markup:
    """A task's body as it may be shown: a few harmless tags, everything else as text or not at all."""
    cleaned = nh3.clean(
        text,
        tags=TAGS,
        clean_content_tags=SILENT,
        attributes={"a": {"href"}},
        attribute_filter=_address,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Markup(cleaned)  # noqa: S704 - nh3 has just cleaned it


def _address(tag: str, name: str, value: str) -> str | None:
    """The address if it is of the web or for mail, and whole; nh3 lets relative ones pass."""
    if name != "href":
        return value
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        return None
    return value if scheme in SCHEMES and value.isprintable() else None


def day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def due_in(due: datetime, now: datetime, done: bool) -> str:
    """`in 2 h`, `overdue since 3 d`; of a task that is done: `3 d ago`."""
    words = span(abs(due - now))
    if due >= now:
        return "now" if words == "moments" else f"in {words}"
    if not done:
        return f"overdue since {words}"
    return "now" if words == "moments" else f"{words} ago"


def span(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 1:
        return "moments"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def money(text: str) -> str:
    """`EUR 12,500`; nothing for no amount."""
    return f"EUR {float(text):,.2f}".removesuffix(".00") if text else ""


def percent(share: float) -> int:
    """As the slider has it; whatever is on at all shows as at least one."""
    return max(1, round(share * 100))


def times(count: int) -> str:
    if not count:
        return "never struck so far"
    return "struck once" if count == 1 else f"struck {count:,} times"

"""How values look on our pages: ages, badges, links. All that people typed is escaped here."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring.engine import wording

NOTHING = format_html('<span class="ls-soft">{}</span>', "–")
UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))


def format_span(length: timedelta) -> str:
    """A length of time by its largest unit: 40 s, 5 min, 3 h, 12 days."""
    for unit, name in UNITS:
        if length >= unit:
            number = int(length / unit)
            return f"{number} {name}{'s' if name == 'day' and number > 1 else ''}"
    return f"{int(length.total_seconds())} s"


def round_span(length: timedelta) -> timedelta:
    """What is ahead is rounded, what is past has been whole: three days less a minute are in 3 days."""
    unit = next((unit for unit, _ in UNITS if length >= unit), timedelta(seconds=1))
    return round(length / unit) * unit


def format_age(moment: datetime, at: datetime) -> str:
    """How long ago a moment is, or how far ahead; beyond 60 days the day itself."""
    if abs(at - moment) > timedelta(days=60):
        return wording.format_day(moment, at)
    if abs(at - moment) < timedelta(seconds=1):
        return "just now"
    if moment > at:
        return f"in {format_span(round_span(moment - at))}"
    return f"{format_span(at - moment)} ago"


def moment_html(moment: datetime | None) -> SafeString:
    """A moment as its age, with the exact time for whoever points at it."""
    if moment is None:
        return NOTHING
    exact = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    return format_html(
        '<time title="{}" class="ls-when">{}</time>', exact, format_age(moment, now())
    )


def badge_html(text: object, tone: str = "plain") -> SafeString:
    """A short word in a coloured field. Tones: plain, good, warm, bad, info."""
    return format_html('<span class="ls-badge ls-{}">{}</span>', tone, text)


def link_html(url: str, text: object) -> SafeString:
    return format_html('<a class="ls-link" href="{}"><bdi>{}</bdi></a>', url, text)


def join_html(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join(", ", "{}", ((part,) for part in parts)) or NOTHING


def nowrap_html(text: str) -> SafeString:
    """A name on one line, cut by the page where it is too long; a dash for none."""
    return format_html('<bdi class="ls-short">{}</bdi>', text) if text else NOTHING


def two_lines_html(first: object, second: object) -> SafeString:
    return format_html(
        '<span class="ls-two"><bdi>{}</bdi><small><bdi>{}</bdi></small></span>', first, second
    )


def change_url(row: object) -> str:
    """The address of a row's admin page."""
    meta, pk = row._meta, row.pk  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[pk])


def list_url(model: object, **filters: object) -> str:
    """The address of a model's list, filtered."""
    meta = model._meta  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist", query=filters or None)


def facts_html(known: Mapping[str, object]) -> SafeString:
    """Names and values, one a line; values cut at 200 signs, the first 20 of them."""
    lines = [(name, str(value)[:200]) for name, value in list(known.items())[:20]]
    return format_html_join("", "<div><b>{}</b> <bdi>{}</bdi></div>", lines) or NOTHING


def format_number(number: float) -> str:
    return wording.format_figure(number)

"""How values look on our pages: ages, badges, links. Escape all that people typed."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime, now

from leadscoring.common.spans import format_age
from leadscoring.engine import wording

NOTHING = format_html('<span class="ls-soft">{}</span>', "–")


def moment_html(moment: datetime | None) -> SafeString:
    """Return a moment as its age, with the exact time in its tooltip."""
    if moment is None:
        return NOTHING
    age = format_age(localtime(moment), localtime(now()))
    return format_html('<time title="{}" class="ls-when">{}</time>', format_moment(moment), age)


def format_moment(moment: datetime) -> str:
    """Return a moment in the reader's time zone, named: "4 May 2026, 14:05:09 CEST"; in UTC elsewhere."""
    return date_format(localtime(moment), "DATETIME_FORMAT")


def format_local_day(moment: datetime, at: datetime) -> str:
    """Return the day of a moment in the reader's time zone, as `wording.format_day` does."""
    return wording.format_day(localtime(moment), localtime(at))


def badge_html(text: object, tone: str = "plain") -> SafeString:
    """Return a short word in a coloured field. Tones: plain, good, warm, bad, info."""
    return format_html('<span class="ls-badge ls-{}">{}</span>', tone, text)


def link_html(url: str, text: object) -> SafeString:
    return format_html('<a class="ls-link" href="{}"><bdi>{}</bdi></a>', url, text)


def row_html(row: object | None, text: object) -> SafeString:
    """Return a text that leads to the page of a row, or the text alone where there is no such row."""
    return link_html(change_url(row), text) if row else format_html("<bdi>{}</bdi>", text)


def join_html(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join(", ", "{}", ((part,) for part in parts)) or NOTHING


def nowrap_html(text: str) -> SafeString:
    """Return a name on one line, cut by the page where it is too long; a dash for none."""
    return format_html('<bdi class="ls-short">{}</bdi>', text) if text else NOTHING


def wrapped_html(text: str) -> SafeString:
    """Return a sentence of a list; a dash for none."""
    return format_html('<bdi class="ls-wrap">{}</bdi>', text) if text else NOTHING


def two_lines_html(first: object, second: object) -> SafeString:
    return format_html(
        '<span class="ls-two"><bdi>{}</bdi><small><bdi>{}</bdi></small></span>', first, second
    )


def change_url(row: object) -> str:
    """Return the address of a row's admin page."""
    meta, pk = row._meta, row.pk  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[pk])


def list_url(model: object, **filters: object) -> str:
    """Return the address of a model's list, filtered."""
    meta = model._meta  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist", query=filters or None)


def facts_html(known: Mapping[str, object]) -> SafeString:
    """Return the first 20 names and values, one a line; values cut at 200 characters."""
    lines = [(name, str(value)[:200]) for name, value in list(known.items())[:20]]
    return format_html_join("", "<div><b>{}</b> <bdi>{}</bdi></div>", lines) or NOTHING


def format_number(number: float) -> str:
    return wording.format_figure(number)

"""Spans of time in words, for people. Pure: the instant is an argument."""

from datetime import datetime, timedelta

from leadscoring.engine.wording import format_day

SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
)  # fmt: skip
# From the largest on: its short name, which alone has a plural for days, and its word.
UNITS = (
    (DAY, "day", "day"),
    (HOUR, "h", "hour"),
    (MINUTE, "min", "minute"),
    (SECOND, "s", "second"),
)


def format_span(span: timedelta) -> str:
    """Return a span in its largest whole unit: 40 s, 5 min, 3 h, 12 days."""
    number, short, _ = _largest_unit(span)
    return f"{number} {_plural(short, number) if short == 'day' else short}"


def spell_span(span: timedelta) -> str:
    """Return a span in its largest whole unit, as a word: 40 seconds, 5 minutes, 3 hours, 12 days."""
    number, _, word = _largest_unit(span)
    return f"{number} {_plural(word, number)}" if number else "less than a second"


def format_duration(took: timedelta | None) -> str:
    """Return what something took: "0.4 s", "3 min"; "–" for None, "0.0 s" below zero."""
    if took is None:
        return "–"
    return f"{max(took / SECOND, 0):.1f} s" if took < 10 * SECOND else format_span(took)


def format_upper_bound(span: timedelta) -> str:
    """Return a span in minutes, rounded up: "46 min", "2 h 46 min"."""
    minutes = -(-span // MINUTE)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def format_age(moment: datetime, at: datetime) -> str:
    """Return how long ago a moment is, or how far ahead; beyond 60 days the day itself."""
    if abs(at - moment) > 60 * DAY:
        return format_day(moment, at)
    if abs(at - moment) < SECOND:
        return "just now"
    if moment > at:
        return f"in {format_span(_round(moment - at))}"
    return f"{format_span(at - moment)} ago"


def _largest_unit(span: timedelta) -> tuple[int, str, str]:
    """Return the number of whole units, 0 of the smallest for less than one, and its two names."""
    for unit, short, word in UNITS:
        if span >= unit:
            return span // unit, short, word
    return 0, short, word


def _round(ahead: timedelta) -> timedelta:
    """Round to the largest unit: 3 days less a minute are "in 3 days"; what is past counts whole."""
    unit = next((unit for unit, *_ in UNITS if ahead >= unit), SECOND)
    return round(ahead / unit) * unit


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"

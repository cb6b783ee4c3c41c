"""Date literals: TODAY, LAST_N_DAYS:7. The days are UTC's."""

from collections.abc import Callable
from datetime import date, timedelta

Span = tuple[date, date]  # the first day, and the first after it
DAY = timedelta(days=1)


def _days(first: int, after: int) -> Callable[[date, int], Span]:
    return lambda today, many: (today + first * DAY, today + after * DAY)


def _week(shift: int) -> Callable[[date, int], Span]:
    def span(today: date, many: int) -> Span:
        monday = today - today.weekday() * DAY + shift * 7 * DAY
        return monday, monday + 7 * DAY

    return span


def _month(shift: int) -> Callable[[date, int], Span]:
    def span(today: date, many: int) -> Span:
        return _first_of(today, shift), _first_of(today, shift + 1)

    return span


def _first_of(today: date, shift: int) -> date:
    months = today.year * 12 + today.month - 1 + shift
    return date(months // 12, months % 12 + 1, 1)


def _year(shift: int) -> Callable[[date, int], Span]:
    return lambda today, many: (date(today.year + shift, 1, 1), date(today.year + shift + 1, 1, 1))


SPANS: dict[str, Callable[[date, int], Span]] = {
    "YESTERDAY": _days(-1, 0),
    "TODAY": _days(0, 1),
    "TOMORROW": _days(1, 2),
    "LAST_WEEK": _week(-1),
    "THIS_WEEK": _week(0),
    "NEXT_WEEK": _week(1),
    "LAST_MONTH": _month(-1),
    "THIS_MONTH": _month(0),
    "NEXT_MONTH": _month(1),
    "LAST_YEAR": _year(-1),
    "THIS_YEAR": _year(0),
    "NEXT_YEAR": _year(1),
    "LAST_90_DAYS": _days(-90, 1),
    "NEXT_90_DAYS": _days(1, 91),
    "LAST_N_DAYS": lambda today, many: (today - many * DAY, today + DAY),
    "NEXT_N_DAYS": lambda today, many: (today + DAY, today + (many + 1) * DAY),
}

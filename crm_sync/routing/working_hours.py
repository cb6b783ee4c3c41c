"""A rep's working hours, and the due time of a task within them."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from crm_sync.models import Owner

# Working hours within which a lead of this grade should be called.
HOURS_TO_RESPOND = {"A1": 1, "A2": 2, "B1": 2}
HOURS_TO_RESPOND_OTHERS = 4
WEEK = frozenset({1, 2, 3, 4, 5})  # ISO days: Monday is 1
# Days after which the search for enough working hours ends.
LOOK_AHEAD = 60


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """A rep's working hours in local time. `off`: public holidays."""

    zone: tzinfo = UTC
    days: frozenset[int] = WEEK
    opens: time = time(9)
    closes: time = time(17)
    off: Container[date] = ()


def working_hours(owner: Owner, account_zone: str) -> WorkingHours:
    """Return a rep's working hours, in the account's time zone unless the rep has another."""
    return WorkingHours(
        zone=time_zone_named(owner.time_zone or account_zone),
        days=frozenset(map(int, owner.working_days)) or WEEK,
        opens=owner.opens,
        closes=owner.closes,
        off=holidays_of(owner.country, owner.subdivision),
    )


def task_due_at(since: datetime, hours: WorkingHours, grade: str) -> datetime:
    """Return when a lead should have been called, in UTC: the grade's working hours after `since`.

    It is the last closing within LOOK_AHEAD days when the time to respond does not fit into them. It
    is computed from Monday to Friday, without holidays, when they have no working hour at all.
    """
    since = since.astimezone(UTC)
    left = timedelta(hours=HOURS_TO_RESPOND.get(grade, HOURS_TO_RESPOND_OTHERS))
    closed = None
    for opening, closing in shifts(since, hours):
        begin = max(since, opening)
        if closing - begin >= left:
            return begin + left
        left -= closing - begin
        closed = closing
    return closed or task_due_at(since, replace(hours, days=WEEK, off=()), grade)


def shifts(since: datetime, hours: WorkingHours) -> Iterator[tuple[datetime, datetime]]:
    """Yield the opening and the closing of each working day from `since` on, in UTC.

    In UTC, because a day with a daylight-saving change is longer or shorter than local times show.
    """
    first = since.astimezone(hours.zone).date()
    for day in (first + timedelta(days=number) for number in range(LOOK_AHEAD)):
        if day.isoweekday() in hours.days and day not in hours.off:
            opening = datetime.combine(day, hours.opens, hours.zone).astimezone(UTC)
            closing = datetime.combine(day, hours.closes, hours.zone).astimezone(UTC)
            if closing > max(since, opening):
                yield opening, closing


def time_zone_named(name: str) -> tzinfo:
    """Return a time zone by its name; UTC when there is none of that name."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@lru_cache(maxsize=256)
def holidays_of(country: str, subdivision: str) -> Container[date]:
    """Return the public holidays of a country (ISO 3166 code) and its region; none when it is unknown."""
    if not country:
        return ()
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        return ()

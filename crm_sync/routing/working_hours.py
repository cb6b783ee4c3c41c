"""When a rep works, and by when they should have called."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from crm_sync.models import Owner

# Working hours in which a lead of this grade should be called.
HOURS_TO_RESPOND = {"A1": 1, "A2": 2, "B1": 2}
HOURS_TO_RESPOND_OTHERS = 4
WEEK = frozenset({1, 2, 3, 4, 5})  # ISO days: Monday is 1
# A calendar in which the time to respond does not fit into so many days is not followed further.
LOOK_AHEAD = 60


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """A rep's working hours by the clock on their wall. `off`: days on which nobody works."""

    zone: tzinfo = UTC
    days: frozenset[int] = WEEK
    opens: time = time(9)
    closes: time = time(17)
    off: Container[date] = ()


def working_hours(owner: Owner, account_zone: str) -> WorkingHours:
    """The hours of a rep, who is in the account's time zone unless they say otherwise."""
    return WorkingHours(
        zone=time_zone_named(owner.time_zone or account_zone),
        days=frozenset(map(int, owner.working_days)) or WEEK,
        opens=owner.opens,
        closes=owner.closes,
        off=holidays_of(owner.country, owner.subdivision),
    )


def task_due_at(since: datetime, hours: WorkingHours, grade: str) -> datetime:
    """When a lead should have been called: so many working hours after `since`. Answers UTC.

    It is the last closing within LOOK_AHEAD days when the time to respond does not fit into them,
    and reckoned from Monday to Friday when they have no working hour at all.
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
    """The working days from `since` on, each as its opening and its closing, in UTC.

    In UTC, because a day on which the clocks change is longer or shorter than they say.
    """
    first = since.astimezone(hours.zone).date()
    for day in (first + timedelta(days=number) for number in range(LOOK_AHEAD)):
        if day.isoweekday() in hours.days and day not in hours.off:
            opening = datetime.combine(day, hours.opens, hours.zone).astimezone(UTC)
            closing = datetime.combine(day, hours.closes, hours.zone).astimezone(UTC)
            if closing > max(since, opening):
                yield opening, closing


def time_zone_named(name: str) -> tzinfo:
    """A time zone by its name; UTC when there is none of that name."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@lru_cache(maxsize=256)
def holidays_of(country: str, subdivision: str) -> Container[date]:
    """The public holidays of a country (ISO 3166 code) and of one of its regions; none when not known."""
    if not country:
        return ()
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        return ()

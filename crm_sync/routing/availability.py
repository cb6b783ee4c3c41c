"""The availability of a rep for a lead, and the reason when unavailable."""

from datetime import date, datetime, timedelta

from crm_sync.models import Owner
from crm_sync.routing.working_hours import time_zone_named
from leadscoring.engine.wording import MONTHS, format_count

REJECTED_FOR = timedelta(days=1)


def local_day(owner: Owner, at: datetime, account_zone: str) -> date:
    """Return the day in the rep's time zone, or in the account's when the rep has none."""
    return at.astimezone(time_zone_named(owner.time_zone or account_zone)).date()


def unavailable_reason(
    owner: Owner, at: datetime, account_zone: str, *, bounded: bool = True
) -> str:
    """Return why a rep is unavailable, as the end of a sentence; "" when available.

    `bounded`: whether the rep's daily maximum counts.
    """
    today = local_day(owner, at, account_zone)
    if not owner.active:
        return "is no longer active in the CRM"
    if is_rejected(owner, at):
        return "was refused by the CRM as the owner of a task"
    if is_away(owner, today):
        return (
            f"is away until {return_day_text(owner.away_until, today)}"
            if owner.away_until
            else "is away"
        )
    if bounded and owner.most_a_day is not None and leads_on_day(owner, today) >= owner.most_a_day:
        return f"has had {format_count(owner.most_a_day, 'lead')} today, the most a day"
    return ""


def is_rejected(owner: Owner, at: datetime) -> bool:
    """Return whether the CRM refused the rep as an owner lately; after a day it is tried again."""
    return owner.rejected_at is not None and at - owner.rejected_at < REJECTED_FOR


def is_away(owner: Owner, today: date) -> bool:
    """Return whether a rep is away: from the first to the last day, both included.

    Without a last day, until further notice.
    """
    if owner.away_from is None and owner.away_until is None:
        return False
    begun = owner.away_from is None or owner.away_from <= today
    return begun and (owner.away_until is None or today <= owner.away_until)


def leads_on_day(owner: Owner, today: date) -> int:
    """Return the rep's number of leads on `today` in the rep's time zone; 0 unless last counted then."""
    return owner.leads_counted if owner.counted_on == today else 0


def return_day_text(day: date, today: date) -> str:
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day.day} {MONTHS[day.month]}{year}"

"""Whose lead is it, and until when should they act."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_sync.models import Owner

OPENS, CLOSES = 9, 17
WEEKEND = (5, 6)
# Working hours in which a lead of this grade should be called.
HOURS_TO_RESPOND = {"A1": 1, "A2": 2, "B1": 2}
HOURS_TO_RESPOND_OTHERS = 4

NOBODY = (
    "No rep takes leads: on the Reps page let an active rep take leads or make one the fallback, "
    "then press Resend."
)


@dataclass(frozen=True, slots=True)
class Choice:
    owner: Owner
    because: str


class Reps:
    """Those who may get a lead, as the turn stands. Each choice moves the turn on."""

    def __init__(self, owners: Iterable[Owner]) -> None:
        self.active = {owner.owner_id: owner for owner in owners if owner.active}
        self.given = 0

    def choose(self, *, kept: str, own: str, at: datetime) -> Choice | None:
        """Who gets a lead, and why; None when nobody takes leads.

        `kept`: the owner chosen at an earlier attempt; `own`: the contact's owner in the CRM.
        """
        if kept in self.active:
            return Choice(self.active[kept], "chosen before")
        choice = self.by_ownership(own) or self.by_turn() or self.by_fallback()
        if choice:
            # A microsecond apart, so that the turn goes round within a batch too.
            self.given += 1
            choice.owner.last_lead_at = at + timedelta(microseconds=self.given)
        return choice

    def by_ownership(self, own: str) -> Choice | None:
        owner = self.active.get(own)
        return Choice(owner, "owns the contact in the CRM") if owner else None

    def by_turn(self) -> Choice | None:
        """Among those who take leads, the one who has waited longest; ids settle ties."""
        takers = [owner for owner in self.active.values() if owner.takes_leads]
        if not takers:
            return None
        never = datetime.min.replace(tzinfo=UTC)
        owner = min(takers, key=lambda rep: (rep.last_lead_at or never, rep.owner_id))
        return Choice(owner, "was longest without a lead")

    def by_fallback(self) -> Choice | None:
        fallback = [owner for owner in self.active.values() if owner.is_fallback]
        return Choice(fallback[0], "is the fallback: nobody else takes leads") if fallback else None


def due_at(since: datetime, zone: str, grade: str) -> datetime:
    """When a lead should have been called: so many working hours after `since`, in the rep's zone.

    Working hours are Monday to Friday, 9 to 17. Answers UTC.
    """
    left = timedelta(hours=HOURS_TO_RESPOND.get(grade, HOURS_TO_RESPOND_OTHERS))
    moment = next_working_moment(since.astimezone(zone_of(zone)))
    while (
        until_close := moment.replace(hour=CLOSES, minute=0, second=0, microsecond=0) - moment
    ) < left:
        left -= until_close
        moment = next_working_moment(moment + until_close)
    return (moment + left).astimezone(UTC)


def next_working_moment(moment: datetime) -> datetime:
    """The moment itself inside working hours, else the next opening."""
    opening = moment.replace(hour=OPENS, minute=0, second=0, microsecond=0)
    if moment.hour >= CLOSES:
        opening += timedelta(days=1)
    while opening.weekday() in WEEKEND:
        opening += timedelta(days=1)
    return max(moment, opening)


def zone_of(name: str) -> tzinfo:
    """A time zone by its name; UTC when there is none of that name."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC

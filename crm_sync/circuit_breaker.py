"""Trouble that all share: it stops everything at once, says so in one place, and ends by itself.

A single failure stops nothing. What the CRM says of all our requests (slow down, a token that is
no longer good) does at once; several failures in a row, with nothing that worked between, do for a
while that grows. Afterwards one worker tries for all.
"""

from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import transaction
from django.db.models import F, Q

from crm_sync.models import Breaker, Handoff, OptOut
from crm_sync.models.handoff import clean_reason
from crm_sync.port import Crm, CrmBusy, CrmDenied, CrmError
from leadscoring.operations import restore

FAILURES_TO_TRIP = 3
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(seconds=30)
# A person has to change something in the account: asking more often would only cost requests.
DENIED_WAIT = timedelta(minutes=1)
LONGEST_ASKED = timedelta(hours=1)
# The one that tries has so long before another may.
TRYING = timedelta(minutes=1)


class BreakerState(Enum):
    OPEN = auto()
    TRYING = auto()  # a hold has run out, and the caller is the one who tries
    SHUT = auto()


def breaker_state(crm: Crm, work: Breaker.Work, at: datetime) -> BreakerState:
    """Whether one kind of work may ask the CRM now.

    After a restore only reading goes on: what the rest would write may be there already.
    """
    if work != Breaker.Work.PULL and restore.reason_to_hold():
        return BreakerState.SHUT
    hold = Breaker.objects.filter(work=work, token=crm.identity).first()
    if hold is None:
        return BreakerState.OPEN
    if hold.until > at:
        return BreakerState.SHUT
    if hold.failures < FAILURES_TO_TRIP and not hold.denied:
        return BreakerState.OPEN
    mine = Breaker.objects.filter(work=work, token=crm.identity, until__lte=at)
    return BreakerState.TRYING if mine.update(until=at + TRYING) else BreakerState.SHUT


def is_tripped(crm: Crm, work: Breaker.Work) -> bool:
    """Whether something holds a kind of work, or held it and nobody has tried since."""
    held = Q(denied=True) | Q(failures__gte=FAILURES_TO_TRIP) | Q(until__gt=F("since"))
    return Breaker.objects.filter(held, work=work, token=crm.identity).exists()


def record_failure(crm: Crm, work: Breaker.Work, error: CrmError, at: datetime) -> Breaker:
    """Something failed that was not one record's fault."""
    with transaction.atomic():
        Breaker.objects.filter(work=work).exclude(token=crm.identity).delete()
        Breaker.objects.bulk_create(
            [
                Breaker(
                    work=work,
                    token=crm.identity,
                    reason=clean_reason(str(error)),
                    since=at,
                    until=at,
                )
            ],
            ignore_conflicts=True,
        )
        hold = Breaker.objects.select_for_update().get(work=work)
        still_denied = hold.denied and hold.until > at
        hold.reason, hold.denied = (
            clean_reason(str(error)),
            isinstance(error, CrmDenied) or still_denied,
        )
        hold.failures += 1
        if wait := open_duration(error, hold.failures):
            hold.until = at + wait
        hold.save()
    return hold


def open_duration(error: CrmError, failures: int) -> timedelta:
    """How long all wait after a failure that is the last of so many in a row."""
    if isinstance(error, CrmDenied):
        return DENIED_WAIT
    if isinstance(error, CrmBusy) and error.shared:
        return min(timedelta(seconds=error.retry_after), LONGEST_ASKED)
    if failures < FAILURES_TO_TRIP:
        return timedelta(0)
    doubled: int = 2 ** min(failures - FAILURES_TO_TRIP, 10)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


def reset(crm: Crm, work: Breaker.Work, at: datetime) -> None:
    """It works: what waited for that is brought forward. After an outage, the rows that failed
    during it are not to blame."""
    failures = list(
        Breaker.objects.filter(work=work, token=crm.identity).values_list("failures", flat=True)
    )
    if failures:
        Breaker.objects.filter(work=work).delete()
        OptOut.objects.bring_forward(at)
    if work == Breaker.Work.HANDOFFS:
        outage = bool(failures) and failures[0] > FAILURES_TO_TRIP
        Handoff.objects.bring_forward(at, bring_forward=outage)


def open_breakers_now(crm: Crm, at: datetime) -> list[Breaker]:
    """What is held now, for people to read."""
    rows = Breaker.objects.filter(token=crm.identity).order_by("since")
    return [
        hold for hold in rows if hold.denied or hold.failures >= FAILURES_TO_TRIP or hold.until > at
    ]


def breaker_reason(crm: Crm, work: Breaker.Work, at: datetime) -> str:
    """The cause that holds one kind of work now; "" when nothing does."""
    reason = restore.reason_to_hold() if work != Breaker.Work.PULL else ""
    return reason or next(
        (hold.reason for hold in open_breakers_now(crm, at) if hold.work == work), ""
    )

"""Circuit breaker for shared failures: it stops one kind of work for all workers, and resets itself.

A single failure does not trip it. An error of the CRM for all our requests (slow down, a token that
is no longer valid) trips it at once. Several failures in a row, without a success between, trip it
for a time that grows. Afterwards one worker makes a trial for all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import transaction
from django.db.models import F, Q

from crm_sync.models import Breaker, Handoff, OptOut
from crm_sync.models.handoff import clean_reason
from crm_sync.port import Crm, CrmBusy, CrmDenied, CrmError
from leadscoring.operations import restore

FAILURES_TO_TRIP = 3
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(seconds=20)
# A person has to change something in the account: more frequent trials would only cost requests.
DENIED_WAIT = timedelta(minutes=1)
LONGEST_ASKED = timedelta(hours=1)
# The time that the worker of the trial has before another may try.
TRYING = timedelta(minutes=1)


class BreakerState(Enum):
    CLOSED = auto()  # requests may pass
    HALF_OPEN = auto()  # the wait is over, and the caller makes the trial
    OPEN = auto()  # requests may not pass


def breaker_state(crm: Crm, work: Breaker.Work, at: datetime) -> BreakerState:
    """Return whether one kind of work may send requests now; HALF_OPEN goes to one caller alone.

    After a restore only the pull goes on: what other work would write may exist already.
    """
    if work != Breaker.Work.PULL and restore.reason_to_hold():
        return BreakerState.OPEN
    breaker = Breaker.objects.filter(work=work, identity=crm.identity).first()
    if breaker is None:
        return BreakerState.CLOSED
    if breaker.until > at:
        return BreakerState.OPEN
    if breaker.failures < FAILURES_TO_TRIP and not breaker.denied:
        return BreakerState.CLOSED
    mine = Breaker.objects.filter(work=work, identity=crm.identity, until__lte=at)
    return BreakerState.HALF_OPEN if mine.update(until=at + TRYING) else BreakerState.OPEN


@contextmanager
def admission(crm: Crm, work: Breaker.Work, at: datetime) -> Iterator[BreakerState]:
    """Yield `breaker_state` for a block of work.

    A trial that ends without a result (no request was admitted, nothing was due, the database went
    away) is given to another worker soon, instead of after the time that a killed one would have had.
    """
    state = breaker_state(crm, work, at)
    try:
        yield state
    finally:
        if state is BreakerState.HALF_OPEN:
            unused = Breaker.objects.filter(work=work, identity=crm.identity, until=at + TRYING)
            unused.update(until=at + FIRST_WAIT)


def is_tripped(crm: Crm, work: Breaker.Work) -> bool:
    """Return whether a breaker has tripped for a kind of work and has not been reset since."""
    tripped = Q(denied=True) | Q(failures__gte=FAILURES_TO_TRIP) | Q(until__gt=F("since"))
    return Breaker.objects.filter(tripped, work=work, identity=crm.identity).exists()


def record_failure(crm: Crm, work: Breaker.Work, error: CrmError, at: datetime) -> Breaker:
    """Record a failure that is not one record's fault; return the breaker."""
    with transaction.atomic():
        Breaker.objects.filter(work=work).exclude(identity=crm.identity).delete()
        Breaker.objects.bulk_create(
            [
                Breaker(
                    work=work,
                    identity=crm.identity,
                    reason=clean_reason(str(error)),
                    since=at,
                    until=at,
                )
            ],
            ignore_conflicts=True,
        )
        breaker = Breaker.objects.select_for_update().get(work=work)
        still_denied = breaker.denied and breaker.until > at
        breaker.reason, breaker.denied = (
            clean_reason(str(error)),
            isinstance(error, CrmDenied) or still_denied,
        )
        breaker.failures += 1
        if wait := open_duration(error, breaker.failures):
            breaker.until = at + wait
        breaker.save()
    return breaker


def open_duration(error: CrmError, failures: int) -> timedelta:
    """Return how long all wait after a failure, the last of `failures` in a row."""
    if isinstance(error, CrmDenied):
        return DENIED_WAIT
    if isinstance(error, CrmBusy) and error.shared:
        return min(timedelta(seconds=error.retry_after), LONGEST_ASKED)
    if failures < FAILURES_TO_TRIP:
        return timedelta(0)
    doubled: int = 2 ** min(failures - FAILURES_TO_TRIP, 10)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


def reset(crm: Crm, work: Breaker.Work, at: datetime) -> None:
    """Reset the breaker after a success, and bring the waiting rows forward. After an outage, rows
    that failed during it are not at fault."""
    failures = list(
        Breaker.objects.filter(work=work, identity=crm.identity).values_list("failures", flat=True)
    )
    if failures:
        Breaker.objects.filter(work=work).delete()
        OptOut.objects.bring_forward(at)
    if work == Breaker.Work.HANDOFFS:
        outage = bool(failures) and failures[0] > FAILURES_TO_TRIP
        Handoff.objects.bring_forward(at, reset_failures=outage)


def open_breakers_now(crm: Crm, at: datetime) -> list[Breaker]:
    """Return the breakers that have tripped now, the oldest first, for display."""
    rows = Breaker.objects.filter(identity=crm.identity).order_by("since")
    return [
        breaker
        for breaker in rows
        if breaker.denied or breaker.failures >= FAILURES_TO_TRIP or breaker.until > at
    ]


def breaker_reason(crm: Crm, work: Breaker.Work, at: datetime) -> str:
    """Return the reason that stops one kind of work now; "" when nothing does."""
    reason = restore.reason_to_hold() if work != Breaker.Work.PULL else ""
    return reason or next(
        (breaker.reason for breaker in open_breakers_now(crm, at) if breaker.work == work), ""
    )

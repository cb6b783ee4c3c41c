"""Delivery of due handoffs to sales: contact → owner → task, each step recorded before the next."""

from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from django.db.models import F
from django.db.models.functions import Greatest

from crm_sync.account import check_account, read_account
from crm_sync.circuit_breaker import BreakerState, admission, reset
from crm_sync.handoff.batch import FAULT, HANDOFFS, Batch
from crm_sync.handoff.contact_read import read_contact_records
from crm_sync.handoff.contact_save import save_contact_records
from crm_sync.handoff.eligibility import check_eligibility
from crm_sync.handoff.owner import assign_owners
from crm_sync.handoff.task_creation import make_tasks
from crm_sync.handoff.tried_tasks import find_tried_tasks
from crm_sync.handoff.unrecorded_tasks import adopt_unrecorded_tasks
from crm_sync.models import Handoff
from crm_sync.port import Crm, CrmError, CrmPaced
from leadscoring.operations.failpoints import reach

STEPS = (
    check_eligibility, read_contact_records, find_tried_tasks, save_contact_records, adopt_unrecorded_tasks, assign_owners,
    make_tasks,
)  # fmt: skip
# More than this at once are a backlog: single leads have priority over them.
FEW = 10
INTERRUPTED = "The database went away while it was worked on: it is taken up again."
# Claims that this worker could not release.
stranded: set[UUID] = set()


def deliver_due(crm: Crm, at: datetime) -> int:
    """Claim due handoffs and take them as far as they go; return how many were claimed.

    Whatever stops it, each row records how far it came and why no further. Only faults of this
    program are raised, after they were recorded.
    """
    release_stranded(at)
    with admission(crm, HANDOFFS, at) as state:
        if state is BreakerState.OPEN:
            return 0
        return deliver_batch(crm, at, trying=state is BreakerState.HALF_OPEN)


def deliver_batch(crm: Crm, at: datetime, *, trying: bool) -> int:
    rows = Handoff.objects.claim(at=at, limit=1 if trying else 100, probing=trying)
    if rows or trying:
        reach("handoff.claimed")
        batch = Batch(crm.with_priority("live" if len(rows) <= FEW else "backlog"), at, rows)
        try:
            if trying:
                read_account(batch.crm, at)
            run_steps(batch)
        except CrmPaced as paced:
            batch.release_all(str(paced), paced.retry_after)
        except CrmError as error:
            batch.handle_error(error)
        except Exception as fault:
            try:
                batch.back_off_all(FAULT.format(name=type(fault).__name__))
            except (DatabaseError, InterfaceError):
                stranded.update(row.claim for row in rows if row.claim)
            raise
        else:
            reset(crm, HANDOFFS, batch.now())
    return len(rows)


def release_stranded(at: datetime) -> None:
    """Make due what this worker held when the database went away, instead of waiting for the lease.

    Each step was written down before the next, so a row goes on where it was.
    """
    if stranded:
        rows = Handoff.objects.waiting().filter(claim__in=stranded)
        rows.update(
            claim=None, due_at=at, failures=Greatest(F("failures") - 1, 0), reason=INTERRUPTED
        )
        stranded.clear()


def run_steps(batch: Batch) -> None:
    if not batch.rows:
        return
    batch.account = check_account(batch.crm, batch.at)
    for step in STEPS:
        step(batch)
        batch.store_progress()
        if not batch.rows:
            return

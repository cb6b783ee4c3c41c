"""The handoffs that one worker has claimed, and what its steps have found out about them."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction

from crm_sync import with_sales
from crm_sync.circuit_breaker import record_failure
from crm_sync.deals.stage_policy import Stages
from crm_sync.mapping.contact_facts import ContactFacts
from crm_sync.models import Account, Breaker, FieldMapping, Handoff, Link, Owner
from crm_sync.models.handoff import ALONE, LEASE
from crm_sync.port import (
    Crm,
    CrmBusy,
    CrmContact,
    CrmDenied,
    CrmError,
    CrmMissing,
    CrmOwnerRejected,
    CrmPaced,
    CrmRejected,
    CrmSilent,
    CrmUnexplained,
)
from leadscoring.common.backoff import backoff_delay
from leadscoring.common.clock import AnchoredClock
from leadscoring.operations.failpoints import reach

Write = TypeVar("Write")
log = logging.getLogger(__name__)

HANDOFFS = Breaker.Work.HANDOFFS
# The longest that a call may take. A call that must not be sent after the lease has expired is not
# started later than this before its end.
LONGEST_CALL = timedelta(seconds=30)
# Until a record that is not shown is looked for again.
NEXT_LOOK = timedelta(minutes=1)
FAULT = "A fault in this program ({name}): the worker's log says where."
DELETED = "The contact's record was deleted in the CRM, and a deleted record is never made again."
NOT_SHOWN = "The CRM does not show the contact's record at this moment: it is looked for again."
MERGED = "They turned out to be one person with somebody else just now, and are looked at anew."


@dataclass(slots=True)
class Batch:
    """Claimed rows and what is known of them. `rows`: those still active, and still leased to us.

    `alone`: one row was claimed, so a failure may be the row's own.
    """

    crm: Crm
    at: datetime
    rows: list[Handoff]
    alone: bool = field(init=False)
    account: Account = field(init=False)
    stages: Stages = field(default_factory=dict)
    mappings: list[FieldMapping] = field(default_factory=list)
    known: dict[int, ContactFacts] = field(default_factory=dict)
    links: dict[int, Link] = field(default_factory=dict)
    seen: dict[int, datetime] = field(default_factory=dict)  # when each was last refreshed
    records: dict[int, CrmContact] = field(default_factory=dict)  # by contact, as read from the CRM
    owners: dict[str, Owner] = field(default_factory=dict)
    clock: AnchoredClock = field(init=False)
    leased_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.alone = len(self.rows) == 1
        self.clock = AnchoredClock(self.at)

    def now(self) -> datetime:
        return self.clock.now()

    def store_progress(self) -> None:
        """Store the rows' progress and renew the lease; keep the active rows that are still ours."""
        leased_at = time.monotonic()
        for row in self.active_rows():
            row.due_at = self.now() + LEASE
        ours = self._record()
        self.leased_at = leased_at
        if len(ours) < len(self.rows):
            log.warning("%d handoffs are in another worker's hands", len(self.rows) - len(ours))
        self.rows = ours
        self.rows = self.active_rows()
        reach("handoff.recorded")

    def _record(self) -> list[Handoff]:
        """Write the rows down; who is kept here is no longer with sales from the same moment on."""
        kept_here = {row.contact_id for row in self.rows if row.status == Handoff.Status.WITHDRAWN}
        if not kept_here:
            return Handoff.objects.record(self.rows)
        with transaction.atomic():
            ours = Handoff.objects.record(self.rows)
            with_sales.send_changes(kept_here, self.now())
        return ours

    def active_rows(self) -> list[Handoff]:
        return [
            row
            for row in self.rows
            if row.status == Handoff.Status.WAITING and not row.lease_released
        ]

    def back_off(self, row: Handoff, reason: str, at_least: float = 0.0) -> None:
        """Postpone a row for a failure that may be its own: longer each time, once it is tried alone."""
        until = self.now() + backoff_delay(row.failures - ALONE + 1, row.reference, at_least)
        row.postpone(reason, until)

    def wait_for_crm(
        self, row: Handoff, reason: str, at_least: float = 0.0, *, excused: bool
    ) -> None:
        """Postpone a row for a shared failure: a short wait each time. The circuit breaker does the rest."""
        until = self.now() + backoff_delay(1, row.reference, at_least)
        row.postpone(reason, until, excused=excused, for_crm=True)

    def late_after(self) -> float:
        """Return the time.monotonic() reading after which our lease may expire before a call ends."""
        return self.leased_at + (LEASE - LONGEST_CALL).total_seconds()

    def back_off_all(self, reason: str, at_least: float = 0.0) -> None:
        """Back all rows off after a failure here, of which one row may or may not be the cause."""
        for row in self.active_rows():
            self.back_off(row, reason, at_least)
        self.store_progress()

    def wait_for_crm_all(self, reason: str, at_least: float = 0.0) -> None:
        """Postpone all rows after the CRM failed for all. One of many may be the cause, so the failure
        counts; it does not for a row that was tried alone while others fail too."""
        for row in self.active_rows():
            self.wait_for_crm(row, reason, at_least, excused=self.alone)
        self.store_progress()

    def release_all(self, reason: str, wait: float = 0.0) -> None:
        """Release all rows for `wait` seconds, for a cause that is unrelated to them."""
        for row in self.active_rows():
            row.postpone(reason, self.now() + timedelta(seconds=wait), excused=True)
        self.store_progress()

    def set_aside_merged(self, contact_ids: Collection[int]) -> None:
        """Postpone rows whose contact was merged since they were claimed: they are checked again as the
        kept contact. An erased contact has no row any more. `contact_ids`: those that exist."""
        for row in self.active_rows():
            if row.contact_id not in contact_ids or row.contact_id not in self.known:
                row.postpone(MERGED, self.now(), excused=True)

    def prepare(self, make: Callable[[Handoff], Write]) -> dict[int, Write]:
        """Build what to send for each row, by its id. Back off a row whose own data make that fail."""
        made = {}
        for row in self.rows:
            try:
                made[row.pk] = make(row)
            except Exception as fault:
                log.exception("handoff %s could not be put into words", row.reference)
                self.back_off(row, FAULT.format(name=type(fault).__name__))
        self.rows, aside = self.active_rows(), [row for row in self.rows if row.lease_released]
        Handoff.objects.record(aside)
        return made

    def record_of(self, row: Handoff) -> CrmContact | None:
        """Return the contact's record as it was read; None when there was none."""
        return self.records.get(row.contact_id)

    def check_answered(self, answers: Collection[object]) -> None:
        """Raise when no answer is a success or a row's own error: no single row is at fault."""
        troubles = [
            answer
            for answer in answers
            if isinstance(answer, CrmError) and not is_own_error(answer)
        ]
        if troubles and len(troubles) == len(answers):
            raise next((each for each in troubles if isinstance(each, CrmSilent)), troubles[0])

    def settle_row_error(self, row: Handoff, error: CrmError) -> None:
        """Settle a row whose own write failed while others' succeeded."""
        match error:
            case CrmMissing():  # the next attempt reads whether it was deleted
                row.postpone(NOT_SHOWN, self.now() + NEXT_LOOK, excused=True)
            case CrmUnexplained():
                self.wait_for_change(row, str(error))
            case CrmOwnerRejected():
                self.pass_over_owner(row, error)
            case CrmRejected():
                row.give_up(f"{error} Mend it in the contact or in the CRM, then press Resend.")
            case CrmDenied() | CrmPaced() | CrmBusy(shared=True):
                self.wait_for_crm(row, str(error), asked_wait(error), excused=True)
            case _:
                self.back_off(row, str(error), asked_wait(error))

    def wait_for_change(self, row: Handoff, reason: str) -> None:
        """Postpone a row that the CRM rejects without naming what is wrong with it, however long: the
        cause is in the account, and ends there."""
        until = self.now() + backoff_delay(row.attempts, row.reference)
        row.postpone(reason, until, excused=True, for_crm=True)

    def pass_over_owner(self, row: Handoff, error: CrmOwnerRejected) -> None:
        """Record that the CRM does not accept the rep, and let the routing choose another at once."""
        owner = self.owners[row.owner_id]
        owner.record_rejection(str(error), self.now())
        row.owner_id = row.owner_reason = ""
        reason = f"{owner} was chosen, and the CRM does not accept them: {error}"
        row.postpone(reason, self.now(), excused=True)

    def handle_error(self, error: CrmError) -> None:
        """Postpone all rows after the CRM failed for all of them. The failure counts as shared, unless
        one row was tried alone and nothing else failed since the last success."""
        breaker = record_failure(self.crm, HANDOFFS, error, self.now())
        if isinstance(error, CrmUnexplained):
            for row in self.active_rows():
                self.wait_for_change(row, str(error))
            self.store_progress()
        elif isinstance(error, CrmDenied) or (isinstance(error, CrmBusy) and error.shared):
            self.release_all(str(error))
        elif self.alone and breaker.failures == 1:
            self.back_off_all(str(error), asked_wait(error))
        else:
            self.wait_for_crm_all(str(error), asked_wait(error))


def is_own_error(error: CrmError) -> bool:
    """Return whether an error is about one row's record or values, whatever happens to others."""
    own = isinstance(error, CrmMissing | CrmRejected)
    return own and not isinstance(error, CrmUnexplained)


def asked_wait(error: CrmError) -> float:
    """Return the seconds for which the CRM asks us to wait; 0 when it does not."""
    return error.retry_after if isinstance(error, CrmBusy) else 0.0

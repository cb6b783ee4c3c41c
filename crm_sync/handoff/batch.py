"""Handoffs that one worker has in hand, and what is known of them on their way."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from crm_sync.deals.stage_policy import Stages
from crm_sync.mapping.contact_facts import ContactFacts
from crm_sync.models import Account, FieldMapping, Handoff, Link, Owner
from crm_sync.models.handoff import ALONE, LEASE
from crm_sync.port import (
    Crm,
    CrmBusy,
    CrmContact,
    CrmDenied,
    CrmError,
    CrmMissing,
    CrmPaced,
    CrmRejected,
    CrmSilent,
)
from leadscoring.common.backoff import backoff_delay
from leadscoring.common.clock import AnchoredClock
from leadscoring.operations.failpoints import reach

Write = TypeVar("Write")
log = logging.getLogger(__name__)

# A call may take so long; what must not be sent by a worker whose lease has run out is not begun
# later than that before its end.
LONGEST_CALL = timedelta(seconds=30)
FAULT = "A fault in this program ({name}): the worker's log says where."
DELETED = "The contact's record was deleted in the CRM, and a deleted record is never made again."


@dataclass(slots=True)
class Batch:
    """Claimed rows and what is known of them. `rows`: those still under way, and still ours.

    `alone`: one row was claimed, so what goes wrong may be its own.
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
    seen: dict[int, datetime] = field(default_factory=dict)  # when each was last looked at
    records: dict[int, CrmContact] = field(default_factory=dict)  # by contact, as read there
    owners: dict[str, Owner] = field(default_factory=dict)
    clock: AnchoredClock = field(init=False)
    leased_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.alone = len(self.rows) == 1
        self.clock = AnchoredClock(self.at)

    def now(self) -> datetime:
        return self.clock.now()

    def record(self) -> None:
        """Write how far the rows have come and renew the lease; keep those that go on and are ours."""
        leased_at = time.monotonic()
        for row in self.active_rows():
            row.due_at = self.now() + LEASE
        ours = Handoff.objects.record(self.rows)
        self.leased_at = leased_at
        if len(ours) < len(self.rows):
            log.warning("%d handoffs are in another worker's hands", len(self.rows) - len(ours))
        self.rows = ours
        self.rows = self.active_rows()
        reach("handoff.recorded")

    def active_rows(self) -> list[Handoff]:
        return [
            row
            for row in self.rows
            if row.status == Handoff.Status.WAITING and not row.lease_released
        ]

    def back_off(self, row: Handoff, reason: str, at_least: float = 0.0) -> None:
        """The row's own trouble, as far as we know: it waits longer each time once it goes alone."""
        until = self.now() + backoff_delay(row.failures - ALONE + 1, row.reference, at_least)
        row.postpone(reason, until)

    def wait_for_crm(
        self, row: Handoff, reason: str, at_least: float = 0.0, *, excused: bool
    ) -> None:
        """Trouble that all share: a short wait, however often. The circuit breaker does the rest."""
        until = self.now() + backoff_delay(1, row.reference, at_least)
        row.postpone(reason, until, excused=excused, for_crm=True)

    def late_after(self) -> float:
        """The reading of time.monotonic() after which our lease may have run out before a call ends."""
        return self.leased_at + (LEASE - LONGEST_CALL).total_seconds()

    def back_off_all(self, reason: str, at_least: float = 0.0) -> None:
        """The work of all went wrong here, and it is not known whether one of them is to blame."""
        for row in self.active_rows():
            self.back_off(row, reason, at_least)
        self.record()

    def wait_for_crm_all(self, reason: str, at_least: float = 0.0) -> None:
        """The CRM failed for all. One of many may be to blame, so they stay suspects; one that went
        alone while others fail too is not."""
        for row in self.active_rows():
            self.wait_for_crm(row, reason, at_least, excused=self.alone)
        self.record()

    def put_back(self, reason: str, wait: float = 0.0) -> None:
        """Nothing more now, for a cause that has nothing to do with these rows."""
        for row in self.active_rows():
            row.postpone(reason, self.now() + timedelta(seconds=wait), excused=True)
        self.record()

    def prepare(self, make: Callable[[Handoff], Write]) -> dict[int, Write]:
        """What to send for each row, by its id. A row whose own data make that fail stands aside."""
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
        """The contact's record as it was read."""
        return self.records.get(row.contact_id)

    def check_answered(self, answers: Collection[object]) -> None:
        """Raise the trouble when nothing but trouble came back: then it is not one row's."""
        troubles = [
            answer
            for answer in answers
            if isinstance(answer, CrmError) and not isinstance(answer, CrmMissing | CrmRejected)
        ]
        if troubles and len(troubles) == len(answers):
            raise next((each for each in troubles if isinstance(each, CrmSilent)), troubles[0])

    def stop(self, row: Handoff, error: CrmError) -> None:
        """What becomes of a row whose own write went wrong, while others' went well."""
        match error:
            case CrmMissing():
                row.withdraw(DELETED)
            case CrmRejected():
                row.give_up(f"{error} Mend it in the contact or in the CRM, then press Resend.")
            case CrmDenied() | CrmPaced() | CrmBusy(shared=True):
                self.wait_for_crm(row, str(error), asked_wait(error), excused=True)
            case _:
                self.back_off(row, str(error), asked_wait(error))


def asked_wait(error: CrmError) -> float:
    """Seconds for which the CRM wants not to be asked again."""
    return error.retry_after if isinstance(error, CrmBusy) else 0.0

"""Repairs of what a comparison with the CRM found. Each is safe to repeat, and to run twice at once.

No task is ever made here: a row that needs one waits again, and the ledger delivers it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from crm_sync.models import Account, Handoff, Link, Owner
from crm_sync.port import Crm, CrmError, CrmMissing, CrmRejected, CrmTask, CrmTaskChange
from leadscoring.common.batching import batched

CHUNK = 500
FOUND = "The task was found in the CRM; it is being written down."
LOST = "Its task is not in the CRM any more, and nobody has deleted it there: it is made again."


@dataclass(frozen=True, slots=True)
class Repairs:
    """Repairs in one account at an instant. `plan`: only report what would be done."""

    crm: Crm
    account: Account
    at: datetime
    plan: bool

    def adopt(self, finds: Mapping[int, CrmTask]) -> set[int]:
        """Deliver rows whose tasks were found; return them, without those that a worker has claimed."""
        if self.plan:
            return set(claimable_rows(finds, self.at).values_list("pk", flat=True))
        adopted = set()
        for ids in batched(finds, CHUNK):
            rows = Handoff.objects.filter(pk__in=ids).claim_found(
                at=self.at, account_id=self.account.account_id, reason=FOUND
            )
            for row in rows:
                self.deliver(row, finds[row.pk])
            adopted |= {row.pk for row in Handoff.objects.record(rows) if row.task_id}
        return adopted

    def deliver(self, row: Handoff, task: CrmTask) -> None:
        """Deliver a row, with the contact and rep of the task where the row has none yet."""
        row.record_id = row.record_id or next(iter(task.record_ids), "")
        row.owner_id = row.owner_id or task.owner_id
        if row.record_id and row.owner_id:
            row.deliver(task.task_id, task.subject, self.at)
        else:
            row.give_up(
                f"Its task {task.task_id} is in the CRM, on nobody: give it a contact and a rep there."
            )

    def reopen_delivered(self, row_ids: Collection[int], *, certain: bool) -> int:
        """Make rows whose task no longer exists wait again; return how many."""
        return Handoff.objects.filter(pk__in=row_ids).reopen_delivered(
            LOST, self.at, certain=certain
        )

    def associate(self, record_of: Mapping[str, str]) -> set[str]:
        """Put tasks on their contacts; return those that are. A rejected one does not stop the others."""
        if not record_of:
            return set()
        try:
            self.crm.associate_tasks(record_of)
        except (CrmMissing, CrmRejected):
            if len(record_of) == 1:
                return set()
            pairs = list(record_of.items())
            half = len(pairs) // 2
            return self.associate(dict(pairs[:half])) | self.associate(dict(pairs[half:]))
        return set(record_of)

    def assign(self, owner_of: Mapping[str, str]) -> set[str]:
        """Assign tasks to their reps; return those that are assigned now."""
        changes = [CrmTaskChange(task_id, owner_id=owner) for task_id, owner in owner_of.items()]
        answers = self.crm.change_tasks(changes) if changes else {}
        return {task_id for task_id, told in answers.items() if not isinstance(told, CrmError)}


def claimable_rows(row_ids: Collection[int], at: datetime) -> QuerySet[Handoff]:
    return Handoff.objects.filter(pk__in=row_ids).unclaimed_undelivered(at)


def current_records(rows: Collection[Handoff]) -> dict[int, str]:
    """Return each row's current record of its contact; deleted records are left out."""
    links = Link.objects.filter(contact__in=[row.contact_id for row in rows], gone_at=None)
    today = dict(links.values_list("contact_id", "record_id"))
    return {row.pk: today[row.contact_id] for row in rows if row.contact_id in today}


def active_owner_ids() -> set[str]:
    return set(Owner.objects.filter(active=True).values_list("owner_id", flat=True))

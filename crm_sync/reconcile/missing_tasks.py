"""Rows that are delivered and whose task does not exist: searched for everywhere, then redelivered."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from crm_sync.models import Handoff, HandoffTask
from crm_sync.port import CrmTask
from crm_sync.reconcile.comparison import Comparison, Discrepancy
from crm_sync.reconcile.duplicates import adopt_replacement
from crm_sync.reconcile.repairs import Repairs, current_records
from crm_sync.reconcile.survey import Survey

# For how long a CRM can show that a task was deleted; older deliveries are not searched for.
REMEMBERED = timedelta(days=89)
WAITS = "waits to be delivered again"


def unseen_rows(seen: Survey, at: datetime) -> list[int]:
    """Return rows whose task should have been in a survey started at an instant, and was not."""
    rows = HandoffTask.objects.to_find(at - REMEMBERED, at).order_by("pk")
    # Those with another task of their reference are settled as duplicates.
    known = seen.seen | seen.further_tasks.keys()
    return [pk for pk in rows.values_list("pk", flat=True).iterator() if pk not in known]


def look_for_missing(repairs: Repairs, seen: Survey, ids: Sequence[int], found: Comparison) -> None:
    """Search for the tasks of some rows; those that a rep has done meanwhile are skipped."""
    tasks = HandoffTask.objects.to_find(repairs.at - REMEMBERED, repairs.at).filter(pk__in=ids)
    rows = tasks.select_related("handoff").defer("handoff__reasons", "handoff__left_out")
    if some := [task.handoff for task in rows]:
        find_missing_batch(repairs, some, found)


def find_missing_batch(repairs: Repairs, rows: Sequence[Handoff], found: Comparison) -> None:
    """Search by id, among deleted tasks, and on the contact: an unlisted task may still exist.

    A task that a person deleted is not missing.
    """
    ids = [row.task_id for row in rows]
    there = repairs.crm.tasks(ids)
    absent = [task_id for task_id in ids if task_id not in there]
    deleted = repairs.crm.archived_tasks(absent) if absent else set()
    lost = [row for row in rows if row.task_id not in there and row.task_id not in deleted]
    if lost:
        redeliver(repairs, lost, found)


def redeliver(repairs: Repairs, lost: Sequence[Handoff], found: Comparison) -> None:
    records = current_records(lost)
    tasks = repairs.crm.tasks_of(list(records.values())) if records else {}
    others = {row.pk: find_referenced(tasks.get(records.get(row.pk, ""), ()), row) for row in lost}
    gone = [row for row in lost if not others[row.pk]]
    told = {row.pk: lost_finding(row) for row in gone}
    found.missing += told.values()
    found.unnoticed += [
        adopt_replacement(repairs, row, other)
        for row in lost
        if (other := others[row.pk]) is not None
    ]
    if not repairs.plan:
        repairs.reopen_delivered(list(told), certain=True)
        for each in told.values():
            each.repaired = WAITS


def find_referenced(tasks: Iterable[CrmTask], row: Handoff) -> CrmTask | None:
    """Return the task with the row's reference."""
    return next((task for task in tasks if row.reference in task.body), None)


def lost_finding(row: Handoff) -> Discrepancy:
    return Discrepancy(
        "Its task is not in the CRM, and nobody has deleted it there.",
        "Run handoff_reconcile.",
        reference=row.reference,
        task_id=row.task_id,
        contact=row.contact_id,
    )

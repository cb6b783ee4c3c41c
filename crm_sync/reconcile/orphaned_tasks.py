"""Open tasks without a contact or a rep: put on their contact, assigned to the rep of the row."""

from collections.abc import Sequence

from crm_sync.models import Handoff
from crm_sync.port import CrmTask
from crm_sync.reconcile.comparison import Comparison, Discrepancy
from crm_sync.reconcile.repairs import Repairs, active_owner_ids, current_records
from crm_sync.reconcile.survey import OrphanedTask, Survey

MENDED = "put on its contact and given to its rep"


def repair_orphaned(
    repairs: Repairs, seen: Survey, places: Sequence[int], found: Comparison
) -> None:
    """Repair some, by their places in the survey's list."""
    # A row that a worker has claimed at this moment is left to the worker.
    some = [each for place in places if (each := seen.orphaned[place]).row_id in seen.seen]
    if some:
        found.on_nobody += repair_batch(repairs, some)


def repair_batch(repairs: Repairs, some: Sequence[OrphanedTask]) -> list[Discrepancy]:
    rows = Handoff.objects.in_bulk([each.row_id for each in some])
    tasks = repairs.crm.tasks([each.task_id for each in some])
    # A rep may have dealt with it since it was listed.
    open_ones = [each for each in some if each.task_id in tasks and not tasks[each.task_id].done]
    active = active_owner_ids()
    records = current_records(list(rows.values()))
    to_associate = {
        each.task_id: records[each.row_id]
        for each in open_ones
        if not each.associated and each.row_id in records
    }
    to_assign = {
        each.task_id: rows[each.row_id].owner_id
        for each in open_ones
        if tasks[each.task_id].owner_id not in active and rows[each.row_id].owner_id in active
    }
    associated = set() if repairs.plan else repairs.associate(to_associate)
    assigned = set() if repairs.plan else repairs.assign(to_assign)
    return [
        orphan_finding(each, rows[each.row_id], tasks[each.task_id], associated=each.associated or each.task_id in associated,
             assigned=tasks[each.task_id].owner_id in active or each.task_id in assigned)
        for each in open_ones
    ]  # fmt: skip


def orphan_finding(
    each: OrphanedTask, row: Handoff, task: CrmTask, *, associated: bool, assigned: bool
) -> Discrepancy:
    lacks = [
        *([] if each.associated else ["hangs on no contact"]),
        *([] if each.owner_id else ["has no rep who is there"]),
    ]
    return Discrepancy(
        f"An open task that {' and '.join(lacks)}.",
        "Put it on its contact and give it to a rep in the CRM.",
        reference=row.reference,
        task_id=task.task_id,
        contact=row.contact_id,
        repaired=MENDED if associated and assigned else "",
    )

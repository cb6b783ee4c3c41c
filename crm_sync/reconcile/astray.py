"""Open tasks that are on nobody's list: put on their contact, given to the rep whom the row names."""

from collections.abc import Sequence

from crm_sync.models import Handoff
from crm_sync.port import CrmTask
from crm_sync.reconcile.comparison import Comparison, Finding
from crm_sync.reconcile.mending import Mender, active_owners, cut, records_of
from crm_sync.reconcile.surveying import Astray, Survey

MENDED = "put on its contact and given to its rep"


def mend_astray(mender: Mender, seen: Survey, found: Comparison) -> None:
    for some in cut(seen.astray):
        found.on_nobody += mend(mender, some)


def mend(mender: Mender, some: Sequence[Astray]) -> list[Finding]:
    rows = Handoff.objects.in_bulk([each.row_id for each in some])
    tasks = mender.crm.tasks([each.task_id for each in some])
    # A rep may have dealt with it since it was listed.
    open_ones = [each for each in some if each.task_id in tasks and not tasks[each.task_id].done]
    active = active_owners()
    records = records_of(list(rows.values()))
    hang = {
        each.task_id: records[each.row_id]
        for each in open_ones
        if not each.hangs and each.row_id in records
    }
    give = {
        each.task_id: rows[each.row_id].owner_id
        for each in open_ones
        if tasks[each.task_id].owner_id not in active and rows[each.row_id].owner_id in active
    }
    hung = set() if mender.plan else mender.hang(hang)
    given = set() if mender.plan else mender.assign(give)
    return [
        told(each, rows[each.row_id], tasks[each.task_id], hung=each.hangs or each.task_id in hung,
             given=tasks[each.task_id].owner_id in active or each.task_id in given)
        for each in open_ones
    ]  # fmt: skip


def told(each: Astray, row: Handoff, task: CrmTask, *, hung: bool, given: bool) -> Finding:
    lacks = [
        *([] if each.hangs else ["hangs on no contact"]),
        *([] if each.owner_id else ["has no rep who is there"]),
    ]
    return Finding(
        f"An open task that {' and '.join(lacks)}.",
        "Put it on its contact and give it to a rep in the CRM.",
        reference=row.reference,
        task_id=task.task_id,
        contact=row.contact_id,
        repaired=MENDED if hung and given else "",
    )

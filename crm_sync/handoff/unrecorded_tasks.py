"""The step of a handoff that re-adopts a task which a restore removed from the ledger."""

from crm_sync.handoff.batch import Batch
from crm_sync.models import Handoff, UnrecordedTask
from crm_sync.port import CrmTask

ON_NOBODY = (
    "Its task {task_id} is in the CRM and nobody's there: give it to a rep, then press Resend."
)


def adopt_unrecorded_tasks(batch: Batch) -> None:
    """Adopt our tasks on the contact's record that no row of the ledger has."""
    ids = {id_: row.pk for row in batch.rows for id_ in record_ids_of(batch, row)}
    rows = {row.pk: row for row in batch.rows}
    found: dict[int, UnrecordedTask] = {}
    for unrecorded in UnrecordedTask.objects.to_adopt(list(ids), batch.now()):
        found.setdefault(ids[unrecorded.record_id], unrecorded)
    tasks = batch.crm.tasks([unrecorded.task_id for unrecorded in found.values()]) if found else {}
    for pk, unrecorded in found.items():
        if task := tasks.get(unrecorded.task_id):
            adopt(batch, rows[pk], unrecorded, task)


def record_ids_of(batch: Batch, row: Handoff) -> tuple[str, ...]:
    """Return the ids of the contact's record and of those that were merged into it."""
    record = batch.record_of(row)
    return (row.record_id, *(record.former_ids if record else ()))


def adopt(batch: Batch, row: Handoff, unrecorded: UnrecordedTask, task: CrmTask) -> None:
    """Take a task over into its row, with the reference in its text, by which it is found again."""
    row.owner_id = task.owner_id or row.owner_id
    if not row.owner_id:
        row.give_up(ON_NOBODY.format(task_id=task.task_id))
        return
    row.reference = unrecorded.reference
    row.task_tried_at = row.task_tried_at or batch.now()
    row.deliver(task.task_id, task.subject, batch.now())

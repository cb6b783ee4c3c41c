"""The step of a handoff that looks for a task which an earlier attempt may have created."""

from collections.abc import Iterable
from datetime import timedelta

from crm_sync.handoff.batch import Batch
from crm_sync.models import Handoff
from crm_sync.port import CrmTask

# A task whose creation got no response may still appear in the CRM for this long.
SETTLE = timedelta(seconds=20)
NOT_MADE = "The task was looked for and is not there: it is made now."


def find_tried_tasks(batch: Batch) -> None:
    """Search the CRM for tasks that may have been created; adopt those that exist.

    Skip those that the CRM refuses to create twice: they are simply requested again.
    """
    safe = batch.account.guards_tasks
    unsure = [row for row in batch.rows if row.task_attempted and not (safe and row.task_guarded)]
    for row in unsure:
        if row.task_tried_at and (settled := row.task_tried_at + SETTLE) > batch.now():
            row.postpone(
                row.reason or "It is not known yet whether the task was made.",
                settled,
                excused=True,
            )
    places = {row.pk: task_record_id(batch, row) for row in unsure if not row.lease_released}
    tasks = batch.crm.tasks_of(sorted({*places.values()} - {""})) if places else {}
    for row in unsure:
        if row.pk in places:
            adopt_found_task(batch, row, tasks.get(places[row.pk], ()))


def task_record_id(batch: Batch, row: Handoff) -> str:
    """Return the record id that the task would be on; "" when there never was one, so no task either."""
    record = batch.record_of(row)
    return record.record_id if record else row.record_id


def adopt_found_task(batch: Batch, row: Handoff, tasks: Iterable[CrmTask]) -> None:
    found = [task for task in tasks if row.reference in task.body]
    if found:
        row.deliver(found[0].task_id, found[0].subject, batch.now())
    else:
        # Eligibility is checked again before it is made: sales may no longer want the contact.
        row.forget_try()
        row.postpone(NOT_MADE, batch.now(), excused=True)

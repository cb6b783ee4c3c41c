"""The last steps of a handoff: find or create the task that notifies a rep."""

from collections.abc import Iterable
from datetime import timedelta

from crm_sync.account import refresh_task_guard
from crm_sync.handoff.batch import Batch
from crm_sync.mapping import task_text
from crm_sync.models import Handoff
from crm_sync.port import (
    CrmBusy,
    CrmDenied,
    CrmError,
    CrmSilent,
    CrmTask,
    CrmTaskWrite,
)
from crm_sync.routing.working_hours import task_due_at, working_hours
from leadscoring.operations.failpoints import reach

# A task whose creation got no response may still appear in the CRM for this long.
SETTLE = timedelta(seconds=20)
NOT_MADE = "The task was looked for and is not there: it is made now."
UNGUARDED = "The CRM no longer keeps the references of tasks: they are looked for from now on."


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


def make_tasks(batch: Batch) -> None:
    """Create the tasks. Record the attempt first: after it, only a search shows whether one exists."""
    guarded = batch.account.guards_tasks
    tasks = batch.prepare(lambda row: build_task(batch, row))
    for row in batch.rows:
        row.task_tried_at, row.task_guarded = batch.now(), guarded
    batch.record()
    reach("handoff.before_task")
    try:
        answers = batch.crm.create_tasks(
            [tasks[row.pk] for row in batch.rows], guarded=guarded, until=batch.late_after()
        )
    except (CrmBusy, CrmDenied) as error:
        for row in batch.rows:
            clear_try_if_not_made(row, tasks[row.pk], error)
        if guarded and isinstance(error, CrmDenied) and not refresh_task_guard(batch.crm):
            batch.put_back(UNGUARDED)
            return
        raise
    reach("handoff.task_made")
    silence = CrmSilent("The CRM did not say whether it made the task.")
    told = {row.pk: answers.get(row.reference, silence) for row in batch.rows}
    for row in batch.rows:
        note(batch, row, tasks[row.pk], told[row.pk])
    batch.check_answered(told.values())
    for row in batch.rows:
        if isinstance(answer := told[row.pk], CrmError):
            batch.stop(row, answer)


def note(batch: Batch, row: Handoff, sent: CrmTaskWrite, answer: CrmTask | CrmError) -> None:
    """Record whether the task exists, certainly does not, or may exist."""
    if isinstance(answer, CrmTask):
        row.deliver(answer.task_id, sent.subject, batch.now(), sent.due_at)
    else:
        clear_try_if_not_made(row, sent, answer)


def clear_try_if_not_made(row: Handoff, sent: CrmTaskWrite, error: CrmError) -> None:
    """Clear the attempt unless the task may exist. A guarded write, safe to repeat, also raises
    CrmBusy when its outcome is unknown."""
    unknown = isinstance(error, CrmSilent) or (row.task_guarded and isinstance(error, CrmBusy))
    if not unknown and not sent.again:
        row.forget_try()


def build_task(batch: Batch, row: Handoff) -> CrmTaskWrite:
    hours = working_hours(batch.owners[row.owner_id], batch.account.time_zone)
    return CrmTaskWrite(
        trace=row.reference,
        record_id=row.record_id,
        owner_id=row.owner_id,
        subject=task_text.task_subject(row),
        body=task_text.task_body(
            row, batch.known[row.contact_id], batch.crm.capabilities.task_text
        ),
        due_at=task_due_at(batch.now(), hours, row.grade),
        again=row.task_attempted,
    )

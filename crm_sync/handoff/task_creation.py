"""The last step of a handoff: create the task that notifies a rep."""

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

UNGUARDED = "The CRM no longer keeps the references of tasks: they are looked for from now on."


def make_tasks(batch: Batch) -> None:
    """Create the tasks. Record the attempt first: after it, only a search shows whether one exists."""
    guarded = batch.account.guards_tasks
    tasks = batch.prepare(lambda row: build_task(batch, row))
    for row in batch.rows:
        row.task_tried_at, row.task_guarded = batch.now(), guarded
    batch.store_progress()
    reach("handoff.before_task")
    try:
        answers = batch.crm.create_tasks(
            [tasks[row.pk] for row in batch.rows], guarded=guarded, until=batch.late_after()
        )
    except (CrmBusy, CrmDenied) as error:
        for row in batch.rows:
            clear_try_if_not_made(row, tasks[row.pk], error)
        if guarded and isinstance(error, CrmDenied) and not refresh_task_guard(batch.crm):
            batch.release_all(UNGUARDED)
            return
        raise
    reach("handoff.task_made")
    silence = CrmSilent("The CRM did not say whether it made the task.")
    told = {row.pk: answers.get(row.reference, silence) for row in batch.rows}
    for row in batch.rows:
        record_answer(batch, row, tasks[row.pk], told[row.pk])
    batch.check_answered(told.values())
    for row in batch.rows:
        if isinstance(answer := told[row.pk], CrmError):
            batch.settle_row_error(row, answer)


def record_answer(
    batch: Batch, row: Handoff, sent: CrmTaskWrite, answer: CrmTask | CrmError
) -> None:
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

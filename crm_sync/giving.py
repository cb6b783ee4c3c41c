"""The last steps of a handoff: a rep who gets the lead, and the task that tells them."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction

from crm_sync import wording
from crm_sync.batch import Batch
from crm_sync.mirroring import mirror_owners
from crm_sync.models import Handoff, Owner
from crm_sync.port import CrmBusy, CrmDenied, CrmError, CrmSilent, CrmTask, CrmTaskWrite
from crm_sync.routing import NOBODY, Reps, due_at
from leadscoring.pausepoints import reach

# A task whose making was not answered may still be on its way into the CRM for so long.
SETTLE = timedelta(seconds=20)


def find_owners(batch: Batch) -> None:
    """Give each lead to somebody, in turn also when several workers do so at once."""
    own = {row.pk: there.owner_id if (there := batch.record_of(row)) else "" for row in batch.rows}
    active = set(Owner.objects.filter(active=True).values_list("owner_id", flat=True))
    if not active or any(owner_id and owner_id not in active for owner_id in own.values()):
        mirror_owners(batch.crm.owners(), batch.at)
    with transaction.atomic():
        owners = list(Owner.objects.select_for_update().order_by("pk"))
        reps = Reps(owners)
        for row in batch.rows:
            choice = reps.choose(kept=row.owner_id, own=own[row.pk], at=batch.now())
            if choice:
                row.owner_id, row.owner_because = choice.owner.owner_id, choice.because
            else:
                row.give_up(NOBODY)
        Owner.objects.bulk_update(reps.active.values(), ["last_lead_at"])
        batch.record()
    batch.owners = reps.active


def look_for_tasks(batch: Batch) -> None:
    """Of tasks that may have been made, find out whether they were; adopt those that are there.

    Those that the CRM refuses to make twice are simply asked for again.
    """
    safe = batch.account.guards_tasks
    unsure = [row for row in batch.rows if row.begun and not (safe and row.task_guarded)]
    for row in unsure:
        if row.task_tried_at and (settled := row.task_tried_at + SETTLE) > batch.now():
            row.postpone(
                row.because or "It is not known yet whether the task was made.",
                settled,
                excused=True,
            )
    unsure = [row for row in unsure if not row.released]
    if unsure:
        tasks = batch.crm.tasks_of([batch.records[row.contact_id].record_id for row in unsure])
        for row in unsure:
            adopt(batch, row, tasks.get(batch.records[row.contact_id].record_id, ()))


def adopt(batch: Batch, row: Handoff, tasks: Iterable[CrmTask]) -> None:
    found = [task for task in tasks if row.reference in task.body]
    if found:
        row.deliver(found[0].task_id, found[0].subject, batch.now())
    else:
        row.forget_try()


def make_tasks(batch: Batch) -> None:
    """Make the tasks. That it is tried is written first: after that only looking can tell."""
    guarded = batch.account.guards_tasks
    tasks = batch.prepare(lambda row: task_of(batch, row))
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
            forget_if_not_made(row, tasks[row.pk], error)
        raise
    reach("handoff.task_made")
    for row in batch.rows:
        silence = CrmSilent("The CRM did not say whether it made the task.")
        tell(batch, row, tasks[row.pk], answers.get(row.reference, silence))


def tell(batch: Batch, row: Handoff, sent: CrmTaskWrite, answer: CrmTask | CrmError) -> None:
    if isinstance(answer, CrmTask):
        row.task_due_at = sent.due_at
        row.deliver(answer.task_id, sent.subject, batch.now())
        return
    forget_if_not_made(row, sent, answer)
    batch.stop(row, answer)


def forget_if_not_made(row: Handoff, sent: CrmTaskWrite, error: CrmError) -> None:
    """What may be asked for twice is told as busy also when the outcome is unknown."""
    unknown = isinstance(error, CrmSilent) or (row.task_guarded and isinstance(error, CrmBusy))
    if not unknown and not sent.again:
        row.forget_try()


def task_of(batch: Batch, row: Handoff) -> CrmTaskWrite:
    zone = batch.owners[row.owner_id].time_zone or batch.account.time_zone
    return CrmTaskWrite(
        trace=row.reference,
        record_id=row.record_id,
        owner_id=row.owner_id,
        subject=wording.subject(row),
        body=wording.body(row, batch.known[row.contact_id]),
        due_at=due_at(batch.now(), zone, row.grade),
        again=row.begun,
    )

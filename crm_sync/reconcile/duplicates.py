"""Two tasks for one lead: which of them stays.

The ledger's own task stays. Another is deleted only while no rep has acted on it, and only to
where a person can restore it from. Both are read again before the decision.
"""

from collections.abc import Iterator, Mapping, Sequence

from crm_sync.mapping import task_text
from crm_sync.models import Handoff
from crm_sync.port import CrmTask
from crm_sync.reconcile.comparison import Comparison, Discrepancy
from crm_sync.reconcile.repairs import Repairs
from crm_sync.reconcile.survey import Survey
from crm_sync.task_tracking.outcome import is_reworded

Tasks = Mapping[str, CrmTask]
ARCHIVED = "deleted in the CRM"
ADOPTED = "written down as delivered"
BEGUN = "Somebody has begun or changed it: complete or delete one of the two tasks in the CRM."
TWO_PEOPLE = (
    "Two contacts here stand for one record of the CRM: put them together, and delete one of the "
    "two tasks in the CRM."
)


def rows_in_chunks(**named: object) -> list[Handoff]:
    return list(Handoff.objects.filter(**named).select_related("contact__company", "task"))


# --- several tasks of one reference -----------------------------------------------------------
def settle_task_duplicates(
    repairs: Repairs, seen: Survey, ids: Sequence[int], found: Comparison
) -> None:
    """Settle the further tasks of some rows."""
    rows = rows_in_chunks(pk__in=ids)
    own = {row.pk: row.task_id or seen.finds[row.pk].task_id for row in rows}
    further = {row.pk: list(dict.fromkeys(seen.further_tasks[row.pk])) for row in rows}
    asked = [*own.values(), *(each for some in further.values() for each in some)]
    tasks = repairs.crm.tasks(asked)
    doubles: dict[str, Discrepancy] = {}
    for row in rows:
        others = [tasks[each] for each in further[row.pk] if each in tasks and each != own[row.pk]]
        if own[row.pk] in tasks:
            doubles |= dict(duplicates_of(row, tasks[own[row.pk]], others))
        elif others and row.task_id:
            found.unnoticed.append(adopt_replacement(repairs, row, others[0]))
    found.duplicate += doubles.values()
    archive_duplicates(repairs, doubles)


def duplicates_of(
    row: Handoff, own: CrmTask, others: Sequence[CrmTask]
) -> Iterator[tuple[str, Discrepancy]]:
    """Yield duplicates: neither a rep's own task that quotes our reference, nor two that are both done."""
    for task in others:
        quotes = is_reworded(row, task) and not task_text.is_unedited(task.body)
        if not quotes and not (own.done and task.done):
            yield task.task_id, duplicate_finding(row, task, f"A second task beside {own.task_id}.")


def is_deletable(row: Handoff, task: CrmTask) -> bool:
    """Return whether no one acted on a task like the row's: it is as we made it, its score updated or not.

    What became of the row's own task does not matter. Reads the row's contact, company and task.
    """
    theirs = task.owner_id not in ("", row.owner_id) or is_reworded(row, task)
    return not (task.done or task.started or theirs) and task_text.is_unedited(task.body)


def duplicate_finding(row: Handoff, task: CrmTask, reason: str) -> Discrepancy:
    return Discrepancy(
        reason,
        "" if is_deletable(row, task) else BEGUN,
        reference=row.reference,
        task_id=task.task_id,
        contact=row.contact_id,
    )


def adopt_replacement(repairs: Repairs, row: Handoff, task: CrmTask) -> Discrepancy:
    """Adopt a task of the row's reference in place of the row's own, which no longer exists."""
    told = Discrepancy(
        f"Its task {row.task_id} is gone; {task.task_id} has the same reference.",
        reference=row.reference,
        task_id=task.task_id,
        contact=row.contact_id,
    )
    if not repairs.plan:
        repairs.reopen_delivered([row.pk], certain=False)
        told.repaired = ADOPTED if repairs.adopt({row.pk: task}) else ""
    return told


def archive_duplicates(repairs: Repairs, doubles: Mapping[str, Discrepancy]) -> None:
    """Delete duplicates that need no decision by a person."""
    deletable = [task_id for task_id, told in doubles.items() if not told.fix]
    if deletable and not repairs.plan:
        repairs.crm.archive_tasks(deletable)
        for task_id in deletable:
            doubles[task_id].repaired = ARCHIVED


# --- several tasks on one contact -------------------------------------------------------------
def shared_records(seen: Survey) -> list[str]:
    """Return the CRM's contacts that have several open tasks of rows."""
    return [key for key, tasks in seen.open_on.items() if len(set(tasks)) > 1]


def report_shared_records(
    repairs: Repairs, seen: Survey, record_ids: Sequence[str], found: Comparison
) -> None:
    """Report tasks of one cycle on one record, all in the ledger, that no rep has acted on: duplicate
    contacts here."""
    asked = {task_id for key in record_ids for task_id in seen.open_on[key]}
    tasks = repairs.crm.tasks(sorted(asked))
    rows = {row.task_id: row for row in rows_in_chunks(task_id__in=asked)}
    for key in record_ids:
        firsts: dict[int, str] = {}
        for task_id in dict.fromkeys(seen.open_on[key]):
            row, task = rows.get(task_id), tasks.get(task_id)
            if row and task and is_deletable(row, task):
                first = firsts.setdefault(row.cycle, task_id)
                if first != task_id:
                    told = duplicate_finding(row, task, f"A second open task beside {first}.")
                    told.fix = TWO_PEOPLE
                    found.duplicate.append(told)


# --- tasks without a row, beside one that has -------------------------------------------------
def settle_unknown(repairs: Repairs, seen: Survey, ids: Sequence[str], found: Comparison) -> None:
    """Settle tasks that lost their row in a database restore, where the lead got another task."""
    beside = {task_id: own for task_id in ids if (own := task_beside(seen, task_id))}
    doubles = unknown_doubles(repairs, seen, beside) if beside else {}
    found.duplicate += doubles.values()
    archive_duplicates(repairs, doubles)
    found.unknown += [
        unknown_finding(seen.unknown[task_id][0], task_id)
        for task_id in ids
        if task_id not in doubles
    ]


def task_beside(seen: Survey, task_id: str) -> str:
    """Return the CRM's contact that this task and a task of a row share; "" when there is none."""
    _, record_ids = seen.unknown[task_id]
    return next((key for key in record_ids if key in seen.open_on), "")


def unknown_doubles(
    repairs: Repairs, seen: Survey, beside: Mapping[str, str]
) -> dict[str, Discrepancy]:
    own = {task_id: seen.open_on[key][0] for task_id, key in beside.items()}
    tasks = repairs.crm.tasks([*own, *own.values()])
    rows = {row.task_id: row for row in rows_in_chunks(task_id__in=own.values())}
    doubles = {}
    for task_id, own_id in own.items():
        row, task, ours = rows.get(own_id), tasks.get(task_id), tasks.get(own_id)
        if row and task and ours and not ours.done and is_from_here(row, task):
            reason = f"The ledger does not know it, and the contact has task {own_id}."
            told = duplicate_finding(row, task, reason)
            told.reference = seen.unknown[task_id][0]
            doubles[task_id] = told
    return doubles


def is_from_here(row: Handoff, task: CrmTask) -> bool:
    """Return whether its text links to the contact's page here: never delete another installation's task."""
    return task_text.leads_here(task.body, row.contact_id)


def unknown_finding(reference: str, task_id: str) -> Discrepancy:
    return Discrepancy(
        "The ledger does not know its reference: its contact was erased here, or another "
        "installation made it.",
        "Delete the task in the CRM if nobody needs it.",
        reference=reference,
        task_id=task_id,
    )

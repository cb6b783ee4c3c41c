"""The tasks of ours that are in the CRM, read once from beginning to end beside the ledger.

Nothing is changed here. Of each task only ids are kept, so a hundred thousand take little memory.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from crm_sync.mapping import task_text
from crm_sync.models import Handoff, Owner
from crm_sync.port import Crm, CrmTask
from crm_sync.task_tracking.outcome import is_reworded

MARKER = "ref LS-"
# What crm_sync.receivers.new_reference makes, and nothing that merely begins like it.
REFERENCE = re.compile(r"\bref (LS-[0-9A-HJKMNP-TV-Z]{12})(?![0-9A-Za-z])")
MOST_REFERENCES = 5
LONGEST_ID = 64
CHUNK = 500


@dataclass(frozen=True, slots=True)
class OrphanedTask:
    """An open task that nobody has on their list: it hangs on no contact, or has no rep."""

    row_id: int
    task_id: str
    hangs: bool
    owner_id: str


@dataclass(slots=True)
class Survey:
    """`seen`: rows whose own task is there; `finds`: tasks that their row does not know of, by row;
    `twins`: further tasks of rows, by row; `unknown`: the reference and the CRM's contacts of tasks
    without a row, by task; `open_on`: open tasks of rows, by the CRM's contact."""

    found: int = 0
    seen: set[int] = field(default_factory=set)
    finds: dict[int, CrmTask] = field(default_factory=dict)
    twins: dict[int, list[str]] = field(default_factory=dict)
    astray: list[OrphanedTask] = field(default_factory=list)
    unknown: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    open_on: dict[str, list[str]] = field(default_factory=dict)


def survey_tasks(crm: Crm, into: Survey) -> Iterator[int]:
    """Read all tasks of ours into a survey; yields how many went by in each step."""
    left = set(Owner.objects.filter(active=False).values_list("owner_id", flat=True))
    tasks = (task for task in crm.all_tasks(MARKER) if is_our_task(task))
    while chunk := list(islice(tasks, CHUNK)):
        named = {task.task_id: task_references(task) for task in chunk}
        rows = Handoff.objects.by_reference({each for found in named.values() for each in found})
        for task in chunk:
            place_task(into, task, named[task.task_id], rows, left)
        yield len(chunk)


def is_our_task(task: CrmTask) -> bool:
    sound = task.task_id.isprintable() and 0 < len(task.task_id) <= LONGEST_ID
    return sound and bool(REFERENCE.search(task.body))


def task_references(task: CrmTask) -> list[str]:
    """The references in a task's text: one, unless a person has put in others."""
    return list(dict.fromkeys(REFERENCE.findall(task.body)))[:MOST_REFERENCES]


def place_task(
    into: Survey,
    task: CrmTask,
    named: Sequence[str],
    rows: Mapping[str, Handoff],
    left: set[str],
) -> None:
    """Write down what one task is to the ledger. `left`: owners who are in the CRM no more."""
    into.found += 1
    known = [rows[each] for each in named if each in rows]
    row = next((row for row in known if row.task_id == task.task_id), known[0] if known else None)
    if row is None:
        into.unknown[task.task_id] = (named[0], task.record_ids)
    elif row.task_id == task.task_id:
        into.seen.add(row.pk)
        check_own_task(into, row, task, left)
    elif row.task_id or row.pk in into.finds:
        into.twins.setdefault(row.pk, []).append(task.task_id)
    else:
        into.finds[row.pk] = replace(task, body="")
        check_own_task(into, row, task, left)


def check_own_task(into: Survey, row: Handoff, task: CrmTask, left: set[str]) -> None:
    """An open task must hang on somebody and be somebody's."""
    if task.done:
        return
    owner_id = "" if task.owner_id in left else task.owner_id
    if not task.record_ids or not owner_id:
        hangs = bool(task.record_ids)
        into.astray.append(OrphanedTask(row.pk, task.task_id, hangs, owner_id))
    for record_id in task.record_ids:
        into.open_on.setdefault(record_id, []).append(task.task_id)


def is_untouched(row: Handoff, task: CrmTask) -> bool:
    """Nobody has done anything to a task like the row's: it is as we made it, score or not.

    What became of the row's own task does not matter. Reads the row's contact and company.
    """
    theirs = task.owner_id not in ("", row.owner_id) or is_reworded(row, task)
    return not (task.done or task.started or theirs) and task_text.is_unedited(task.body)

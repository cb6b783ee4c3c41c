"""Our tasks in the CRM, read page by page beside the ledger.

Nothing is changed here. Of each task only ids are kept, so a hundred thousand take little memory,
and little room in the row that keeps a survey between two turns.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Self

from crm_sync.models import Account, Handoff, Owner
from crm_sync.port import Crm, CrmTask, TaskText
from leadscoring.models import CRM_ID_LENGTH

MARKER = "ref LS-"
# Exactly what crm_sync.receivers.new_reference makes, not a longer text with the same beginning.
REFERENCE = re.compile(r"\bref (LS-[0-9A-HJKMNP-TV-Z]{12})(?![0-9A-Za-z])")
MOST_REFERENCES = 5


@dataclass(frozen=True, slots=True)
class OrphanedTask:
    """An open task that is on no rep's list: it has no contact, or no rep."""

    row_id: int
    task_id: str
    associated: bool
    owner_id: str


@dataclass(slots=True)
class Survey:
    """`seen`: rows whose own task exists; `finds`: tasks that their row does not know of, by row;
    `further_tasks`: further tasks of rows, by row; `unknown`: the reference and the CRM's contacts of tasks
    without a row, by task; `open_on`: open tasks of rows, by the CRM's contact."""

    found: int = 0
    seen: set[int] = field(default_factory=set)
    finds: dict[int, CrmTask] = field(default_factory=dict)
    further_tasks: dict[int, list[str]] = field(default_factory=dict)
    orphaned: list[OrphanedTask] = field(default_factory=list)
    unknown: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    open_on: dict[str, list[str]] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """Return the survey as JSON keeps it, with text keys.

        The keys are those of surveys that were stored before: one under way is continued after an upgrade.
        """
        return {
            "found": self.found,
            "seen": sorted(self.seen),
            "finds": [
                [pk, task.task_id, task.subject, task.owner_id, task.done, task.record_ids]
                for pk, task in self.finds.items()
            ],
            "twins": list(self.further_tasks.items()),
            "astray": [astuple(each) for each in self.orphaned],
            "unknown": self.unknown,
            "open_on": self.open_on,
        }

    @classmethod
    def of_document(cls, kept: Mapping[str, Any]) -> Self:
        return cls(
            found=kept["found"],
            seen=set(kept["seen"]),
            finds={
                pk: CrmTask(
                    task_id, subject, TaskText(), owner_id, done, record_ids=tuple(record_ids)
                )
                for pk, task_id, subject, owner_id, done, record_ids in kept["finds"]
            },
            further_tasks={pk: list(task_ids) for pk, task_ids in kept["twins"]},
            orphaned=[OrphanedTask(*each) for each in kept["astray"]],
            unknown={
                task_id: (reference, tuple(record_ids))
                for task_id, (reference, record_ids) in kept["unknown"].items()
            },
            open_on={record_id: list(ids) for record_id, ids in kept["open_on"].items()},
        )


def survey_tasks(crm: Crm, into: Survey) -> Iterator[int]:
    """Read all of the CRM's tasks into a survey; yield how many of ours were on each page."""
    place = ""
    while True:
        before = into.found
        place = survey_page(crm, into, place)
        yield into.found - before
        if not place:
            return


def survey_page(crm: Crm, into: Survey, place: str) -> str:
    """Read one page of the CRM's tasks into a survey; return where the next begins, "" at the end."""
    page = crm.list_tasks(MARKER, place)
    ours = {task.task_id: task for task in page.tasks if is_our_task(task)}
    named = {task_id: task_references(task) for task_id, task in ours.items()}
    rows = Handoff.objects.by_reference({each for found in named.values() for each in found})
    left = set(Owner.objects.filter(active=False).values_list("owner_id", flat=True))
    accounts = {"", *Account.objects.values_list("account_id", flat=True)}
    for task_id, task in ours.items():
        # What was handed off in a former account may have been copied into this one with its tasks.
        copies = [
            each
            for each in named[task_id]
            if each in rows and rows[each].account_id not in accounts
        ]
        if not copies:
            place_task(into, task, named[task_id], rows, left)
    return page.place


def is_our_task(task: CrmTask) -> bool:
    sound = task.task_id.isprintable() and 0 < len(task.task_id) <= CRM_ID_LENGTH
    return sound and bool(REFERENCE.search(task.body))


def task_references(task: CrmTask) -> list[str]:
    """Return the references in a task's text: one, unless a person has added others."""
    return list(dict.fromkeys(REFERENCE.findall(task.body)))[:MOST_REFERENCES]


def place_task(
    into: Survey,
    task: CrmTask,
    named: Sequence[str],
    rows: Mapping[str, Handoff],
    left: set[str],
) -> None:
    """Classify one task against the ledger. `left`: owners who are no longer in the CRM."""
    into.found += 1
    known = [rows[each] for each in named if each in rows]
    row = next((row for row in known if row.task_id == task.task_id), known[0] if known else None)
    if row is None:
        into.unknown[task.task_id] = (named[0], task.record_ids)
    elif row.task_id == task.task_id:
        into.seen.add(row.pk)
        check_own_task(into, row, task, left)
    elif row.task_id or row.pk in into.finds:
        into.further_tasks.setdefault(row.pk, []).append(task.task_id)
    else:
        into.finds[row.pk] = CrmTask(
            task.task_id,
            task.subject,
            TaskText(),
            task.owner_id,
            task.done,
            record_ids=task.record_ids,
        )
        check_own_task(into, row, task, left)


def check_own_task(into: Survey, row: Handoff, task: CrmTask, left: set[str]) -> None:
    """Collect an open task as orphaned if it lacks a contact or an active rep."""
    if task.done:
        return
    owner_id = "" if task.owner_id in left else task.owner_id
    if not task.record_ids or not owner_id:
        associated = bool(task.record_ids)
        into.orphaned.append(OrphanedTask(row.pk, task.task_id, associated, owner_id))
    for record_id in task.record_ids:
        into.open_on.setdefault(record_id, []).append(task.task_id)

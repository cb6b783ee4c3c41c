"""Was anything lost or doubled? Judged by the CRM's record and the database alone.

Nothing of the product is asked or imported: a counter of the code under test may share its faults.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from tests.chaos.record import CrmRecord, Crossing, Task

SHOWN = 5


@dataclass
class Findings:
    """Sentences, one for each thing that is wrong. `causes`: of rows that wait for a person."""

    crossings: int = 0
    tasks: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    on_nobody: list[str] = field(default_factory=list)
    contacts_doubled: list[str] = field(default_factory=list)
    disagree: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)

    WRONG = ("lost", "doubled", "on_nobody", "contacts_doubled", "disagree")

    @property
    def clean(self) -> bool:
        return not any(getattr(self, name) for name in self.WRONG)

    def show(self, console: Console) -> None:
        table = Table("crossings", "tasks", *self.WRONG, *self.states)
        counts = [self.crossings, self.tasks, *(len(getattr(self, name)) for name in self.WRONG)]
        table.add_row(*map(str, [*counts, *self.states.values()]))
        console.print(table)
        for name in self.WRONG:
            for sentence in getattr(self, name)[:SHOWN]:
                console.print(f"  {name}: {sentence}", highlight=False)
        for because, count in self.causes.most_common(SHOWN):
            console.print(f"  {count} × {because}", highlight=False)


def check(crossings: Iterable[Crossing], there: CrmRecord) -> Findings:
    """Hold every crossing against the tasks that are, or once were, in the CRM."""
    crossings, found = list(crossings), Findings(tasks=len(there.tasks))
    found.crossings = len(crossings)
    tasks = tasks_by_crossing(crossings, there.tasks)
    for crossing in crossings:
        found.states[crossing.status or "no row"] += 1
        judge(found, crossing, tasks[crossing])
    strays(found, crossings, tasks, there)
    for email, record_ids in there.record_ids.items():
        if email and len(record_ids) > 1:
            found.contacts_doubled.append(f"{email} is records {', '.join(record_ids)}")
    return found


def tasks_by_crossing(
    crossings: Iterable[Crossing], tasks: Iterable[Task]
) -> Mapping[Crossing, list[Task]]:
    """A task is a crossing's by its reference, or, when it names none, by whom it hangs on."""
    by_reference = {crossing.reference: crossing for crossing in crossings if crossing.reference}
    by_email = {crossing.email: crossing for crossing in crossings}
    found: dict[Crossing, list[Task]] = defaultdict(list)
    for task in tasks:
        named = {by_reference[each] for each in task.references if each in by_reference}
        associated = {by_email[each] for each in task.emails if each in by_email}
        for crossing in named or associated:
            found[crossing].append(task)
    return found


def judge(found: Findings, crossing: Crossing, tasks: list[Task]) -> None:
    if len(tasks) > 1:
        found.doubled.append(f"{crossing} has tasks {', '.join(task.id for task in tasks)}")
    match crossing.status:
        case "delivered" if not tasks:
            found.lost.append(f"{crossing}, but there is no task")
        case "delivered":
            found.disagree += differences(crossing, tasks[0])
        case "needs_attention" | "withdrawn" if crossing.because:
            found.causes[f"{crossing.status}: {crossing.because}"] += 1
            found.disagree += [f"{crossing}, but task {task.id} is there" for task in tasks]
        case _:
            found.lost.append(f"{crossing or 'no row'}: {crossing.because or 'no cause'}")


def differences(crossing: Crossing, task: Task) -> list[str]:
    """What a delivered row says otherwise than the task; a ledger of the usual way says nothing."""
    said = [
        (crossing.task_id, {task.id}, "task"),
        (crossing.record_id, task.record_ids, "record"),
        (crossing.owner_id, {task.owner_id}, "owner"),
    ]
    return [f"{crossing}: {what} {one}, there {set(is_) or 'none'}" for one, is_, what in said
            if one and one not in is_]  # fmt: skip


def strays(
    found: Findings,
    crossings: list[Crossing],
    tasks: Mapping[Crossing, list[Task]],
    there: CrmRecord,
) -> None:
    """Tasks that no crossing asked for, tasks that nobody sees, tasks of the wrong person."""
    asked_for = {task.id for some in tasks.values() for task in some}
    for task in there.tasks:
        if task.id not in asked_for:
            found.disagree.append(f"task {task.id} belongs to no crossing")
        if not task.record_ids:
            found.on_nobody.append(f"task {task.id} hangs on no contact")
        if task.owner_id not in there.owners:
            found.on_nobody.append(f"task {task.id} is given to {task.owner_id or 'nobody'}")
    for crossing in crossings:
        for task in tasks[crossing]:
            if task.emails and crossing.email not in task.emails:
                found.disagree.append(f"{crossing}: task {task.id} hangs on somebody else")

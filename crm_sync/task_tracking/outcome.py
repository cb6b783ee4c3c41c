"""The outcome of one task, decided from its state in the CRM and from what is known here."""

from dataclasses import dataclass
from datetime import datetime

from crm_sync.mapping import task_text
from crm_sync.models import Handoff, HandoffTask
from crm_sync.port import CrmTask
from leadscoring.models import Score

# Points above those in the task's text from which an update is worth it.
RISE = 10.0

State = HandoffTask.State


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """`touched_at`: when the rep first acted; `close`: why nothing is left to do, "" otherwise;
    `tell`: the task's text is to be updated to the current score."""

    state: HandoffTask.State
    touched_at: datetime | None
    close: str = ""
    tell: bool = False


def decide_outcome(
    row: Handoff,
    task: CrmTask | None,
    contacted_at: datetime | None,
    score: Score | None,
    not_to_send: str,
    at: datetime,
) -> TaskOutcome:
    """Decide what became of a task. `task`: None when it no longer exists; `contacted_at`: when sales
    last spoke or wrote to the contact; `not_to_send`: why sales should no longer have it, or ""."""
    spoke = (
        contacted_at
        if contacted_at and row.delivered_at and contacted_at > row.delivered_at
        else None
    )
    touched = row.task.touched_at or spoke
    if task is None:
        return TaskOutcome(State.DELETED, touched)
    if task.done and task_text.is_closed_body(task.body):
        return TaskOutcome(State.CLOSED, touched)
    if task.done:
        return TaskOutcome(State.DONE, earliest(touched, task.done_at or at))
    if is_touched(row, task):
        return TaskOutcome(State.STARTED, touched or at)
    if touched:
        return TaskOutcome(State.OPEN, touched)
    return TaskOutcome(
        State.OPEN,
        None,
        close=not_to_send,
        tell=not not_to_send and is_worth_telling(row, task, score),
    )


def earliest(touched: datetime | None, done: datetime) -> datetime:
    return min(touched, done) if touched else done


def is_touched(row: Handoff, task: CrmTask) -> bool:
    """Return whether the rep has begun, postponed, reassigned, reworded or reopened the task."""
    passed_on = bool(task.owner_id) and task.owner_id != row.owner_id
    reopened = task_text.is_closed_body(task.body)
    began = row.task.state == State.STARTED or task.started
    return began or passed_on or reopened or is_reworded(row, task)


def is_reworded(row: Handoff, task: CrmTask) -> bool:
    """Return whether the subject is no longer ours, apart from the score: a worker may have died after
    it updated that."""
    said = row.task_or_none.text_subject if row.task_or_none else ""
    ours = {task_text.strip_score(text) for text in (said, task_text.task_subject(row))}
    return bool(said) and task_text.strip_score(task.subject) not in ours


def is_worth_telling(row: Handoff, task: CrmTask, score: Score | None) -> bool:
    """Return whether the score rose enough in the same cycle to update a text that is still ours."""
    if score is None or score.cycle != row.cycle or score.disqualified:
        return False
    said = row.task
    risen = score.total >= said.text_total + RISE or is_better(score.grade, said.text_grade)
    return risen and task_text.is_unedited(task.body)


def is_better(grade: str, told: str) -> bool:
    """Return whether a grade is better (A1 is best): neither half is worse, and one is better."""
    return grade != told and grade[:1] <= told[:1] and grade[1:] <= told[1:]

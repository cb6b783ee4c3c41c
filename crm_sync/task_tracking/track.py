"""Tracking of reps' tasks: the outcome of each, and a current text while the task is untouched."""

import time
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from math import ceil

from django.db.models import Count, Q

from crm_sync.account import check_account
from crm_sync.budget_shares import FRESH_TASKS, OLD_TASKS, shortest_interval
from crm_sync.circuit_breaker import BreakerState, admission, record_failure, reset
from crm_sync.deals.stage_policy import deals_by_contact, decide_effect, stages_by_id
from crm_sync.handoff.eligibility import reason_not_to_send
from crm_sync.mapping import task_text
from crm_sync.mapping.contact_facts import ContactFacts, load_contact_facts
from crm_sync.models import Breaker, Deal, Handoff, HandoffTask
from crm_sync.models.handoff import clean_reason
from crm_sync.models.handoff_task import HandoffTaskQuerySet
from crm_sync.port import Crm, CrmError, CrmPaced, CrmRejected, CrmTask, CrmTaskChange
from crm_sync.task_tracking.outcome import TaskOutcome, decide_outcome
from leadscoring.common.batching import batched
from leadscoring.common.spans import format_upper_bound
from leadscoring.models import Score
from leadscoring.operations.failpoints import reach

BATCH = 100
# Tasks of the last day are checked every minute, older ones every hour, where the budget allows; of each kind
# at most MOST a turn, the least recently checked first, so that none is starved when there are more.
FRESH = timedelta(days=1)
LOOK_FRESH, LOOK_OLD = timedelta(minutes=1), timedelta(hours=1)
MOST = 500
NEWER = "A newer task is about the same person."
# Seconds after which a read is too old to change a task by: its rep may have begun meanwhile.
GOOD_FOR = 20.0


@dataclass(slots=True)
class TaskCheck:
    """Tasks that are checked together: what is known of them here, and what was read from the CRM."""

    crm: Crm
    at: datetime
    rows: Sequence[Handoff]
    tasks: dict[str, CrmTask] = field(default_factory=dict)
    contacted_at: dict[str, datetime | None] = field(default_factory=dict)  # by the record's id
    scores: dict[int, Score] = field(default_factory=dict)
    not_to_send: dict[int, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)


def track_tasks(crm: Crm, at: datetime) -> int:
    """Check a bounded number of open tasks; return how many. Safe to repeat, and to run concurrently.

    An error of the CRM for all of them is recorded in the circuit breaker, not raised.
    """
    with admission(crm, Breaker.Work.TASKS, at) as state:
        return 0 if state is BreakerState.OPEN else track_some(crm, at)


def track_some(crm: Crm, at: datetime) -> int:
    looked, asking = 0, crm.with_priority("polling")
    try:
        check_account(asking, at)
        for rows in due_batches(asking, at):
            if asking.room():
                break
            check_tasks(TaskCheck(asking, at, rows))
            looked += len(rows)
    except CrmPaced:
        return looked
    except CrmError as error:
        record_failure(crm, Breaker.Work.TASKS, error, at)
        return looked
    if looked or not asking.room():  # else no request was made, and success is not proven
        reset(crm, Breaker.Work.TASKS, at)
    return looked


def due_batches(crm: Crm, at: datetime) -> Iterator[tuple[Handoff, ...]]:
    """Return the due tasks in batches: fresh and old ones alternate, so that neither starves the other.

    Skip those that are being given to another rep: the new owner would be taken for a person's doing.
    """
    tasks = HandoffTask.objects.open().without_reassignment()
    tasks = tasks.select_related("handoff__contact__company")
    look_fresh, look_old = check_intervals(crm, at)
    fresh = tasks.filter(handoff__delivered_at__gt=at - FRESH)
    old = tasks.filter(handoff__delivered_at__lte=at - FRESH)
    pairs = zip_longest(
        full_batches(fresh, at - look_fresh, at), full_batches(old, at - look_old, at)
    )
    return (batch for batch in chain.from_iterable(pairs) if batch)


def full_batches(
    tasks: HandoffTaskQuerySet, since: datetime, at: datetime
) -> Iterator[tuple[Handoff, ...]]:
    """Return what was not checked since, in batches; the last is filled up with what is due next.

    It costs no more, and from then on all of them are due at once.
    """
    due = tasks.not_seen_since(since)[:MOST].count()
    most = min(BATCH * ceil(due / BATCH), MOST)
    rows = tasks.not_seen_since(at)[:most] if due else ()
    return batched((task.handoff for task in rows), BATCH)


def check_intervals(crm: Crm, at: datetime) -> tuple[timedelta, timedelta]:
    """Return the times from one check of a task to the next, of a fresh one and of an older one."""
    fresh = Q(handoff__delivered_at__gt=at - FRESH)
    many = HandoffTask.objects.open().aggregate(
        fresh=Count("pk", filter=fresh), old=Count("pk", filter=~fresh)
    )
    costs = {age: crm.capabilities.tasks_cost * ceil(many[age] / BATCH) for age in many}
    return (
        shortest_interval(crm, costs["fresh"], FRESH_TASKS, LOOK_FRESH),
        shortest_interval(crm, costs["old"], OLD_TASKS, LOOK_OLD),
    )


def check_sentence(crm: Crm, at: datetime) -> str:
    """Return a sentence on how soon a rep's doing is known here; "" without a CRM."""
    if not crm.connected:
        return ""
    return f"Tasks of the last day are looked at every {format_upper_bound(check_intervals(crm, at)[0])}."


def check_tasks(look: TaskCheck) -> None:
    """Read all of them at once, decide for each, change tasks at once, store in one statement."""
    read_tasks(look)
    load_context(look)
    fates = {row.pk: outcome_of(look, row) for row in look.rows}
    changes = plan_changes(look, fates)
    reach("following.decided")
    answers = change_tasks(look, list(changes.values()))
    reach("following.changed")
    seen = {row.pk: row.task.seen_at for row in look.rows}
    for row in look.rows:
        found, task = fates[row.pk], row.task
        task.state, task.touched_at, task.seen_at = found.state, found.touched_at, look.at
        if answer := answers.get(row.task_id):
            record_change(row, found, look.scores.get(row.contact_id), changes[row.pk], answer)
    HandoffTask.objects.record_checks([row.task for row in look.rows], seen)


def read_tasks(look: TaskCheck) -> None:
    look.tasks = dict(look.crm.tasks([row.task_id for row in look.rows]))
    untouched = [row.record_id for row in look.rows if row.task.touched_at is None]
    records = look.crm.contacts_by_id(untouched, ()) if untouched else {}
    look.contacted_at = {asked: record.touched_at for asked, record in records.items()}


def load_context(look: TaskCheck) -> None:
    """Load what is now known here of the tasks' contacts. A fixed number of queries."""
    ids = [row.contact_id for row in look.rows]
    look.scores = Score.objects.in_bulk(ids)
    deals, stages = deals_by_contact(ids), stages_by_id()
    newest = HandoffTask.objects.newest_open_cycle(ids)
    for row in look.rows:
        known = ContactFacts(row.contact, look.scores.get(row.contact_id), look.at)
        found = [deal for deal in deals[row.contact_id] if not deal.closed or is_since(row, deal)]
        reason = reason_not_to_send(known, decide_effect(found, stages), customer=known.is_customer)
        look.not_to_send[row.pk] = reason or (NEWER if row.cycle < newest[row.contact_id] else "")


def is_since(row: Handoff, deal: Deal) -> bool:
    """Return whether a deal was created after the handoff: it came of it or beside it, even if decided."""
    return bool(deal.made_at and row.delivered_at and deal.made_at > row.delivered_at)


def outcome_of(look: TaskCheck, row: Handoff) -> TaskOutcome:
    return decide_outcome(
        row,
        look.tasks.get(row.task_id),
        look.contacted_at.get(row.record_id),
        look.scores.get(row.contact_id),
        look.not_to_send[row.pk],
        look.at,
    )


def plan_changes(look: TaskCheck, fates: Mapping[int, TaskOutcome]) -> dict[int, CrmTaskChange]:
    """Return the changes of tasks by the row's id."""
    risen = [row.contact_id for row in look.rows if fates[row.pk].tell]
    known = load_contact_facts(risen, look.at) if risen else {}
    changes = {}
    for row in look.rows:
        if reason := fates[row.pk].close:
            body = task_text.closed_body(reason, look.tasks[row.task_id].body)
            changes[row.pk] = CrmTaskChange(row.task_id, body=body, done=True)
        elif fates[row.pk].tell:
            anew = as_of_now(row, look.scores[row.contact_id])
            body = task_text.task_body(anew, known[row.contact_id], look.crm.capabilities.task_text)
            changes[row.pk] = CrmTaskChange(row.task_id, task_text.task_subject(anew), body)
    return changes


def as_of_now(row: Handoff, score: Score) -> Handoff:
    """Return the row as if the contact had crossed with the current score; for the text alone."""
    anew = copy(row)
    anew.total, anew.grade, anew.reasons = score.total, score.grade, score.contributions
    anew.crossed_at = score.at
    return anew


def change_tasks(
    look: TaskCheck, changes: Sequence[CrmTaskChange]
) -> Mapping[str, CrmTask | CrmError]:
    """Send the changes. Skip them after a pause: the read may be stale, and the next turn reads again."""
    if not changes or time.monotonic() - look.began > GOOD_FOR:
        return {}
    return look.crm.change_tasks(changes)


def record_change(
    row: Handoff,
    fate: TaskOutcome,
    score: Score | None,
    sent: CrmTaskChange,
    answer: CrmTask | CrmError,
) -> None:
    """Record the result of a change. A transient failure is retried at the next check; a rejected
    text is not sent again before the score has risen again."""
    if isinstance(answer, CrmError) and not isinstance(answer, CrmRejected):
        return
    if isinstance(answer, CrmRejected):
        row.reason = clean_reason(f"The CRM did not take a change of the task: {answer}")
    elif fate.close:
        row.task.state = HandoffTask.State.CLOSED
        row.reason = clean_reason(f"Task closed: {fate.close}")
    else:
        row.task.text_subject, row.reason = (sent.subject or "")[:255], ""
    if fate.tell and score:
        row.task.text_total, row.task.text_grade = score.total, score.grade

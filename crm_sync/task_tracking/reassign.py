"""Open tasks of a rep given to others: chosen by the routing rules or by a person, changed in the CRM.

Each step is written before the next. A worker that dies leaves a row that waits: the next one reads
the task, and finds it with its new rep or gives it to the same one.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from crm_sync.account import check_account
from crm_sync.circuit_breaker import BreakerState, admission, record_failure, reset
from crm_sync.handoff.batch import asked_wait
from crm_sync.handoff.owner import (
    CompanyOwners,
    lock_routing,
    read_company_owners,
    refresh_unknown_owners,
    store_routing,
)
from crm_sync.models import SHOWN_WITHIN, Account, Breaker, Handoff, Owner, Reassignment
from crm_sync.port import (
    Crm,
    CrmError,
    CrmOwnerRejected,
    CrmPaced,
    CrmRejected,
    CrmTask,
    CrmTaskChange,
    CrmUnexplained,
)
from crm_sync.routing.choose import Lead, OwnerChoice, RoutingTable
from crm_sync.routing.known_lead import lead_from_database
from crm_sync.task_tracking.track import GOOD_FOR
from leadscoring.common.advisory_lock import REASSIGNMENTS, advisory_lock
from leadscoring.common.backoff import backoff_delay
from leadscoring.models import CRM_ID_LENGTH
from leadscoring.operations.failpoints import reach

BATCH = 100
# Attempts after which a person has to look.
MOST_ATTEMPTS = 20
NOBODY = "Nobody may take it: {reason}. On the Reps page let an active rep take leads, then give it again."
NOT_SHOWN = "The CRM does not show the task at this moment: it is looked for again."
MADE_AGAIN = "The task is being made again, for whomever the routing rules choose."
GIVEN_THERE = "given to them in the CRM"

State = Reassignment.State


def reassign_due(crm: Crm, at: datetime) -> int:
    """Give a batch of due tasks to their new reps; return how many were looked at.

    One worker at a time does so. An error of the CRM for all of them is recorded in the circuit
    breaker, not raised.
    """
    with advisory_lock(REASSIGNMENTS) as mine:
        rows = list(Reassignment.objects.due(at)[:BATCH]) if mine else []
        if not rows:
            return 0
        with admission(crm, Breaker.Work.TASKS, at) as state:
            return 0 if state is BreakerState.OPEN else reassign_some(crm, rows, at)


def reassign_some(crm: Crm, rows: Sequence[Reassignment], at: datetime) -> int:
    try:
        reassign_batch(crm, check_account(crm, at), rows, at)
    except CrmPaced:
        return 0
    except CrmError as error:
        record_failure(crm, Breaker.Work.TASKS, error, at)
        return 0
    reset(crm, Breaker.Work.TASKS, at)
    return len(rows)


def reassign_batch(crm: Crm, account: Account, rows: Sequence[Reassignment], at: datetime) -> None:
    began = time.monotonic()
    tasks = crm.tasks([row.handoff.task_id for row in rows if row.handoff.task_id])
    for row in rows:
        settle_ended(row, tasks.get(row.handoff.task_id), at)
    Reassignment.objects.store(rows, at)
    choose_owners(crm, account, waiting_now(rows, at), at)
    reach("reassign.chosen")
    # What was read long ago is no ground for a change: somebody may have acted on the task meanwhile.
    if time.monotonic() - began > GOOD_FOR:
        return
    chosen = waiting_now(rows, at)
    changes = [CrmTaskChange(row.handoff.task_id, owner_id=row.to_owner_id) for row in chosen]
    answers = crm.change_tasks(changes) if changes else {}
    reach("reassign.changed")
    for row in chosen:
        record_answer(row, answers.get(row.handoff.task_id), at)
    Reassignment.objects.store(chosen, at)


def waiting_now(rows: Sequence[Reassignment], at: datetime) -> list[Reassignment]:
    return [row for row in rows if row.state == State.WAITING and row.due_at <= at]


def settle_ended(row: Reassignment, task: CrmTask | None, at: datetime) -> None:
    """Settle a row whose task needs no new rep any more, or has one. What a person did there stays."""
    handoff = row.handoff
    if handoff.status != Handoff.Status.DELIVERED:
        row.settle(State.DELETED, at, MADE_AGAIN)
    elif task is None and handoff.delivered_at and at - handoff.delivered_at < SHOWN_WITHIN:
        row.postpone(at + backoff_delay(row.attempts + 1, handoff.reference), NOT_SHOWN)
    elif task is None:
        row.settle(State.DELETED, at)
    elif task.done:
        row.settle(State.DONE, at)
    elif row.owner_reason and task.owner_id == row.to_owner_id:
        row.settle(State.GIVEN, at)
    elif task.owner_id not in ("", row.from_owner_id):
        row.choose(task.owner_id[:CRM_ID_LENGTH], GIVEN_THERE)
        row.settle(State.MOVED, at)
    elif row.attempts >= MOST_ATTEMPTS:
        row.settle(State.FAILED, at, f"Tried {row.attempts} times in vain. {row.reason}")


def choose_owners(crm: Crm, account: Account, rows: Sequence[Reassignment], at: datetime) -> None:
    """Choose a rep for each row, as for a new lead, and store it before the CRM is told.

    None whose own tasks are being given away is chosen. All reads from the CRM come before the
    transaction, in which all owners are locked.
    """
    leaving = Reassignment.objects.givers()
    undecided = [row for row in rows if not row.owner_reason]
    companies = read_company_owners(crm, [row.handoff.record_id for row in undecided])
    leads = {row.pk: build_lead(row, companies, leaving) for row in rows}
    refresh_unknown_owners(crm, leads.values(), at)
    with transaction.atomic():
        routing = lock_routing(account.time_zone, leaving)
        for row in rows:
            choose_owner(row, leads[row.pk], routing, at)
        store_routing(routing)
        Reassignment.objects.store(rows, at)


def build_lead(row: Reassignment, companies: CompanyOwners, leaving: Collection[str]) -> Lead:
    known = lead_from_database(row.handoff.contact, (), leaving)
    company_owner_id = companies.owner_ids.get(row.handoff.record_id, "")
    if company_owner_id in leaving:
        company_owner_id = ""
    return replace(known, company_owner_id=company_owner_id, untold=companies.untold)


def choose_owner(row: Reassignment, lead: Lead, routing: RoutingTable, at: datetime) -> None:
    """Keep the rep who was chosen before while available; one whom a person chose is counted first."""
    if row.to_owner_id and routing.keeps(row.to_owner_id, at):
        if row.owner_reason:
            return
        choice = OwnerChoice(routing.owners[row.to_owner_id], f"chosen by {row.asked_by}")
    else:
        choice = routing.choose(lead, at)
    if choice.owner is None:
        row.choose("", "")
        row.settle(State.FAILED, at, NOBODY.format(reason=choice.reason))
        return
    routing.give(choice, at)
    row.choose(choice.owner.owner_id, choice.reason)


def record_answer(row: Reassignment, answer: CrmTask | CrmError | None, at: datetime) -> None:
    match answer:
        case CrmTask():
            row.settle(State.GIVEN, at)
        case CrmOwnerRejected():
            pass_over(row, answer, at)
        case CrmRejected() if not isinstance(answer, CrmUnexplained):
            row.settle(State.FAILED, at, f"The CRM did not take it: {answer}")
        case _:
            error = answer or CrmError("The CRM did not answer for this task.")
            until = at + backoff_delay(row.attempts + 1, row.handoff.reference, asked_wait(error))
            row.postpone(until, str(error))


def pass_over(row: Reassignment, error: CrmOwnerRejected, at: datetime) -> None:
    """Record that the CRM does not accept the rep, and let the routing rules choose another at once."""
    owner = Owner.objects.get(owner_id=row.to_owner_id)
    owner.record_rejection(str(error), at)
    row.choose("", "")
    row.postpone(at, f"{owner} was chosen, and the CRM does not accept them: {error}")

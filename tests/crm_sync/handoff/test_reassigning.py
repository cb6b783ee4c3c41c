"""Open tasks of a rep given to others: chosen, changed in the CRM, written down; by the real adapter."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections

from crm_sync.circuit_breaker import breaker_reason
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Breaker, Handoff, HandoffTask, Owner, Reassignment, RoutingRule
from crm_sync.outcomes.counts import count_by_rep
from crm_sync.outcomes.evaluate import evaluate_outcomes
from crm_sync.pull.poll import pull_changes
from crm_sync.task_tracking import reassign
from crm_sync.task_tracking.reassign import reassign_due
from crm_sync.task_tracking.track import track_tasks
from leadscoring.common.advisory_lock import REASSIGNMENTS, advisory_lock
from leadscoring.models import CrmState
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score

pytestmark = pytest.mark.django_db
TASKS = "/crm/v3/objects/tasks"
UPDATE = f"{TASKS}/batch/update"
ONE, TWO, THREE = "712340001", "712340002", "712340003"
LATER = MONDAY + timedelta(minutes=10)
Kind = RoutingRule.Kind


@pytest.fixture
def reps(crm):
    """Three reps, and every lead goes to the first."""
    pull_changes(crm, MONDAY)
    Owner.objects.exclude(owner_id=ONE).update(takes_leads=False)


def handed_off(crm, many=1):
    rows = [a_handoff() for _ in range(many)]
    for row in rows:
        a_score(row.contact)
    deliver_due(crm, MONDAY)
    Owner.objects.update(takes_leads=True)
    return [fresh(row) for row in rows]


@pytest.fixture
def row(crm, reps):
    """A handoff whose task is with the first rep."""
    (made,) = handed_off(crm)
    assert made.owner_id == ONE
    return made


def fresh(row):
    return Handoff.objects.select_related("task").get(pk=row.pk)


def ask(to="", at=LATER):
    return Reassignment.objects.ask([ONE], to, "anna", at)


def owner_there(there, row):
    return there.ask("GET", f"{TASKS}/{row.task_id}?properties=hubspot_owner_id")["properties"][
        "hubspot_owner_id"
    ]


def change(there, row, **properties):
    there.ask("PATCH", f"{TASKS}/{row.task_id}", {"properties": properties})


def states():
    return list(Reassignment.objects.order_by("pk").values_list("state", flat=True))


def updates(there):
    return [each for each in there.seen() if each["path"] == UPDATE]


# --- to whom


def test_the_rules_choose_as_for_a_new_lead_and_never_the_giver(crm, there, reps):
    rows = handed_off(crm, 4)
    ask()

    assert reassign_due(crm, LATER) == 4

    assert [owner_there(there, row) for row in rows] == [TWO, THREE, TWO, THREE]
    assert [fresh(row).owner_id for row in rows] == [TWO, THREE, TWO, THREE]
    assert fresh(rows[0]).owner_reason == "Whoever takes leads: next in turn"
    assert set(states()) == {"given"}
    assert len(there.tasks()) == 4
    assert len(updates(there)) == 1


def test_each_lead_that_is_given_counts_in_the_turn_and_for_the_day(crm, reps):
    handed_off(crm, 2)
    Owner.objects.filter(owner_id=TWO).update(most_a_day=1)
    Owner.objects.filter(owner_id=THREE).update(takes_leads=False, is_fallback=True)
    ask()

    reassign_due(crm, LATER)

    counted = dict(Owner.objects.values_list("owner_id", "leads_counted"))
    assert counted == {ONE: 2, TWO: 1, THREE: 1} | {key: 0 for key in counted if key > THREE}
    assert sorted(Handoff.objects.values_list("owner_id", flat=True)) == [TWO, THREE]


def test_one_rep_who_was_chosen_gets_them_all_and_they_count(crm, there, reps):
    rows = handed_off(crm, 2)
    ask(THREE)

    reassign_due(crm, LATER)

    assert [owner_there(there, row) for row in rows] == [THREE, THREE]
    assert fresh(rows[0]).owner_reason == "chosen by anna"
    assert Owner.objects.get(owner_id=THREE).leads_counted == 2


def test_who_owns_the_contact_gets_its_task_unless_that_is_the_giver(crm, there, reps):
    mine, theirs = handed_off(crm, 2)
    for row, owner_id in ((mine, ONE), (theirs, THREE)):
        CrmState.objects.update_or_create(
            contact=row.contact, defaults={"owner_id": owner_id, "seen_at": MONDAY, "since": MONDAY}
        )
    ask()

    reassign_due(crm, LATER)

    assert (owner_there(there, mine), owner_there(there, theirs)) == (TWO, THREE)
    assert fresh(theirs).owner_reason == "owns the contact in the CRM"
    assert fresh(mine).owner_reason == "Whoever takes leads: next in turn"


def test_who_owns_the_contacts_company_gets_its_task(crm, there, row):
    rule = RoutingRule.objects.create(kind=Kind.COMPANY_OWNER, name="Company")
    while rule.move(up=True):
        rule.refresh_from_db()
    there.employ(row.record_id, THREE)
    ask()

    reassign_due(crm, LATER)

    assert owner_there(there, row) == THREE


def test_two_who_leave_give_nothing_to_each_other(crm, there, reps):
    first, second = handed_off(crm, 2)
    Handoff.objects.filter(pk=second.pk).update(owner_id=TWO)
    change(there, second, hubspot_owner_id=TWO)
    Reassignment.objects.ask([ONE, TWO], "", "anna", LATER)

    reassign_due(crm, LATER)

    assert (owner_there(there, first), owner_there(there, second)) == (THREE, THREE)


def test_nobody_to_give_to_is_said(crm, there, row):
    Owner.objects.update(takes_leads=False)
    ask()

    reassign_due(crm, LATER)

    (asked,) = Reassignment.objects.all()
    assert asked.state == "failed"
    assert asked.reason == (
        "Nobody may take it: Whoever takes leads: nobody takes leads; nobody is the fallback. "
        "On the Reps page let an active rep take leads, then give it again."
    )
    assert (owner_there(there, row), fresh(row).owner_id) == (ONE, ONE)


def test_a_rep_whom_the_crm_refuses_is_passed_over_and_marked(crm, there, row):
    Owner.objects.create(owner_id="999", name="Ghost", seen_at=LATER)
    ask("999")

    while reassign_due(crm, LATER):
        pass

    assert owner_there(there, row) == TWO
    ghost = Owner.objects.get(owner_id="999")
    assert (ghost.rejected_at, bool(ghost.rejected_reason)) == (LATER, True)
    assert states() == ["given"]


# --- what a person did meanwhile stays


def test_a_task_that_was_done_meanwhile_is_left_alone(crm, there, row):
    ask()
    there.finish(row.task_id)

    reassign_due(crm, LATER)

    assert (states(), owner_there(there, row), fresh(row).owner_id) == (["done"], ONE, ONE)
    assert updates(there) == []


def test_so_is_one_that_was_deleted(crm, there, row):
    ask()
    there.delete_task(row.task_id)

    reassign_due(crm, LATER)

    assert (states(), there.tasks(), updates(there)) == (["deleted"], [], [])


def test_a_task_that_was_made_a_moment_ago_and_is_not_shown_is_looked_for_again(crm, there, row):
    ask(at=MONDAY)
    there.delete_task(row.task_id)

    reassign_due(crm, MONDAY)

    (asked,) = Reassignment.objects.all()
    assert (asked.state, asked.attempts, asked.due_at > MONDAY) == ("waiting", 1, True)


def test_one_that_somebody_gave_to_another_there_stays_theirs_and_is_written_down(crm, there, row):
    ask()
    change(there, row, hubspot_owner_id=THREE)

    reassign_due(crm, LATER)

    after = fresh(row)
    assert (states(), owner_there(there, row), updates(there)) == (["moved"], THREE, [])
    assert (after.owner_id, after.owner_reason) == (THREE, "given to them in the CRM")
    assert (after.task.state, after.task.touched_at) == ("started", LATER)


def test_a_task_that_is_nobodys_there_is_given(crm, there, row):
    ask()
    change(there, row, hubspot_owner_id="")

    reassign_due(crm, LATER)

    assert owner_there(there, row) == TWO


def test_a_task_that_is_being_made_again_is_left_to_the_routing(crm, there, row):
    ask()
    Handoff.objects.filter(pk=row.pk).reopen_delivered("Gone.", LATER, certain=True)

    reassign_due(crm, LATER)

    assert states() == ["deleted"]
    assert fresh(row).owner_id == ONE


# --- afterwards


def test_the_new_reps_task_is_untouched_and_theirs_in_every_count(crm, there, row):
    ask()
    reassign_due(crm, LATER)

    track_tasks(crm, LATER + timedelta(minutes=2))

    task = fresh(row).task
    assert (task.state, task.touched_at, task.given_at) == ("open", None, LATER)
    evaluate_outcomes(LATER)
    assert [each.name for each in count_by_rep(MONDAY - timedelta(days=1))] == [
        str(Owner.objects.get(owner_id=TWO))
    ]


def test_a_task_on_its_way_is_not_taken_for_one_that_a_rep_passed_on(crm, there, row):
    ask(TWO)
    change(there, row, hubspot_owner_id=TWO)  # as if the worker had died right after it

    track_tasks(crm, LATER)

    assert fresh(row).task.state == "open"


def test_it_is_asked_for_once(row):
    assert ask() == 1
    assert ask() == 0
    with pytest.raises(IntegrityError):
        Reassignment.objects.create(
            handoff=row, from_owner_id=ONE, asked_by="x", asked_at=LATER, due_at=LATER
        )


def test_it_can_be_given_on_and_back(crm, there, row):
    ask(TWO)
    reassign_due(crm, LATER)
    Reassignment.objects.ask([TWO], ONE, "anna", LATER)

    reassign_due(crm, LATER)

    assert (owner_there(there, row), fresh(row).owner_id) == (ONE, ONE)
    assert states() == ["given", "given"]


# --- trouble


def test_a_worker_that_died_after_the_change_leaves_it_to_be_written_down(crm, there, row):
    ask()
    Reassignment.objects.update(to_owner_id=TWO, owner_reason="next in turn")
    change(there, row, hubspot_owner_id=TWO)

    reassign_due(crm, LATER)

    assert (states(), updates(there)) == (["given"], [])
    assert (fresh(row).owner_id, fresh(row).owner_reason) == (TWO, "next in turn")


def test_the_rep_who_was_chosen_stays_through_all_attempts(crm, there, row):
    ask()
    there.trouble("status", UPDATE, status=502)
    reassign_due(crm, LATER)
    chosen = Reassignment.objects.get().to_owner_id

    much_later = LATER + timedelta(minutes=10)
    reassign_due(crm, much_later)

    assert (owner_there(there, row), chosen, states()) == (TWO, TWO, ["given"])
    assert Owner.objects.get(owner_id=TWO).leads_counted == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_crm_in_trouble_is_asked_again_and_nothing_is_lost(crm, there, row, status):
    ask()
    there.trouble("status", TASKS, status=status, headers={"Retry-After": "1"})

    assert reassign_due(crm, LATER) == 0
    assert states() == ["waiting"]

    while seconds := crm.room():
        time.sleep(seconds)
    assert reassign_due(crm, LATER + timedelta(minutes=5)) == 1
    assert (states(), owner_there(there, row)) == (["given"], TWO)


def test_who_lets_nobody_in_is_told_once_and_asked_no_more(crm, there, row):
    ask()
    there.revoke()
    reassign_due(crm, LATER)

    assert "token" in breaker_reason(crm, Breaker.Work.TASKS, LATER).lower()
    there.sandbox.state.log.clear()
    assert reassign_due(crm, LATER) == 0
    assert not there.sandbox.state.log


def test_one_that_the_crm_does_not_take_holds_up_no_other(crm, there, reps):
    handed_off(crm, 3)
    ask()
    refused = {"category": "VALIDATION_ERROR", "message": "no"}
    there.trouble("partial", UPDATE, times=None, body=refused)

    reassign_due(crm, LATER)

    assert sorted(states()) == ["given", "given", "waiting"]
    assert "no" in Reassignment.objects.get(state="waiting").reason


def test_what_fails_again_and_again_needs_a_person(crm, row):
    ask()
    Reassignment.objects.update(attempts=20, reason="HubSpot asks us to slow down.")

    reassign_due(crm, LATER)

    asked = Reassignment.objects.get()
    assert (asked.state, asked.reason) == (
        "failed", "Tried 20 times in vain. HubSpot asks us to slow down.",
    )  # fmt: skip


def test_what_was_read_long_ago_is_no_ground_for_a_change(crm, there, row, monkeypatch):
    monkeypatch.setattr(reassign, "GOOD_FOR", -1.0)
    ask()

    reassign_due(crm, LATER)

    assert (states(), owner_there(there, row)) == (["waiting"], ONE)


def test_nothing_is_asked_of_the_crm_when_there_is_nothing_to_give(crm, there, row):
    there.sandbox.state.log.clear()

    assert reassign_due(crm, LATER) == 0

    assert not there.sandbox.state.log


@pytest.mark.django_db(transaction=True)
def test_while_one_worker_gives_another_does_not(crm, there, reps):
    handed_off(crm)
    ask()
    looked = []

    def second():
        looked.append(reassign_due(crm, LATER))
        connections.close_all()

    with advisory_lock(REASSIGNMENTS):
        other = threading.Thread(target=second)
        other.start()
        other.join()

    assert (looked, states()) == ([0], ["waiting"])


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_give_each_task_once(crm, there, reps):
    rows = handed_off(crm, 6)
    ask()

    def work():
        reassign_due(crm, LATER)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert states() == ["given"] * 6
    assert [owner_there(there, row) for row in rows] == [fresh(row).owner_id for row in rows]
    assert sum(Owner.objects.exclude(owner_id=ONE).values_list("leads_counted", flat=True)) == 6


def test_a_late_worker_writes_nothing_over_what_was_settled(row):
    ask(TWO)
    late = Reassignment.objects.due(LATER).get()
    Reassignment.objects.update(state="done", settled_at=LATER)

    late.choose(TWO, "late")
    late.settle(Reassignment.State.GIVEN, LATER)
    Reassignment.objects.store([late], LATER)

    assert (states(), fresh(row).owner_id) == (["done"], ONE)


def test_a_hundred_and_twenty_tasks_take_two_batches(
    crm, there, reps, django_assert_max_num_queries
):
    for _ in range(120):
        a_handoff(a_contact())
    deliver_due(crm, MONDAY)
    deliver_due(crm, MONDAY)
    Owner.objects.update(takes_leads=True)
    ask()
    there.sandbox.state.log.clear()

    with django_assert_max_num_queries(70):
        assert [reassign_due(crm, LATER) for _ in range(3)] == [100, 20, 0]

    assert len(there.sandbox.state.log) == 2 * 2  # tasks, changes
    assert HandoffTask.objects.filter(given_at=LATER).count() == 120

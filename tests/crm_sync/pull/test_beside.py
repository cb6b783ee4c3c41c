"""What happens beside a look: nobody's mail goes on by a picture that was overtaken."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now

from crm_sync.account import check_account
from crm_sync.circuit_breaker import BreakerState, breaker_state
from crm_sync.deals import stage_policy
from crm_sync.models import Breaker, Cursor, Stage
from crm_sync.pull import apply, drift, sweep
from crm_sync.pull.apply import apply_snapshot
from crm_sync.pull.fetch import fetch_snapshot
from crm_sync.pull.hints import apply_due_hints
from crm_sync.pull.poll import pull_changes
from leadscoring.address_changes import change_addresses
from leadscoring.intake import take_contacts
from leadscoring.models import CrmFreshness, CrmState, Effect
from sequences.models import Step
from sequences.sending.claim import MailClaim, claim_next
from tests.crm_sync.elsewhere import elsewhere
from tests.crm_sync.makers import MONDAY, a_contact
from tests.crm_sync.pull.test_pull import an_enrolled

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
LATER = MONDAY + 2 * MINUTE
EARLY = ("default", "appointmentscheduled")


def effect_of(contact):
    return CrmState.objects.get(contact=contact).effect


def looked_at(crm, contact, at=LATER):
    apply_snapshot(crm, check_account(crm, at), fetch_snapshot(crm, [contact.pk]), at)


@pytest.fixture
def bob(crm, there):
    """In a sequence, and in the CRM with a deal that does nothing; all that is known."""
    contact: Any = a_contact("bob@x.example", external_id="bob")
    an_enrolled(contact)
    contact.record_id = there.add_contact(contact.email)
    contact.deal_id = there.add_deal("Acme", EARLY, contact.record_id)
    for at in (MONDAY, MONDAY + MINUTE):
        assert pull_changes(crm, at).error == ""
    return contact


# --- an address that changed


@pytest.fixture
def moving(crm, there, monkeypatch):
    """In a sequence by an address that the CRM does not know; the one they move to is a customer's."""
    contact = a_contact("old@x.example", external_id="bob")
    a_step = {"position": 1, "wait": timedelta(0), "subject": "Hello", "body": "Hello"}
    Step.objects.create(sequence=an_enrolled(contact).sequence, **a_step)
    record_id = there.add_contact("new@x.example")
    there.add_deal("Acme", there.won_stage, record_id)
    for at in (MONDAY, MONDAY + MINUTE):
        pull_changes(crm, at)
    monkeypatch.setattr(
        sweep, "sweep_records", lambda *_, **__: iter(())
    )  # it is elsewhere, for hours
    return contact


@pytest.mark.parametrize(
    "move",
    [
        lambda who: take_contacts([{"external_id": "bob", "email": "new@x.example"}], LATER),
        lambda who: change_addresses({who.pk: "new@x.example"}, LATER),
    ],
    ids=["told", "in the CRM"],
)
def test_nobody_is_mailed_at_a_new_address_before_the_crm_was_asked_about_it(crm, moving, move):
    before = claim_next(MONDAY + MINUTE)
    moving.enrollments.get().deliveries.all().delete()
    moving.enrollments.update(next_at=LATER)

    move(moving)

    assert isinstance(before, MailClaim)
    assert not isinstance(claim_next(LATER), MailClaim)
    pull_changes(crm, LATER + MINUTE)
    assert effect_of(moving) == "stop"


def test_a_look_by_the_old_address_says_nothing_of_the_new_one(crm, moving):
    found = fetch_snapshot(crm, [moving.pk])
    change_addresses({moving.pk: "new@x.example"}, LATER)

    apply_snapshot(crm, check_account(crm, LATER), found, LATER)

    assert not CrmState.objects.filter(contact=moving).exists()


def test_a_first_look_by_the_old_address_says_nothing_of_the_new_one_either(crm, moving):
    CrmState.objects.all().delete()
    found = fetch_snapshot(crm, [moving.pk])
    change_addresses({moving.pk: "new@x.example"}, LATER)

    apply_snapshot(crm, check_account(crm, LATER), found, LATER)

    assert not CrmState.objects.filter(contact=moving).exists()


# --- several looks at once


def test_of_three_looks_at_once_the_oldest_does_not_win(crm, there, bob):
    old = fetch_snapshot(crm, [bob.pk])
    there.move_deal(bob.deal_id, there.open_stage)
    hinted, pulled = fetch_snapshot(crm, [bob.pk]), fetch_snapshot(crm, [bob.pk])

    for seconds, found in enumerate((hinted, pulled, old)):
        apply_snapshot(crm, check_account(crm, LATER), found, LATER + timedelta(seconds=seconds))

    state = CrmState.objects.filter(contact=bob).first()
    assert state is None or state.effect == "pause"


# --- somebody sets what a stage does


@pytest.mark.django_db(transaction=True)
def test_what_somebody_sets_during_a_look_is_not_overwritten(crm, bob, monkeypatch):
    stage = Stage.objects.get(stage_id=EARLY[1])
    real, setting = stage_policy.lock_stages, []

    def held():
        found = real()
        set_it = lambda: stage_policy.set_effect(stage, Effect.PAUSE, "ann", LATER)  # noqa: E731
        setting.append(elsewhere(set_it))
        time.sleep(0.5)  # it would be done by now, if nothing kept it waiting
        return found

    monkeypatch.setattr(apply, "lock_stages", held)
    looked_at(crm, bob)
    setting[0].join(10)

    assert effect_of(bob) == "pause"


@pytest.mark.django_db(transaction=True)
def test_what_a_look_found_while_somebody_set_a_stage_is_not_overwritten(crm, there, bob):
    there.move_deal(bob.deal_id, there.open_stage)
    found, account, applied = (
        fetch_snapshot(crm, [bob.pk]),
        check_account(crm, LATER),
        threading.Event(),
    )

    def pulling():
        with transaction.atomic():
            apply_snapshot(crm, account, found, LATER)
            applied.set()
            time.sleep(0.5)

    thread = elsewhere(pulling)
    assert applied.wait(10)
    stage_policy.set_effect(Stage.objects.get(stage_id=EARLY[1]), Effect.NONE, "ann", LATER)
    thread.join(10)

    assert effect_of(bob) == "pause"


# --- clocks


def test_a_clock_that_is_put_forward_hides_no_change(crm, there, monkeypatch):
    bob = a_contact("bob@x.example")
    an_enrolled(bob)
    deal_id = there.add_deal("Acme", EARLY, there.add_contact(bob.email))
    slow = now() - 20 * MINUTE
    pull_changes(crm, slow)
    pull_changes(crm, slow + MINUTE)
    monkeypatch.setattr(sweep, "sweep_records", lambda *_, **__: iter(()))

    right = now()
    pull_changes(crm, right)
    there.move_deal(deal_id, there.open_stage)
    moved = now()
    for minutes in range(1, 9):
        pull_changes(crm, right + minutes * MINUTE)

    assert CrmFreshness.objects.get(kind="deals").as_of > moved
    assert effect_of(bob) == "pause"


def test_what_a_look_learns_of_the_index_during_a_pull_stays(crm, bob, monkeypatch):
    real = type(crm).changes

    def changes(self, kind, since):
        Cursor.objects.get(pk="deals").late(
            [LATER - 9 * MINUTE], (MONDAY - 9 * MINUTE, LATER), LATER
        )
        return real(self, kind, since)

    monkeypatch.setattr(type(crm), "changes", changes)
    pull_changes(crm, LATER)

    assert Cursor.objects.get(pk="deals").late_by == 9 * MINUTE


# --- after an outage


@pytest.mark.parametrize(
    "beside",
    [lambda crm, at: apply_due_hints(crm, at, at), lambda crm, at: drift.measure_daily(crm, at)],
    ids=["hints", "drift"],
)
def test_who_asks_nothing_leaves_the_turn_that_tries_to_the_pull(crm, bob, beside):
    held = {"work": Breaker.Work.PULL, "identity": crm.identity, "reason": "x", "failures": 5}
    Breaker.objects.create(since=MONDAY, until=MONDAY, **held)

    beside(crm, LATER)

    assert breaker_state(crm, Breaker.Work.PULL, LATER) is BreakerState.HALF_OPEN

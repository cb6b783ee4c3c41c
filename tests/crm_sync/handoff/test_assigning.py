"""Who gets the leads of a batch: asked, chosen under a lock, written down."""

import re
import threading
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from crm_sync.deals.mirror import mirror_owners
from crm_sync.handoff.deliver import deliver_due
from crm_sync.handoff.owner import lock_routing, store_routing
from crm_sync.models import Handoff, Owner, RoutingRule, RulePlace
from crm_sync.port import CrmOwner
from crm_sync.pull.poll import pull_changes
from crm_sync.routing.choose import Lead
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_rep

pytestmark = pytest.mark.django_db
Kind = RoutingRule.Kind
ONE, TWO, THREE = "712340001", "712340002", "712340003"


def a_rule(kind, name="A rule", condition="", reps=(), first=True):
    rule = RoutingRule.objects.create(kind=kind, name=name, condition=condition)
    for rep in reps:
        RulePlace.objects.create(rule=rule, owner=rep)
    while first and rule.move(up=True):
        rule.refresh_from_db()
    return rule


def rep(owner_id):
    return Owner.objects.get(owner_id=owner_id)


def given():
    return list(Handoff.objects.order_by("pk").values_list("owner_id", flat=True))


def delivered(row):
    row.refresh_from_db()
    return row.owner_id, row.owner_reason


@pytest.fixture
def reps(crm):
    """Three reps, known here before the first lead."""
    pull_changes(crm, MONDAY)


# --- by the rules


def test_a_territory_gets_its_leads(crm, reps):
    a_rule(Kind.TERRITORY, "DACH", "profile: {country: AT, seats__gte: 50}", [rep(THREE)])
    ours = a_handoff(a_contact(country="AT", properties={"seats": 80}))
    other = a_handoff(a_contact(country="AT", properties={"seats": 10}))

    deliver_due(crm, MONDAY)

    assert delivered(ours) == (THREE, "territory DACH: next in turn")
    assert delivered(other) == (ONE, "Whoever takes leads: next in turn")


def test_weights_hold_over_many_batches(crm, reps):
    Owner.objects.filter(owner_id=ONE).update(weight=2)
    for minute in range(4):
        a_handoff(), a_handoff()
        deliver_due(crm, MONDAY + timedelta(minutes=minute))

    assert given() == [ONE, TWO, THREE, ONE] * 2


def test_a_named_turn_goes_on_where_the_last_batch_left_it(crm, reps):
    rule = a_rule(Kind.TURN, "Two", reps=[rep(TWO), rep(THREE)])
    rule.places.filter(owner__owner_id=TWO).update(weight=2)
    for minute in range(3):
        a_handoff()
        deliver_due(crm, MONDAY + timedelta(minutes=minute))

    assert given() == [TWO, THREE, TWO]


def test_a_rep_gets_no_more_than_their_most_a_day_over_several_batches(crm, reps):
    Owner.objects.update(takes_leads=False)
    Owner.objects.filter(owner_id=ONE).update(takes_leads=True, most_a_day=2)
    Owner.objects.filter(owner_id=TWO).update(is_fallback=True)
    for _ in range(3):
        a_handoff()
        deliver_due(crm, MONDAY)

    assert given() == [ONE, ONE, TWO]
    a_handoff()
    deliver_due(crm, MONDAY + timedelta(days=1))
    assert given()[-1] == ONE


def test_a_lead_for_nobody_waits_for_a_person_and_says_what_to_do(crm, reps):
    Owner.objects.update(takes_leads=False)
    row = a_handoff()

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.status == "needs_attention"
    assert row.reason == (
        "No rep may take the lead: on the Reps page let an active rep take leads or make one the fallback, then "
        "press Resend. What stood in the way: Whoever takes leads: nobody takes leads; nobody is the fallback."
    )  # fmt: skip


def test_it_goes_once_that_is_done(crm, reps):
    Owner.objects.update(takes_leads=False)
    a_handoff()
    deliver_due(crm, MONDAY)

    Owner.objects.filter(owner_id=TWO).update(is_fallback=True)
    Handoff.objects.all().resend(MONDAY)
    deliver_due(crm, MONDAY)

    assert given() == [TWO]


# --- an earlier attempt


def test_a_second_attempt_keeps_rep_and_reason_and_takes_no_turn(crm, reps):
    row = a_handoff(owner_id=TWO, owner_reason="owns the contact in the CRM")
    a_handoff()

    deliver_due(crm, MONDAY)

    assert delivered(row) == (TWO, "owns the contact in the CRM")
    assert rep(TWO).leads_counted == 0


def test_whoever_went_away_between_two_attempts_does_not_keep_it(crm, reps):
    Owner.objects.filter(owner_id=TWO).update(away_until=MONDAY.date())
    row = a_handoff(owner_id=TWO, owner_reason="next in turn")

    deliver_due(crm, MONDAY)

    assert delivered(row)[0] == ONE


# --- the owner of the company


@pytest.fixture
def company_rule():
    return a_rule(Kind.COMPANY_OWNER, "The company's owner")


def companies_asked(there):
    return [one["path"] for one in there.seen() if re.search("compan.*/read", one["path"])]


def test_the_owner_of_the_company_gets_the_lead(crm, there, reps, company_rule):
    there.employ(there.add_contact("ada@engines.example"), THREE)
    row = a_handoff(a_contact("ada@engines.example"))

    deliver_due(crm, MONDAY)

    assert delivered(row) == (THREE, "owns the contact's company in the CRM")


def test_companies_are_asked_about_once_for_a_batch(crm, there, reps, company_rule):
    for number in range(5):
        there.employ(there.add_contact(f"p{number}@engines.example"), THREE)
        a_handoff(a_contact(f"p{number}@engines.example"))

    deliver_due(crm, MONDAY)

    assert given() == [THREE] * 5
    assert len(companies_asked(there)) == 2  # which companies, and whose


def test_nobody_asks_about_companies_without_such_a_rule(crm, there, reps):
    there.add_contact("ada@engines.example")
    a_handoff(a_contact("ada@engines.example"))

    deliver_due(crm, MONDAY)

    assert companies_asked(there) == []


def test_nobody_asks_about_companies_of_those_whom_the_crm_did_not_know(crm, there, reps, company_rule):  # fmt: skip
    a_handoff()

    deliver_due(crm, MONDAY)

    assert companies_asked(there) == []


def test_a_lead_goes_also_when_the_crm_does_not_say_who_owns_companies(crm, there, reps, company_rule):  # fmt: skip
    there.trouble("status", "/crm/v4/associations/contacts/companies", status=500)
    there.add_contact("ada@engines.example")
    row = a_handoff(a_contact("ada@engines.example"))

    deliver_due(crm, MONDAY)

    assert delivered(row) == (
        ONE,
        "the CRM did not say who owns the contact's company; Whoever takes leads: next in turn",
    )


# --- due in the rep's hours


def test_the_task_is_due_in_the_reps_own_hours(crm, there, reps):
    Owner.objects.update(working_days="3", time_zone="Asia/Kolkata")
    row = a_handoff()

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.task.due_at.isoformat()[:16] == "2026-05-06T04:30"


# --- cost, and several workers


def test_a_batch_asks_as_many_queries_as_a_single_lead(crm, reps, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    a_rule(Kind.TERRITORY, "Some", "profile: {country: AT}", [rep(ONE), rep(TWO)])
    a_handoff(a_contact(country="AT"))
    with CaptureQueriesContext(connection) as one:
        deliver_due(crm, MONDAY)
    for number in range(40):
        a_handoff(a_contact(country="AT" if number % 2 else "FR"))

    with CaptureQueriesContext(connection) as many:
        deliver_due(crm, MONDAY)

    assert len(many) - len(one) <= 1  # both turns move on, not only the territory's


@pytest.mark.django_db(transaction=True)
def test_workers_that_choose_at_once_take_turns():
    for name in ("a", "b", "c"):
        a_rep(name, weight=2 if name == "a" else 1, most_a_day=30)
    start, chosen = threading.Barrier(4), []

    def work():
        with ExitStack() as stack:
            stack.callback(connections.close_all)
            start.wait()
            for _ in range(12):
                chosen.append(choose_one())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(chosen) == {"a": 24, "b": 12, "c": 12}
    assert sorted(Owner.objects.values_list("leads_counted", flat=True)) == [12, 12, 24]


def choose_one():
    with transaction.atomic():
        routing = lock_routing("UTC")
        choice = routing.choose(Lead(), MONDAY)
        routing.give(choice, MONDAY)
        store_routing(routing)
    return choice.owner.owner_id


@pytest.mark.django_db(transaction=True)
def test_reading_the_reps_and_choosing_among_them_never_wait_for_each_other():
    """The CRM tells them in another order than they are locked in here."""
    first, second = a_rep("a"), a_rep("b")
    told = [CrmOwner(one.owner_id, "", one.owner_id, active=True) for one in (second, first)]
    reading = threading.Thread(target=read_reps, args=[told])

    with transaction.atomic():
        Owner.objects.select_for_update().get(pk=first.pk)
        reading.start()
        wait_until_somebody_waits()
        Owner.objects.select_for_update().get(pk=second.pk)

    reading.join()
    assert set(Owner.objects.values_list("name", flat=True)) == {"a", "b"}


def read_reps(told):
    with ExitStack() as stack:
        stack.callback(connections.close_all)
        mirror_owners(told, MONDAY)


def wait_until_somebody_waits():
    with connection.cursor() as cursor:
        for _ in range(2_000):
            cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
            if cursor.fetchone():
                return
    raise AssertionError("nobody waits")

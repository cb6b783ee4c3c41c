from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leadscoring.intake import take_activities
from leadscoring.models import Contact, Lifecycle
from leadscoring.signals import people_scored
from sequences.enrolling import stop_enrollments
from sequences.models import BY_A_RULE, Enrollment, Suppression
from sequences.suppression import suppress_addresses
from tests.sequences.makers import NOON, a_contact, a_sequence, crm_says

pytestmark = pytest.mark.django_db


def scored(*contacts: Contact, did: str = "") -> None:
    """As if these people had just been scored, after doing something."""
    types = {contact.pk: {did} for contact in contacts} if did else {}
    people_scored.send(None, contact_ids={one.pk for one in contacts}, at=NOON, types=types)


def does(contact: Contact, type_: str, at: datetime = NOON) -> None:
    take_activities(
        [{"email": contact.email, "type": type_, "occurred_at": at.isoformat()}], "test", NOON
    )


def test_an_activity_that_arrives_lets_its_person_in() -> None:
    contact, sequence = a_contact(), a_sequence(enter_when={"activity": ["webinar", "demo"]})

    does(contact, "page_view")
    assert not Enrollment.objects.exists()

    does(contact, "webinar")
    row = Enrollment.objects.get()
    assert (row.contact, row.sequence, row.by) == (contact, sequence, BY_A_RULE)


@pytest.mark.parametrize(("days_ago", "enters"), [(1, True), (7, True), (8, False), (2500, False)])
def test_history_that_is_imported_starts_nothing(days_ago: int, enters: bool) -> None:
    a_sequence(enter_when={"activity": "webinar"})

    does(a_contact(), "webinar", NOON - timedelta(days=days_ago))

    assert Enrollment.objects.exists() is enters


def test_a_score_that_rises_lets_its_person_in() -> None:
    contact = a_contact()
    a_sequence(enter_when={"score__gte": 0.5})

    does(contact, "nothing_the_model_knows")
    assert not Enrollment.objects.exists()

    does(contact, "demo_request")
    assert Enrollment.objects.get().contact == contact


def test_by_a_rule_nobody_enters_again() -> None:
    contact = a_contact()
    a_sequence(enter_when={"lifecycle__in": ["lead"]})
    scored(contact)
    stop_enrollments(Enrollment.objects.all(), NOON, "done", by="ada")

    scored(contact)

    assert Enrollment.objects.count() == 1


@pytest.mark.parametrize(
    "forbid",
    [
        lambda one: suppress_addresses([one.email], Suppression.Reason.BY_HAND, NOON, by="ada"),
        lambda one: crm_says(one, "stop"),
        lambda one: crm_says(one, opted_out=True),
        lambda one: Contact.objects.filter(pk=one.pk).update(lifecycle_stage=Lifecycle.CUSTOMER),
        lambda one: Contact.objects.filter(pk=one.pk).update(email=None, external_id="x"),
    ],
    ids=["suppressed", "won deal", "opted out", "customer", "no address"],
)
def test_whoever_must_not_be_written_to_does_not_enter(forbid: Callable[[Contact], object]) -> None:
    contact = a_contact()
    a_sequence(enter_when={"activity": "webinar"})
    forbid(contact)

    scored(contact, did="webinar")

    assert not Enrollment.objects.exists()


def test_a_sequence_that_is_switched_off_or_has_no_rule_lets_nobody_in() -> None:
    a_sequence(enter_when={"lifecycle__in": ["lead"]}, active=False)
    a_sequence(enter_when={})

    scored(a_contact())

    assert not Enrollment.objects.exists()


def queries(people: int) -> int:
    contacts = [a_contact() for _ in range(people)]
    with CaptureQueriesContext(connection) as said:
        scored(*contacts)
    return len(said)


def test_queries_do_not_grow_with_people() -> None:
    a_sequence(enter_when={"lifecycle__in": ["lead"]})

    assert queries(people=1) == queries(people=40)
    assert Enrollment.objects.count() == 41


def test_without_rules_scoring_costs_one_query() -> None:
    a_sequence()

    assert queries(people=5) == 1


def test_somebody_who_is_in_already_costs_three() -> None:
    contact = a_contact()
    a_sequence(enter_when={"lifecycle__in": ["lead"]})
    scored(contact)

    with CaptureQueriesContext(connection) as said:
        scored(contact)

    assert len(said) == 3

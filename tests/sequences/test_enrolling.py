from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from leadscoring.models import CrmState
from sequences.enrolling import (
    enroll_contacts,
    finish_enrollments,
    pause_enrollments,
    resume_enrollments,
    stop_enrollments,
)
from sequences.models import (
    BY_THE_CRM,
    Enrollment,
    EnrollmentChange,
    EnrollmentQuerySet,
    Sequence,
    Suppression,
)
from sequences.suppression import suppress_addresses
from tests.sequences.makers import (
    DAY,
    MINUTE,
    NOON,
    NOW,
    a_contact,
    a_mailable_contact,
    a_sequence,
    again,
    an_enrollment,
    crm_says,
)

pytestmark = pytest.mark.django_db
State = Enrollment.State


def rows(*enrollments: Enrollment) -> EnrollmentQuerySet:
    return Enrollment.objects.filter(pk__in=[row.pk for row in enrollments])


# --- in


def test_whoever_enters_waits_for_the_first_step() -> None:
    enrollment = an_enrollment(sequence=a_sequence(2 * DAY, DAY))

    assert (enrollment.state, enrollment.next_position) == (State.ACTIVE, 1)
    assert enrollment.next_at == NOON + 2 * DAY


def test_entering_is_written_down_with_who_caused_it() -> None:
    enrollment = an_enrollment()

    change = enrollment.changes.get()
    assert (change.at, change.state, change.by) == (NOON, State.ACTIVE, "ada")


def refusal(sequence: Sequence, email: str | None = "", **fields: object) -> str:
    entry = enroll_contacts(sequence, [a_contact(email, **fields)], NOON, by="ada")
    return entry.refused[0].reason


def test_without_an_address_nobody_enters() -> None:
    assert refusal(a_sequence(), email=None, external_id="x") == "They have no e-mail address"


def test_a_suppressed_address_does_not_enter() -> None:
    suppress_addresses(["gone@example.com"], Suppression.Reason.UNSUBSCRIBED, NOON, by="ada")

    assert refusal(a_sequence(), email="gone@example.com") == "Unsubscribed"


def test_a_sequence_without_steps_or_switched_off_lets_nobody_in() -> None:
    empty = Sequence.objects.create(name="empty")

    assert refusal(empty) == "The sequence has no steps"
    assert refusal(a_sequence(active=False)) == "The sequence is switched off"


def test_whom_the_crm_stops_does_not_enter_and_the_deal_is_named() -> None:
    contact = a_contact()
    crm_says(contact, "stop", "Deal Big One is won")

    entry = enroll_contacts(a_sequence(), [contact], NOON, by="ada")

    assert entry.refused[0].reason == "Deal Big One is won"


def test_whom_the_crm_pauses_enters_paused() -> None:
    contact = a_contact()
    crm_says(contact, "pause", "Deal Big One is in negotiation")

    enrollment = an_enrollment(contact)

    assert (enrollment.state, enrollment.by) == (State.PAUSED, BY_THE_CRM)
    assert enrollment.reason == "Deal Big One is in negotiation"


def test_nobody_is_in_a_sequence_twice_at_once() -> None:
    enrollment = an_enrollment()

    entry = enroll_contacts(enrollment.sequence, [enrollment.contact], NOON, by="ada")

    assert entry.refused[0].reason == "They are in this sequence already"
    with pytest.raises(IntegrityError), transaction.atomic():
        again(enrollment).sequence.enrollments.create(
            contact=enrollment.contact, next_at=NOON, entered_at=NOON, changed_at=NOON
        )


def test_whoever_was_in_it_comes_back_by_hand_only() -> None:
    enrollment = an_enrollment()
    stop_enrollments(rows(enrollment), NOON, "done", by="ada")

    by_rule = enroll_contacts(enrollment.sequence, [enrollment.contact], NOON, by="r", again=False)
    by_hand = enroll_contacts(enrollment.sequence, [enrollment.contact], NOON, by="ada")

    assert by_rule.refused[0].reason == "They were in this sequence before"
    assert by_hand.entered[0].next_position == 1


def test_queries_do_not_grow_with_people(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    few, many = ([a_contact() for _ in range(number)] for number in (2, 50))
    sequence = a_sequence()

    for people in (few, many):
        with django_assert_num_queries(8):  # of them two for the savepoint
            enroll_contacts(sequence, people, NOON, by="ada")


@pytest.mark.django_db(transaction=True)
def test_two_who_enroll_at_once_let_the_person_in_once() -> None:
    contact, sequence = a_mailable_contact(), a_sequence()

    def enter(_: int) -> int:
        try:
            return len(enroll_contacts(sequence, [contact], NOON, by="ada").entered)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        entered = sum(pool.map(enter, range(8)))

    assert entered == Enrollment.objects.count() == 1


# --- along


def test_a_pause_keeps_the_wait_that_was_left() -> None:
    enrollment = an_enrollment(sequence=a_sequence(2 * DAY))

    pause_enrollments(rows(enrollment), NOON + DAY, "on holiday", by="ada")
    resume_enrollments(rows(enrollment), NOON + 30 * DAY, by="ada")

    assert again(enrollment).next_at == NOON + 31 * DAY


def test_a_step_that_was_overdue_is_due_when_the_pause_ends() -> None:
    enrollment = an_enrollment(sequence=a_sequence(NOW))

    pause_enrollments(rows(enrollment), NOON + DAY, "on holiday", by="ada")
    resume_enrollments(rows(enrollment), NOON + 2 * DAY, by="ada")

    assert again(enrollment).next_at == NOON + 2 * DAY


def test_a_pause_says_why_and_by_whom() -> None:
    enrollment = an_enrollment()

    paused = pause_enrollments(rows(enrollment), NOON + MINUTE, "on holiday", by="ada")

    row = again(enrollment)
    assert (paused, row.state, row.reason, row.by) == (1, State.PAUSED, "on holiday", "ada")
    assert row.changes.last().reason == "on holiday"


def test_what_a_person_pauses_after_the_crm_is_the_persons_pause() -> None:
    enrollment = an_enrollment()
    crm_says(enrollment.contact, "pause")

    pause_enrollments(rows(enrollment), NOON, "asked to wait", by="ada")
    crm_says(enrollment.contact, "none")

    assert again(enrollment).state == State.PAUSED


def test_resuming_what_a_deal_pauses_leaves_the_pause_to_the_crm() -> None:
    enrollment = an_enrollment()
    pause_enrollments(rows(enrollment), NOON, "asked to wait", by="ada")
    crm_says(enrollment.contact, "pause", "Deal X is in negotiation")

    resumed = resume_enrollments(rows(enrollment), NOON, by="ada")

    row = again(enrollment)
    assert (resumed, row.state, row.by) == (0, State.PAUSED, BY_THE_CRM)
    assert row.reason == "Deal X is in negotiation"


def test_a_stop_is_for_good() -> None:
    enrollment = an_enrollment()

    stop_enrollments(rows(enrollment), NOON, "asked us to", by="ada")

    assert resume_enrollments(rows(enrollment), NOON, by="ada") == 0
    assert pause_enrollments(rows(enrollment), NOON, "x", by="ada") == 0
    assert again(enrollment).state == State.STOPPED


def test_changes_are_set_wise(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    sequence = a_sequence()
    many = enroll_contacts(sequence, [a_contact() for _ in range(30)], NOON, by="ada").entered

    for verb in (
        lambda chosen: pause_enrollments(chosen, NOON, "x", by="ada"),
        lambda chosen: resume_enrollments(chosen, NOON, by="ada"),
        lambda chosen: finish_enrollments(chosen, NOON, "x", by="ada"),
    ):
        with django_assert_num_queries(5):  # savepoint, rows, update, changes, savepoint
            assert verb(rows(*many)) == 30

    assert EnrollmentChange.objects.count() == 4 * 30


# --- what the CRM says


def test_a_deal_in_negotiation_pauses_and_is_named() -> None:
    enrollment = an_enrollment()

    crm_says(enrollment.contact, "pause", "Deal Big One is in negotiation")

    row = again(enrollment)
    assert (row.state, row.reason) == (State.PAUSED, "Deal Big One is in negotiation")
    assert row.by == BY_THE_CRM


def test_the_pause_ends_with_the_negotiation_and_the_wait_goes_on() -> None:
    enrollment = an_enrollment(sequence=a_sequence(2 * DAY))

    crm_says(enrollment.contact, "pause", at=NOON + DAY)
    crm_says(enrollment.contact, "none", at=NOON + 5 * DAY)

    row = again(enrollment)
    assert (row.state, row.next_at) == (State.ACTIVE, NOON + 6 * DAY)


def test_what_a_person_paused_the_crm_does_not_resume() -> None:
    enrollment = an_enrollment()
    pause_enrollments(rows(enrollment), NOON, "asked to wait", by="ada")

    crm_says(enrollment.contact, "pause")
    crm_says(enrollment.contact, "none")

    assert again(enrollment).state == State.PAUSED


@pytest.mark.parametrize("effect", ["none", "pause"])
def test_a_won_deal_stops_whatever_was_before(effect: str) -> None:
    enrollment = an_enrollment()
    crm_says(enrollment.contact, effect)

    crm_says(enrollment.contact, "stop", "Deal Big One is won")
    crm_says(enrollment.contact, "none")

    row = again(enrollment)
    assert (row.state, row.reason) == (State.STOPPED, "Deal Big One is won")


def test_opting_out_in_the_crm_suppresses_and_stops() -> None:
    enrollment = an_enrollment()

    crm_says(enrollment.contact, opted_out=True)

    suppressed = Suppression.objects.get(email=enrollment.contact.email)
    assert suppressed.reason == Suppression.Reason.CRM_OPT_OUT
    assert again(enrollment).state == State.STOPPED


def test_opting_in_again_in_the_crm_takes_no_suppression_back() -> None:
    contact = a_contact()

    crm_says(contact, opted_out=True)
    crm_says(contact, opted_out=False)

    assert Suppression.objects.filter(email=contact.email).exists()


def test_the_crms_word_about_many_takes_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    from leadscoring import crm_state

    people = [a_mailable_contact() for _ in range(30)]
    enroll_contacts(a_sequence(), people, NOON, by="ada")
    said = [
        CrmState(contact=one, effect="pause", reason=f"Deal {one.pk}", since=NOON, seen_at=NOON)
        for one in people
    ]

    with django_assert_max_num_queries(12):
        crm_state.store_states(said, NOON)

    assert Enrollment.objects.paused().values("reason").distinct().count() == 30


def test_a_held_step_is_looked_at_again_when_the_crm_speaks() -> None:
    enrollment = an_enrollment(a_contact())
    enrollment.hold(NOON + timedelta(hours=1), "The CRM has not been asked about this person yet")

    crm_says(enrollment.contact, at=NOON + MINUTE)

    assert again(enrollment).next_at == NOON + MINUTE

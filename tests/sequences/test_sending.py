from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from leadscoring.models import Activity, Contact, Score
from sequences.enrolling import enroll_contacts
from sequences.models import (
    BY_THE_CRM,
    BY_THE_SENDER,
    LEASE,
    Delivery,
    Enrollment,
    MailServerFault,
    Suppression,
)
from sequences.problems import mail_problems
from sequences.sending.claim import LOOK_AGAIN, MailClaim, claim_next
from sequences.sending.record import BACKOFF, record_outcome
from sequences.sending.send import Clock, send_due
from sequences.sending.transport import Sent
from sequences.suppression import suppress_addresses
from tests.sequences.conftest import MailServer
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
    crm_read,
    crm_says,
    noon,
)

pytestmark = pytest.mark.django_db
State = Enrollment.State


def at(moment: datetime) -> Clock:
    return lambda: moment


def the_delivery() -> Delivery:
    return Delivery.objects.get()


# --- what is due leaves


def test_a_due_step_is_sent_and_the_next_one_waits(mail_server: MailServer) -> None:
    enrollment = an_enrollment(sequence=a_sequence(NOW, 3 * DAY))

    assert send_due(noon) == 1

    row = again(enrollment)
    assert [mail["To"] for mail in mail_server.taken] == [row.contact.email]
    assert (row.state, row.next_position, row.next_at) == (State.ACTIVE, 2, NOON + 3 * DAY)


def test_each_step_is_sent_once_and_then_the_sequence_is_finished(mail_server: MailServer) -> None:
    enrollment = an_enrollment(sequence=a_sequence(NOW, DAY))

    for day in range(4):
        crm_read(NOON + day * DAY)
        send_due(at(NOON + day * DAY))
        send_due(at(NOON + day * DAY))

    assert [mail["Subject"] for mail in mail_server.taken] == ["Mail 1", "Mail 2"]
    assert again(enrollment).state == State.FINISHED


def test_what_is_not_due_does_not_leave(mail_server: MailServer) -> None:
    an_enrollment(sequence=a_sequence(MINUTE))

    send_due(at(NOON + MINUTE - timedelta(microseconds=1)))

    assert mail_server.taken == []


def test_a_mail_that_was_sent_is_an_activity_and_scored(mail_server: MailServer) -> None:
    enrollment = an_enrollment()

    send_due(noon)

    activity = Activity.objects.get(contact=enrollment.contact)
    assert (activity.type, activity.source, activity.occurred_at) == (
        "email_sent",
        "sequences",
        NOON,
    )
    assert activity.properties["subject"] == "Mail 1"
    assert Score.objects.filter(contact=enrollment.contact).exists()


def test_activities_are_stored_for_many_mails_at_once(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sequences.sending.send.TOGETHER", 2)
    enroll_contacts(a_sequence(), [a_mailable_contact() for _ in range(5)], NOON, by="ada")

    with CaptureQueriesContext(connection) as queries:
        send_due(noon)

    inserts = [one["sql"] for one in queries if one["sql"].startswith("INSERT")]
    assert sum("leadscoring_activity" in sql for sql in inserts) == 3
    assert Activity.objects.count() == 5
    assert not Delivery.objects.without_activity().exists()


def test_what_left_before_the_mail_server_went_away_is_an_activity(
    mail_server: MailServer,
) -> None:
    enroll_contacts(a_sequence(), [a_mailable_contact() for _ in range(2)], NOON, by="ada")

    def clock_until_the_first_mail_left() -> datetime:
        mail_server.sender = "421 4.3.2 Going down" if mail_server.taken else ""
        return NOON

    send_due(clock_until_the_first_mail_left)

    assert Activity.objects.count() == len(mail_server.taken) == 1


def test_the_delivery_keeps_what_was_sent_where_and_when(mail_server: MailServer) -> None:
    enrollment = an_enrollment()

    send_due(noon)

    delivery, mail = the_delivery(), mail_server.taken[0]
    assert (delivery.state, delivery.sent_at) == (Delivery.State.SENT, NOON)
    assert delivery.email == enrollment.contact.email
    assert delivery.message_id == mail["Message-ID"]


def test_many_leave_over_one_connection_within_the_limit(mail_server: MailServer) -> None:
    enroll_contacts(a_sequence(), [a_mailable_contact() for _ in range(5)], NOON, by="ada")

    assert send_due(noon, limit=3) == 3
    assert send_due(noon) == 2

    assert len({mail["To"] for mail in mail_server.taken}) == 5


# --- what holds


def held(enrollment: Enrollment) -> tuple[str, bool]:
    row = again(enrollment)
    return row.hold_reason, row.next_at == NOON + LOOK_AGAIN


def test_whom_the_crm_was_not_asked_about_waits(mail_server: MailServer) -> None:
    crm_read()
    enrollment = an_enrollment(a_contact())

    send_due(noon)

    assert mail_server.taken == []
    assert held(enrollment) == ("The CRM has not been asked about this person yet", True)


@pytest.mark.parametrize("as_of", [None, NOON - timedelta(seconds=901)])
def test_nobody_is_written_to_while_the_crm_was_not_read_lately(
    mail_server: MailServer, as_of: object, settings: Settings
) -> None:
    settings.CRM_MAX_AGE_SECONDS = 900
    contact = a_contact()
    crm_says(contact)
    if as_of:
        crm_read(as_of)  # type: ignore[arg-type]
    enrollment = an_enrollment(contact)

    assert send_due(noon) == 0

    assert mail_server.taken == []
    assert again(enrollment).next_at == NOON


def test_while_everybody_waits_nothing_is_written(
    mail_server: MailServer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    contact = a_contact()
    crm_says(contact)
    an_enrollment(contact)

    with django_assert_num_queries(5) as said:
        send_due(noon)

    assert not [one["sql"] for one in said if one["sql"].startswith(("UPDATE", "INSERT"))]


def test_a_deal_that_was_missed_is_obeyed_at_the_gate(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    state = enrollment.contact.crm_state
    type(state).objects.update(effect="pause", reason="Deal X is in negotiation")

    send_due(noon)

    row = again(enrollment)
    assert mail_server.taken == []
    assert (row.state, row.reason, row.by) == (
        State.PAUSED,
        "Deal X is in negotiation",
        BY_THE_CRM,
    )


def test_an_address_suppressed_meanwhile_gets_nothing(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    Suppression.objects.create(
        email=enrollment.contact.email or "", reason=Suppression.Reason.BY_HAND, created_at=NOON
    )

    send_due(noon)

    assert mail_server.taken == []
    assert again(enrollment).reason == "Entered by hand"


@pytest.mark.parametrize("effect", ["pause", "stop"])
def test_what_a_deal_forbids_does_not_leave(mail_server: MailServer, effect: str) -> None:
    enrollment = an_enrollment()

    crm_says(enrollment.contact, effect)
    send_due(noon)

    assert mail_server.taken == []


def test_a_sequence_that_is_switched_off_sends_nothing(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    type(enrollment.sequence).objects.update(active=False)

    send_due(noon)

    assert mail_server.taken == []


def test_one_who_is_held_keeps_nobody_else_waiting(mail_server: MailServer) -> None:
    crm_read()
    sequence = a_sequence()
    an_enrollment(a_contact(), sequence, at=NOON - DAY)
    an_enrollment(a_mailable_contact(), sequence)

    assert send_due(noon) == 1


def test_whoever_waits_for_a_step_that_is_no_more_has_finished(mail_server: MailServer) -> None:
    enrollment = an_enrollment(sequence=a_sequence(NOW))
    enrollment.sequence.steps.all().delete()

    send_due(noon)

    assert again(enrollment).state == State.FINISHED


# --- what the mail server says


def test_a_mail_that_is_put_off_is_tried_again_later(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    mail_server.recipient = "451 4.7.1 Greylisted, come back"

    send_due(noon)
    mail_server.recipient = ""

    row = again(enrollment)
    assert (the_delivery().state, row.next_at) == (Delivery.State.WAITING, NOON + BACKOFF[0])
    assert "451 4.7.1 Greylisted" in row.hold_reason
    crm_read(NOON + BACKOFF[0])
    assert send_due(at(NOON + BACKOFF[0])) == 1
    assert (the_delivery().attempts, the_delivery().state) == (2, Delivery.State.SENT)


@pytest.mark.parametrize("asked", ["recipient", "data"])
@pytest.mark.parametrize("answer", ["421 Closing", "452 4.3.1 Full", "451 4.3.2 Not accepting"])
def test_what_a_server_that_is_away_put_off_leaves_as_soon_as_it_is_back(
    mail_server: MailServer, asked: str, answer: str
) -> None:
    """However long it was away: the trouble is not the mail's, so no mail backs off."""
    sequence = a_sequence()
    rows = [an_enrollment(a_mailable_contact(), sequence) for _ in range(3)]
    setattr(mail_server, asked, answer)
    for hour in range(12):
        moment = NOON + timedelta(hours=hour)
        crm_read(moment)
        send_due(at(moment))
    reason = MailServerFault.objects.get().reason
    setattr(mail_server, asked, "")
    crm_read(moment)

    assert send_due(at(moment + timedelta(seconds=10))) == len(rows)

    assert answer in reason
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
    assert not MailServerFault.objects.exists()


def test_when_the_crm_was_not_read_lately_nobody_is_put_off() -> None:
    """Found out in the middle of a scan: who is due leaves as soon as the CRM was read again."""
    row = an_enrollment()
    late = NOON + DAY

    assert claim_next(late) is None

    assert again(row).next_at == row.next_at
    crm_read(late)
    assert isinstance(claim_next(late), MailClaim)


def test_a_mail_that_is_put_off_for_ever_is_given_to_a_person(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    mail_server.data = "451 4.7.0 Not at this moment"

    for day in range(len(BACKOFF) + 1):
        crm_read(NOON + day * DAY)
        send_due(at(NOON + day * DAY))

    row = again(enrollment)
    assert (the_delivery().state, the_delivery().attempts) == (
        Delivery.State.FAILED,
        len(BACKOFF) + 1,
    )
    assert (row.state, row.by) == (State.PAUSED, BY_THE_SENDER)


@pytest.mark.parametrize("answer", ["550 No such user", "550 5.1.1 Unknown", "554 5.2.1 Disabled"])
def test_an_address_that_is_not_there_is_suppressed(mail_server: MailServer, answer: str) -> None:
    enrollment = an_enrollment()
    mail_server.recipient = answer

    send_due(noon)

    suppression = Suppression.objects.get(email=enrollment.contact.email)
    assert suppression.reason == Suppression.Reason.BOUNCED
    assert answer in suppression.detail
    assert again(enrollment).state == State.STOPPED
    assert the_delivery().state == Delivery.State.FAILED


@pytest.mark.parametrize("answer", ["554 5.7.1 Relay access denied", "552 5.2.2 Mailbox full"])
def test_a_refusal_that_is_not_the_addresss_fault_suppresses_nobody(
    mail_server: MailServer, answer: str
) -> None:
    enrollment = an_enrollment()
    mail_server.recipient = answer

    send_due(noon)

    assert not Suppression.objects.exists()
    assert (again(enrollment).state, again(enrollment).by) == (State.PAUSED, BY_THE_SENDER)


def test_a_message_that_is_refused_is_given_to_a_person(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    mail_server.data = "554 5.6.0 Looks like spam"

    send_due(noon)

    assert again(enrollment).reason == "The mail server answered 554 5.6.0 Looks like spam"
    assert not Suppression.objects.exists()


def test_a_server_that_thinks_long_about_a_message_has_taken_it(
    mail_server: MailServer, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.5
    mail_server.thinks = 1.5
    enrolled = an_enrollment()

    send_due(noon)

    assert len(mail_server.taken) == 1
    assert enrolled.deliveries.get().state == Delivery.State.SENT


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("552 5.3.4 Message size exceeds the fixed limit", Delivery.State.FAILED),
        ("552 Too much mail data", Delivery.State.FAILED),
        ("452 4.5.3 Too many of you at once", Delivery.State.WAITING),
    ],
)
def test_a_refusal_of_one_message_at_its_sender_holds_no_other_back(
    mail_server: MailServer, answer: str, state: str
) -> None:
    big, small = an_enrollment(), an_enrollment()
    mail_server.senders = [answer]

    send_due(noon)

    states = {row.deliveries.get().state for row in (big, small)}
    assert states == {state, Delivery.State.SENT}
    assert not MailServerFault.objects.exists()


def test_mail_that_is_switched_off_waits_and_the_home_page_says_so(
    mail_server: MailServer, settings: Settings
) -> None:
    settings.MAIL_OFF = True
    an_enrollment()

    left = send_due(noon)

    assert (left, mail_server.taken) == (0, [])
    (problem,) = mail_problems(NOON)
    assert problem.what == "1 due mail waits. Mail is switched off (EMAIL_URL is off)."


def test_a_connection_that_breaks_at_the_message_leaves_it_unclear(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    mail_server.hangs_up = True

    send_due(noon)
    mail_server.hangs_up = False
    send_due(at(NOON + MINUTE))

    assert len(mail_server.taken) == 1
    assert the_delivery().state == Delivery.State.UNCLEAR
    assert (again(enrollment).state, again(enrollment).by) == (State.PAUSED, BY_THE_SENDER)


def test_without_a_mail_server_everybody_waits_and_it_is_said_once(no_mail_server: None) -> None:
    enroll_contacts(a_sequence(), [a_mailable_contact() for _ in range(3)], NOON, by="ada")

    send_due(noon)
    send_due(at(NOON + MINUTE))

    fault = MailServerFault.objects.get()
    assert fault.since == NOON
    assert "Connection refused" in fault.reason
    assert Delivery.objects.count() == 0


def test_a_server_that_refuses_our_sender_costs_no_mail(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    mail_server.sender = "550 5.7.1 Not you"

    send_due(noon)
    mail_server.sender = ""

    assert "550 5.7.1 Not you" in MailServerFault.objects.get().reason
    assert send_due(at(NOON + MINUTE)) == 1
    assert not MailServerFault.objects.exists()
    assert again(enrollment).hold_reason == ""
    assert the_delivery().attempts == 1


# --- claims


def test_a_claim_is_leased_and_not_taken_twice() -> None:
    an_enrollment()

    first, second = claim_next(NOON), claim_next(NOON + MINUTE)

    assert isinstance(first, MailClaim)
    assert second is None


def test_a_claim_that_was_left_behind_is_unclear_and_never_sent_by_itself(
    mail_server: MailServer,
) -> None:
    enrollment = an_enrollment()
    claim_next(NOON)

    for minutes in (1, 14, 15, 16, 60):
        crm_read(NOON + minutes * MINUTE)
        send_due(at(NOON + minutes * MINUTE))

    assert mail_server.taken == []
    assert the_delivery().state == Delivery.State.UNCLEAR
    assert again(enrollment).reason.startswith("The process that was sending it ended")


def test_a_claim_is_not_unclear_before_its_lease_is_over(mail_server: MailServer) -> None:
    an_enrollment()
    claim_next(NOON)

    send_due(at(NOON + LEASE - MINUTE))

    assert the_delivery().state == Delivery.State.CLAIMED


def test_a_worker_that_is_too_late_changes_nothing_any_more(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    claim = claim_next(NOON)
    assert isinstance(claim, MailClaim)
    send_due(at(NOON + LEASE))

    record_outcome(claim, Sent(), NOON + LEASE)

    assert the_delivery().state == Delivery.State.UNCLEAR
    assert again(enrollment).state == State.PAUSED
    assert not Activity.objects.exists()


def test_a_person_who_is_deleted_during_the_send_is_not_brought_back() -> None:
    enrollment = an_enrollment()
    claim = claim_next(NOON)
    assert isinstance(claim, MailClaim)
    enrollment.contact.delete()

    record_outcome(claim, Sent(), NOON)

    assert not Contact.objects.exists()


def test_a_mail_that_cannot_be_made_pauses_with_the_reason(mail_server: MailServer) -> None:
    enrollment = an_enrollment()
    enrollment.sequence.steps.update(body="{{ password }}")

    send_due(noon)

    assert mail_server.taken == []
    assert (again(enrollment).state, the_delivery().state) == (State.PAUSED, Delivery.State.FAILED)
    assert "unknown merge field 'password'" in again(enrollment).reason


def test_a_person_who_unsubscribes_during_the_send_leaves_all_the_same(
    mail_server: MailServer,
) -> None:
    enrollment = an_enrollment()
    claim = claim_next(NOON)
    assert isinstance(claim, MailClaim)

    suppress_addresses([claim.delivery.email], Suppression.Reason.UNSUBSCRIBED, NOON, by="them")
    record_outcome(claim, Sent(), NOON)

    assert (again(enrollment).state, the_delivery().state) == (State.STOPPED, Delivery.State.SENT)

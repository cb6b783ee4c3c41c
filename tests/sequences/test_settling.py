import pytest

from leadscoring.models import Activity
from sequences.enrolling import resume_enrollments
from sequences.models import Delivery, Enrollment
from sequences.resolve import count_as_sent, send_again
from sequences.sending.send import send_due
from tests.sequences.conftest import MailServer
from tests.sequences.makers import (
    DAY,
    MINUTE,
    NOON,
    NOW,
    a_mailable_contact,
    a_sequence,
    again,
    an_enrollment,
    crm_says,
    noon,
)

pytestmark = pytest.mark.django_db
State = Enrollment.State


@pytest.fixture
def unclear(mail_server: MailServer) -> Enrollment:
    """One whose first mail was taken by a server that then hung up; the server is well again."""
    enrollment = an_enrollment(sequence=a_sequence(NOW, 3 * DAY))
    mail_server.hangs_up = True
    send_due(noon)
    mail_server.hangs_up = False
    return enrollment


def test_sent_again_it_leaves_once_more_under_the_same_message_id(
    unclear: Enrollment, mail_server: MailServer
) -> None:
    assert send_again(Delivery.objects.all(), NOON, by="ada") == 1

    send_due(noon)

    assert len({mail["Message-ID"] for mail in mail_server.taken}) == 1
    assert len(mail_server.taken) == 2
    assert (again(unclear).state, again(unclear).next_position) == (State.ACTIVE, 2)


def test_counted_as_sent_the_person_goes_on_and_no_mail_leaves(
    unclear: Enrollment, mail_server: MailServer
) -> None:
    assert count_as_sent(Delivery.objects.all(), NOON + MINUTE, by="ada") == 1

    send_due(lambda: NOON + MINUTE)

    row, delivery = again(unclear), Delivery.objects.get()
    assert len(mail_server.taken) == 1
    assert (row.state, row.next_at) == (State.ACTIVE, NOON + MINUTE + 3 * DAY)
    assert (delivery.state, delivery.sent_at) == (Delivery.State.SENT, NOON)
    assert Activity.objects.get(type="email_sent").occurred_at == NOON


def test_counting_the_last_mail_as_sent_finishes(mail_server: MailServer) -> None:
    enrollment = an_enrollment(sequence=a_sequence(NOW))
    mail_server.hangs_up = True
    send_due(noon)

    count_as_sent(Delivery.objects.all(), NOON, by="ada")

    assert again(enrollment).state == State.FINISHED


def test_a_decision_is_made_once(unclear: Enrollment) -> None:
    assert count_as_sent(Delivery.objects.all(), NOON, by="ada") == 1

    assert count_as_sent(Delivery.objects.all(), NOON, by="ada") == 0
    assert send_again(Delivery.objects.all(), NOON, by="ada") == 0


def test_a_mail_that_left_cannot_be_sent_again(mail_server: MailServer) -> None:
    an_enrollment(a_mailable_contact())
    send_due(noon)

    assert send_again(Delivery.objects.all(), NOON, by="ada") == 0


def test_a_deal_that_forbids_mail_meanwhile_holds_what_a_person_sends_again(
    unclear: Enrollment, mail_server: MailServer
) -> None:
    crm_says(unclear.contact, "pause", "Deal X is in negotiation")

    send_again(Delivery.objects.all(), NOON, by="ada")
    send_due(noon)

    assert len(mail_server.taken) == 1
    assert again(unclear).reason == "Deal X is in negotiation"


def test_the_crm_does_not_resume_what_waits_for_a_person(unclear: Enrollment) -> None:
    crm_says(unclear.contact, "pause")
    crm_says(unclear.contact, "none")

    assert again(unclear).state == State.PAUSED


def test_resuming_without_a_decision_waits_for_it_again(
    unclear: Enrollment, mail_server: MailServer
) -> None:
    resume_enrollments(Enrollment.objects.all(), NOON, by="ada")
    send_due(noon)

    assert len(mail_server.taken) == 1
    assert Delivery.objects.needing_a_person().count() == 1

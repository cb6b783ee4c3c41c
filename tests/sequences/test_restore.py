"""Mails that may have left after the backup was taken: none is sent by itself, a person decides."""

import pytest

from sequences.models import BY_THE_CRM, BY_THE_SENDER, Delivery, Enrollment
from sequences.resolve import count_as_sent, send_again
from sequences.restore import BECAUSE, mark_perhaps_sent
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
    crm_read,
    crm_says,
    noon,
)

pytestmark = pytest.mark.django_db
State = Enrollment.State


def marked(enrollment: Enrollment) -> list[int]:
    mails = Delivery.objects.filter(enrollment=enrollment, state=Delivery.State.UNCLEAR)
    return sorted(mails.values_list("position", flat=True))


def test_a_mail_that_was_due_perhaps_left_and_waits_for_a_person(mail_server: MailServer) -> None:
    row = an_enrollment()

    assert mark_perhaps_sent(NOON, NOON) == 1
    send_due(noon)

    row = again(row)
    assert (mail_server.taken, marked(row)) == ([], [1])
    assert (row.state, row.reason, row.by) == (State.PAUSED, BECAUSE, BY_THE_SENDER)
    assert Delivery.objects.needing_a_person().count() == 1


def test_a_mail_that_was_not_due_yet_leaves_in_its_time(mail_server: MailServer) -> None:
    row = an_enrollment(sequence=a_sequence(DAY))

    assert mark_perhaps_sent(NOON + DAY - MINUTE, NOON + DAY) == 0
    crm_read(NOON + DAY)
    send_due(lambda: NOON + DAY)

    assert (len(mail_server.taken), again(row).state) == (1, State.FINISHED)


def test_the_mails_after_it_perhaps_left_too_as_far_as_there_was_time() -> None:
    row = an_enrollment(sequence=a_sequence(NOW, DAY, DAY, 5 * DAY))

    mark_perhaps_sent(NOON + 2 * DAY, NOON + 3 * DAY)

    assert marked(row) == [1, 2, 3]


def test_to_mark_twice_is_to_mark_once() -> None:
    an_enrollment()

    assert [mark_perhaps_sent(NOON, NOON + n * DAY) for n in range(2)] == [1, 0]


def test_a_mail_that_was_held_or_put_off_may_have_been_let_go() -> None:
    held, put_off = an_enrollment(), an_enrollment()
    held.hold(NOON + DAY, "The CRM was last read 31 minutes ago")
    put_off.hold(NOON + DAY, "The mail server answered 451")
    put_off.deliveries.create(
        position=1, email="a@lead.example", state="waiting", reason="451", message_id="<1@x>",
        claimed_at=NOON,
    )  # fmt: skip

    mark_perhaps_sent(NOON, NOON)

    assert (marked(held), marked(put_off)) == ([1], [1])


def test_a_mail_that_was_sent_before_stays_sent(mail_server: MailServer) -> None:
    row = an_enrollment(sequence=a_sequence(NOW, 3 * DAY))
    send_due(noon)

    assert mark_perhaps_sent(NOON + DAY, NOON + DAY) == 0
    assert again(row).is_active


def test_somebody_paused_stays_paused_and_is_asked_about_when_that_ends(
    mail_server: MailServer,
) -> None:
    person = a_mailable_contact()
    row = an_enrollment(person)
    crm_says(person, "pause")

    mark_perhaps_sent(NOON + DAY, NOON + DAY)
    paused_by = again(row).by
    crm_says(person, "none", at=NOON + DAY)
    crm_read(NOON + DAY)
    send_due(lambda: NOON + DAY)

    assert (paused_by, mail_server.taken) == (BY_THE_CRM, [])
    assert (again(row).state, again(row).by) == (State.PAUSED, BY_THE_SENDER)


def test_counted_as_sent_it_goes_on_after_the_last_of_them() -> None:
    row = an_enrollment(sequence=a_sequence(NOW, DAY, 5 * DAY))
    mark_perhaps_sent(NOON + DAY, NOON + 2 * DAY)

    count_as_sent(Delivery.objects.unclear(), NOON + 2 * DAY, by="ada")

    row = again(row)
    assert (row.state, row.next_position, row.next_at) == (State.ACTIVE, 3, NOON + 7 * DAY)


def test_whoever_decides_to_send_it_again_has_it_sent(mail_server: MailServer) -> None:
    an_enrollment()
    mark_perhaps_sent(NOON, NOON)

    send_again(Delivery.objects.unclear(), NOON, by="ada")
    send_due(noon)

    assert len(mail_server.taken) == 1

from datetime import timedelta

import pytest

from leadscoring.extensions import contact_details
from leadscoring.operations import health
from sequences.models import Enrollment
from sequences.problems import mail_problems
from sequences.sending.send import send_due
from tests.sequences.conftest import MailServer
from tests.sequences.makers import (
    DAY,
    MINUTE,
    NOON,
    NOW,
    a_contact,
    a_mailable_contact,
    a_sequence,
    an_enrollment,
    crm_read,
    crm_says,
    noon,
)

pytestmark = pytest.mark.django_db


def described(enrollment: Enrollment, at=NOON):
    return contact_details["enrollments"](enrollment.contact, at)


def test_an_enrollment_is_described_as_the_contract_says(mail_server: MailServer) -> None:
    enrollment = an_enrollment(sequence=a_sequence(NOW, DAY, name="nurture"))

    send_due(noon)

    assert described(enrollment) == [
        {"sequence": "nurture", "state": "active", "because": "", "sent": 1, "next_at": NOON + DAY}
    ]


def test_a_pause_names_the_deal() -> None:
    enrollment = an_enrollment()

    crm_says(enrollment.contact, "pause", "Deal Big One is in negotiation")

    assert described(enrollment)[0]["state"] == "paused"
    assert described(enrollment)[0]["because"] == "Deal Big One is in negotiation"
    assert described(enrollment)[0]["next_at"] is None


def test_what_holds_everybody_is_told_of_each_though_it_is_written_nowhere() -> None:
    enrollment = an_enrollment(sequence=a_sequence(NOW))

    said = described(enrollment, at=NOON + 31 * MINUTE)[0]["because"]

    assert said == "The CRM was last read 31 minutes ago; mail waits until it is read again"


# --- what needs a person


def what(at=NOON) -> list[str]:
    return [problem.what for problem in mail_problems(at)]


def test_when_all_is_well_nothing_is_said(mail_server: MailServer) -> None:
    an_enrollment()
    send_due(noon)

    assert what() == []


def test_due_mails_that_wait_for_the_crm_are_counted() -> None:
    an_enrollment(sequence=a_sequence(NOW))
    an_enrollment(a_contact(), a_sequence(NOW))
    crm_read(NOON - timedelta(minutes=31))

    assert what() == [
        "2 due mails wait. The CRM was last read 31 minutes ago; mail waits until it is read again."
    ]


def test_a_mail_server_that_is_away_is_one_problem(no_mail_server: None) -> None:
    for _ in range(3):
        an_enrollment(a_mailable_contact())
    send_due(noon)

    assert len(what()) == 1
    assert what()[0].startswith("The mail server cannot be used: [Errno 111] Connection refused")


def test_mails_that_wait_for_a_decision_are_counted_with_a_link(mail_server: MailServer) -> None:
    an_enrollment()
    mail_server.hangs_up = True
    send_due(noon)

    problem = next(one for one in health.collect_problems(NOON) if "perhaps left" in one.what)

    assert problem.what == "1 mail failed or perhaps left; the people wait."
    assert problem.url == "/admin/sequences/delivery/?ask=person"

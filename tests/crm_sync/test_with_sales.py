"""Who is with sales gets no mail of a sequence that pauses them, from the crossing until sales is done."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Handoff, RejectingStatus
from crm_sync.outcomes.evaluate import evaluate_outcomes
from leadscoring.intake import take_activities, take_contacts
from leadscoring.merging import merge_contacts
from leadscoring.models import Contact, Lifecycle, Score
from leadscoring.scoring import rescore_locked
from leadscoring.signals import Crossing, threshold_crossed
from sequences import enrolling
from sequences.apply_file import apply_sequence, sequence_text
from sequences.models import BY_A_HANDOFF, BY_THE_CRM, Enrollment
from sequences.sending.send import send_due
from tests.crm_sync.elsewhere import elsewhere
from tests.crm_sync.makers import MONDAY, a_handoff, a_score
from tests.crm_sync.outcomes.test_outcomes import a_deal, seen, told
from tests.sequences.conftest import MailServer, mail_server
from tests.sequences.makers import a_contact, a_mailable_contact, a_sequence, crm_read, crm_says

__all__ = ["mail_server"]
pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
LATER = MONDAY + 24 * HOUR
WORDS = "With sales since 4 May 2026"


def in_a_sequence(contact: Contact, *, pauses: bool = True) -> Enrollment:
    sequence = a_sequence(pause_when_with_sales=pauses)
    [row] = enrolling.enroll_contacts(sequence, [contact], MONDAY, by="ada").entered
    return row


def crosses(contact: Contact, **fields: object) -> None:
    given = {"cycle": 1, "at": MONDAY, "total": 82.0, "grade": "A1", "reasons": []} | fields
    threshold_crossed.send(None, crossings=[Crossing(contact.pk, **given)])  # type: ignore[arg-type]


def state(row: Enrollment) -> str:
    return Enrollment.objects.get(pk=row.pk).state


def mailed(at=MONDAY) -> int:
    crm_read(at)
    return send_due(lambda: at)


def test_from_the_crossing_on_no_mail_leaves_and_the_enrollment_says_why(mail_server: MailServer):
    row = in_a_sequence(a_mailable_contact())

    crosses(row.contact)

    row.refresh_from_db()
    assert (row.state, row.reason, row.by) == ("paused", WORDS, BY_A_HANDOFF)
    assert (mailed(), mail_server.taken) == (0, [])


def test_a_sequence_whose_switch_is_off_goes_on(mail_server: MailServer):
    row = in_a_sequence(a_mailable_contact(), pauses=False)

    crosses(row.contact)

    assert (state(row), mailed()) == ("active", 1)


def asks_for_a_demo(contact: Contact) -> None:
    """Become ready for sales by the starting model."""
    take_contacts([{"email": contact.email, "job_title": "VP Marketing"}], MONDAY)
    did = {"email": contact.email, "type": "demo_request", "occurred_at": MONDAY.isoformat()}
    take_activities([did], "web", MONDAY)


def test_an_activity_that_makes_a_lead_ready_pauses_and_lets_in_paused():
    contact = a_mailable_contact()
    row = in_a_sequence(contact)
    a_sequence(enter_when={"activity": "demo_request"}, pause_when_with_sales=True)

    asks_for_a_demo(contact)

    assert Handoff.objects.get().status == "waiting"
    assert state(row) == "paused"
    assert list(Enrollment.objects.values_list("state", "by")) == [("paused", BY_A_HANDOFF)] * 2


@pytest.mark.parametrize("status", ["waiting", "needs_attention", "delivered"])
def test_who_enters_while_with_sales_waits_from_the_beginning(status: str, mail_server: MailServer):
    contact = a_mailable_contact()
    delivered: dict[str, Any] = {"record_id": "1", "owner_id": "1", "task_id": "1", "task_tried_at": MONDAY,
                 "delivered_at": MONDAY}  # fmt: skip
    a_handoff(contact, status=status, reason="Why", **(delivered if status == "delivered" else {}))

    row = in_a_sequence(contact)

    assert (row.state, row.reason) == ("paused", WORDS)
    assert mailed() == 0


def test_a_mail_is_not_sent_even_if_the_pause_was_missed(mail_server: MailServer):
    row = in_a_sequence(a_mailable_contact())
    a_handoff(row.contact)  # as a release would write it that knows no pause

    assert (mailed(), mail_server.taken) == (0, [])
    assert state(row) == "paused"


def refuses(row: Handoff) -> None:
    RejectingStatus.objects.get_or_create(status="UNQUALIFIED")
    seen(row, lead_status="UNQUALIFIED")


@pytest.mark.parametrize(
    ("sales", "after"),
    [
        (lambda row: seen(row, lead_status="CONNECTED"), "paused"),
        (refuses, "active"),
        (lambda row: (a_deal(row), seen(row)), "paused"),
        (lambda row: (a_deal(row, closed=True), seen(row)), "active"),
        (lambda row: (a_deal(row, closed=True, won=True), seen(row)), "active"),
    ],
    ids=["talks", "refuses", "open deal", "lost", "won"],
)
def test_it_goes_on_when_sales_is_done(sales, after: str, mail_server: MailServer):
    handoff = told(contact=a_mailable_contact())
    row = in_a_sequence(handoff.contact)

    sales(handoff)
    evaluate_outcomes(LATER)

    assert state(row) == after
    assert mailed(LATER) == (1 if after == "active" else 0)


def test_sales_that_takes_a_refusal_back_has_the_person_again():
    handoff = told(contact=a_mailable_contact())
    row = in_a_sequence(handoff.contact)
    refuses(handoff)
    evaluate_outcomes(LATER)

    seen(handoff, LATER + HOUR, lead_status="CONNECTED")
    evaluate_outcomes(LATER + HOUR)

    assert state(row) == "paused"


def test_a_lead_that_is_kept_here_gets_mail_and_none_when_it_is_sent_after_all():
    row = in_a_sequence(a_mailable_contact())
    crosses(row.contact)

    Handoff.objects.all().withdraw("Not for sales.", MONDAY)
    kept_here = state(row)
    Handoff.objects.all().resend(MONDAY)

    assert (kept_here, state(row)) == ("active", "paused")


def test_a_crossing_that_is_withheld_pauses_nobody():
    row = in_a_sequence(a_mailable_contact())

    crosses(row.contact, withheld="Published quietly.")

    assert state(row) == "active"


def test_a_lead_that_the_delivery_keeps_here_gets_mail(crm):
    contact = a_mailable_contact()
    row = in_a_sequence(contact)
    crosses(contact)
    a_score(contact)
    Contact.objects.filter(pk=contact.pk).update(lifecycle_stage=Lifecycle.CUSTOMER)
    paused = state(row)

    deliver_due(crm, MONDAY)

    assert (paused, Handoff.objects.get().status, state(row)) == ("paused", "withdrawn", "active")


def test_the_last_handoff_that_sales_was_to_have_counts():
    handoff = told(contact=a_mailable_contact())
    row = in_a_sequence(handoff.contact)
    crosses(handoff.contact, cycle=2, withheld="Published quietly.")
    still = state(row)

    told(contact=handoff.contact, cycle=3, at=MONDAY + HOUR)
    refuses(handoff)
    evaluate_outcomes(LATER)

    assert (still, state(row)) == ("paused", "active")


def test_a_deal_is_named_before_the_handoff_and_the_handoff_after_it():
    contact = a_mailable_contact()
    row = in_a_sequence(contact)
    crosses(contact)

    crm_says(contact, "pause", "Deal X is in negotiation")
    row.refresh_from_db()
    negotiating = (row.by, row.reason)
    crm_says(contact)
    row.refresh_from_db()

    assert negotiating == (BY_THE_CRM, "Deal X is in negotiation")
    assert (row.state, row.by, row.reason) == ("paused", BY_A_HANDOFF, WORDS)


def test_what_a_person_paused_stays_so_when_sales_refuses():
    handoff = told(contact=a_mailable_contact())
    row = in_a_sequence(handoff.contact)
    enrolling.pause_enrollments(Enrollment.objects.all(), MONDAY, "On holiday", by="ada")

    refuses(handoff)
    evaluate_outcomes(LATER)

    row.refresh_from_db()
    assert (row.state, row.by) == ("paused", "ada")


def test_the_wait_that_was_left_goes_on_afterwards():
    handoff = told(contact=a_contact())
    row = in_a_sequence(a_mailable_contact())
    Enrollment.objects.filter(pk=row.pk).update(next_at=MONDAY + 3 * HOUR)
    crosses(row.contact)

    Handoff.objects.filter(contact=row.contact).withdraw("Not for sales.", LATER)

    row.refresh_from_db()
    assert row.next_at == LATER + 3 * HOUR
    assert handoff.contact != row.contact


def test_the_switch_of_a_sequence_counts_at_once():
    handoff = told(contact=a_mailable_contact())
    row = in_a_sequence(handoff.contact, pauses=False)
    other = in_a_sequence(a_mailable_contact(), pauses=False)
    states = []
    for on in (True, False):
        row.sequence.pause_when_with_sales = on
        row.sequence.save()
        enrolling.apply_sales_switch(row.sequence, MONDAY)
        states.append((state(row), state(other)))

    assert states == [("paused", "active"), ("active", "active")]


def test_the_switch_in_a_file_counts_at_once():
    row = in_a_sequence(told(contact=a_mailable_contact()).contact, pauses=False)
    states = []
    for on in (True, False):
        text = replace(sequence_text(row.sequence), pause_when_with_sales=on)
        apply_sequence(text, MONDAY)
        states.append(state(row))

    assert states == ["paused", "active"]


def test_who_becomes_one_with_somebody_at_sales_is_with_sales_too():
    kept, gone = a_mailable_contact(), a_mailable_contact()
    row = in_a_sequence(kept)
    for person in (kept, gone):
        rescore_locked([person.pk], MONDAY)
    told(contact=gone)
    Score.objects.filter(contact=gone).update(armed=False, cycle=1, crossed_at=MONDAY)

    merge_contacts(kept.pk, gone.pk, MONDAY)

    assert state(row) == "paused"


def test_what_somebody_else_began_goes_on_where_the_handoff_is():
    kept, gone = a_mailable_contact(), a_mailable_contact()
    row = in_a_sequence(gone)
    for person in (kept, gone):
        rescore_locked([person.pk], MONDAY)
    told(contact=kept)
    Score.objects.filter(contact=kept).update(armed=False, cycle=1, crossed_at=MONDAY)

    merge_contacts(kept.pk, gone.pk, MONDAY)

    row.refresh_from_db()
    assert (row.contact, row.state) == (kept, "paused")


@pytest.mark.django_db(transaction=True)
def test_no_worker_sends_while_a_crossing_is_being_stored(mail_server: MailServer):
    row = in_a_sequence(a_mailable_contact())
    stored, go_on = threading.Event(), threading.Event()

    def cross() -> None:
        with transaction.atomic():
            crosses(row.contact)
            stored.set()
            go_on.wait(30)

    crossing = elsewhere(cross)
    stored.wait(30)
    meanwhile = mailed()
    go_on.set()
    crossing.join()

    assert (meanwhile, mailed(), mail_server.taken) == (0, 0, [])
    assert state(row) == "paused"

from datetime import timedelta

import pytest

from sequences.apply_file import SHORTENED, apply_sequence, sequence_text
from sequences.models import Enrollment, Sequence
from sequences.sending.send import send_due
from sequences.sequence_file import SequenceDefinition, StepDefinition
from tests.sequences.conftest import MailServer
from tests.sequences.makers import (
    DAY,
    NOON,
    NOW,
    a_mailable_contact,
    again,
    an_enrollment,
    crm_read,
    noon,
)

pytestmark = pytest.mark.django_db


def a_text(*subjects: str, **fields: object) -> SequenceDefinition:
    steps = tuple(
        StepDefinition(DAY if place else NOW, subject, "Body")
        for place, subject in enumerate(subjects)
    )
    return SequenceDefinition("nurture", {}, steps)


def test_what_was_applied_is_exported() -> None:
    text = SequenceDefinition("nurture", {"score__gte": 20}, a_text("One", "Two").steps)

    applied = apply_sequence(text, NOON)

    assert (applied.created, applied.changed) == (True, True)
    assert sequence_text(Sequence.objects.get(name="nurture")) == text


def test_applying_the_same_again_changes_nothing() -> None:
    apply_sequence(a_text("One"), NOON)

    applied = apply_sequence(a_text("One"), NOON)

    assert (applied.created, applied.changed) == (False, False)


def test_whoever_is_under_way_gets_the_new_next_step(mail_server: MailServer) -> None:
    sequence = apply_sequence(a_text("One", "Two"), NOON).sequence
    an_enrollment(a_mailable_contact(), sequence)
    send_due(noon)

    apply_sequence(a_text("New one", "New two", "Three"), NOON)
    crm_read(NOON + DAY)
    send_due(lambda: NOON + DAY)

    assert [mail["Subject"] for mail in mail_server.taken] == ["One", "New two"]


def test_whoever_came_further_than_the_new_end_has_finished(mail_server: MailServer) -> None:
    sequence = apply_sequence(a_text("One", "Two"), NOON).sequence
    further = an_enrollment(a_mailable_contact(), sequence)
    send_due(noon)
    at_the_start = an_enrollment(a_mailable_contact(), sequence)

    applied = apply_sequence(a_text("Only one"), NOON)

    assert applied.finished == 1
    assert (again(further).state, again(further).reason) == (Enrollment.State.FINISHED, SHORTENED)
    assert again(at_the_start).is_active


def test_a_sequence_keeps_being_switched_off() -> None:
    apply_sequence(a_text("One"), NOON)
    Sequence.objects.update(active=False)

    apply_sequence(a_text("Two"), NOON + timedelta(1))

    assert not Sequence.objects.get().active

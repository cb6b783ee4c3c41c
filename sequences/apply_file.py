"""A sequence's text in force: made, or put in the place of the one of its name."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sequences import early_fits, enrolling
from sequences.models import BY_A_FILE, EarlyFit, Enrollment, Sequence, Step
from sequences.sequence_file import SequenceDefinition, StepDefinition

SHORTENED = "The sequence became shorter than they had come"


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What applying did. `finished`: how many were under way behind the new last step."""

    sequence: Sequence
    created: bool
    changed: bool
    finished: int = 0


def sequence_text(sequence: Sequence) -> SequenceDefinition:
    """Return a stored sequence as a file would say it."""
    steps = tuple(
        StepDefinition(step.wait, step.subject, step.body) for step in sequence.steps.all()
    )
    return SequenceDefinition(
        sequence.name, sequence.enter_when, steps, sequence.tracks, sequence.pause_when_with_sales
    )


def apply_sequence(text: SequenceDefinition, at: datetime) -> ApplyResult:
    """Create a sequence or replace it by name; its enrollments go on.

    One that waits for the third step gets the new third step, at the time it was waiting for; one
    that waits for a removed step has finished.
    """
    with transaction.atomic():
        rows = Sequence.objects.select_for_update(no_key=True)
        sequence, created = rows.get_or_create(name=text.name)
        if sequence_text(sequence) == text:
            return ApplyResult(sequence, created, changed=False)
        if sequence.enter_when != text.enter_when:
            EarlyFit.objects.filter(sequence=sequence).delete()
            sequence.early_fits_a_day = early_fits.FROM_NOW_ON
        switched = sequence.pause_when_with_sales != text.pause_when_with_sales
        sequence.enter_when, sequence.tracks = text.enter_when, text.tracks
        sequence.pause_when_with_sales = text.pause_when_with_sales
        sequence.save()
        sequence.steps.all().delete()
        Step.objects.bulk_create(
            Step(
                sequence=sequence,
                position=position,
                wait=step.wait,
                subject=step.subject,
                body=step.body,
            )
            for position, step in enumerate(text.steps, start=1)
        )
        if switched:
            enrolling.apply_sales_switch(sequence, at)
        behind = Enrollment.objects.filter(sequence=sequence).behind(len(text.steps))
        finished = enrolling.finish_enrollments(behind, at, SHORTENED, BY_A_FILE)
    return ApplyResult(sequence, created, True, finished)

"""A sequence that is no longer wanted: put away with all that it did, and brought back."""

from datetime import datetime

from leadscoring.common.batching import batched
from sequences import early_fits
from sequences.enrolling import stop_enrollments
from sequences.models import Enrollment, Sequence, SequenceQuerySet

ARCHIVED = "The sequence was archived"


def archive_sequences(sequences: SequenceQuerySet, at: datetime, by: str) -> tuple[int, int]:
    """Switch sequences off and stop all people in them; return how many of each.

    A transaction for each thousand people: what is interrupted leaves sequences that are off and not
    archived yet, and goes on when asked for again.
    """
    ids = list(sequences.current().values_list("pk", flat=True))
    early_fits.switch_off(Sequence.objects.filter(pk__in=ids))
    people = Enrollment.objects.open().filter(sequence__in=ids).order_by("pk")
    stopped = sum(
        stop_enrollments(Enrollment.objects.filter(pk__in=some), at, ARCHIVED, by)
        for some in batched(people.values_list("pk", flat=True), 1_000)
    )
    return Sequence.objects.filter(pk__in=ids).update(archived_at=at, updated_at=at), stopped


def bring_back_sequences(sequences: SequenceQuerySet, at: datetime) -> int:
    """Let archived sequences be used again, switched off as they are; return how many."""
    return sequences.archived().update(archived_at=None, updated_at=at)

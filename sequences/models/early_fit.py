"""People whom an entry rule met already when it was switched on."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint

from leadscoring.models import Contact
from sequences.models.sequence import Sequence


class EarlyFitQuerySet(models.QuerySet["EarlyFit"]):
    def waiting(self) -> Self:
        return self.filter(state=EarlyFit.State.WAITING)


class EarlyFit(models.Model):
    """One of the people who fitted a sequence's entry rule when a person switched it on.

    While it waits its rule does not let them in: `sequences.early_fits` does, as many a day as was
    said, or nobody. The row of somebody who stops fitting is deleted, and the rule counts for them again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ENTERED = "entered", "Entered"
        NOT_ENROLLABLE = "not_enrollable", "Could not enter"

    sequence = models.ForeignKey(Sequence, on_delete=models.CASCADE, related_name="early_fits")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    entered_at = models.DateTimeField(null=True, blank=True)

    objects = EarlyFitQuerySet.as_manager()

    class Meta:
        verbose_name = "person who fitted before"
        verbose_name_plural = "people who fitted before"
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["sequence", "contact"], name="one_early_fit_per_sequence_and_contact"
            ),
            CheckConstraint(
                condition=Q(state="entered", entered_at__isnull=False)
                | (~Q(state="entered") & Q(entered_at=None)),
                name="an_early_fit_that_entered_has_its_time",
            ),
        ]
        indexes: ClassVar = [
            # Read by the turn that lets them in, and by each scoring: does a rule remember anybody?
            Index(fields=["sequence"], condition=Q(state="waiting"), name="early_fit_waiting"),
        ]

    def __str__(self) -> str:
        return f"contact {self.contact_id} ({self.state})"

"""Models of what a lead is worth, and what each contact is worth today."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from leadscoring.engine import Qualification, ScoringModel, parse_model
from leadscoring.models.people import Contact


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def published(self) -> Self:
        return self.filter(published_at__isnull=False)

    def in_force(self, at: datetime) -> "ModelVersion":
        """Return the last version published at or before the instant; before the first, the first.

        Raise ModelVersion.DoesNotExist when none was ever published, which set-up prevents.
        """
        last = (
            self.published().filter(published_at__lte=at).order_by("-published_at", "-pk").first()
        )
        return last or self.published().earliest("published_at", "pk")


class ModelVersion(models.Model):
    """A scoring model as its file says it. A published one never changes: history is computed from it."""

    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    source = models.TextField(
        help_text="The model as YAML; the format is on the documentation page."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Crossings by the change of model alone are not sent to sales.
    quiet = models.BooleanField(default=False, editable=False)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "scoring model"
        constraints: ClassVar = [
            UniqueConstraint(fields=["name", "version"], name="one_model_per_name_and_version"),
            UniqueConstraint(
                fields=["name"], condition=Q(published_at=None), name="one_draft_per_model_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def model(self) -> ScoringModel:
        """Return the parsed model. Parsing is remembered by the source text."""
        return parse_model(self.source)


class Score(models.Model):
    """What a contact is worth, computed at `at`, and where they stand with the threshold.

    `contributions` is a list of the engine's contributions as JSON; they add up to `total`.
    `moves`: time alone can change the figure, so the refresh looks at it again.
    """

    contact = models.OneToOneField(
        Contact, on_delete=models.CASCADE, primary_key=True, related_name="score"
    )
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    total = models.FloatField()
    fit = models.FloatField()
    engagement = models.FloatField()
    grade = models.CharField(max_length=2)
    disqualified = models.BooleanField(default=False)
    contributions = models.JSONField(default=list)
    moves = models.BooleanField(default=False)
    armed = models.BooleanField(default=True)
    cycle = models.PositiveIntegerField(default=0)
    crossed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(cycle=0, crossed_at=None) | Q(cycle__gt=0, crossed_at__isnull=False),
                name="a_cycle_began_with_a_crossing",
            ),
        ]
        indexes: ClassVar = [
            Index(F("total").desc(), "contact", name="score_hottest_first"),
            Index(fields=["grade"], name="score_by_grade"),
            # The admin's list of the disqualified.
            Index(fields=["contact"], condition=Q(disqualified=True), name="score_of_disqualified"),
            # Read by the refresh.
            Index(fields=["at"], condition=Q(moves=True), name="score_that_moves"),
        ]

    def __str__(self) -> str:
        return f"{self.total:g} {self.grade}"

    @property
    def qualification(self) -> Qualification:
        return Qualification(armed=self.armed, cycle=self.cycle, crossed_at=self.crossed_at)

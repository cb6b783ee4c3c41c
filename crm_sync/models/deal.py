"""Deals of our contacts and their stages, as the CRM has them. Written by the pull."""

from typing import ClassVar

from django.db import models
from django.db.models import UniqueConstraint

from leadscoring.models import CRM_ID_LENGTH, Contact, Effect


class Stage(models.Model):
    """A stage of a deal pipeline, and what it does to the sequences of a deal's contacts.

    `effect` empty: it was never set; it pauses, and the reason says so. `former_label`: the label when
    the effect was last set, if the CRM has renamed the stage since.
    """

    pipeline_id = models.CharField(max_length=CRM_ID_LENGTH)
    pipeline = models.CharField(max_length=200)
    stage_id = models.CharField(max_length=CRM_ID_LENGTH)
    label = models.CharField(max_length=200)
    position = models.IntegerField(default=0)
    probability = models.FloatField(null=True)
    closed = models.BooleanField(default=False)
    won = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    effect = models.CharField(max_length=10, choices=Effect.choices, blank=True, default="")
    set_by = models.CharField(max_length=200, blank=True, default="")
    set_at = models.DateTimeField(null=True, editable=False)
    former_label = models.CharField(max_length=200, blank=True, default="", editable=False)
    # Empty for stages from before this was recorded.
    first_seen_at = models.DateTimeField(auto_now_add=True, null=True)

    class Meta:
        ordering: ClassVar = ["pipeline", "position"]
        verbose_name = "deal stage"
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["pipeline_id", "stage_id"], name="one_stage_per_pipeline_and_id"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pipeline}: {self.label}"


class Deal(models.Model):
    """A deal of at least one contact of ours."""

    deal_id = models.CharField(max_length=CRM_ID_LENGTH, unique=True)
    name = models.CharField(max_length=300, blank=True, default="")
    pipeline_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    stage_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    owner_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    closed = models.BooleanField(default=False)
    won = models.BooleanField(default=False)
    # By the CRM's clock, from the last read of the deal itself.
    changed_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(null=True)
    lost_reason = models.CharField(max_length=300, blank=True, default="")
    seen_at = models.DateTimeField()
    contacts = models.ManyToManyField(Contact, related_name="deals")

    def __str__(self) -> str:
        return self.name or self.deal_id

"""Which of our values goes into which property of the CRM: data that marketers edit."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q


class FieldMapping(models.Model):
    """One value of ours and the property that takes it."""

    class Source(models.TextChoices):
        EMAIL = "email", "E-mail"
        FIRST_NAME = "first_name", "First name"
        LAST_NAME = "last_name", "Last name"
        COMPANY = "company", "Company"
        JOB_TITLE = "job_title", "Job title"
        PHONE = "phone", "Phone"
        COUNTRY = "country", "Country"
        SCORE = "score", "Score"
        FIT = "fit", "Fit score"
        ENGAGEMENT = "engagement", "Engagement score"
        GRADE = "grade", "Grade"
        REASONS = "reasons", "Reasons of the score"
        RECENT_ACTIVITY = "recent_activity", "Recent activity"
        SEQUENCE_HISTORY = "sequence_history", "Sequence history"
        QUALIFIED_AT = "qualified_at", "Time of the crossing"
        LIFECYCLE_STAGE = "lifecycle_stage", "Lifecycle stage"
        CONSTANT = "constant", "A fixed value"

    class Policy(models.TextChoices):
        OURS_WINS = "ours_wins", "Always ours"
        WHEN_EMPTY = "when_empty", "Only when empty there"
        WHEN_EMPTY_OR_OURS = "when_empty_or_ours", "Only when empty there or written by us"
        FORWARD_ONLY = "forward_only", "Only forward"

    source = models.CharField(max_length=30, choices=Source.choices)
    property = models.CharField(max_length=100, unique=True)
    policy = models.CharField(max_length=30, choices=Policy.choices, default=Policy.OURS_WINS)
    value = models.CharField(max_length=200, blank=True, default="", help_text="For a fixed value.")
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=~Q(source="constant") | ~Q(value=""), name="a_fixed_value_is_given"
            ),
            CheckConstraint(
                condition=~Q(policy="forward_only") | Q(source="lifecycle_stage"),
                name="only_the_lifecycle_stage_goes_forward",
                violation_error_message="“Only forward” fits the lifecycle stage alone.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} → {self.property}"

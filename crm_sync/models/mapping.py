"""Which of our values goes into which property of the CRM, and back: data that marketers edit."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from leadscoring.models import CRM_ID_LENGTH


class FieldMappingQuerySet(models.QuerySet["FieldMapping"]):
    def sent(self) -> Self:
        """Return mappings that write to the CRM."""
        return self.filter(enabled=True).exclude(direction=FieldMapping.Direction.IN)

    def taken(self) -> Self:
        """Return mappings that read from the CRM."""
        return self.filter(enabled=True).exclude(direction=FieldMapping.Direction.OUT)


class FieldMapping(models.Model):
    """One value of ours and one property of theirs, and which of the two has precedence."""

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
        QUALIFIED_AT = "qualified_at", "When ready for sales"
        LIFECYCLE_STAGE = "lifecycle_stage", "Lifecycle stage"
        CONSTANT = "constant", "A fixed value"

    class Direction(models.TextChoices):
        OUT = "out", "From here to the CRM"
        IN = "in", "From the CRM to here"
        BOTH = "both", "Both ways"

    class Policy(models.TextChoices):
        OURS_WINS = "ours_wins", "Ours wins"
        THEIRS_WINS = "theirs_wins", "Theirs wins"
        WHEN_EMPTY = "when_empty", "Only when empty"
        WHEN_EMPTY_OR_OURS = "when_empty_or_ours", "Only when empty or ours"
        FORWARD_ONLY = "forward_only", "Only forward"

    class Format(models.TextChoices):
        PLAIN = "", "As it is"
        WHOLE = "whole", "Whole number"
        DAY = "day", "Day without a time"

    source = models.CharField("value here", max_length=30, choices=Source.choices)
    property = models.CharField("property there", max_length=CRM_ID_LENGTH, unique=True)
    direction = models.CharField(max_length=10, choices=Direction.choices, default=Direction.OUT)
    policy = models.CharField(
        "who wins", max_length=30, choices=Policy.choices, default=Policy.OURS_WINS
    )
    format = models.CharField(max_length=10, choices=Format.choices, blank=True, default="")
    value = models.CharField(
        "the fixed value", max_length=200, blank=True, default="", help_text="For a fixed value."
    )
    enabled = models.BooleanField(default=True)

    objects = FieldMappingQuerySet.as_manager()

    class Meta:
        verbose_name = "mapped field"
        constraints: ClassVar = [
            CheckConstraint(
                condition=~Q(source="constant") | ~Q(value=""),
                name="a_fixed_value_is_given",
                violation_error_message="Say which fixed value.",
            ),
            CheckConstraint(
                condition=~Q(policy="forward_only") | Q(source="lifecycle_stage"),
                name="only_the_lifecycle_stage_goes_forward",
                violation_error_message="“Only forward” fits the lifecycle stage alone.",
            ),
            # What people state about themselves, and their lifecycle stage. A company here is shared
            # by many people, and an address identifies a person: neither is taken from one record.
            CheckConstraint(
                condition=Q(direction="out")
                | Q(
                    source__in=[
                        "first_name",
                        "last_name",
                        "job_title",
                        "phone",
                        "country",
                        "lifecycle_stage",
                    ]
                ),
                name="only_what_people_say_comes_from_the_crm",
                violation_error_message="Only names, job title, phone, country and lifecycle stage "
                "can come from the CRM.",
            ),
            CheckConstraint(
                condition=Q(direction="out") & ~Q(policy="theirs_wins")
                | ~Q(direction="out") & Q(policy__in=["theirs_wins", "when_empty", "forward_only"]),
                name="who_wins_fits_the_direction",
                violation_error_message="“Theirs wins” is for values that come from the CRM; what "
                "comes from there takes “Theirs wins”, “Only when empty” or “Only forward”.",
            ),
            CheckConstraint(
                condition=Q(direction="out")
                | ~Q(source="lifecycle_stage")
                | Q(policy="forward_only"),
                name="a_lifecycle_stage_comes_forward",
                violation_error_message="A lifecycle stage comes from the CRM “Only forward”.",
            ),
            CheckConstraint(
                condition=Q(format="")
                | Q(format="whole", source__in=["score", "fit", "engagement"])
                | Q(format="day", source="qualified_at"),
                name="a_format_fits_its_value",
                violation_error_message="“Whole number” is for scores, “Day without a time” for “When "
                "ready for sales”.",
            ),
            UniqueConstraint(
                fields=["source"],
                condition=~Q(direction="out") & Q(enabled=True),
                name="one_property_fills_a_value",
                violation_error_message="Another property fills this value already.",
            ),
        ]

    def __str__(self) -> str:
        arrow = {"in": "←", "both": "↔"}.get(self.direction, "→")
        return f"{self.get_source_display()} {arrow} {self.property}"

    def sends(self) -> bool:
        return self.direction != FieldMapping.Direction.IN

    def takes(self) -> bool:
        return self.direction != FieldMapping.Direction.OUT

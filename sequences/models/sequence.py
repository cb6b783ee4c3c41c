"""A sequence of e-mail, and its steps."""

from datetime import timedelta
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from leadscoring.intake.validation import CONTROL
from sequences import conditions, merge_fields
from sequences.sequence_file import LONGEST_WAIT


class SequenceQuerySet(models.QuerySet["Sequence"]):
    def current(self) -> Self:
        return self.filter(archived_at=None)

    def archived(self) -> Self:
        return self.exclude(archived_at=None)

    def entered_by_rule(self) -> Self:
        return self.filter(active=True).exclude(enter_when={})

    def letting_early_fits_in(self) -> Self:
        return self.entered_by_rule().exclude(early_fits_a_day=0)


class Sequence(models.Model):
    """A series of mails. `enter_when` is a condition on a contact; empty: people enter by hand."""

    name = models.CharField(max_length=100, unique=True)
    enter_when = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(
        default=True,
        help_text="When off, nobody enters and nothing is sent; people keep their place.",
    )
    tracks = models.BooleanField(
        "count opens and clicks",
        default=True,
        help_text="Links lead through this site, and a picture that nobody sees says that a mail was "
        "opened. Both count in the score.",
    )
    # No longer wanted: off, out of the lists, and kept for what it did.
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Off where a file does not name it, as it was before there was such a switch.
    pause_when_with_sales = models.BooleanField(
        "pause who is with sales",
        default=False,
        db_default=False,
        help_text="Who is ready for sales gets no mail of this sequence. It goes on when sales refuses "
        "them, when they are kept here, and when their deal is over.",
    )
    # How many of those who fitted the rule when it was switched on are let in each day; empty: all at once.
    early_fits_a_day = models.PositiveIntegerField(
        null=True, blank=True, default=0, db_default=0, editable=False
    )
    early_fits_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SequenceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(archived_at=None) | Q(active=False),
                name="an_archived_sequence_is_off",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if CONTROL.search(self.name):
            raise ValidationError({"name": "A name is one line without control characters."})
        try:
            conditions.check_conditions(self.enter_when)
        except conditions.ConditionError as error:
            raise ValidationError({"enter_when": str(error)}) from None


class Step(models.Model):
    """One mail of a sequence, `wait` after the one before (the first: after entering)."""

    sequence = models.ForeignKey(Sequence, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    wait = models.DurationField(
        validators=[MinValueValidator(timedelta(0)), MaxValueValidator(LONGEST_WAIT)],
        help_text="After the mail before; of the first, after entering. Days and hours:minutes:seconds.",
    )
    subject = models.CharField(max_length=500)
    body = models.TextField(
        help_text="Markdown with merge fields such as {{ first_name|default:'there' }}."
    )

    class Meta:
        ordering: ClassVar = ["sequence", "position"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["sequence", "position"],
                name="one_step_per_sequence_and_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            CheckConstraint(condition=Q(position__gte=1), name="steps_count_from_one"),
            CheckConstraint(condition=Q(wait__gte=timedelta(0)), name="a_wait_is_not_negative"),
            CheckConstraint(condition=Q(wait__lte=LONGEST_WAIT), name="a_wait_has_an_end"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.subject}"

    def clean(self) -> None:
        errors = {}
        for field in ("subject", "body"):
            try:
                merge_fields.parse_template(getattr(self, field))
            except merge_fields.MergeError as error:
                errors[field] = str(error)
        if CONTROL.search(self.subject):
            errors["subject"] = "A subject is one line without control characters."
        if errors:
            raise ValidationError(errors)

"""Sequences of e-mail, who is in them, what was sent, and who must never be written to."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.db.models.functions import Lower

from leadscoring.models import Contact


class Sequence(models.Model):
    """A series of mails. `enter_when` is a condition on a contact; empty: people enter by hand."""

    name = models.CharField(max_length=100, unique=True)
    enter_when = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(
        default=True, help_text="When off, nobody enters and nothing is sent; people keep their place."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class Step(models.Model):
    """One mail of a sequence, `wait` after the one before (the first: after entering)."""

    sequence = models.ForeignKey(Sequence, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    wait = models.DurationField()
    subject = models.CharField(max_length=500)
    body = models.TextField(help_text="Markdown with merge fields such as {{ first_name|default:'there' }}.")

    class Meta:
        ordering: ClassVar = ["sequence", "position"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["sequence", "position"],
                name="one_step_per_sequence_and_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            CheckConstraint(condition=Q(position__gte=1), name="steps_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.subject}"


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def open(self) -> Self:
        return self.filter(state__in=[Enrollment.State.ACTIVE, Enrollment.State.PAUSED])

    def due(self, at: datetime) -> Self:
        return self.filter(state=Enrollment.State.ACTIVE, sequence__active=True, next_at__lte=at)


class Enrollment(models.Model):
    """A contact's way through a sequence. Changed only by the verbs of `sequences.enrolling`."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        STOPPED = "stopped", "Stopped"
        FINISHED = "finished", "Finished"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="enrollments")
    sequence = models.ForeignKey(Sequence, on_delete=models.PROTECT, related_name="enrollments")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    because = models.CharField(max_length=500, blank=True, default="")
    by = models.CharField("caused by", max_length=200)
    next_position = models.PositiveIntegerField(default=1)
    next_at = models.DateTimeField(null=True, blank=True)
    # What holds the due step back at present, in words; empty when nothing does.
    held_because = models.CharField(max_length=500, blank=True, default="")
    entered_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["contact", "sequence"],
                condition=Q(state__in=["active", "paused"]),
                name="one_open_enrollment_per_contact_and_sequence",
            ),
            CheckConstraint(
                condition=Q(state="active") | Q(state="finished") | ~Q(because=""),
                name="a_held_enrollment_has_its_reason",
            ),
        ]
        indexes: ClassVar = [
            # Read by the scan for due steps, every few seconds.
            Index(fields=["next_at"], condition=Q(state="active"), name="enrollment_due"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} ({self.state})"


class EnrollmentChange(models.Model):
    """One change of an enrollment's state: when, why, and who or what caused it."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=Enrollment.State.choices)
    because = models.CharField(max_length=500, blank=True, default="")
    by = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.state}: {self.because}"


class Delivery(models.Model):
    """One mail of one step to one contact, written before the message leaves.

    `claimed` and older than any send takes: we do not know whether it left. It is never sent a
    second time on its own; a person decides.
    """

    class State(models.TextChoices):
        CLAIMED = "claimed", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        UNCLEAR = "unclear", "Perhaps sent"

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="deliveries")
    position = models.PositiveIntegerField()
    subject = models.CharField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CLAIMED)
    because = models.CharField(max_length=500, blank=True, default="")
    message_id = models.CharField(max_length=255, blank=True, default="")
    attempts = models.PositiveIntegerField(default=1)
    claimed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["enrollment", "position"], name="one_delivery_per_enrollment_and_step"
            ),
            CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent"),
                name="a_sent_delivery_has_its_time",
            ),
        ]
        indexes: ClassVar = [
            # Read by the search for sends that a killed worker left behind.
            Index(fields=["claimed_at"], condition=Q(state="claimed"), name="delivery_left_behind"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.state})"


class Suppression(models.Model):
    """An address that is never written to, whoever it belongs to."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        CRM_OPT_OUT = "crm_opt_out", "Opted out in the CRM"
        BOUNCED = "bounced", "Address refused mail"
        BY_HAND = "by_hand", "Entered by hand"

    email = models.EmailField("e-mail", max_length=254, unique=True)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    detail = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(email=Lower("email")), name="suppressed_email_is_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.get_reason_display()

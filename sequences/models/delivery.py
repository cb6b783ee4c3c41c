"""Mails that were sent, or may have been; and whether the mail server can be used."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint

from sequences.models.causes import BY_THE_SENDER
from sequences.models.enrollment import Enrollment

# Longer than any send takes: a claim as old as this was left behind by a worker that died.
LEASE = timedelta(minutes=15)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def sent(self) -> Self:
        return self.filter(state=Delivery.State.SENT)

    def unclear(self) -> Self:
        return self.filter(state=Delivery.State.UNCLEAR)

    def without_activity(self) -> Self:
        return self.sent().filter(activity_stored=False)

    def left_behind(self, at: datetime) -> Self:
        return self.filter(state=Delivery.State.CLAIMED, claimed_at__lte=at - LEASE)

    def needing_a_person(self) -> Self:
        """Failed or unclear, with the enrollment waiting for a person's decision."""
        return self.filter(
            state__in=[Delivery.State.FAILED, Delivery.State.UNCLEAR],
            enrollment__state=Enrollment.State.PAUSED,
            enrollment__by=BY_THE_SENDER,
        )


class Delivery(models.Model):
    """One mail of one step to one contact, written before the message leaves.

    `claimed` and older than LEASE: we do not know whether it left, so it becomes `unclear`. It is
    never sent a second time on its own; a person decides. `waiting`: the mail server put it off,
    so it certainly did not leave and is tried again.
    """

    class State(models.TextChoices):
        CLAIMED = "claimed", "Being sent"
        WAITING = "waiting", "To be tried again"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        UNCLEAR = "unclear", "Perhaps sent"

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="deliveries")
    position = models.PositiveIntegerField()
    email = models.EmailField("sent to", max_length=254)
    subject = models.CharField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CLAIMED)
    reason = models.CharField(max_length=500, blank=True, default="")
    message_id = models.CharField(max_length=255, unique=True)
    attempts = models.PositiveIntegerField(default=1)
    claimed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    # Follows `sent` a moment later, for many mails at once: activities.store_sent.
    activity_stored = models.BooleanField("among the person's activities", default=False)
    # The first time each. A click without an open is usual: many mail programs block pictures.
    opened_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = "mail"
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["enrollment", "position"], name="one_delivery_per_enrollment_and_step"
            ),
            CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None)),
                name="a_sent_delivery_has_its_time",
            ),
            CheckConstraint(
                condition=Q(activity_stored=False) | Q(state="sent"),
                name="only_a_sent_mail_is_an_activity",
            ),
            CheckConstraint(
                condition=Q(state__in=["claimed", "sent"]) | ~Q(reason=""),
                name="an_undelivered_mail_says_why",
            ),
        ]
        indexes: ClassVar = [
            # Read by the search for sends that a killed worker left behind.
            Index(fields=["claimed_at"], condition=Q(state="claimed"), name="delivery_left_behind"),
            # Read by the search for mails whose worker was killed before it stored the activity.
            Index(
                fields=["sent_at"],
                condition=Q(state="sent", activity_stored=False),
                name="delivery_without_activity",
            ),
            # Read by the list of what needs a person.
            Index(
                fields=["state"],
                condition=Q(state__in=["failed", "unclear"]),
                name="delivery_needing_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.state})"


class MailServerFaultQuerySet(models.QuerySet["MailServerFault"]):
    def note(self, reason: str, at: datetime) -> None:
        """Record that the mail server cannot be used; `since` stays what it was."""
        self.bulk_create(
            [MailServerFault(reason=reason[:500], since=at)],
            update_conflicts=True, unique_fields=["id"], update_fields=["reason"],
        )  # fmt: skip


class MailServerFault(models.Model):
    """The mail server cannot be used at present: one row while that is so, none otherwise."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    reason = models.CharField(max_length=500)
    since = models.DateTimeField()

    objects = MailServerFaultQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [CheckConstraint(condition=Q(id=1), name="one_mail_server_fault")]

    def __str__(self) -> str:
        return self.reason

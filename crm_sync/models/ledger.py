"""The ledger: one row for each crossing, and how far its handoff to sales has come."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import uuid4

from django.db import models, transaction
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from leadscoring.models import Contact

# Outlasts the slowest batch: calls are bounded by their time-outs, see crm_sync/hubspot/client.py.
LEASE = timedelta(minutes=5)


class LostClaim(Exception):
    """The row is in somebody else's hands by now: this worker was too late."""


class HandoffQuerySet(models.QuerySet["Handoff"]):
    def waiting(self) -> Self:
        return self.filter(status=Handoff.Status.WAITING)

    def due(self, at: datetime) -> Self:
        return self.waiting().filter(due_at__lte=at)

    def needing_attention(self) -> Self:
        return self.filter(status=Handoff.Status.NEEDS_ATTENTION)

    def delivered(self) -> Self:
        return self.filter(status=Handoff.Status.DELIVERED)

    def claim(self, *, at: datetime, limit: int = 100, lease: timedelta = LEASE) -> list["Handoff"]:
        """Lease the hottest due handoffs to the caller, counting the attempt before the work.

        A lease is nothing but a later `due_at`: when the worker dies, its rows fall due again.
        """
        token = uuid4()
        with transaction.atomic():
            due = self.due(at).select_for_update(skip_locked=True, of=("self",))
            chosen = [row.pk for row in due.order_by("-total", "crossed_at", "pk")[:limit]]
            self.filter(pk__in=chosen).update(
                claim=token, due_at=at + lease, attempts=F("attempts") + 1
            )
        return list(self.filter(claim=token).select_related("contact__company").order_by("-total"))

    def resend(self, at: datetime) -> int:
        """Make undelivered handoffs due at once, except those a worker is holding."""
        held = Q(claim__isnull=False, due_at__gt=at, status=Handoff.Status.WAITING)
        return self.exclude(held).exclude(status=Handoff.Status.DELIVERED).update(
            status=Handoff.Status.WAITING, due_at=at, claim=None, attempts=0, because=""
        )

    def withdraw(self, because: str) -> int:
        """Take back undelivered handoffs that no worker is holding and that were not begun."""
        begun = ~Q(task_tried_at=None)
        return (
            self.exclude(status=Handoff.Status.DELIVERED)
            .filter(claim=None)
            .exclude(begun)
            .update(status=Handoff.Status.WITHDRAWN, because=because)
        )


class Handoff(models.Model):
    """A crossing on its way to a person in sales. Each finished step is written before the next.

    Steps: `record_id` (the contact is in the CRM), `owner_id` (somebody gets it),
    `task_tried_at` (the task is about to be made: from here on the outcome may be unknown until
    it was looked for by its reference), `task_id` and `delivered_at`.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        NEEDS_ATTENTION = "needs_attention", "Needs attention"
        WITHDRAWN = "withdrawn", "Withdrawn"

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="handoffs")
    cycle = models.PositiveIntegerField()
    reference = models.CharField(max_length=20, unique=True)
    total = models.FloatField("score")
    grade = models.CharField(max_length=2)
    reasons = models.JSONField(default=list)
    crossed_at = models.DateTimeField()

    status = models.CharField(max_length=20, choices=Status.choices, default=Status.WAITING)
    because = models.CharField(max_length=1000, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    claim = models.UUIDField(null=True, blank=True, editable=False)

    portal_id = models.CharField("account", max_length=64, blank=True, default="")
    record_id = models.CharField(max_length=64, blank=True, default="")
    owner_id = models.CharField(max_length=64, blank=True, default="")
    owner_because = models.CharField(max_length=300, blank=True, default="")
    left_out = models.JSONField(default=dict, blank=True)
    task_tried_at = models.DateTimeField(null=True, blank=True)
    task_id = models.CharField(max_length=64, blank=True, default="")
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = HandoffQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["contact", "cycle"], name="one_handoff_per_contact_and_cycle"
            ),
            UniqueConstraint(
                fields=["portal_id", "task_id"],
                condition=~Q(task_id=""),
                name="one_handoff_per_task",
            ),
            CheckConstraint(
                condition=~Q(status="delivered")
                | (~Q(task_id="") & ~Q(record_id="") & ~Q(owner_id="") & Q(delivered_at__isnull=False)),
                name="a_delivered_handoff_names_record_owner_and_task",
                violation_error_message="A delivered handoff must name its CRM record, owner and task.",
            ),
            CheckConstraint(
                condition=Q(status__in=["waiting", "delivered"]) | ~Q(because=""),
                name="an_undelivered_handoff_says_why",
            ),
            CheckConstraint(
                condition=Q(task_id="") | Q(task_tried_at__isnull=False),
                name="a_task_was_announced_before_it_was_made",
            ),
        ]
        indexes: ClassVar = [
            # Read by claim, every few seconds.
            Index(fields=["due_at"], condition=Q(status="waiting"), name="handoff_waiting_by_due"),
            # Read by the ledger's page and the API's cursor.
            Index(fields=["status", "-crossed_at"], name="handoff_by_status"),
        ]

    def __str__(self) -> str:
        return self.reference

    def record(self, **step: Any) -> None:
        """Write one finished step; raise LostClaim if the row is no longer ours."""
        held = Handoff.objects.filter(pk=self.pk, claim=self.claim, status=self.Status.WAITING)
        if not held.update(**step):
            raise LostClaim(self.reference)
        for name, value in step.items():
            setattr(self, name, value)

    def deliver(self, task_id: str, at: datetime) -> None:
        """The task exists: the handoff is done."""
        self.record(
            task_id=task_id,
            delivered_at=at,
            because="",
            claim=None,
            status=self.Status.DELIVERED,
        )

    def postpone(self, because: str, until: datetime) -> None:
        """Not now; the cause stays readable meanwhile."""
        self.record(because=because[:1000], due_at=until, claim=None)

    def give_up(self, because: str) -> None:
        """Nothing more happens until a person has done what `because` says and presses Resend."""
        self.record(because=because[:1000], claim=None, status=self.Status.NEEDS_ATTENTION)

    def withdraw(self, because: str) -> None:
        """Not sent on purpose."""
        self.record(because=because[:1000], claim=None, status=self.Status.WITHDRAWN)


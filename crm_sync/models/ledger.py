"""The ledger: one row for each crossing, and how far its handoff to sales has come."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import uuid4

from django.db import connection, models, transaction
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from leadscoring.models import Contact

# Outlasts the slowest batch: calls are bounded by their time-outs, and each recorded step renews it.
LEASE = timedelta(minutes=5)
# So many attempts that ended without a word: the row itself may be what kills its worker.
SUSPECT = 3
# Columns that are written at the end of a step, and only while the claim is held.
RECORDED = (
    "status", "because", "failures", "due_at", "portal_id", "record_id", "owner_id",
    "owner_because", "left_out", "task_tried_at", "task_id", "delivered_at",
)  # fmt: skip
# One statement for a whole batch. A row that is no longer waiting under the claim is left alone;
# one that has left `waiting`, or was put off (`released`), is no longer held.
RECORD = f"""
    UPDATE crm_sync_handoff AS row
    SET {", ".join(f"{name} = step.{name}" for name in RECORDED)},
        claim = CASE WHEN step.status = 'waiting' AND NOT step.id = ANY(%(released)s) THEN row.claim END
    FROM jsonb_populate_recordset(NULL::crm_sync_handoff, %(steps)s) AS step
    WHERE row.id = step.id AND row.claim = step.claim AND row.status = 'waiting'
    RETURNING row.id
"""  # noqa: S608 -- made of the constants above


def cause(sentence: str) -> str:
    """A sentence as the column takes it: it may repeat what a CRM said, so it is bounded and mended."""
    return sentence.replace("\0", "").encode("utf-8", "replace").decode()[:1000]


def turn(crossed_at: datetime, total: float) -> datetime:
    """The place in the queue of a lead: an hour earlier for each point of its score."""
    return crossed_at - timedelta(hours=total)


class HandoffQuerySet(models.QuerySet["Handoff"]):
    def waiting(self) -> Self:
        return self.filter(status=Handoff.Status.WAITING)

    def due(self, at: datetime) -> Self:
        return self.waiting().filter(due_at__lte=at)

    def needing_attention(self) -> Self:
        return self.filter(status=Handoff.Status.NEEDS_ATTENTION)

    def delivered(self) -> Self:
        return self.filter(status=Handoff.Status.DELIVERED)

    def withdrawn(self) -> Self:
        return self.filter(status=Handoff.Status.WITHDRAWN)

    def waiting_since(self, before: datetime) -> Self:
        """Those that wait and crossed before an instant."""
        return self.waiting().filter(crossed_at__lt=before)

    def without_owner(self) -> Self:
        """Those on their way for which nobody in sales was found yet."""
        return self.filter(
            status__in=[Handoff.Status.WAITING, Handoff.Status.NEEDS_ATTENTION], owner_id=""
        )

    def claim(self, *, at: datetime, limit: int = 100, lease: timedelta = LEASE) -> list["Handoff"]:
        """Lease the hottest due handoffs to the caller, counting the attempt before the work.

        A lease is nothing but a later `due_at`: when the worker dies, its rows fall due again.
        A row that may have killed its worker goes alone, so that it takes no others with it.
        """
        token = uuid4()
        with transaction.atomic():
            due = self.due(at).select_for_update(skip_locked=True, of=("self",))
            found = list(due.order_by("-total", "crossed_at", "pk")[:limit])
            chosen = [row for row in found if row.failures < SUSPECT] or found[:1]
            self.filter(pk__in=[row.pk for row in chosen]).update(
                claim=token,
                due_at=at + lease,
                attempts=F("attempts") + 1,
                failures=F("failures") + 1,
            )
        return list(self.filter(claim=token).order_by("-total", "crossed_at", "pk"))

    def record(self, rows: Collection["Handoff"]) -> list["Handoff"]:
        """Write a finished step of claimed rows as they stand in memory, in one statement.

        Answers those that were still in the caller's hands; of the others nothing was written.
        """
        columns = ("id", "claim", *RECORDED)
        steps = [{name: getattr(row, name) for name in columns} for row in rows]
        released = [row.pk for row in rows if row.released]
        with connection.cursor() as cursor:
            cursor.execute(RECORD, {"steps": json.dumps(steps, default=str), "released": released})
            ours = {row_id for (row_id,) in cursor.fetchall()}
        return [row for row in rows if row.pk in ours]

    def put_off(self, at: datetime, because: str, until: datetime) -> int:
        """Let all due handoffs that nobody holds wait for a cause they share; no attempt is counted."""
        return self.due(at).filter(claim=None).update(because=cause(because), due_at=until)

    def resend(self, at: datetime) -> int:
        """Make undelivered handoffs due at once, except those a worker is holding."""
        held = Q(claim__isnull=False, due_at__gt=at, status=Handoff.Status.WAITING)
        return (
            self.exclude(held)
            .exclude(status=Handoff.Status.DELIVERED)
            .update(
                status=Handoff.Status.WAITING,
                due_at=at,
                claim=None,
                attempts=0,
                failures=0,
                because="",
            )
        )

    def withdraw(self, because: str) -> int:
        """Take back undelivered handoffs that no worker is holding and that were not begun."""
        begun = ~Q(task_tried_at=None)
        return (
            self.exclude(status__in=[Handoff.Status.DELIVERED, Handoff.Status.WITHDRAWN])
            .filter(claim=None)
            .exclude(begun)
            .update(status=Handoff.Status.WITHDRAWN, because=cause(because))
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

    class TaskState(models.TextChoices):
        OPEN = "open", "Untouched"
        STARTED = "started", "Begun by the rep"
        DONE = "done", "Done"
        DELETED = "deleted", "Deleted by the rep"
        CLOSED = "closed", "Closed by us"

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="handoffs")
    cycle = models.PositiveIntegerField()
    reference = models.CharField(max_length=20, unique=True)
    total = models.FloatField("score")
    grade = models.CharField(max_length=2)
    reasons = models.JSONField(default=list)
    crossed_at = models.DateTimeField()
    # Its place in the queue: an hour earlier for each point, so the hottest goes first and nobody
    # is overtaken for ever.
    turn_at = models.DateTimeField(editable=False)

    status = models.CharField(max_length=20, choices=Status.choices, default=Status.WAITING)
    because = models.CharField(max_length=1000, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    # Attempts that ended without a word or with a fault of this row's own; an outage is neither.
    failures = models.PositiveIntegerField(default=0, editable=False)
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

    # What became of the task, written by `following`.
    task_state = models.CharField(
        max_length=10, choices=TaskState.choices, blank=True, default="", editable=False
    )
    task_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    task_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When the rep first did something about the lead, as far as the CRM tells.
    touched_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What the task says: its subject, and the score and grade that its text was made from.
    told_subject = models.CharField(max_length=255, blank=True, default="", editable=False)
    told_total = models.FloatField(null=True, blank=True, editable=False)
    told_grade = models.CharField(max_length=2, blank=True, default="", editable=False)

    objects = HandoffQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["contact", "cycle"], name="one_handoff_per_contact_and_cycle"),
            UniqueConstraint(
                fields=["portal_id", "task_id"],
                condition=~Q(task_id=""),
                name="one_handoff_per_task",
            ),
            CheckConstraint(
                condition=~Q(status="delivered")
                | (
                    ~Q(task_id="")
                    & ~Q(record_id="")
                    & ~Q(owner_id="")
                    & Q(delivered_at__isnull=False)
                ),
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
            # Read by claim, every few seconds: what is due, the hottest, the newest.
            Index(fields=["due_at"], condition=Q(status="waiting"), name="handoff_waiting_by_due"),
            Index(
                fields=["turn_at", "id"],
                include=["due_at"],
                condition=Q(status="waiting"),
                name="handoff_waiting_by_turn",
            ),
            Index(
                fields=["-crossed_at"],
                condition=Q(status="waiting", attempts=0),
                name="handoff_untried_by_crossing",
            ),
            # Read by following: open tasks, those that were not looked at for longest first.
            Index(
                fields=["task_seen_at"],
                condition=Q(task_state__in=["open", "started"]),
                name="handoff_open_task_by_seen",
            ),
            # Read by the ledger's page and the API's cursor.
            Index(fields=["status", "-crossed_at"], name="handoff_by_status"),
        ]

    def __str__(self) -> str:
        return self.reference

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.turn_at is None:
            self.turn_at = turn(self.crossed_at, self.total)
        super().save(*args, **kwargs)

    @property
    def begun(self) -> bool:
        """Whether a task may exist already, so that only looking can tell."""
        return self.task_tried_at is not None and not self.task_id

    # Verbs change the row in memory; `Handoff.objects.record` writes them, if the claim still holds.
    released = False

    def deliver(self, task_id: str, at: datetime) -> None:
        """The task exists: the handoff is done."""
        self.task_id, self.delivered_at, self.because = task_id, at, ""
        self.status = self.Status.DELIVERED

    def postpone(self, because: str, until: datetime, *, excused: bool = False) -> None:
        """Not now; the cause stays readable meanwhile. `excused`: the fault is not this row's."""
        self.because, self.due_at, self.released = cause(because), until, True
        self.failures = max(0, self.failures - 1) if excused else self.failures

    def give_up(self, because: str) -> None:
        """Nothing more happens until a person has done what `because` says and presses Resend."""
        self.because, self.status = cause(because), self.Status.NEEDS_ATTENTION

    def withdraw(self, because: str) -> None:
        """Not sent on purpose."""
        self.because, self.status = cause(because), self.Status.WITHDRAWN

    def as_dict(self) -> dict[str, Any]:
        """As JSON says it. Reads the contact's e-mail: select it along."""
        return {
            "id": self.pk,
            "contact": self.contact_id,
            "email": self.contact.email,
            "cycle": self.cycle,
            "score": self.total,
            "status": self.status,
            "because": self.because,
            "attempts": self.attempts,
            "crossed_at": self.crossed_at,
            "delivered_at": self.delivered_at,
            "record_id": self.record_id or None,
            "task_id": self.task_id or None,
            "owner_id": self.owner_id or None,
            "reference": self.reference,
        }


class Hold(models.Model):
    """Nothing is asked of the CRM for a while, for a cause that all share. One row, or none.

    `token`: the credentials that it holds for; with others it does not count.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    token = models.CharField(max_length=64, blank=True, default="")
    because = models.CharField(max_length=1000)
    # Whether a person must do something, or time will.
    denied = models.BooleanField()
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(condition=Q(id=1), name="one_hold"),
            CheckConstraint(condition=~Q(because=""), name="a_hold_says_why"),
        ]

    def __str__(self) -> str:
        return self.because

"""The ledger: one row for each crossing, with the progress of its handoff to sales."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import uuid4

from django.db import models, transaction
from django.db.models import CheckConstraint, Count, F, Index, Q, UniqueConstraint, Value
from django.db.models.functions import Coalesce, Least

from crm_sync.models.handoff_task import MADE, HandoffTask
from leadscoring.common.bulk_sql import column_values, rows_as_json, run_statement
from leadscoring.common.text import storable_text
from leadscoring.models import CRM_ID_LENGTH, Contact
from leadscoring.signals import with_sales_changed

# Outlasts the slowest batch: calls are bounded by their time-outs, and each recorded step renews it.
LEASE = timedelta(minutes=5)
# From this many attempts without a recorded result on, the row itself may be what kills its worker.
SUSPECT = 3
# From this many on it is claimed alone, so that the next crash can only be its own.
ALONE = SUSPECT + 2
# One place in this many of a claim is for the newest crossings, whatever waits.
NEWEST = 10
# Columns that are written at the end of a step, and only while the claim is held.
RECORDED = (
    "status", "reference", "reason", "failures", "due_at", "waits_for_crm", "account_id", "record_id", "owner_id",
    "owner_reason", "left_out", "task_tried_at", "task_guarded", "task_id", "delivered_at",
)  # fmt: skip
# One statement for a whole batch. A row that no longer waits under the claim is not written; one
# that has left `waiting`, or was postponed (`released`), is no longer claimed. The task of a
# delivered row is written with it, and only if the row was: neither ever exists alone.
RECORD = f"""
    WITH ours AS (
        UPDATE crm_sync_handoff AS row
        SET {", ".join(f"{name} = step.{name}" for name in RECORDED)},
            claim = CASE WHEN step.status = 'waiting' AND NOT step.id = ANY(%(released)s) THEN row.claim END
        FROM jsonb_populate_recordset(NULL::crm_sync_handoff, %(steps)s) AS step
        WHERE row.id = step.id AND row.claim = step.claim AND row.status = 'waiting'
        RETURNING row.id
    ), made AS (
        INSERT INTO crm_sync_handofftask ({", ".join(MADE)})
        SELECT {", ".join(f"task.{name}" for name in MADE)}
        FROM jsonb_populate_recordset(NULL::crm_sync_handofftask, %(tasks)s) AS task
        JOIN ours ON ours.id = task.handoff_id
    )
    SELECT id FROM ours
"""  # noqa: S608 -- made of the constants above


def clean_reason(sentence: str) -> str:
    """Return a sentence that fits the column: it may quote a CRM, so it is bounded and cleaned."""
    return storable_text(sentence, 1000)


def queue_position(crossed_at: datetime, total: float) -> datetime:
    """Return the lead's place in the queue: an hour earlier for each point of its score."""
    return crossed_at - timedelta(hours=total)


def is_claimed(at: datetime) -> Q:
    """Return the condition that a worker has claimed a row and its lease has not ended."""
    return Q(claim__isnull=False, due_at__gt=at, status=Handoff.Status.WAITING)


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

    def for_sales(self) -> Self:
        """Return rows of leads that sales has or is to have."""
        return self.exclude(status=Handoff.Status.WITHDRAWN)

    def waiting_since(self, before: datetime) -> Self:
        """Return waiting rows that crossed before an instant."""
        return self.waiting().filter(crossed_at__lt=before)

    def without_owner(self) -> Self:
        """Return rows on their way for which no rep was found yet."""
        return self.on_the_way().filter(owner_id="")

    def to_probe_with(self, at: datetime) -> Self:
        """Return rows that may probe whether a shared failure is over: also those not due yet."""
        return self.waiting().filter(Q(due_at__lte=at) | Q(waits_for_crm=True, claim=None))

    def claim(
        self, *, at: datetime, limit: int = 100, lease: timedelta = LEASE, probing: bool = False
    ) -> list["Handoff"]:
        """Lease due handoffs to the caller, counting the attempt before the work.

        The newest crossings come first, so that a lead does not wait for a backlog; then the
        highest scores. A lease is only a later `due_at`: when the worker dies, its rows fall due
        again. Rows that may have killed their worker are claimed when no others are due, in ever
        smaller groups, so that in the end the culprit is alone. `probing`: see `to_probe_with`.
        """
        token = uuid4()
        with transaction.atomic():
            rows = self.to_probe_with(at) if probing else self.due(at)
            due = rows.select_for_update(skip_locked=True)
            sound = due.filter(failures__lt=SUSPECT)
            chosen = (
                self._least_tried(sound, limit) if probing else self._sound(sound, limit)
            ) or self._suspects(due.filter(failures__gte=SUSPECT), limit)
            self.filter(pk__in=chosen).update(
                claim=token,
                due_at=at + lease,
                attempts=F("attempts") + 1,
                failures=F("failures") + 1,
                waits_for_crm=False,
            )
        return list(self.filter(pk__in=chosen, claim=token).order_by("turn_at", "pk"))

    def _least_tried(self, due: Self, limit: int) -> list[int]:
        """A row that the CRM rejects for ever must not be the one that probes each time."""
        return list(due.order_by("attempts", "turn_at", "pk")[:limit].values_list("pk", flat=True))

    def _sound(self, due: Self, limit: int) -> list[int]:
        newest = (
            due.filter(attempts=0)
            .order_by("-crossed_at")[: limit // NEWEST]
            .values_list("pk", flat=True)
        )
        hottest = due.order_by("turn_at", "pk")[:limit].values_list("pk", flat=True)
        return list(dict.fromkeys([*newest, *hottest]))[:limit]

    def _suspects(self, due: Self, limit: int) -> list[int]:
        rows = list(due.order_by("failures", "turn_at", "pk")[:limit])
        company = [row.pk for row in rows if row.failures == rows[0].failures]
        return company[: max(1, limit >> 2 * (rows[0].failures - SUSPECT + 1))] if rows else []

    def record(self, rows: Collection["Handoff"]) -> list["Handoff"]:
        """Write a finished step of claimed rows as they stand in memory, in one statement.

        Return those whose claim the caller still held; of the others nothing was written.
        """
        steps = [column_values(row, ("id", "claim", *RECORDED)) for row in rows]
        delivered = [row for row in rows if row.status == Handoff.Status.DELIVERED]
        tasks = [column_values(row.task, MADE) for row in delivered]
        given = {
            "steps": rows_as_json(steps),
            "tasks": rows_as_json(tasks),
            "released": [row.pk for row in rows if row.lease_released],
        }
        ours = {row_id for (row_id,) in run_statement(RECORD, given)}
        return [row for row in rows if row.pk in ours]

    def bring_forward(self, at: datetime, *, reset_failures: bool) -> int:
        """Make due the rows that wait because of a shared failure; a row's own backoff stays.

        `reset_failures`: the failure was an outage, so failures counted in it are reset.
        Rows that another transaction has locked are skipped: they are being tried, or brought
        forward by another worker.
        """
        late = Q(due_at__gt=at)
        rows = self.waiting().filter(late | Q(failures__gt=0) if reset_failures else late)
        found = rows.filter(waits_for_crm=True, claim=None).select_for_update(skip_locked=True)
        given: dict[str, Any] = {"failures": 0} if reset_failures else {}
        with transaction.atomic():
            return self.filter(pk__in=found.values("pk")).update(
                due_at=Least("due_at", Value(at)), **given
            )

    def resend(self, at: datetime) -> int:
        """Make undelivered handoffs due at once, except those claimed by a worker."""
        return self.unclaimed_undelivered(at)._settle(
            at,
            status=Handoff.Status.WAITING,
            due_at=at,
            claim=None,
            attempts=0,
            failures=0,
            reason="",
        )

    def withdraw(self, reason: str, at: datetime) -> int:
        """Withdraw undelivered handoffs that no worker has claimed and that were not started."""
        task_attempted = Q(task_tried_at__isnull=False)
        rows = self.on_the_way().exclude(is_claimed(at) | task_attempted)
        return rows._settle(
            at, status=Handoff.Status.WITHDRAWN, reason=clean_reason(reason), claim=None
        )

    def _settle(self, at: datetime, **changes: Any) -> int:
        """Update rows whose leads sales gets, or gets no more, and signal it; return how many."""
        with transaction.atomic():
            locked = self.select_for_update().order_by("pk").values_list("pk", "contact_id")
            contacts = dict(locked)
            Handoff.objects.filter(pk__in=contacts).update(**changes)
            if contacts:
                with_sales_changed.send(Handoff, contact_ids=set(contacts.values()), at=at)
        return len(contacts)

    def on_the_way(self) -> Self:
        """Return rows that are not with sales yet and still should be."""
        return self.filter(status__in=[Handoff.Status.WAITING, Handoff.Status.NEEDS_ATTENTION])

    def with_overdue_task(self, at: datetime) -> Self:
        """Return rows whose rep should have acted by now and has not started."""
        return self.filter(task__in=HandoffTask.objects.overdue(at))

    def crossed_since(self, moment: datetime) -> Self:
        return self.filter(crossed_at__gt=moment)

    def delivered_since(self, moment: datetime) -> Self:
        """Return delivered rows that crossed after an instant, to be read with their tasks.

        Uses the index of tasks and does not read all of them: a task is last seen no earlier than made.
        """
        return self.delivered().crossed_since(moment).filter(task__seen_at__gt=moment)

    def by_reference(self, references: Collection[str]) -> dict[str, "Handoff"]:
        """Return rows by their references, without the long columns."""
        rows = self.filter(reference__in=references).defer("reasons", "left_out")
        return {row.reference: row for row in rows}

    def unclaimed_undelivered(self, at: datetime) -> Self:
        return self.exclude(is_claimed(at)).exclude(status=Handoff.Status.DELIVERED)

    def claim_found(
        self, *, at: datetime, account_id: str, reason: str, lease: timedelta = LEASE
    ) -> list["Handoff"]:
        """Lease unclaimed, undelivered rows to a caller that has found their tasks.

        They count as just tried: should the caller die, a worker searches for the task.
        """
        token = uuid4()
        self.unclaimed_undelivered(at)._settle(
            at,
            status=Handoff.Status.WAITING,
            claim=token,
            due_at=at + lease,
            account_id=account_id,
            reason=reason,
            task_tried_at=Coalesce("task_tried_at", Value(at)),
        )
        return list(Handoff.objects.filter(claim=token))

    def look_before_making(self, at: datetime) -> int:
        """Make undelivered rows search for their task first: it may exist without this ledger's record.

        Their last try counts as long ago: what was on its way into the CRM has arrived.
        """
        rows = self.exclude(status=Handoff.Status.DELIVERED).filter(task_tried_at=None)
        return rows.update(task_tried_at=at - LEASE)

    def reopen_delivered(self, reason: str, at: datetime, *, certain: bool) -> int:
        """Make delivered rows whose task no longer exists wait again.

        `certain`: it was searched for everywhere; otherwise a worker searches before it makes another.
        """
        again: dict[str, Any] = {
            "status": Handoff.Status.WAITING,
            "reason": clean_reason(reason),
            "task_id": "",
            "delivered_at": None,
            "due_at": at,
            "claim": None,
            "attempts": 0,
            "failures": 0,
        }
        never = {"task_tried_at": None, "task_guarded": False} if certain else {}
        with transaction.atomic():
            removed = HandoffTask.objects.remove_from(self.delivered())
            return self.filter(pk__in=removed).update(**again, **never)

    def begin_anew(self, at: datetime, uncertain: str) -> None:
        """Begin undelivered rows anew in another account. Where a task may exist in the former one, a
        person decides; `uncertain`: the reason that is shown.
        """
        rows = self.exclude(status=Handoff.Status.DELIVERED)
        rows.update(
            account_id="",
            record_id="",
            owner_id="",
            owner_reason="",
            left_out={},
            task_guarded=False,
        )
        rows = rows.on_the_way()
        fresh: dict[str, Any] = {
            "claim": None,
            "attempts": 0,
            "failures": 0,
            "waits_for_crm": False,
        }
        rows.filter(task_tried_at=None).update(
            status=Handoff.Status.WAITING, reason="", due_at=at, **fresh
        )
        rows.exclude(task_tried_at=None).update(
            status=Handoff.Status.NEEDS_ATTENTION, reason=clean_reason(uncertain), **fresh
        )

    def by_status(self) -> dict[str, int]:
        """Return the number of rows in each status."""
        counted = dict(self.order_by().values_list("status").annotate(n=Count("pk")))
        return {status: counted.get(status, 0) for status in Handoff.Status.values}


class Handoff(models.Model):
    """A crossing on its way to a rep in sales. Each finished step is written before the next.

    Steps: `record_id` (the contact is in the CRM), `owner_id` (a rep is assigned),
    `task_tried_at` (the task is about to be made: from here on the outcome may be unknown until
    it was searched for by its reference), `task_id` and `delivered_at`.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        NEEDS_ATTENTION = "needs_attention", "Needs attention"
        WITHDRAWN = "withdrawn", "Kept here"

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="handoffs")
    cycle = models.PositiveIntegerField()
    reference = models.CharField(max_length=20, unique=True)
    total = models.FloatField("score")
    grade = models.CharField(max_length=2)
    reasons = models.JSONField(default=list)
    crossed_at = models.DateTimeField()
    # Its place in the queue: an hour earlier for each point, so the highest score goes first and
    # no row is overtaken for ever.
    turn_at = models.DateTimeField(editable=False)

    status = models.CharField(max_length=20, choices=Status.choices, default=Status.WAITING)
    reason = models.CharField(max_length=1000, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    # Attempts without a recorded result or with an error of this row's own; an outage is neither.
    failures = models.PositiveIntegerField(default=0, editable=False)
    due_at = models.DateTimeField()
    # It failed by a shared failure: the next success brings it forward.
    waits_for_crm = models.BooleanField(default=False, db_default=False, editable=False)
    claim = models.UUIDField(null=True, blank=True, editable=False)

    account_id = models.CharField("account", max_length=CRM_ID_LENGTH, blank=True, default="")
    record_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    owner_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    owner_reason = models.CharField(max_length=300, blank=True, default="")
    left_out = models.JSONField(default=dict, blank=True)
    task_tried_at = models.DateTimeField(null=True, blank=True)
    # It was attempted in the way that makes the CRM reject a second one.
    task_guarded = models.BooleanField(default=False, editable=False)
    task_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = HandoffQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["contact", "cycle"], name="one_handoff_per_contact_and_cycle"),
            UniqueConstraint(
                fields=["account_id", "task_id"],
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
                condition=Q(status__in=["waiting", "delivered"]) | ~Q(reason=""),
                name="an_undelivered_handoff_says_why",
            ),
            CheckConstraint(
                condition=Q(task_id="") | Q(task_tried_at__isnull=False),
                name="a_task_was_announced_before_it_was_made",
            ),
        ]
        indexes: ClassVar = [
            # Read by claim, every few seconds: what is due, the highest scores, the newest.
            Index(fields=["due_at"], condition=Q(status="waiting"), name="handoff_waiting_by_due"),
            Index(
                fields=["turn_at", "id"],
                include=["due_at"],
                condition=Q(status="waiting"),
                name="handoff_waiting_by_turn",
            ),
            # Read by bring_forward after each successful batch, and by a probe.
            Index(
                fields=["due_at"],
                condition=Q(status="waiting", waits_for_crm=True),
                name="handoff_waiting_for_crm",
            ),
            Index(
                fields=["-crossed_at"],
                condition=Q(status="waiting", attempts=0),
                name="handoff_untried_by_crossing",
            ),
            # Read by the ledger's page and the API's cursor.
            Index(fields=["status", "-crossed_at"], name="handoff_by_status"),
        ]

    def __str__(self) -> str:
        return self.reference

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.turn_at = self.turn_at or queue_position(self.crossed_at, self.total)
        super().save(*args, **kwargs)

    @property
    def task_attempted(self) -> bool:
        """Return whether a task may exist already, so that only a search can show."""
        return self.task_tried_at is not None and not self.task_id

    @property
    def task_or_none(self) -> HandoffTask | None:
        """Return the row of its task; None while it is not delivered."""
        return getattr(self, "task", None)

    # Verbs change the row in memory; `Handoff.objects.record` writes them, if the claim is still held.
    lease_released = False

    def deliver(
        self, task_id: str, subject: str, at: datetime, due_at: datetime | None = None
    ) -> None:
        """Mark as done: the task exists with this subject. `due_at`: where it is known."""
        self.task_id, self.delivered_at, self.reason = task_id, at, ""
        self.status = self.Status.DELIVERED
        self.task = HandoffTask(
            due_at=due_at,
            seen_at=at,
            text_subject=subject[:255],
            text_total=self.total,
            text_grade=self.grade,
        )

    def postpone(
        self, reason: str, until: datetime, *, excused: bool = False, for_crm: bool = False
    ) -> None:
        """Postpone until an instant; the cause stays readable. `excused`: the error is not this row's.

        `for_crm`: it waits for the end of a shared failure, and is due as soon as one row succeeds.
        """
        self.reason, self.due_at, self.lease_released = clean_reason(reason), until, True
        self.waits_for_crm = for_crm
        self.failures = max(0, self.failures - 1) if excused else self.failures

    def forget_try(self) -> None:
        """Record that the task was certainly not made."""
        self.task_tried_at, self.task_guarded = None, False

    def give_up(self, reason: str) -> None:
        """Stop until a person has done what `reason` says and presses Resend."""
        self.reason, self.status = clean_reason(reason), self.Status.NEEDS_ATTENTION

    def withdraw(self, reason: str) -> None:
        """Mark as deliberately not sent."""
        self.reason, self.status = clean_reason(reason), self.Status.WITHDRAWN

    def as_dict(self, breaker_reason: str = "") -> dict[str, Any]:
        """Return the row as JSON values. Reads the contact's e-mail: use select_related.

        `breaker_reason`: why no waiting row is sent at this moment.
        """
        waiting = self.status == self.Status.WAITING
        return {
            "id": self.pk,
            "contact": self.contact_id,
            "email": self.contact.email,
            "cycle": self.cycle,
            "score": self.total,
            "status": self.status,
            "because": self.reason or (breaker_reason if waiting else ""),
            "attempts": self.attempts,
            "crossed_at": self.crossed_at,
            "delivered_at": self.delivered_at,
            "record_id": self.record_id or None,
            "task_id": self.task_id or None,
            "owner_id": self.owner_id or None,
            "reference": self.reference,
        }

"""The task of a delivered handoff: its outcome in the CRM, and what its text says."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models, transaction
from django.db.models import CheckConstraint, Index, Max, Q, QuerySet

from leadscoring.common.bulk_sql import column_values, rows_as_json, run_statement

if TYPE_CHECKING:
    from crm_sync.models.handoff import Handoff

# Columns that are written when a handoff is delivered, in the statement that delivers it.
MADE = (
    "handoff_id", "state", "due_at", "seen_at", "touched_at", "text_subject", "text_total", "text_grade",
)  # fmt: skip
# Columns that are written after a check of a task, and only if no other check was written meanwhile.
CHECKED = ("state", "seen_at", "touched_at", "text_subject", "text_total", "text_grade")
# A task is locked before its handoff, as in reopen_delivered, so that the two cannot deadlock.
RECORD_CHECKS = f"""
    WITH checked AS (
        UPDATE crm_sync_handofftask AS task SET {", ".join(f"{name} = found.{name}" for name in CHECKED)}
        FROM jsonb_populate_recordset(NULL::crm_sync_handofftask, %(checks)s) AS found
        WHERE task.handoff_id = found.handoff_id AND task.state IN ('open', 'started')
          AND task.seen_at = (%(seen)s::jsonb ->> task.handoff_id::text)::timestamptz
        RETURNING task.handoff_id, %(reasons)s::jsonb ->> task.handoff_id::text AS reason
    )
    UPDATE crm_sync_handoff AS row SET reason = checked.reason
    FROM checked WHERE row.id = checked.handoff_id AND row.reason <> checked.reason
"""  # noqa: S608 -- made of the constants above


class HandoffTaskQuerySet(models.QuerySet["HandoffTask"]):
    def open(self) -> Self:
        """Return tasks that have not ended, as far as was seen."""
        return self.filter(state__in=[HandoffTask.State.OPEN, HandoffTask.State.STARTED])

    def without_reassignment(self) -> Self:
        """Return tasks that are not on their way to another rep."""
        return self.exclude(handoff__reassignments__state="waiting")

    def to_give(self, owner_ids: Collection[str]) -> Self:
        return self.open().filter(handoff__owner_id__in=owner_ids).without_reassignment()

    def newest_open_cycle(self, contact_ids: Collection[int]) -> dict[int, int]:
        """Return the cycle of the newest open task, by contact; 0 when there is none."""
        rows = self.open().filter(handoff__contact__in=contact_ids).order_by()
        found = rows.values_list("handoff__contact").annotate(newest=Max("handoff__cycle"))
        return dict.fromkeys(contact_ids, 0) | dict(found)

    def not_seen_since(self, moment: datetime) -> Self:
        """Return those that were last checked by then, the longest ago first."""
        return self.filter(seen_at__lte=moment).order_by("seen_at", "pk")

    def overdue(self, at: datetime) -> Self:
        """Return those whose rep should have acted by now and has not started."""
        return self.filter(state=HandoffTask.State.OPEN, touched_at=None, due_at__lt=at)

    def made_since(self, moment: datetime) -> Self:
        """Return open tasks that were made since a recent moment.

        Uses the index of open tasks: a task was last seen no earlier than it was made.
        """
        return self.open().filter(handoff__delivered_at__gt=moment, seen_at__gt=moment)

    def to_find(self, since: datetime, until: datetime) -> Self:
        """Return tasks made in between that are not done: they still exist, or a person deleted them."""
        ended = [HandoffTask.State.DONE, HandoffTask.State.CLOSED]
        return self.filter(handoff__delivered_at__range=(since, until)).exclude(state__in=ended)

    def record_checks(self, tasks: Iterable["HandoffTask"], seen: Mapping[int, datetime]) -> None:
        """Write the results of task checks, and the reasons of their handoffs, in one statement.

        `seen`: when each was checked before, by handoff. A task that was checked or removed since
        is skipped, and so is its handoff. Reads each task's handoff: use select_related.
        """
        tasks = list(tasks)
        given = {
            "checks": rows_as_json(column_values(task, ("handoff_id", *CHECKED)) for task in tasks),
            "seen": json.dumps(seen, default=datetime.isoformat),
            "reasons": json.dumps({task.pk: task.handoff.reason for task in tasks}),
        }
        run_statement(RECORD_CHECKS, given)

    def remove_from(self, handoffs: QuerySet["Handoff"]) -> list[int]:
        """Delete the rows of some handoffs; return the ids of those that had one."""
        with transaction.atomic():
            rows = self.filter(handoff__in=handoffs).select_for_update().order_by("pk")
            ids = list(rows.values_list("pk", flat=True))
            self.filter(pk__in=ids).delete()
        return ids


class HandoffTask(models.Model):
    """The outcome of a handoff's task. There is a row exactly while the handoff is delivered.

    Made by `Handoff.objects.record`, in the statement that delivers the handoff; removed by
    `Handoff.objects.reopen_delivered`; kept up to date by `crm_sync.task_tracking` alone, with
    `Reassignment.objects.store` for a task that is given to another rep.
    """

    class State(models.TextChoices):
        OPEN = "open", "Untouched"
        STARTED = "started", "Begun by the rep"
        DONE = "done", "Done"
        DELETED = "deleted", "Deleted by the rep"
        CLOSED = "closed", "Closed by us"

    handoff = models.OneToOneField(
        "crm_sync.Handoff", on_delete=models.CASCADE, primary_key=True, related_name="task"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # Empty for a task that was found again: only the CRM has its due date.
    due_at = models.DateTimeField(null=True, blank=True)
    # When it was last checked; at first when it was made.
    seen_at = models.DateTimeField()
    # When the rep first acted on the lead, as far as the CRM shows.
    touched_at = models.DateTimeField(null=True, blank=True)
    # When its present rep got it from another; empty while it is with the first.
    given_at = models.DateTimeField(null=True, blank=True)
    # The subject, and the score and grade that the text was made from.
    text_subject = models.CharField(max_length=255, blank=True, default="")
    text_total = models.FloatField()
    text_grade = models.CharField(max_length=2)

    objects = HandoffTaskQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(state__in=["open", "started", "done", "deleted", "closed"]),
                name="a_task_is_in_a_known_state",
            ),
        ]
        indexes: ClassVar = [
            # Read by crm_sync.task_tracking: open tasks, the longest unchecked first. And by the
            # ledger's figures: how many are open, overdue, just made.
            Index(
                fields=["seen_at"],
                condition=Q(state__in=["open", "started"]),
                name="open_task_by_seen",
            ),
            # Read by HandoffQuerySet.delivered_since: the figures of a day and of a week.
            Index(fields=["seen_at"], name="task_by_seen"),
        ]

    def __str__(self) -> str:
        return f"task of handoff {self.pk}: {self.get_state_display()}"

    @property
    def is_untouched(self) -> bool:
        """Return whether it waits for its rep's first action."""
        return self.state == self.State.OPEN and self.touched_at is None

    def is_overdue(self, at: datetime) -> bool:
        return self.is_untouched and self.due_at is not None and self.due_at < at

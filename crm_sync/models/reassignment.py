"""Open tasks that are given to another rep: one row for each, from the button until it is settled."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from crm_sync.models.handoff import Handoff, clean_reason
from crm_sync.models.handoff_task import HandoffTask
from leadscoring.models import CRM_ID_LENGTH


class ReassignmentQuerySet(models.QuerySet["Reassignment"]):
    def waiting(self) -> Self:
        return self.filter(state=Reassignment.State.WAITING)

    def due(self, at: datetime) -> Self:
        """Return those that are to be tried now, with what is needed, the longest waiting first."""
        rows = self.waiting().filter(due_at__lte=at).order_by("due_at", "pk")
        return rows.select_related("handoff__task", "handoff__contact__company", "handoff__contact__crm_state")  # fmt: skip

    def givers(self) -> set[str]:
        """Return the reps whose tasks are being given to others: they are given none."""
        return set(self.waiting().values_list("from_owner_id", flat=True).distinct())

    def ask(self, owner_ids: Collection[str], to_owner_id: str, by: str, at: datetime) -> int:
        """Ask for the open tasks of reps to be given to another; return how many were asked for.

        `to_owner_id`: "" for whomever the routing rules choose. One that waits already is skipped.
        """
        tasks = HandoffTask.objects.to_give(owner_ids).select_related("handoff").order_by("pk")
        rows = [
            Reassignment(
                handoff=task.handoff,
                from_owner_id=task.handoff.owner_id,
                to_owner_id=to_owner_id,
                asked_by=by[:150],
                asked_at=at,
                due_at=at,
            )
            for task in tasks
        ]
        return len(self.bulk_create(rows, ignore_conflicts=True, batch_size=500))

    def store(self, rows: Iterable["Reassignment"], at: datetime) -> None:
        """Write rows as they stand in memory, and to their handoffs who has the task now.

        A row that was settled meanwhile is skipped. A task is locked before its handoff, as in
        HandoffTaskQuerySet.record_checks, so that the two cannot deadlock.
        """
        found = {row.pk: row for row in rows}
        with transaction.atomic():
            waiting = self.waiting().filter(pk__in=found).select_for_update(of=("self",))
            ours = [found[pk] for pk in waiting.order_by("pk").values_list("pk", flat=True)]
            moved = [
                row for row in ours if row.state in (self.model.State.GIVEN, self.model.State.MOVED)
            ]
            ids = [row.handoff_id for row in moved]
            kept = HandoffTask.objects.filter(pk__in=ids).select_for_update().order_by("pk")
            tasks = {task.pk: task for task in kept}
            for row in moved:
                if task := tasks.get(row.handoff_id):
                    row.pass_on(task, at)
            HandoffTask.objects.bulk_update(
                tasks.values(), ["given_at", "seen_at", "state", "touched_at"]
            )
            Handoff.objects.bulk_update(
                [row.handoff for row in moved], ["owner_id", "owner_reason"]
            )
            self.bulk_update(ours, ["to_owner_id", "owner_reason", "state", "settled_at", "reason", "attempts", "due_at"])  # fmt: skip


class Reassignment(models.Model):
    """An open task on its way from one rep to another.

    Steps: `to_owner_id` with `owner_reason` (a rep is chosen), then the CRM's task is changed.
    Both may be done again: to give a task to the same rep twice changes nothing.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "On its way"
        GIVEN = "given", "Given"
        DONE = "done", "Done meanwhile"
        DELETED = "deleted", "Deleted meanwhile"
        MOVED = "moved", "Given to somebody else in the CRM"
        FAILED = "failed", "Not given"

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="reassignments")
    from_owner_id = models.CharField(max_length=CRM_ID_LENGTH)
    # Empty until the routing rules have chosen.
    to_owner_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    # Why that rep; written when the lead is counted for them.
    owner_reason = models.CharField(max_length=300, blank=True, default="")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    settled_at = models.DateTimeField(null=True, blank=True)
    # Why it waits still, or was not given.
    reason = models.CharField(max_length=1000, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()

    objects = ReassignmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["handoff"],
                condition=Q(state="waiting"),
                name="one_waiting_reassignment_per_handoff",
            ),
            CheckConstraint(
                condition=Q(state="waiting", settled_at=None)
                | Q(
                    state__in=["given", "done", "deleted", "moved", "failed"],
                    settled_at__isnull=False,
                ),
                name="a_settled_reassignment_says_when",
            ),
            CheckConstraint(
                condition=~Q(state__in=["given", "moved"]) | ~Q(to_owner_id=""),
                name="a_given_task_names_its_rep",
            ),
            CheckConstraint(
                condition=~Q(state="failed") | ~Q(reason=""), name="a_task_not_given_says_why"
            ),
            CheckConstraint(
                condition=~Q(to_owner_id=F("from_owner_id")), name="a_task_is_given_to_another_rep"
            ),
        ]
        indexes: ClassVar = [
            # Read by a worker every minute.
            Index(fields=["due_at"], condition=Q(state="waiting"), name="reassignment_waiting"),
            # Read by the rep's page: the last giving.
            Index(fields=["from_owner_id", "-asked_at"], name="reassignment_by_rep"),
        ]

    def __str__(self) -> str:
        return f"task of handoff {self.handoff_id}: {self.get_state_display()}"

    # Verbs change the row in memory; `Reassignment.objects.store` writes it.

    def choose(self, owner_id: str, reason: str) -> None:
        self.to_owner_id, self.owner_reason = owner_id, reason[:300]

    def settle(self, state: State, at: datetime, reason: str = "") -> None:
        self.state, self.settled_at, self.reason = state, at, clean_reason(reason)

    def postpone(self, until: datetime, reason: str) -> None:
        self.attempts += 1
        self.due_at, self.reason = until, clean_reason(reason)

    def pass_on(self, task: HandoffTask, at: datetime) -> None:
        """Write to the handoff and its task who has it now. What was read before is outdated."""
        self.handoff.owner_id, self.handoff.owner_reason = self.to_owner_id, self.owner_reason
        task.given_at, task.seen_at = at, max(task.seen_at, at)
        if self.state == self.State.MOVED and task.state == HandoffTask.State.OPEN:
            # Who passes a task on has begun with it, as in crm_sync.task_tracking.outcome.
            task.state, task.touched_at = HandoffTask.State.STARTED, task.touched_at or at

"""Which contact is in which sequence, and each change of it."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import (
    Case,
    CheckConstraint,
    DateTimeField,
    Expression,
    Index,
    OuterRef,
    Q,
    UniqueConstraint,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from leadscoring.extensions import with_sales
from leadscoring.models import Contact
from sequences.models.sequence import Sequence, Step
from sequences.models.suppression import Suppression


def with_sales_since(contact: str) -> Expression:
    """Return the expression of since when the contact of a column is with sales; NULL: they are not."""
    nothing = Value(None, DateTimeField(null=True))
    return Coalesce(nothing, nothing, *(since(contact) for since in with_sales.values()))


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def open(self) -> Self:
        return self.filter(state__in=[Enrollment.State.ACTIVE, Enrollment.State.PAUSED])

    def paused(self) -> Self:
        return self.filter(state=Enrollment.State.PAUSED)

    def due(self, at: datetime) -> Self:
        return self.filter(state=Enrollment.State.ACTIVE, sequence__active=True, next_at__lte=at)

    def held(self) -> Self:
        return self.filter(state=Enrollment.State.ACTIVE).exclude(hold_reason="")

    def behind(self, position: int) -> Self:
        """Open ones whose next step comes after a position."""
        return self.open().filter(next_position__gt=position)

    def locked(self) -> Self:
        """Locked for a change, in id order, so that two set-wise changes cannot deadlock."""
        return self.order_by("pk").select_for_update(of=("self",))

    def with_what_the_gate_asks(self) -> Self:
        suppressions = Suppression.objects.filter(email=OuterRef("contact__email"))
        asked = When(sequence__pause_when_with_sales=True, then=with_sales_since("contact"))
        return self.select_related("contact__crm_state", "sequence").annotate(
            suppressed=models.Subquery(suppressions.values("reason")),
            with_sales=Case(asked, output_field=DateTimeField(null=True)),
        )


class Enrollment(models.Model):
    """A contact's way through a sequence. Changed only by the verbs of `sequences.enrolling`.

    Active: `next_at` is when the next step is due, or looked at again while `hold_reason` says
    what holds it. Paused: `wait_left` is what was left of the wait, and goes on after the pause.
    """

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        STOPPED = "stopped", "Stopped"
        FINISHED = "finished", "Finished"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="enrollments")
    sequence = models.ForeignKey(Sequence, on_delete=models.PROTECT, related_name="enrollments")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    reason = models.CharField(max_length=500, blank=True, default="")
    by = models.CharField("caused by", max_length=200)
    next_position = models.PositiveIntegerField(default=1)
    next_at = models.DateTimeField(null=True, blank=True)
    wait_left = models.DurationField(null=True, blank=True)
    # What holds the due step back at present, in words; empty when nothing does.
    hold_reason = models.CharField(max_length=500, blank=True, default="")
    entered_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        verbose_name = "person in a sequence"
        verbose_name_plural = "people in sequences"
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["contact", "sequence"],
                condition=Q(state__in=["active", "paused"]),
                name="one_open_enrollment_per_contact_and_sequence",
            ),
            CheckConstraint(
                condition=Q(state="active") | Q(state="finished") | ~Q(reason=""),
                name="a_held_enrollment_has_its_reason",
            ),
            CheckConstraint(
                condition=Q(state="active", next_at__isnull=False)
                | (~Q(state="active") & Q(next_at=None)),
                name="only_an_active_enrollment_has_a_next_time",
            ),
            CheckConstraint(
                condition=Q(state="paused", wait_left__isnull=False)
                | (~Q(state="paused") & Q(wait_left=None)),
                name="only_a_paused_enrollment_keeps_its_wait",
            ),
        ]
        indexes: ClassVar = [
            # Read by the scan for due steps, every few seconds.
            Index(fields=["next_at"], condition=Q(state="active"), name="enrollment_due"),
            # Read by the list of what a sequence holds and by the shortening of a sequence.
            Index(fields=["sequence", "state", "next_position"], name="enrollment_of_sequence"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} ({self.state})"

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE

    @property
    def suppression_reason(self) -> str:
        """Return why the address is never written to; known when read by `with_what_the_gate_asks`."""
        reason = getattr(self, "suppressed", None)
        return Suppression.Reason(reason).label if reason else ""

    @property
    def with_sales_since(self) -> datetime | None:
        """Return since when sales has the person, if that pauses; known as `suppression_reason` is."""
        return getattr(self, "with_sales", None)

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.ACTIVE, self.State.PAUSED)

    def step_after(self, position: int) -> "Step | None":
        return next((step for step in self.sequence.steps.all() if step.position > position), None)

    def hold(self, until: datetime, reason: str) -> None:
        """Write down that the due step of an active one waits until then, and why."""
        self.next_at, self.hold_reason = until, reason[:500]
        self.save(update_fields=["next_at", "hold_reason"])

    # The transitions change the row in memory; `enrolling.store` writes it and what changed it.

    def go_past(self, position: int, at: datetime, by: str) -> bool:
        """Move on to the next step, or to the end; return whether that ended it."""
        following = self.step_after(position)
        if following is None and self.is_open:
            self.finish(at, "", by)
            return True
        self.next_position = following.position if following else position + 1
        wait = following.wait if following else timedelta(0)
        self.next_at = at + wait if self.is_active else None
        self.wait_left = wait if self.state == self.State.PAUSED else None
        self.hold_reason = ""
        return False

    def pause(self, at: datetime, reason: str, by: str) -> None:
        if self.next_at is not None:
            self.wait_left = max(self.next_at - at, timedelta(0))
        self._become(self.State.PAUSED, at, reason, by)

    def resume(self, at: datetime, by: str) -> None:
        next_at = at + (self.wait_left or timedelta(0))
        self._become(self.State.ACTIVE, at, "", by)
        self.next_at = next_at

    def stop(self, at: datetime, reason: str, by: str) -> None:
        self._become(self.State.STOPPED, at, reason, by)

    def finish(self, at: datetime, reason: str, by: str) -> None:
        self._become(self.State.FINISHED, at, reason, by)

    def _become(self, state: State, at: datetime, reason: str, by: str) -> None:
        self.state, self.reason, self.by, self.changed_at = state, reason[:500], by, at
        self.next_at, self.hold_reason = None, ""
        if state != self.State.PAUSED:
            self.wait_left = None


class EnrollmentChange(models.Model):
    """One change of an enrollment's state: when, why, and what or who caused it."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=Enrollment.State.choices)
    reason = models.CharField(max_length=500, blank=True, default="")
    by = models.CharField(max_length=200)

    class Meta:
        verbose_name = "change of a person in a sequence"
        verbose_name_plural = "changes of people in sequences"
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}"

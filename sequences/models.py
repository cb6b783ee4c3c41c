"""Sequences of e-mail, who is in them, what was sent, and who must never be written to."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import CheckConstraint, Index, OuterRef, Q, UniqueConstraint
from django.db.models.functions import Lower

from leadscoring.intake.validation import CONTROL
from leadscoring.models import Contact
from sequences import conditions, merge_fields
from sequences.sequence_file import LONGEST_WAIT

# Longer than any send takes: a claim as old as this was left behind by a worker that died.
LEASE = timedelta(minutes=15)

# Who or what causes a change when it is no person. A user name cannot contain a blank.
BY_THE_CRM = "the CRM"
BY_A_RULE = "its rule"
BY_THE_SENDER = "the mail sender"
BY_THEMSELVES = "the person themselves"
BY_A_SUPPRESSION = "a suppressed address"
BY_A_FILE = "a sequence file"


class SequenceQuerySet(models.QuerySet["Sequence"]):
    def entered_by_rule(self) -> Self:
        return self.filter(active=True).exclude(enter_when={})


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
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SequenceQuerySet.as_manager()

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
        return self.select_related("contact__crm_state", "sequence").annotate(
            suppressed=models.Subquery(suppressions.values("reason"))
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
        """Why the address is never written to; known when read by `with_what_the_gate_asks`."""
        reason = getattr(self, "suppressed", None)
        return Suppression.Reason(reason).label if reason else ""

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
        """On to the next step, or to the end; answers whether that ended it."""
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
    """One change of an enrollment's state: when, why, and who or what caused it."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=Enrollment.State.choices)
    reason = models.CharField(max_length=500, blank=True, default="")
    by = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}"


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
        """Failed or unclear, with the enrollment waiting for somebody's decision."""
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
    # The first time each. That somebody clicks without opening is usual: many block pictures.
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
        """Say that it cannot be used; since when stays what it was."""
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


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def wishes(self) -> Self:
        """What people want. That an address refused mail is none, and says nothing of another one."""
        return self.exclude(reason=Suppression.Reason.BOUNCED)


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

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(email=Lower("email")), name="suppressed_email_is_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.get_reason_display()

"""What the CRM says, as far as a rule reads it. Written by the pull alone."""

from datetime import time
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from leadscoring.models import Contact, Effect

# The largest weight of a rep in a turn.
HEAVIEST = 100
WEIGHTS = (MinValueValidator(1), MaxValueValidator(HEAVIEST))


class Account(models.Model):
    """The one CRM account whose ids are kept here; a token of another is refused."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    account_id = models.CharField("account", max_length=64)
    time_zone = models.CharField(max_length=64, default="UTC")
    # The token that was seen to belong to it, as `Crm.identity` tells it.
    token = models.CharField(max_length=64, blank=True, default="", editable=False)
    # It refuses a second task of one reference: found out by crm_setup.
    guards_tasks = models.BooleanField(default=False, editable=False)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "CRM account"
        constraints: ClassVar = [CheckConstraint(condition=Q(id=1), name="one_crm_account")]

    def __str__(self) -> str:
        return self.account_id


class Link(models.Model):
    """Which CRM record a contact is, and what the record said when it was last seen."""

    contact = models.OneToOneField(
        Contact, on_delete=models.CASCADE, primary_key=True, related_name="link"
    )
    account_id = models.CharField("account", max_length=64)
    record_id = models.CharField(max_length=64)
    owner_id = models.CharField(max_length=64, blank=True, default="")
    lifecycle_stage = models.CharField(max_length=100, blank=True, default="")
    lead_status = models.CharField(max_length=100, blank=True, default="")
    # Property -> the value we last wrote: a value that reads otherwise was changed by a person.
    last_written = models.JSONField(default=dict, blank=True)
    opted_out = models.BooleanField(default=False)
    seen_at = models.DateTimeField()
    # Its primary address as we last saw it: another one was given to it there, or written by us.
    email = models.CharField(max_length=254, blank=True, default="", editable=False)
    # That other one, while somebody else here has it.
    taken_email = models.CharField(max_length=254, blank=True, default="", editable=False)
    # Deleted in the CRM: such a record is never made again by us.
    gone_at = models.DateTimeField(null=True, blank=True)
    # Nobody can restore it there any more: the person may have asked for that.
    gone_for_good = models.BooleanField(default=False, editable=False)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["account_id", "record_id"], name="one_contact_per_crm_record"),
            CheckConstraint(condition=~Q(record_id=""), name="a_link_has_a_record"),
            CheckConstraint(
                condition=Q(gone_for_good=False) | Q(gone_at__isnull=False),
                name="only_what_is_gone_is_gone_for_good",
            ),
        ]
        indexes: ClassVar = [
            # Read by the home page: what a person has to decide about.
            Index(fields=["gone_at"], condition=Q(gone_for_good=True), name="link_gone_for_good"),
            Index(fields=["taken_email"], condition=~Q(taken_email=""), name="link_address_taken"),
        ]

    def __str__(self) -> str:
        return self.record_id


class Owner(models.Model):
    """A person in sales. Whether they take leads, how many and in which hours, is edited here."""

    owner_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200, blank=True, default="")
    email = models.CharField("e-mail", max_length=254, blank=True, default="")
    active = models.BooleanField(default=True, editable=False)
    takes_leads = models.BooleanField(
        default=True, help_text="Is in turn wherever a rule names no reps of its own."
    )
    is_fallback = models.BooleanField(
        "fallback",
        default=False,
        help_text="Gets the leads for which no rule finds anybody, however many they are.",
    )
    weight = models.PositiveSmallIntegerField(
        default=1,
        validators=WEIGHTS,
        help_text="Share of the turn, 1 to 100: with 3, three leads for each one of a 1.",
    )
    most_a_day = models.PositiveSmallIntegerField(
        "most leads a day",
        null=True,
        blank=True,
        help_text="By the rep's own day. Empty: no bound.",
    )
    away_from = models.DateField("first day away", null=True, blank=True)
    away_until = models.DateField(
        "last day away", null=True, blank=True, help_text="Empty: until further notice."
    )
    time_zone = models.CharField(
        max_length=64, blank=True, default="", help_text="Empty: the account's."
    )
    # ISO days of the week in order, "1" is Monday.
    working_days = models.CharField(max_length=7, blank=True, default="12345")
    opens = models.TimeField("works from", default=time(9))
    closes = models.TimeField("works until", default=time(17))
    country = models.CharField(
        "holidays of", max_length=3, blank=True, default="", help_text="Empty: no holidays."
    )
    subdivision = models.CharField("state or region", max_length=40, blank=True, default="")

    # What the choosing writes, under a lock on all owners; see crm_sync.routing.
    last_lead_at = models.DateTimeField(null=True, blank=True, editable=False)
    credit = models.IntegerField(default=0, editable=False)
    counted_on = models.DateField(null=True, blank=True, editable=False)
    leads_counted = models.PositiveIntegerField(default=0, editable=False)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "rep"
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["is_fallback"],
                condition=Q(is_fallback=True),
                name="one_fallback_rep",
                violation_error_message="Somebody else is the fallback: take it from them first.",
            ),
            CheckConstraint(
                condition=Q(weight__range=(1, HEAVIEST)),
                name="a_rep_weighs_1_to_100",
                violation_error_message="A weight is from 1 to 100.",
            ),
            CheckConstraint(
                condition=Q(most_a_day=None) | Q(most_a_day__gte=1),
                name="a_bound_lets_one_lead_through",
                violation_error_message="At least one lead a day; somebody who gets none is away.",
            ),
            CheckConstraint(
                condition=Q(away_from=None)
                | Q(away_until=None)
                | Q(away_until__gte=F("away_from")),
                name="away_ends_after_it_begins",
                violation_error_message="The last day away is before the first.",
            ),
            CheckConstraint(
                condition=Q(working_days__regex=r"^1?2?3?4?5?6?7?$"),
                name="working_days_are_days_in_order",
            ),
            CheckConstraint(
                condition=Q(opens__lt=F("closes")),
                name="a_working_day_opens_before_it_closes",
                violation_error_message="The working day ends before it begins.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.owner_id


class Stage(models.Model):
    """A stage of a deal pipeline, and what it does to the sequences of a deal's contacts.

    `effect` empty: nobody has set it; it pauses, and the reason says so. `former_label`: what it was
    called when somebody last set the effect, if the CRM calls it otherwise since.
    """

    pipeline_id = models.CharField(max_length=64)
    pipeline = models.CharField(max_length=200)
    stage_id = models.CharField(max_length=64)
    label = models.CharField(max_length=200)
    position = models.IntegerField(default=0)
    probability = models.FloatField(null=True)
    closed = models.BooleanField(default=False)
    won = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    effect = models.CharField(max_length=10, choices=Effect.choices, blank=True, default="")
    set_by = models.CharField(max_length=200, blank=True, default="")
    set_at = models.DateTimeField(null=True, editable=False)
    former_label = models.CharField(max_length=200, blank=True, default="", editable=False)
    # Empty for those that were here before this was kept.
    first_seen_at = models.DateTimeField(auto_now_add=True, null=True)

    class Meta:
        ordering: ClassVar = ["pipeline", "position"]
        verbose_name = "deal stage"
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["pipeline_id", "stage_id"], name="one_stage_per_pipeline_and_id"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pipeline}: {self.label}"


class Deal(models.Model):
    """A deal of at least one contact of ours."""

    deal_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=300, blank=True, default="")
    pipeline_id = models.CharField(max_length=64, blank=True, default="")
    stage_id = models.CharField(max_length=64, blank=True, default="")
    owner_id = models.CharField(max_length=64, blank=True, default="")
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    closed = models.BooleanField(default=False)
    won = models.BooleanField(default=False)
    # By the CRM's clock, as the deal told it when it was last read itself.
    changed_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(null=True)
    lost_reason = models.CharField(max_length=300, blank=True, default="")
    seen_at = models.DateTimeField()
    contacts = models.ManyToManyField(Contact, related_name="deals")

    def __str__(self) -> str:
        return self.name or self.deal_id


class PullReport(models.Model):
    """How the last pull went: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(auto_now=True, null=True)
    contacts = models.PositiveIntegerField(default=0)
    deals = models.PositiveIntegerField(default=0)
    # When the pipelines, stages and reps were last read.
    definitions_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=1000, blank=True, default="")

    class Meta:
        constraints: ClassVar = [CheckConstraint(condition=Q(id=1), name="one_pull_report")]

    def __str__(self) -> str:
        return self.error or "good"

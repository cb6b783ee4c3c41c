"""Which rep gets which leads: the reps, and rules in an order that marketers edit."""

from datetime import datetime, time
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import CheckConstraint, Deferrable, F, Max, Q, UniqueConstraint

from leadscoring.common.text import storable_text
from leadscoring.models import CRM_ID_LENGTH

# The largest weight of a rep in a round robin.
HEAVIEST = 100
WEIGHTS = (MinValueValidator(1), MaxValueValidator(HEAVIEST))


class Owner(models.Model):
    """A rep in sales. Whether they take leads, how many and in which hours, is edited here."""

    owner_id = models.CharField(max_length=CRM_ID_LENGTH, unique=True)
    name = models.CharField(max_length=200, blank=True, default="")
    email = models.CharField("e-mail", max_length=254, blank=True, default="")
    active = models.BooleanField(default=True, editable=False)
    # When the CRM last refused this rep as the owner of a task, though it lists them, and why.
    rejected_at = models.DateTimeField(null=True, blank=True, editable=False)
    rejected_reason = models.CharField(
        max_length=300, blank=True, default="", db_default="", editable=False
    )
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

    # Written by routing, under a lock on all owners; see crm_sync.routing.
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

    def record_rejection(self, reason: str, at: datetime) -> None:
        """Record that the CRM does not accept the rep as the owner of a task."""
        self.rejected_at, self.rejected_reason = at, storable_text(reason, 300)
        self.save(update_fields=["rejected_at", "rejected_reason"])


class RoutingRuleQuerySet(models.QuerySet["RoutingRule"]):
    def in_force(self) -> list["RoutingRule"]:
        """Return enabled rules in order, each with its places as `named`. Two queries."""
        rules = list(self.filter(enabled=True).order_by("position").prefetch_related("places"))
        for rule in rules:
            rule.named = sorted(rule.places.all(), key=lambda place: place.pk)
        return rules

    def asking_for_companies(self) -> bool:
        """Return whether any rule needs the owner of a contact's company."""
        return self.filter(enabled=True, kind=RoutingRule.Kind.COMPANY_OWNER).exists()


class RoutingRule(models.Model):
    """One way to find a rep for a lead. Of the rules in order, the first that finds one decides.

    `condition` selects a territory's leads, written as `when` of a scoring rule. Of a territory or
    a round robin, `places` are the reps; without any, all reps who take leads.
    """

    class Kind(models.TextChoices):
        CONTACT_OWNER = "contact_owner", "The contact's owner in the CRM"
        COMPANY_OWNER = "company_owner", "The owner of the contact's company in the CRM"
        TERRITORY = "territory", "A territory: some leads, in turn"
        TURN = "turn", "All leads, in turn"

    position = models.PositiveIntegerField(editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(max_length=60, help_text="Stands in the reason of each choice.")
    enabled = models.BooleanField("on", default=True)
    condition = models.TextField("which leads", max_length=4_000, blank=True, default="")

    named: list["RulePlace"]

    objects = RoutingRuleQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["position"],
                # Two rules change places in one statement each.
                deferrable=Deferrable.DEFERRED,
                name="one_routing_rule_per_position",
            ),
            UniqueConstraint(
                fields=["kind"],
                condition=Q(kind__in=["contact_owner", "company_owner"]),
                name="one_routing_rule_per_kind_of_owner",
                violation_error_message="There is such a rule already: turn it on or move it.",
            ),
            CheckConstraint(
                condition=Q(kind="territory") ^ Q(condition=""),
                name="territories_alone_have_a_condition",
                violation_error_message="A territory says which leads it is for, and other rules do not.",
            ),
            CheckConstraint(condition=~Q(name=""), name="a_routing_rule_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.position:
            last = RoutingRule.objects.aggregate(last=Max("position"))["last"]
            self.position = (last or 0) + 1
        super().save(*args, **kwargs)

    def move(self, *, up: bool) -> bool:
        """Change places with the rule before or after; return False when there is none."""
        with transaction.atomic():
            rules = list(RoutingRule.objects.select_for_update().order_by("position"))
            here = next((at for at, rule in enumerate(rules) if rule.pk == self.pk), -1)
            there = here - 1 if up else here + 1
            if here < 0 or not 0 <= there < len(rules):
                return False
            self.trade(rules[here], rules[there])
        return True

    @staticmethod
    def trade(one: "RoutingRule", other: "RoutingRule") -> None:
        one.position, other.position = other.position, one.position
        RoutingRule.objects.bulk_update([one, other], ["position"])


class RulePlace(models.Model):
    """A rep's place in the round robin of one rule. Without a weight, the rep's own counts."""

    rule = models.ForeignKey(RoutingRule, on_delete=models.CASCADE, related_name="places")
    owner = models.ForeignKey(
        Owner, verbose_name="rep", on_delete=models.CASCADE, related_name="places"
    )
    weight = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=WEIGHTS,
        help_text="Share of the turn, 1 to 100. Empty: the rep's own.",
    )
    # The state of the round robin; see crm_sync.routing.round_robin.
    credit = models.IntegerField(default=0, editable=False)

    class Meta:
        verbose_name = "rep"
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["rule", "owner"],
                name="one_place_per_rule_and_rep",
                violation_error_message="The rep is named twice.",
            ),
            CheckConstraint(
                condition=Q(weight=None) | Q(weight__range=(1, HEAVIEST)),
                name="a_place_weighs_1_to_100",
                violation_error_message="A weight is from 1 to 100.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.owner)

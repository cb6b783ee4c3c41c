"""What sales made of each handoff, and the lead statuses by which sales rejects a lead."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import CheckConstraint, F, Q

from crm_sync.models.handoff import Handoff
from leadscoring.models import CRM_ID_LENGTH, ModelVersion

# How long the outcome of a lead is followed after its handoff.
WATCHED = timedelta(days=365)


ENDED = ("won", "lost", "refused")


class RejectingStatus(models.Model):
    """A value of the CRM's lead status by which sales rejects a lead."""

    status = models.CharField("lead status", max_length=CRM_ID_LENGTH, unique=True)

    class Meta:
        verbose_name = "status that counts as rejected"
        verbose_name_plural = "statuses that count as rejected"
        constraints: ClassVar = [CheckConstraint(condition=~Q(status=""), name="a_refusal_is_said")]

    def __str__(self) -> str:
        return self.status


class OutcomeQuerySet(models.QuerySet["Outcome"]):
    def of_delivered(self) -> Self:
        """Return outcomes of delivered handoffs."""
        return self.filter(handoff__status=Handoff.Status.DELIVERED)

    def handed_off_since(self, moment: datetime) -> Self:
        return self.of_delivered().filter(handoff__delivered_at__gt=moment)


def due_for_evaluation(at: datetime) -> models.QuerySet[Handoff]:
    """Return delivered handoffs whose contact was read from the CRM since their last evaluation.

    What ended in a former account stays as it ended: its deals are not known any more.
    """
    news = Q(outcome=None) | Q(contact__link__seen_at__gt=F("outcome__seen_at"))
    here = Q(account_id="") | Q(account_id=F("contact__link__account_id"))
    news &= here | ~Q(outcome__state__in=ENDED)
    watched = Handoff.objects.delivered().filter(delivered_at__gt=at - WATCHED)
    return watched.filter(news, contact__link__isnull=False).order_by("outcome__seen_at", "pk")


class Outcome(models.Model):
    """The outcome of a handoff. `since`: when it reached this state, by the CRM's clock where known.

    `lead_status`: as last seen; at first as it was before the handoff. `seen_at`: when the CRM was
    read for this outcome. `reason`: why it was refused or lost, as sales wrote it.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Nothing yet"
        DEAL = "deal", "Deal"
        WON = "won", "Won"
        LOST = "lost", "Lost"
        REFUSED = "refused", "Rejected"

    handoff = models.OneToOneField(
        Handoff, on_delete=models.CASCADE, primary_key=True, related_name="outcome"
    )
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=300, blank=True, default="")
    since = models.DateTimeField()
    lead_status = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    seen_at = models.DateTimeField()

    objects = OutcomeQuerySet.as_manager()

    class Meta:
        verbose_name = "handed-off lead"
        constraints: ClassVar = [
            CheckConstraint(
                condition=~Q(state="refused") | ~Q(reason=""), name="a_refused_lead_says_why"
            ),
            CheckConstraint(
                condition=Q(state__in=["refused", "lost"]) | Q(reason=""),
                name="only_what_ended_badly_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}{f': {self.reason}' if self.reason else ''}"

    @property
    def refused(self) -> bool:
        return self.state == self.State.REFUSED

    def become(self, state: str, reason: str, when: datetime) -> bool:
        """Set the state and reason; return whether the state changed."""
        told: dict[str, Any] = {"state": state, "reason": reason[:300]}
        is_news = state != self.state
        for name, value in told.items():
            setattr(self, name, value)
        self.since = when if is_news else self.since
        return is_news

"""What was last pushed to the CRM of each contact with a record there."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Index, Q, QuerySet
from django.db.models.functions import Abs

from crm_sync.models.link import Link
from leadscoring.models import Contact

# The least time between two pushes of a record; a score that moved less is pushed once a day.
PACE = timedelta(minutes=15)
WORTH_TELLING = 5.0
DAILY = timedelta(days=1)
# A change is dated when its request came in, by the clock of a web server, and becomes visible
# only when it is committed: one a little older than the last push may not have been pushed.
UNSEEN = timedelta(minutes=5)


class Push(models.Model):
    """The last push of a contact. `refused`: properties that the CRM rejected, and why."""

    link = models.OneToOneField(
        Link, on_delete=models.CASCADE, primary_key=True, related_name="push"
    )
    at = models.DateTimeField()
    total = models.FloatField(default=0)
    grade = models.CharField(max_length=2, blank=True, default="")
    refused = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "pushes"
        indexes: ClassVar = [
            # Read by the home page: what the CRM rejects.
            Index(fields=["at"], condition=~Q(refused={}), name="push_refused")
        ]

    def __str__(self) -> str:
        return f"told on {self.at:%Y-%m-%d %H:%M}"


def links_with_changes(at: datetime) -> QuerySet[Link]:
    """Return links of people with changes that are due to be pushed, the longest waiting first."""
    moved = Abs(F("contact__score__total") - F("push__total"))
    never = Q(push=None)
    since = (
        Q(moved__gte=WORTH_TELLING)
        | ~Q(contact__score__grade=F("push__grade"))
        | Q(contact__updated_at__gt=F("push__at") - UNSEEN)
        | Q(contact__last_activity_at__gt=F("push__at") - UNSEEN)
        | Q(pk__in=contacts_with_changed_runs())
        | Q(push__at__lte=at - DAILY, moved__gt=0)
    )
    return (
        Link.objects.filter(gone_at=None, contact__score__isnull=False)
        .annotate(moved=moved)
        .filter(never | (Q(push__at__lte=at - PACE) & since))
        .order_by(F("push__at").asc(nulls_first=True), "pk")
    )


def contacts_with_changed_runs() -> QuerySet[Contact, Any]:
    """Return the ids of contacts whose sequence progress changed since the last push."""
    changed = Contact.objects.filter(enrollments__changed_at__gt=F("link__push__at") - UNSEEN)
    return changed.values("pk")

"""People who want no mail, and whether the CRM knows: the queue of opt-outs to push."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import CheckConstraint, Exists, F, Index, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from leadscoring.models import Contact
from sequences.models import Suppression

# One request for each, so few at a time.
BATCH = 20
# When the worker dies, its rows fall due again.
LEASE = timedelta(minutes=10)
# Requests made by a person here: neither bounces nor opt-outs that came from the CRM.
WISHES = (Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.BY_HAND)


def unreported_opt_outs() -> QuerySet[Contact]:
    """Return contacts with a CRM record and an opt-out that the CRM lacks; `asked_at`: since when."""
    asked = Suppression.objects.filter(email=OuterRef("email"), reason__in=WISHES)
    known = Contact.objects.filter(link__record_id__gt="", link__gone_at=None)
    return known.filter(Exists(asked), link__opted_out=False).annotate(
        asked_at=Subquery(asked.values("created_at"))
    )


class OptOutQuerySet(QuerySet["OptOut"]):
    def queue(self, at: datetime) -> None:
        """Add rows for people who have none or asked again since; delete those whose opt-out is gone."""
        self.waiting().exclude(email__in=unreported_opt_outs().values("email")).delete()
        told = OptOut.objects.filter(email=OuterRef("email"), asked_at__gte=OuterRef("asked_at"))
        people: Any = unreported_opt_outs().filter(~Exists(told)).order_by("pk")[:BATCH]
        rows = [
            OptOut(email=each.email, contact=each, asked_at=each.asked_at, due_at=at)
            for each in people
        ]
        self.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["email"],
            update_fields=["contact", "asked_at", "told_at", "due_at", "tries", "reason"],
        )

    def waiting(self) -> Self:
        return self.filter(told_at=None)

    def failed(self) -> Self:
        return self.waiting().exclude(reason="")

    def claim(self, at: datetime) -> list["OptOut"]:
        """Lease some due rows to the caller; a lease is only a later `due_at`."""
        with transaction.atomic():
            due = self.waiting().filter(due_at__lte=at).order_by("due_at", "pk")
            rows = list(due.select_for_update(skip_locked=True)[:BATCH])
            claimed = self.filter(pk__in=[row.pk for row in rows])
            claimed.update(due_at=at + LEASE, tries=F("tries") + 1, waits_for_crm=False)
        for row in rows:
            row.tries, row.waits_for_crm = row.tries + 1, False
        return rows

    def bring_forward(self, at: datetime) -> int:
        """Make due the rows that wait because of a shared failure; a row's own backoff stays."""
        return self.waiting().filter(waits_for_crm=True, due_at__gt=at).update(due_at=at)


class OptOut(models.Model):
    """An address that the CRM must not mail. `reason`: why the last attempt to push it failed."""

    email = models.CharField(max_length=254, unique=True)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="opt_outs")
    asked_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    # It failed by a shared failure: the next success brings it forward.
    waits_for_crm = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(max_length=1000, blank=True, default="")

    objects = OptOutQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(email=Lower("email")) & ~Q(email=""), name="opt_out_has_an_address"
            ),
            CheckConstraint(
                condition=Q(told_at=None) | Q(reason=""), name="who_was_told_of_did_not_fail"
            ),
        ]
        indexes: ClassVar = [
            # Read by OptOutQuerySet.claim and by the home page.
            Index(fields=["due_at"], condition=Q(told_at=None), name="opt_out_waiting")
        ]

    def __str__(self) -> str:
        return f"opt-out of contact {self.contact_id}"

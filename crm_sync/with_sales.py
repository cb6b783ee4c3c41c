"""Who is with sales: from the crossing on, until sales refuses, the deal is over, or the lead is kept here.

The ledger answers, at the moment of asking. Whatever changes the answer tells the apps below, in its
own transaction.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Case, DateTimeField, OuterRef, Subquery, Value, When

from crm_sync.models import Handoff, Outcome
from leadscoring.signals import with_sales_changed

# After a lost or won deal its stage says what becomes of mail.
OVER = (Outcome.State.REFUSED, Outcome.State.LOST, Outcome.State.WON)


def with_sales_since(contact: str) -> Subquery:
    """Return the crossing of the last handoff that sales was to have; NULL when that is over."""
    over = When(outcome__state__in=OVER, then=Value(None, DateTimeField(null=True)))
    rows = Handoff.objects.for_sales().filter(contact=OuterRef(contact)).order_by("-cycle")
    return Subquery(rows.annotate(since=Case(over, default="crossed_at")).values("since")[:1])


def send_changes(contact_ids: Collection[int], at: datetime) -> None:
    """Signal that these contacts may be with sales, or no more. Call in the transaction of the change."""
    if contact_ids:
        with_sales_changed.send(Handoff, contact_ids=set(contact_ids), at=at)

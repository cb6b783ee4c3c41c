"""A contact's sequences in words and figures, for the API and the contact's page."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef

from leadscoring.models import Contact, CrmFreshness
from sequences import gate
from sequences.models import Delivery, Enrollment
from sequences.policy import Hold


def summarize_enrollments(contact: Contact, at: datetime) -> list[dict[str, Any]]:
    """Return the enrollments, the latest first. `because` of an active one: what holds its due mail, if anything."""
    rows = Enrollment.objects.filter(contact=contact).with_what_the_gate_asks().order_by("-pk")
    mails = Delivery.objects.sent().filter(enrollment__contact=contact)
    sent = dict(mails.values_list("enrollment").annotate(Count("pk")))
    as_of = CrmFreshness.oldest()
    return [
        {
            "sequence": row.sequence.name,
            "state": row.state,
            "because": row.reason or hold_reason(row, as_of, at),
            "sent": sent.get(row.pk, 0),
            "next_at": row.next_at,
        }
        for row in rows
    ]


def hold_reason(row: Enrollment, as_of: datetime | None, at: datetime) -> str:
    """Return what holds the due mail of an active enrollment; empty when nothing does, or none is due."""
    if row.next_at is None:
        return ""
    if not row.sequence.active:
        return "The sequence is switched off"
    if row.hold_reason or row.next_at > at:
        return row.hold_reason
    decision = gate.decide_for_enrollment(row, as_of, at)
    return decision.reason if isinstance(decision, Hold) else ""


def mails_sent() -> Exists:
    """Return the condition that a contact was ever mailed, or is about to be."""
    return Exists(Delivery.objects.filter(enrollment__contact=OuterRef("pk")))

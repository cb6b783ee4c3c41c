"""Addresses that are never written to, and what that ends."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from leadscoring.models import Contact
from sequences import enrolling
from sequences.models import Enrollment, Suppression


def suppress(
    emails: Collection[str], reason: Suppression.Reason, at: datetime, *, by: str, detail: str = ""
) -> int:
    """Never write to these addresses again; whoever has one leaves all sequences.

    Answers how many enrollments stopped. An address that is suppressed already keeps its first
    reason. Nothing takes a suppression back but a person.
    """
    with transaction.atomic():
        Suppression.objects.bulk_create(
            [
                Suppression(email=email.lower(), reason=reason, detail=detail[:500], created_at=at)
                for email in sorted(set(emails))
            ],
            ignore_conflicts=True,
        )
        people = Contact.objects.filter(email__in=[email.lower() for email in emails])
        return enrolling.stop(
            Enrollment.objects.filter(contact__in=people), at, because=reason.label, by=by
        )

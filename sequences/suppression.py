"""Suppress addresses, and stop what goes to them."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction

from leadscoring.address_spelling import other_spellings
from leadscoring.common.email_address import fold_email
from leadscoring.models import Contact
from sequences import enrolling
from sequences.models import Enrollment, Suppression


def suppress_addresses(
    emails: Collection[str], reason: Suppression.Reason, at: datetime, *, by: str, detail: str = ""
) -> int:
    """Suppress addresses and stop their contacts' enrollments; return how many stopped.

    An address that is suppressed already keeps its first reason, unless that was a bounce: a person's
    wish says more. Only a person takes a suppression back.
    """
    said = {"reason": reason, "detail": detail[:500], "created_at": at}
    folded = sorted(set(map(fold_email, emails)))
    with transaction.atomic():
        Suppression.objects.bulk_create(
            [Suppression(email=email, **said) for email in folded],
            ignore_conflicts=True,
        )
        if reason != Suppression.Reason.BOUNCED:
            known = Suppression.objects.filter(email__in=folded)
            known.filter(reason=Suppression.Reason.BOUNCED).update(**said)
        people = Contact.objects.filter(email__in={*folded, *emails})
        return enrolling.stop_enrollments(
            Enrollment.objects.filter(contact__in=people), at, reason=reason.label, by=by
        )


def unify_suppressions(at: datetime) -> None:
    """Put suppressed addresses that were stored before into the one spelling of their mailbox."""
    for pk, email in other_spellings(Suppression):
        row = Suppression.objects.get(pk=pk)
        with transaction.atomic():
            suppress_addresses(
                [row.email], Suppression.Reason(row.reason), at, by="an upgrade", detail=row.detail
            )
            later = Suppression.objects.filter(email=email, created_at__gt=row.created_at)
            later.filter(reason=row.reason).update(created_at=row.created_at, detail=row.detail)
            row.delete()


def carry_over_suppressions(moves: Mapping[str, str], at: datetime) -> None:
    """Carry wishes for no mail over from a former address to the new one: former -> new."""
    wishes = Suppression.objects.wishes().filter(email__in=moves)
    asked: dict[str, list[str]] = {}
    for email, reason in wishes.values_list("email", "reason"):
        asked.setdefault(reason, []).append(moves[email])
    for reason, emails in asked.items():
        why = Suppression.Reason(reason)
        suppress_addresses(
            emails, why, at, by="a change of address", detail="Asked at a former address"
        )

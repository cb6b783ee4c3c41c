"""Suppress addresses, and stop what goes to them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from leadscoring.address_spelling import other_spellings
from leadscoring.common.email_address import fold_email
from leadscoring.intake.journal import WishChange, forget_wishes
from leadscoring.intake.wishes import MailWish
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
    rows = [
        Suppression(email=email, reason=reason, detail=detail[:500], created_at=at)
        for email in sorted(set(map(fold_email, emails)))
    ]
    return _suppress(rows, at, by, also=emails)


def suppress_wishes(wishes: Iterable[MailWish], at: datetime, *, by: str) -> int:
    """Suppress addresses, each with its own reason and time; return how many enrollments stopped."""
    strongest = sorted(wishes, key=lambda wish: (wish.bounced, wish.since), reverse=True)
    by_email = {fold_email(wish.email): wish for wish in strongest}
    rows = [
        Suppression(
            email=email,
            reason=Suppression.Reason.BOUNCED if wish.bounced else Suppression.Reason.UNSUBSCRIBED,
            detail=wish.detail[:500],
            created_at=wish.since,
        )
        for email, wish in sorted(by_email.items())
    ]
    return _suppress(rows, at, by)


def states_of(emails: Collection[str]) -> dict[str, dict[str, str]]:
    """Return how addresses stand under *Do not mail*, as texts; those that do not are left out."""
    rows = Suppression.objects.filter(email__in=emails)
    return {
        row.email: {
            "reason": row.reason,
            "detail": row.detail,
            "created_at": row.created_at.isoformat(),
        }
        for row in rows
    }


def take_back_suppressions(changes: Iterable[WishChange]) -> int:
    """Let addresses stand as they did before, where they still stand as afterwards; return how many."""
    by_email = {change.email: change for change in changes}
    with transaction.atomic():
        locked = Suppression.objects.filter(email__in=by_email).order_by("pk").select_for_update()
        list(locked.values_list("pk"))
        now_ = states_of(by_email)
        same = [one for one in by_email.values() if now_.get(one.email) == one.after]
        new = [one.email for one in same if one.before is None]
        Suppression.objects.filter(email__in=new).delete()
        for change in same:
            if change.before is not None:  # a bounce that a wish outweighed
                Suppression.objects.filter(email=change.email).update(**change.before)
    return len(same)


def _suppress(
    rows: Sequence[Suppression], at: datetime, by: str, also: Collection[str] = ()
) -> int:
    """Store rows and stop the enrollments; queries grow with the reasons only.

    `also`: spellings under which people may be stored still.
    """
    stopped = 0
    with transaction.atomic():
        forget_wishes(row.email for row in rows)
        Suppression.objects.bulk_create(rows, ignore_conflicts=True)
        wishes = {row.email: row for row in rows if row.reason != Suppression.Reason.BOUNCED}
        known = Suppression.objects.filter(email__in=wishes, reason=Suppression.Reason.BOUNCED)
        outweighed = list(known)
        for row in outweighed:
            wish = wishes[row.email]
            row.reason, row.detail, row.created_at = wish.reason, wish.detail, wish.created_at
        Suppression.objects.bulk_update(outweighed, ["reason", "detail", "created_at"])
        for reason in sorted({row.reason for row in rows}):
            emails = {row.email for row in rows if row.reason == reason} | set(also)
            people = Contact.objects.filter(email__in=emails)
            label = str(Suppression.Reason(reason).label)
            theirs = Enrollment.objects.filter(contact__in=people)
            stopped += enrolling.stop_enrollments(theirs, at, reason=label, by=by)
    return stopped


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

"""What follows for sequences of facts about people."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Q

from leadscoring.common.email_address import fold_email
from leadscoring.intake.journal import WishChange
from leadscoring.intake.wishes import MailWish
from leadscoring.models import Contact
from sequences import enrolling
from sequences.entry_rules import enroll_by_rules
from sequences.models import BY_A_HANDOFF, BY_THE_CRM, EarlyFit, Enrollment, Suppression
from sequences.suppression import (
    carry_over_suppressions,
    states_of,
    suppress_addresses,
    suppress_wishes,
    take_back_suppressions,
)


def on_people_scored(
    sender: object,
    contact_ids: Collection[int],
    at: datetime,
    types: Mapping[int, set[str]],
    **kwargs: object,
) -> None:
    enroll_by_rules(contact_ids, types, at)


def on_crm_state_changed(
    sender: object, contact_ids: Collection[int], at: datetime, **kwargs: object
) -> None:
    """Suppress the addresses that opted out there; the rest is the policy's."""
    gone = Contact.objects.filter(pk__in=contact_ids, crm_state__opted_out=True)
    emails = [email for email in gone.values_list("email", flat=True) if email]
    if emails:
        suppress_addresses(emails, Suppression.Reason.CRM_OPT_OUT, at, by=BY_THE_CRM)
    enrolling.apply_crm_state(Enrollment.objects.filter(contact__in=contact_ids), at)


def on_with_sales_changed(
    sender: object, contact_ids: Collection[int], at: datetime, **kwargs: object
) -> None:
    """Pause who is with sales now, and let go on who is not any more."""
    theirs = Enrollment.objects.filter(contact__in=contact_ids)
    pausing = Q(sequence__pause_when_with_sales=True)
    enrolling.apply_crm_state(theirs.filter(pausing | Q(by=BY_A_HANDOFF)), at)


def on_contacts_merged(
    sender: object, kept: Contact, gone: Contact, at: datetime, **kwargs: object
) -> None:
    """Let the kept contact go on where the deleted one was, without a sequence a second time.

    A suppression of one of the two counts for both.
    """
    emails = [email for email in (kept.email, gone.email) if email]
    wishes = Suppression.objects.wishes().filter(email__in=emails)
    refusal = wishes.order_by("created_at").first()
    had = Enrollment.objects.filter(contact=kept).values("sequence")
    twice = Enrollment.objects.open().filter(contact=gone, sequence__in=had)
    enrolling.stop_enrollments(
        twice, at, reason=f"Is one person with contact {kept.pk}", by="joining"
    )
    Enrollment.objects.filter(contact=gone).update(contact=kept)
    here = EarlyFit.objects.filter(contact=kept).values("sequence")
    EarlyFit.objects.filter(contact=gone).exclude(sequence__in=here).update(contact=kept)
    if refusal:
        reason = Suppression.Reason(refusal.reason)
        suppress_addresses(emails, reason, at, by="joining", detail=refusal.detail)


def on_addresses_changed(
    sender: object, moves: Mapping[str, str], at: datetime, **kwargs: object
) -> None:
    carry_over_suppressions(moves, at)


def on_contact_erased(sender: object, emails: Collection[str], **kwargs: object) -> None:
    """Delete the suppression, which holds the address itself; its hash keeps it out from now on."""
    Suppression.objects.filter(email__in=emails).delete()


def on_no_mail_asked(
    sender: object, wishes: Collection[MailWish], at: datetime, **kwargs: object
) -> list[WishChange]:
    emails = {fold_email(wish.email) for wish in wishes}
    before = states_of(emails)
    suppress_wishes(wishes, at, by="a file")
    return [
        WishChange(email, before.get(email), after)
        for email, after in states_of(emails).items()
        if after != before.get(email)
    ]


def on_no_mail_taken_back(
    sender: object, changes: Collection[WishChange], at: datetime, **kwargs: object
) -> int:
    return take_back_suppressions(changes)

"""Two people who turn out to be one: all of both goes on under one of them."""

from datetime import datetime

from django.db import transaction

from leadscoring.erasing import addresses_of
from leadscoring.intake.people import record_profile_changes
from leadscoring.models import Activity, Alias, Contact, Lifecycle, Score
from leadscoring.scoring import rescore
from leadscoring.signals import contacts_joined

# What the one who stays takes over where they have nothing.
FILLED = ("first_name", "last_name", "company_id", "job_title", "phone", "country")


def merge_contacts(kept_id: int, gone_id: int, at: datetime) -> bool:
    """Make one person of two; answers whether both were there.

    Activities, handoffs, sequences and suppressions of both count for the one who stays. What
    both say of themselves is theirs who stays; empty fields are filled. Sales is not told a
    second time: whoever of the two was handed off, the one who stays was.
    """
    with transaction.atomic():
        both = Contact.objects.select_for_update(of=("self",)).order_by("pk")
        people = {person.pk: person for person in both.filter(pk__in=[kept_id, gone_id])}
        if len(people) < 2:
            return False
        kept, gone = people[kept_id], people[gone_id]
        rescore([kept_id, gone_id], at)
        Activity.objects.filter(contact=gone).update(contact=kept)
        contacts_joined.send(Contact, kept=kept, gone=gone, at=at)
        _add_cycles(kept, gone)
        _keep_aliases(kept, gone)
        gone.delete()
        _take_over_identifiers(kept, gone, at)
        rescore([kept_id], at)
    return True


def _add_cycles(kept: Contact, gone: Contact) -> None:
    """The cycles of the one who goes follow those of the one who stays.

    Armed only if both were: a crossing that one of them had is not had again.
    """
    ours, theirs = (Score.objects.get(contact_id=pk) for pk in (kept.pk, gone.pk))
    crossings = [row.crossed_at for row in (ours, theirs) if row.crossed_at]
    Score.objects.filter(contact=kept).update(
        cycle=ours.cycle + theirs.cycle,
        crossed_at=max(crossings, default=None),
        armed=ours.armed and theirs.armed,
    )


def _keep_aliases(kept: Contact, gone: Contact) -> None:
    """What named the one who goes names the one who stays, and is erased with them."""
    emails = addresses_of(gone) or {""}
    told = {"contact": kept, "number": gone.pk, "external_id": gone.external_id or ""}
    Alias.objects.bulk_create(Alias(email=email, **told) for email in sorted(emails))
    gone.aliases.update(contact=kept)


def _take_over_identifiers(kept: Contact, gone: Contact, at: datetime) -> None:
    """What the deleted one was known by and as, where the one who stays has nothing."""
    for name in FILLED:
        if not getattr(kept, name):
            setattr(kept, name, getattr(gone, name))
    kept.email, kept.external_id = kept.email or gone.email, kept.external_id or gone.external_id
    kept.properties = {**gone.properties, **kept.properties}
    if Lifecycle(gone.lifecycle_stage).ahead_of(kept.lifecycle_stage):
        kept.lifecycle_stage = gone.lifecycle_stage
    seen = [when for when in (kept.last_activity_at, gone.last_activity_at) if when]
    kept.last_activity_at, kept.updated_at = max(seen, default=None), at
    kept.save()
    record_profile_changes([kept], at)

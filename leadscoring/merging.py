"""Merge two contacts that are one person: all of both goes on under one of them."""

from datetime import datetime

from django.db import transaction

from leadscoring.erasing import addresses_of
from leadscoring.intake.people import record_profile_changes
from leadscoring.intake.touches import merge_touches
from leadscoring.models import Activity, Alias, Contact, Lifecycle, Score, Visitor
from leadscoring.scoring import rescore
from leadscoring.signals import contacts_merged

# What the kept contact takes over where it has nothing.
FILLED = ("first_name", "last_name", "company_id", "job_title", "phone", "country")


def merge_contacts(kept_id: int, gone_id: int, at: datetime) -> bool:
    """Merge one contact into another; return whether both existed.

    Activities, handoffs, sequences and suppressions of both count for the kept one. Where both have a
    value the kept one's stays; empty fields are filled. No crossing of either reaches sales a second time.
    """
    with transaction.atomic():
        both = Contact.objects.select_for_update(of=("self",)).order_by("pk")
        people = {person.pk: person for person in both.filter(pk__in=[kept_id, gone_id])}
        if len(people) < 2:
            return False
        kept, gone = people[kept_id], people[gone_id]
        rescore([kept_id, gone_id], at)
        Activity.objects.filter(contact=gone).update(contact=kept)
        Visitor.objects.filter(contact=gone).update(contact=kept)
        # An import that is undone still takes back what they did, and nothing else.
        gone.import_changes.update(
            contact=kept, created=False, fields={}, properties={}, identifiers=[]
        )
        kept.import_changes.update(created=False)
        contacts_merged.send(Contact, kept=kept, gone=gone, at=at)
        _add_cycles(kept, gone)
        _keep_aliases(kept, gone)
        gone.delete()
        _take_over_identifiers(kept, gone, at)
        rescore([kept_id], at)
    return True


def _add_cycles(kept: Contact, gone: Contact) -> None:
    """Count the cycles of the deleted contact behind those of the kept one.

    Arm it only if both were armed: a crossing of either does not happen again.
    """
    ours, theirs = (Score.objects.get(contact_id=pk) for pk in (kept.pk, gone.pk))
    crossings = [row.crossed_at for row in (ours, theirs) if row.crossed_at]
    Score.objects.filter(contact=kept).update(
        cycle=ours.cycle + theirs.cycle,
        crossed_at=max(crossings, default=None),
        armed=ours.armed and theirs.armed,
    )


def _keep_aliases(kept: Contact, gone: Contact) -> None:
    """Let what named the deleted contact name the kept one; it is erased with it."""
    emails = addresses_of(gone) or {""}
    told = {"contact": kept, "number": gone.pk, "external_id": gone.external_id or ""}
    Alias.objects.bulk_create(Alias(email=email, **told) for email in sorted(emails))
    gone.aliases.update(contact=kept)
    gone.identifiers.update(contact=kept)


def _take_over_identifiers(kept: Contact, gone: Contact, at: datetime) -> None:
    """Take over the deleted contact's identifiers and fields where the kept one has none."""
    for name in FILLED:
        if not getattr(kept, name):
            setattr(kept, name, getattr(gone, name))
    kept.email, kept.external_id = kept.email or gone.email, kept.external_id or gone.external_id
    kept.properties = merge_touches(kept.properties, gone.properties)
    if Lifecycle(gone.lifecycle_stage).ahead_of(kept.lifecycle_stage):
        kept.lifecycle_stage = gone.lifecycle_stage
    seen = [when for when in (kept.last_activity_at, gone.last_activity_at) if when]
    kept.last_activity_at, kept.updated_at = max(seen, default=None), at
    kept.save()
    record_profile_changes([kept], at)

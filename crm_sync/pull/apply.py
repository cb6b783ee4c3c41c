"""A snapshot of some contacts, stored: mirrored here, and turned into their neutral CRM state."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from crm_sync.deals.mirror import mirror_deals, mirror_stages
from crm_sync.deals.stage_policy import deals_by_contact, decide_effect, lock_stages
from crm_sync.mapping import record_values
from crm_sync.models import SHOWN_WITHIN, Account, FieldMapping, Link, Owner
from crm_sync.port import Crm, CrmContact
from crm_sync.pull import address_changes
from crm_sync.pull.fetch import Snapshot
from crm_sync.pull.inbound_fields import take_over_fields
from leadscoring import crm_state
from leadscoring.merging import merge_contacts
from leadscoring.models import CRM_ID_LENGTH, Contact, CrmState, Effect

DELETED = "The contact's record was deleted in the CRM"
NOT_SHOWN = "The CRM does not show the contact's record"


def apply_snapshot(crm: Crm, account: Account, found: Snapshot, at: datetime) -> int:
    """Store a snapshot in one transaction; return the number of deals.

    `at`: when the read began. Of two concurrent reads of one contact the newer cannot be
    determined: neither counts, and the next pull reads that contact again first.
    """
    with transaction.atomic():
        locked = (
            Contact.objects.select_for_update(of=("self",)).order_by("pk").filter(pk__in=found.ids)
        )
        contacts = {contact.pk: contact for contact in locked}
        overtaken = refreshed_meanwhile(found, contacts)
        crm_state.drop_states(overtaken)
        contacts = {pk: row for pk, row in contacts.items() if pk not in overtaken}
        if found.stages:
            mirror_stages(found.stages)
        take_over_fields(contacts, found.records, found.last_written, at)
        made_since = link_contacts(account, found, contacts, at)
        moved = address_changes.find_changed_addresses(found, contacts)
        ids = [pk for pk in contacts if pk not in made_since]
        deals = mirror_deals({pk: found.deals[pk] for pk in ids}, at)
        crm_state.store_states(neutral_states(crm, found, ids, at), at)
        if found.merges:
            transaction.on_commit(lambda: merge_contact_pairs(found.merges, at))
        if moved:
            transaction.on_commit(lambda: address_changes.follow_addresses(moved, at))
    return deals


def merge_contact_pairs(pairs: Iterable[tuple[int, int]], at: datetime) -> None:
    """Merge contacts that are one record in the CRM. A merge that fails is retried by the next read."""
    for kept, gone in pairs:
        merge_contacts(kept, gone, at)


def refreshed_meanwhile(found: Snapshot, contacts: Mapping[int, Contact]) -> set[int]:
    """Return contacts that since this read began were read by another worker, lost their stored state,
    or got another address."""
    now = crm_state.last_seen_at(contacts)
    return {
        pk
        for pk, row in contacts.items()
        if now.get(pk) != found.seen_before.get(pk) or row.email != found.asked[pk]
    }


def link_contacts(
    account: Account, found: Snapshot, contacts: Mapping[int, Contact], at: datetime
) -> set[int]:
    """Link contacts to records. A record linked to another contact stays with it, and the contact
    that shares it is the same person.

    Return the contacts that the CRM did not know and that a handoff has linked since: what is
    known of them is newer than this snapshot.
    """
    links = Link.objects.in_bulk(list(contacts))
    record_ids = [record.record_id for record in found.records.values()]
    taken = Link.objects.filter(account_id=account.account_id, record_id__in=record_ids)
    holders = dict(taken.values_list("record_id", "contact_id"))
    fresh = []
    mappings = list(FieldMapping.objects.filter(enabled=True))
    for pk, record in found.records.items():
        if pk not in contacts:
            continue
        if (holder := holders.setdefault(record.record_id, pk)) == pk:
            row = link_row(account, contacts[pk], record, mappings, at)
            if pk in links and links[pk].last_written != found.last_written.get(pk):
                # Read before we wrote: the stage was not followed.
                row.lifecycle_stage = links[pk].lifecycle_stage
            fresh.append(row)
        else:
            found.merges.append((holder, pk))
    Link.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["contact"],
        update_fields=[
            "record_id",
            "owner_id",
            "lifecycle_stage",
            "lead_status",
            "opted_out",
            "seen_at",
            "missing_since",
            "gone_at",
            "gone_for_good",
        ],
    )
    mark_absent(found, contacts, at)
    return links.keys() - found.records.keys() - found.gone - found.missing


def mark_absent(found: Snapshot, contacts: Collection[int], at: datetime) -> None:
    """Record which contacts' records are deleted, and since when others are not shown.

    A record that neither exists nor can be restored is gone for good only if it was missing before,
    some minutes ago: until then the CRM may not show it yet.
    """
    gone = (found.gone - found.records.keys()).intersection(contacts)
    missing = (found.missing - found.records.keys()).intersection(contacts)
    links = Link.objects.filter(pk__in=missing)
    links.filter(missing_since=None).update(missing_since=at)
    lost = links.filter(missing_since__lte=at - SHOWN_WITHIN)
    lost.update(gone_for_good=True, gone_at=Coalesce("gone_at", Value(at)))
    Link.objects.filter(contact__in=gone).update(
        missing_since=None, gone_at=Coalesce("gone_at", Value(at))
    )


def link_row(
    account: Account,
    contact: Contact,
    record: CrmContact,
    mappings: Sequence[FieldMapping],
    at: datetime,
) -> Link:
    """Build a link. `last_written` is set for a new one only: afterwards the handoff writes it."""
    return Link(
        contact=contact,
        last_written=record_values.email_at_linking(mappings, record, contact.email),
        account_id=account.account_id,
        record_id=record.record_id,
        owner_id=record.owner_id[:CRM_ID_LENGTH],
        lifecycle_stage=record.lifecycle_stage[:CRM_ID_LENGTH],
        lead_status=record.lead_status[:CRM_ID_LENGTH],
        opted_out=record.opted_out,
        seen_at=at,
    )


def neutral_states(
    crm: Crm, found: Snapshot, ids: Collection[int], at: datetime
) -> Iterator[CrmState]:
    deals, stages = deals_by_contact(ids), lock_stages()
    owners = {owner.owner_id: owner for owner in Owner.objects.all()}
    absent = Link.objects.in_bulk([pk for pk in ids if pk in found.gone | found.missing])
    for pk in ids:
        record = found.records.get(pk)
        if record is None:
            yield state_without_record(pk, absent.get(pk), at)
            continue
        effect = decide_effect(deals[pk], stages)
        owner = owners.get(record.owner_id)
        yield CrmState(
            contact_id=pk,
            record_id=record.record_id,
            record_url=crm.contact_url(record.record_id),
            owner_id=record.owner_id,
            owner_name=owner.name if owner else "",
            owner_email=owner.email if owner else "",
            effect=effect.effect,
            reason=effect.reason,
            deals=list(effect.deals),
            opted_out=record.opted_out,
            since=at,
            seen_at=at,
        )


def state_without_record(contact_id: int, absent: Link | None, at: datetime) -> CrmState:
    """Return the state without a record. One that was deleted there holds mail: it may be an erasure.
    So does one that is not shown. `absent`: the link to such a record."""
    effect, reason = Effect.NONE, ""
    if absent:
        effect, reason = Effect.PAUSE, DELETED if absent.gone_at else NOT_SHOWN
    return CrmState(contact_id=contact_id, effect=effect, reason=reason, since=at, seen_at=at)

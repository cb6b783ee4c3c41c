"""What the CRM has of some contacts now: read by id, by address and by association, never by search."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from django.db.models import Exists, OuterRef, Q, QuerySet

from crm_sync.deals.stage_policy import stages_by_id
from crm_sync.models import Handoff
from crm_sync.port import Crm, CrmContact, CrmDeal, CrmStage
from crm_sync.pull import inbound_fields
from crm_sync.pull.erasures import contacts_deleted
from leadscoring.crm_state import last_seen_at
from leadscoring.models import Contact
from sequences.models import Enrollment


@dataclass(slots=True)
class Snapshot:
    """The CRM's values of some contacts. `records`, `deals`: by contact id.

    `last_written`: what we had written to the records before they were read, by contact id.
    `asked`: the address of each contact, used where the record id led to nothing.
    `stages`: all stages, when a deal is in one that is not known here; else empty.
    `seen_before`: when each was last read, as stored before this read began.
    """

    ids: list[int]
    seen_before: Mapping[int, datetime]
    asked: Mapping[int, str | None]
    last_written: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    records: dict[int, CrmContact] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)  # the CRM calls the record deleted
    missing: set[int] = field(default_factory=set)  # it shows neither the record nor that
    deals: dict[int, Sequence[CrmDeal]] = field(default_factory=dict)
    stages: Sequence[CrmStage] = ()
    # Contacts that are one person: (contact with the record, contact that shares it).
    merges: list[tuple[int, int]] = field(default_factory=list)


def people_of_interest() -> QuerySet[Contact]:
    """Return contacts whose state in the CRM matters here: known there, handed off, or mailed here.

    A handoff on its way reads for itself. A contact that was handed off is known there, but not yet in
    an account that was moved to.
    """
    enrolled = Enrollment.objects.open().filter(contact=OuterRef("pk"))
    handed_off = Handoff.objects.delivered().filter(contact=OuterRef("pk"))
    return Contact.objects.filter(Q(link__isnull=False) | Exists(enrolled) | Exists(handed_off))


def fetch_snapshot(
    crm: Crm, ids: Collection[int], merged_into: Mapping[str, str] = MappingProxyType({})
) -> Snapshot:
    """Read contacts by record id where that is known, else by address. Nothing is written here.

    `merged_into`: the records that others became, by their former ids, where the CRM does not
    resolve these itself.

    One whose record was deleted is read by address too: a person may have created it again.
    """
    seen_before = last_seen_at(ids)
    contacts = Contact.objects.select_related("link").in_bulk(list(ids))
    links = {pk: row.link for pk, row in contacts.items() if hasattr(row, "link")}
    linked = {pk: merged_into.get(row.record_id, row.record_id) for pk, row in links.items()}
    asked = {pk: row.email for pk, row in contacts.items()}
    last_written = {pk: row.last_written for pk, row in links.items()}
    found = Snapshot(list(contacts), seen_before, asked, last_written)
    names = inbound_fields.inbound_property_names()
    by_id = crm.contacts_by_id(list(linked.values()), names) if linked else {}
    found.records = {pk: by_id[record_id] for pk, record_id in linked.items() if record_id in by_id}
    absent = linked.keys() - found.records.keys()
    found.gone = contacts_deleted(crm, links, absent)
    found.missing = absent - found.gone
    emails = {
        row.email: pk for pk, row in contacts.items() if row.email and pk not in found.records
    }
    by_email = crm.contacts_by_email(list(emails), names) if emails else {}
    found.records |= {pk: by_email[email] for email, pk in emails.items() if email in by_email}
    read_deals(crm, found)
    return found


def read_deals(crm: Crm, found: Snapshot) -> None:
    record_ids = {pk: record.record_id for pk, record in found.records.items()}
    deals = crm.deals_of(list(record_ids.values())) if record_ids else {}
    found.deals = {pk: deals.get(record_ids.get(pk, ""), ()) for pk in found.ids}
    there = {(deal.pipeline_id, deal.stage_id) for some in deals.values() for deal in some}
    if there and not there <= stages_by_id().keys():
        found.stages = crm.stages()

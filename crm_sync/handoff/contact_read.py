"""The step of a handoff that reads the contact's record in the CRM."""

from collections.abc import Callable, Mapping, Sequence

from crm_sync.handoff.batch import DELETED, NEXT_LOOK, NOT_SHOWN, Batch
from crm_sync.handoff.eligibility import CUSTOMER, respect_their_deals
from crm_sync.handoff.shared_records import merge_shared_records
from crm_sync.models import Handoff, Link
from crm_sync.port import CrmContact
from leadscoring.models import Lifecycle


def read_contact_records(batch: Batch) -> None:
    """Read the contacts' records: by record id where we know it, else by address."""
    properties = [row.property for row in batch.mappings]
    known = [row for row in batch.rows if row.contact_id in batch.links]
    new = [row for row in batch.rows if row.contact_id not in batch.links]
    by_id = read_contacts(
        batch.crm.contacts_by_id,
        [batch.links[row.contact_id].record_id for row in known],
        properties,
    )
    by_email = read_contacts(
        batch.crm.contacts_by_email, [row.contact.email or "" for row in new], properties
    )
    for row in new:
        keep_record(batch, row, by_email.get(row.contact.email or ""))
    for row in known:
        keep_record(batch, row, by_id.get(batch.links[row.contact_id].record_id))
    settle_missing(batch, [row for row in known if not batch.record_of(row)], properties)
    merge_shared_records(
        batch, {row.pk: there for row in batch.rows if (there := batch.record_of(row))}
    )
    respect_their_deals(batch, [row for row in new if batch.record_of(row)])


def read_contacts(
    question: Callable[[Sequence[str], Sequence[str]], Mapping[str, CrmContact]],
    keys: Sequence[str],
    properties: Sequence[str],
) -> Mapping[str, CrmContact]:
    return question(keys, properties) if keys else {}


def keep_record(batch: Batch, row: Handoff, record: CrmContact | None) -> None:
    if record:
        batch.records[row.contact_id] = record
    if record and record.lifecycle_stage == Lifecycle.CUSTOMER and not row.task_attempted:
        row.withdraw(CUSTOMER)


def settle_missing(batch: Batch, rows: Sequence[Handoff], properties: Sequence[str]) -> None:
    """Withdraw rows whose record the CRM calls deleted; look again later for those that it does not show.

    A person may have made the record anew: it is looked for by address too.
    """
    if not rows:
        return
    links = {row.pk: batch.links[row.contact_id] for row in rows}
    archived = batch.crm.archived_contacts([link.record_id for link in links.values()])
    emails = [row.contact.email for row in rows if row.contact.email]
    anew = read_contacts(batch.crm.contacts_by_email, emails, properties)
    missed = []
    for row in rows:
        link = links[row.pk]
        if record := anew.get(row.contact.email or ""):
            keep_record(batch, row, record)
        elif link.record_id in archived or link.gone_at or link.is_lost(batch.now()):
            row.withdraw(DELETED)
        else:
            row.postpone(NOT_SHOWN, batch.now() + NEXT_LOOK, excused=True)
            missed.append(link.pk)
    Link.objects.filter(pk__in=missed, missing_since=None).update(missing_since=batch.now())

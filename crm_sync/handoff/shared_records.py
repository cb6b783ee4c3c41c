"""Contacts that turn out to share one record in the CRM, so that they are one person: merge them."""

from collections.abc import Iterable, Mapping

from crm_sync.handoff.batch import Batch
from crm_sync.models import Link
from crm_sync.port import CrmContact
from leadscoring.merging import merge_contacts

SAME_RECORD = "Is one person with contact {other}, who has the same record in the CRM."


def merge_shared_records(batch: Batch, records: Mapping[int, CrmContact]) -> None:
    """Merge contacts that share a record, for a record stands for one person; check them again."""
    holders = record_holders(batch, records.values())
    merges = []
    for row in batch.active_rows():
        if record := records.get(row.pk):
            ids = (record.record_id, *record.former_ids)
            other = next((holders[id_] for id_ in ids if id_ in holders), row.contact_id)
            if other != row.contact_id:
                row.postpone(SAME_RECORD.format(other=other), batch.now(), excused=True)
                merges.append((other, row.contact_id))
            holders[record.record_id] = other
    if merges:
        batch.store_progress()
        for kept, gone in merges:
            merge_contacts(kept, gone, batch.now())


def record_holders(batch: Batch, records: Iterable[CrmContact]) -> dict[str, int]:
    """Return the contact linked to each record, or to one that was merged into it, by record id."""
    ids = {id_ for record in records for id_ in (record.record_id, *record.former_ids)}
    links = Link.objects.filter(account_id=batch.account.account_id, record_id__in=ids)
    return dict(links.values_list("record_id", "contact_id"))

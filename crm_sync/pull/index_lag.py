"""The lag of the CRM's index, measured where a record was read by its id."""

from datetime import datetime

from crm_sync.models import Cursor, Deal
from crm_sync.pull.fetch import Snapshot


def learn_index_lag(found: Snapshot, at: datetime) -> None:
    """Learn from deals that changed in the time covered by a search that did not return them.

    Call before the snapshot is applied: the mirror holds the previous state of the deal.
    """
    cursor = Cursor.objects.filter(pk=Cursor.Kind.DEALS).first()
    changed = {
        deal.deal_id: deal.changed_at
        for some in found.deals.values()
        for deal in some
        if deal.changed_at
    }
    if cursor is None or not changed:
        return
    known = Deal.objects.filter(deal_id__in=changed, changed_at__isnull=False)
    missed = [
        changed[deal_id]
        for deal_id, changed_at in known.values_list("deal_id", "changed_at")
        if changed_at and changed_at < changed[deal_id]
    ]
    cursor.late(missed, (cursor.searched_from, cursor.position), at)

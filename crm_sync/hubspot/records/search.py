"""Find the records changed since an instant, by HubSpot's search: all of them, however many.

A search returns at most 10,000 results, and its pages shift while records change. So no page is
requested by its position: each search starts at the time of the last result, and where a whole page
has one time (an import), after the last record id within that time. What changes meanwhile moves to
the end and is found there. Requests follow the published description: a sort is text (`-` for
descending), and `after` is always sent.

Archived records are in no search, and the index lags: callers have to allow for both.
docs/hubspot-facts.md#search-limits, docs/hubspot-facts.md#modification-time,
docs/hubspot-facts.md#search-index-lag, docs/hubspot-facts.md#archived-records
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from crm_sync.hubspot.records.batches import list_field, property_values
from crm_sync.hubspot.timestamps import EPOCH, parse_instant_value
from crm_sync.hubspot.transport.calls import SEARCH_CONTACTS, SEARCH_DEALS, ApiCall
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.hubspot.transport.errors import no_answer_error
from crm_sync.port import ChangeKind, CrmChange

PAGE = 200  # docs/hubspot-facts.md#search-limits
CALL_OF: dict[ChangeKind, ApiCall] = {"contacts": SEARCH_CONTACTS, "deals": SEARCH_DEALS}
# docs/hubspot-facts.md#modification-time
MODIFIED: dict[ChangeKind, str] = {
    "contacts": "lastmodifieddate",
    "deals": "hs_lastmodifieddate",
}
# By which a changed contact is matched with ours.
# docs/hubspot-facts.md#email-addresses, docs/hubspot-facts.md#merged-records
KNOWN_BY: dict[ChangeKind, tuple[str, ...]] = {
    "contacts": ("email", "hs_additional_emails", "hs_merged_object_ids"),
    "deals": (),
}


def search_changes(
    client: HubSpotClient, kind: ChangeKind, since: datetime, page: int = PAGE
) -> Iterator[Sequence[CrmChange]]:
    """Yield the records changed at `since` or later, oldest first, a page at a time, none twice."""
    begin = since
    while True:
        found = _search(client, kind, [_at(kind, "GTE", begin)], MODIFIED[kind], page)
        if len(found) < page:
            yield found
            return
        last = found[-1].changed_at
        if last < begin:
            raise no_answer_error(CALL_OF[kind], "it found other records than those asked for")
        if last > begin:
            # Others of this last instant may be on the next page: it is asked for as a whole.
            yield [change for change in found if change.changed_at < last]
            begin = last
        else:
            yield from _of_one_instant(client, kind, begin, page)
            begin += timedelta(milliseconds=1)


def _of_one_instant(
    client: HubSpotClient, kind: ChangeKind, at: datetime, page: int
) -> Iterator[Sequence[CrmChange]]:
    after = "0"
    while True:
        beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": after}
        found = _search(client, kind, [_at(kind, "EQ", at), beyond], "hs_object_id", page)
        yield found
        if len(found) < page:
            return
        after = found[-1].record_id


def newest_change(client: HubSpotClient, kind: ChangeKind) -> datetime | None:
    """Return the time of the latest change in the index, None when there is no record."""
    found = _search(client, kind, [], MODIFIED[kind], 1, newest_first=True)
    return found[0].changed_at if found else None


def _at(kind: ChangeKind, operator: str, at: datetime) -> Json:
    milliseconds = max(0, (at - EPOCH) // timedelta(milliseconds=1))
    return {"propertyName": MODIFIED[kind], "operator": operator, "value": str(milliseconds)}


def _search(
    client: HubSpotClient,
    kind: ChangeKind,
    filters: Sequence[Json],
    by: str,
    limit: int,
    *,
    newest_first: bool = False,
) -> list[CrmChange]:
    body = {
        "filterGroups": [{"filters": list(filters)}] if filters else [],
        "sorts": [f"-{by}" if newest_first else by],
        "properties": [MODIFIED[kind], *KNOWN_BY[kind]],
        "limit": limit,
        "after": "0",
    }
    found = client.ask(CALL_OF[kind], body)
    return [_change(kind, item) for item in list_field(found, "results")]


def _change(kind: ChangeKind, item: Json) -> CrmChange:
    values = property_values(item)
    addresses = [values.get("email", ""), *values.get("hs_additional_emails", "").split(";")]
    return CrmChange(
        record_id=str(item.get("id") or ""),
        changed_at=parse_instant_value(values.get(MODIFIED[kind], "")) or EPOCH,
        emails=tuple(address.strip().lower() for address in addresses if address.strip()),
        former_ids=tuple(filter(None, values.get("hs_merged_object_ids", "").split(";"))),
    )

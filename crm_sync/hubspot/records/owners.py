"""Read owners: the people in sales to whom records and tasks belong."""

from crm_sync.hubspot.records.batches import iter_pages
from crm_sync.hubspot.transport.calls import OWNERS
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.port import CrmOwner

PAGE = 100  # docs/hubspot-facts.md#paging


def read_owners(client: HubSpotClient) -> list[CrmOwner]:
    """Return active and archived owners, which HubSpot lists apart.

    docs/hubspot-facts.md#owner-ids
    """
    return [
        _owner(item)
        for archived in ("false", "true")
        for item in iter_pages(client, OWNERS, [("limit", str(PAGE)), ("archived", archived)])
    ]


def _owner(item: Json) -> CrmOwner:
    """Return an owner. Records refer to its `id`, never to its `userId`. A queue is not active.

    docs/hubspot-facts.md#owner-ids
    """
    name = f"{item.get('firstName') or ''} {item.get('lastName') or ''}".strip()
    email = str(item.get("email") or "")
    return CrmOwner(
        owner_id=str(item.get("id") or ""),
        email=email,
        name=name or email,
        active=not item.get("archived") and item.get("type") != "QUEUE",
    )

"""Owners: the people in sales that records and tasks belong to."""

from crm_sync.hubspot.records.batches import iter_pages
from crm_sync.hubspot.transport.calls import OWNERS
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.port import CrmOwner

PAGE = 100


def read_owners(client: HubSpotClient) -> list[CrmOwner]:
    """Active and archived ones."""
    return [
        _owner(item)
        for archived in ("false", "true")
        for item in iter_pages(client, OWNERS, [("limit", str(PAGE)), ("archived", archived)])
    ]


def _owner(item: Json) -> CrmOwner:
    """`id` is what records are given, never `userId`. A queue is nobody who calls a lead back."""
    name = f"{item.get('firstName') or ''} {item.get('lastName') or ''}".strip()
    email = str(item.get("email") or "")
    return CrmOwner(
        owner_id=str(item.get("id") or ""),
        email=email,
        name=name or email,
        active=not item.get("archived") and item.get("type") != "QUEUE",
    )

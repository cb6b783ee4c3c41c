"""Owners: the people in sales that records and tasks belong to."""

from collections.abc import Iterator

from crm_sync.hubspot.batches import listed, next_page
from crm_sync.hubspot.calls import OWNERS
from crm_sync.hubspot.client import Client, Json
from crm_sync.port import CrmOwner

PAGE = 100


def owners(client: Client) -> list[CrmOwner]:
    """Active and archived ones."""
    found = [*_pages(client, archived="false"), *_pages(client, archived="true")]
    return [_owner(item) for item in found]


def _pages(client: Client, archived: str) -> Iterator[Json]:
    after, seen = "", {""}
    while True:
        query = [("limit", str(PAGE)), ("archived", archived)]
        page = client.ask(OWNERS, query=[*query, ("after", after)] if after else query)
        yield from listed(page, "results")
        after = next_page(page)
        if after in seen:  # the end, or a cursor that stands still
            return
        seen.add(after)


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

"""List what was changed since an instant, oldest first.

A page is asked for by time, not by cursor, where that is possible: what a cursor is worth while
records move is not documented. Many records share a second: within one the cursor is followed.
docs/pipedrive-facts.md#changes
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from crm_sync.pipedrive.instants import EPOCH, instant_of, whole_seconds
from crm_sync.pipedrive.records.lists import PAGE, id_text, next_page, objects_of
from crm_sync.pipedrive.records.persons import addresses_of
from crm_sync.pipedrive.transport.calls import LIST_DEALS, LIST_PERSONS, PipedriveCall
from crm_sync.pipedrive.transport.client import Json, PipedriveClient
from crm_sync.pipedrive.transport.errors import silent_or_busy
from crm_sync.port import ChangeKind, CrmChange

LIST_OF: dict[ChangeKind, PipedriveCall] = {"contacts": LIST_PERSONS, "deals": LIST_DEALS}


def changes_since(
    client: PipedriveClient, kind: ChangeKind, since: datetime, page: int = PAGE
) -> Iterator[Sequence[CrmChange]]:
    """Yield the records changed at `since` or later, a page at a time, none twice."""
    begin, cursor, seen = since.replace(microsecond=0), "", {""}
    while True:
        query = [("updated_since", whole_seconds(begin)), ("limit", str(page)), *_by_time("asc")]
        answer = client.ask(
            LIST_OF[kind], query=[*query, *([("cursor", cursor)] if cursor else [])]
        )
        found, next_cursor = _changes(answer), next_page(answer)
        if next_cursor in seen:  # the end, or a cursor that stands still
            yield found
            return
        last = found[-1].changed_at if found else begin
        if last < begin:
            raise silent_or_busy(LIST_OF[kind], "it listed other records than those asked for")
        if last > begin:
            # Others of this last second may be on the next page: it is asked for as a whole.
            yield [change for change in found if change.changed_at < last]
            begin, cursor, seen = last, "", {""}
        else:
            yield found
            cursor = next_cursor
            seen.add(cursor)


def newest_change_time(client: PipedriveClient, kind: ChangeKind) -> datetime | None:
    """Return the time of the latest change, None when there is no record."""
    found = _changes(client.ask(LIST_OF[kind], query=[*_by_time("desc"), ("limit", "1")]))
    return found[0].changed_at if found else None


def _by_time(direction: str) -> list[tuple[str, str]]:
    return [("sort_by", "update_time"), ("sort_direction", direction)]


def _changes(answer: Json) -> list[CrmChange]:
    return [
        CrmChange(
            record_id=id_text(item.get("id")),
            changed_at=instant_of(item.get("update_time")) or EPOCH,
            emails=tuple(dict.fromkeys(addresses_of(item))),
        )
        for item in objects_of(answer)
        if item.get("is_deleted") is not True
    ]

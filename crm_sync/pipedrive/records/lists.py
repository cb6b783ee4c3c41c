"""Read lists page by page and records by id, and write many records one by one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from crm_sync.pipedrive.transport.calls import PipedriveCall
from crm_sync.pipedrive.transport.client import Json, PipedriveClient, Query
from crm_sync.port import CrmBusy, CrmDenied, CrmError, CrmMissing, CrmRejected, CrmSilent
from leadscoring.common.batching import batched

# docs/pipedrive-facts.md#lists
PAGE = 500
IDS = 100
LONGEST_ID = 18  # digits


Write = TypeVar("Write")
Result = TypeVar("Result")


def objects_of(found: Json, name: str = "data") -> list[Json]:
    """Return the objects of a list in an answer, [] when there is no such list."""
    items = found.get(name)
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def object_of(found: Json, name: str = "data") -> Json:
    """Return the object `name` of an answer, {} when there is none."""
    item = found.get(name)
    return item if isinstance(item, dict) else {}


def next_page(found: Json) -> str:
    """Return the cursor of the next page, "" at the end."""
    return str(object_of(found, "additional_data").get("next_cursor") or "")


def next_start(found: Json) -> str:
    """Return where the next page of a list of v1 starts, "" at the end."""
    place = object_of(object_of(found, "additional_data"), "pagination")
    return str(place.get("next_start") or "") if place.get("more_items_in_collection") else ""


def pages_of(
    client: PipedriveClient, call: PipedriveCall, query: Query = (), size: int = PAGE
) -> Iterator[list[Json]]:
    """Yield the pages of a list to its end, without what is marked as deleted."""
    asked, cursor, seen = [*query, ("limit", str(size))], "", {""}
    while True:
        found = client.ask(call, query=[*asked, ("cursor", cursor)] if cursor else asked)
        yield [each for each in objects_of(found) if each.get("is_deleted") is not True]
        cursor = next_page(found)
        if cursor in seen:  # the end, or a cursor that stands still
            return
        seen.add(cursor)


def records_by_id(
    client: PipedriveClient, call: PipedriveCall, ids: Iterable[str], query: Query = ()
) -> Iterator[Json]:
    """Yield the records that are there and not deleted, in no order."""
    for batch in batched(filter(is_record_id, dict.fromkeys(ids)), IDS):
        asked = [*query, ("ids", ",".join(batch)), ("limit", str(IDS))]
        found = objects_of(client.ask(call, query=asked))
        yield from (each for each in found if each.get("is_deleted") is not True)


def marked_deleted(
    client: PipedriveClient, call: PipedriveCall, ids: Iterable[str]
) -> dict[str, Json]:
    """Return those records that were deleted less than 30 days ago, where Pipedrive still shows them.

    docs/pipedrive-facts.md#deleted-records
    """
    found = {}
    for id_ in filter(is_record_id, dict.fromkeys(ids)):
        try:
            item = object_of(client.ask(call, record_id=id_))
        except CrmMissing:
            continue
        if item.get("is_deleted") is True:
            found[id_] = item
    return found


def write_one_by_one(
    writes: Sequence[tuple[str, Write]], write: Callable[[Write], Result]
) -> dict[str, Result | CrmError]:
    """Return the result or error of each write, by its trace: there are no batches.

    Stop at the first without an answer or without permission. Raise CrmBusy and CrmDenied only when
    nothing was done before them.
    """
    outcome: dict[str, Result | CrmError] = {}
    for place, (trace, each) in enumerate(writes):
        try:
            outcome[trace] = write(each)
        except (CrmRejected, CrmMissing) as error:
            outcome[trace] = error
        except CrmSilent as error:
            outcome[trace] = error
            not_tried = CrmBusy("Not asked yet: Pipedrive did not answer what was asked before.")
            return outcome | _errors(writes[place + 1 :], not_tried)
        except (CrmBusy, CrmDenied) as error:
            if not outcome:
                raise
            return outcome | _errors(writes[place:], error)
    return outcome


def _errors(writes: Sequence[tuple[str, Write]], error: CrmError) -> dict[str, Any]:
    return {trace: error for trace, _ in writes}


def is_record_id(id_: str) -> bool:
    """Return whether a text may be an id of Pipedrive's: what else would end up in a list of ids."""
    return id_.isascii() and id_.isdigit() and len(id_) <= LONGEST_ID


def id_text(value: object) -> str:
    """Return an id as text, "" for none. v1 wraps some in an object."""
    if isinstance(value, dict):
        value = value.get("value", value.get("id"))
    found = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return found if is_record_id(found) else ""


def text_at(item: Json, name: str) -> str:
    """Return a value as text, "" for null."""
    value = item.get(name)
    return "" if value is None else str(value)

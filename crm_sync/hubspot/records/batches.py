"""Cut requests into HubSpot's batches and take the answers apart, item by item.

HubSpot does not promise the order or the number of a batch's results, and reports errors in a 207 or
inside a 200. So `errors` is read whatever the status, and answers are matched by trace or key.
docs/hubspot-facts.md#batch-answers, docs/hubspot-facts.md#version-differences
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from crm_sync.hubspot.transport.calls import ApiCall
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.hubspot.transport.errors import error_from_item, no_answer_error
from crm_sync.port import CrmError, CrmMissing
from crm_sync.transport.batches import Outcome, Write
from leadscoring.common.batching import batched

# docs/hubspot-facts.md#batch-inputs
OBJECTS = 100  # inputs of a batch of records
LINKS = 1_000  # inputs of a batch that reads associations
NEW_LINKS = 2_000  # inputs of a batch that makes associations


Item = TypeVar("Item")


def split_batches(items: Sequence[Item], most: int = OBJECTS) -> Iterator[Sequence[Item]]:
    """Yield the items in batches, by default as large as HubSpot takes records."""
    return batched(items, most)


def batch_outcomes(
    call: ApiCall,
    found: Json,
    batch: Sequence[Write],
    key: Callable[[Write], str],
    key_of: Callable[[Json], str],
) -> Outcome[Json]:
    """Return the result or error of each write: by the trace that HubSpot repeats, else by `key`.

    A write that is not mentioned gets the error that names no write. If there is none, or the call
    may not be repeated, it is `unanswered`.
    """
    traces = {write.trace for write in batch}
    times = Counter(key(write) for write in batch)
    trace_of = {key(write): write.trace for write in batch if times[key(write)] == 1}
    outcome: Outcome[Json] = {}
    for item in list_field(found, "results"):
        trace = str(item.get("objectWriteTraceId") or "")
        outcome[trace if trace in traces else trace_of.get(key_of(item), "")] = item
    unnamed: CrmError | None = None
    for item in list_field(found, "errors"):
        error = error_from_item(call, item)
        context = object_field(item, "context")
        told = text_fields(context, "objectWriteTraceId")
        named = told or [trace_of.get(each, "") for each in text_fields(context, "ids")]
        named = [each for each in named if each in traces]
        outcome |= dict.fromkeys(named, error)
        unnamed = unnamed if named else error
    # docs/hubspot-facts.md#no-idempotency-key
    # An error that names no write is that of the writes without an answer. Not so for a create that
    # must not be repeated: its outcome is unknown, and the record is looked for.
    silence = (
        unnamed if unnamed and call.retry else no_answer_error(call, "it said nothing of this one")
    )
    return {write.trace: outcome.get(write.trace, silence) for write in batch}


def found_results(call: ApiCall, found: Json) -> list[Json]:
    """Return the records of a read. Skip errors that say that a record is missing; raise any other.

    docs/hubspot-facts.md#batch-answers
    """
    for item in list_field(found, "errors"):
        error = error_from_item(call, item)
        if not isinstance(error, CrmMissing):
            raise error
    return list_field(found, "results")


def list_field(found: Json, name: str) -> list[Json]:
    """Return the objects of the list `name`, [] when there is no such list."""
    items = found.get(name)
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def object_field(found: Json, name: str) -> Json:
    """Return the object `name`, {} when there is none."""
    item = found.get(name)
    return item if isinstance(item, dict) else {}


def text_fields(found: Json, name: str) -> list[str]:
    """Return the items of the list `name` as text, [] when there is no such list."""
    items = found.get(name)
    return [str(each) for each in items] if isinstance(items, list) else []


def read_records(
    client: HubSpotClient,
    call: ApiCall,
    ids: Iterable[str],
    properties: Sequence[str],
    query: Sequence[tuple[str, str]] = (),
    **more: str,
) -> Iterator[Json]:
    """Yield the records that exist, in no order. `more`: further keys of the body."""
    for batch in split_batches(list(dict.fromkeys(ids))):
        body = {
            "inputs": [{"id": id_} for id_ in batch],
            "properties": list(properties),
            "propertiesWithHistory": [],
        }
        yield from found_results(call, client.ask(call, body | more, query=query))


def read_associations(
    client: HubSpotClient, call: ApiCall, ids: Iterable[str]
) -> dict[str, list[str]]:
    """Return the ids of all records that each of `ids` is associated with."""
    return {id_: list(linked) for id_, linked in association_rows(client, call, ids).items()}


def association_rows(
    client: HubSpotClient, call: ApiCall, ids: Iterable[str]
) -> dict[str, dict[str, Json]]:
    """Return all associations of each of `ids`, by the other record's id, across pages.

    HubSpot reports a record without associations as an error (OBJECT_NOT_FOUND); it is skipped.
    docs/hubspot-facts.md#association-reads
    """
    found: dict[str, dict[str, Json]] = {id_: {} for id_ in ids}
    asking = [{"id": id_} for id_ in found]
    seen = set()
    while asking:
        batch, asking = asking[:LINKS], asking[LINKS:]
        for item in found_results(call, client.ask(call, {"inputs": batch})):
            id_ = str(object_field(item, "from").get("id"))
            linked = found.setdefault(id_, {})
            linked.update((str(each.get("toObjectId")), each) for each in list_field(item, "to"))
            after = next_cursor(item)
            # A cursor that stands still would go on for ever. docs/hubspot-facts.md#paging
            if after and (id_, after) not in seen:
                seen.add((id_, after))
                asking.append({"id": id_, "after": after})
    return found


def next_cursor(found: Json) -> str:
    """Return the cursor of the next page, "" at the end. Do not follow its `link`.

    docs/hubspot-facts.md#paging
    """
    return str(object_field(object_field(found, "paging"), "next").get("after") or "")


def property_values(item: Json) -> dict[str, str]:
    """Return a record's properties; null becomes "".

    docs/hubspot-facts.md#record-values
    """
    values = object_field(item, "properties")
    return {name: "" if value is None else str(value) for name, value in values.items()}


def iter_pages(
    client: HubSpotClient, call: ApiCall, query: Sequence[tuple[str, str]]
) -> Iterator[Json]:
    """Yield every item of a list, across pages."""
    after, seen = "", {""}
    while True:
        page = client.ask(call, query=[*query, ("after", after)] if after else query)
        yield from list_field(page, "results")
        after = next_cursor(page)
        if after in seen:  # the end, or a cursor that stands still: docs/hubspot-facts.md#paging
            return
        seen.add(after)

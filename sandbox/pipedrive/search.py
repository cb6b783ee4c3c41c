"""The search index: it lags behind, and keeps what is deleted without saying so."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from .call import Answer, Call
from .lists import answer_rows
from .moments import stamp
from .refusals import invalid
from .store import Item, Record

LONGEST_TERM = 255
MOST_ITEMS = 100
SCORE = 0.29
TEXTS = ("varchar", "text", "varchar_auto", "phone")
Fits = Callable[[str], bool]


def persons(call: Call) -> Answer:
    fields = call.names("fields") or ["name", "email", "phone", "notes", "custom_fields"]
    fits = _fits(call)
    known: Iterable[Record] = call.store.records["persons"].values()
    if fields == ["email"] and call.query.get("exact_match"):
        known = call.store.with_address(call.query["term"].strip())
    in_org = call.query.get("organization_id")
    found = [
        _item("person", values, _of_person(call, values))
        for values in _indexed(call, known)
        if in_org in (None, values["org_id"]) and any(map(fits, _texts(call, values, fields)))
    ]
    return _answer(call, found)


def organizations(call: Call) -> Answer:
    fits = _fits(call)
    known = call.store.records["organizations"].values()
    found = [
        _item("organization", values, {"address": None})
        for values in _indexed(call, known)
        if fits(values["name"])
    ]
    return _answer(call, found)


def by_field(call: Call) -> Answer:
    """In one field, and an exact match minds the case there."""
    if call.query["entity_type"] != "person":
        raise invalid("entity_type", "only persons can be searched here")
    code, term, match = call.query["field"], call.query["term"], call.query.get("match", "exact")
    fits: dict[str, Fits] = {
        "exact": lambda text: text == term,
        "beginning": lambda text: text.lower().startswith(term.lower()),
        "middle": lambda text: term.lower() in text.lower(),
    }
    if code not in call.store.fields["persons"]:
        raise invalid("field", f"Unknown field '{code}'")
    found = [
        {"result_score": SCORE, "item": {"id": values["id"], code: text}}
        for values in _indexed(call, call.store.records["persons"].values())
        for text in [str(values["custom_fields"].get(code) or values.get(code) or "")]
        if text and fits[match](text)
    ]
    call.limit(MOST_ITEMS)
    return answer_rows(call, found)


def _fits(call: Call) -> Fits:
    term, exact = call.query["term"].strip().lower(), call.query.get("exact_match", False)
    if not (1 if exact else 2) <= len(term) <= LONGEST_TERM:
        raise invalid("term", f"must have from {1 if exact else 2} to {LONGEST_TERM} characters")
    return lambda text: text.lower() == term if exact else term in text.lower()


def _indexed(call: Call, records: Iterable[Record]) -> Iterator[Item]:
    at = call.at - timedelta(seconds=call.settings.search_lag)
    # Persons drop out after a while; organizations never do.
    forgotten = stamp(at - timedelta(seconds=call.settings.deleted_found))
    for record in records:
        values = record.as_of(at)
        gone = record.is_deleted and record.kind == "persons"
        if values and not (gone and record.values["update_time"] < forgotten):
            yield values


def _texts(call: Call, values: Item, fields: list[str]) -> Iterator[str]:
    if "name" in fields:
        yield values["name"]
    if "email" in fields:
        yield from (each["value"] for each in values["emails"])
    if "phone" in fields:
        yield from (each["value"] for each in values["phones"])
    if "custom_fields" in fields:
        yield from _own_texts(call, values)


def _own_texts(call: Call, values: Item) -> list[str]:
    known = call.store.fields["persons"]
    return [
        value
        for code, value in values["custom_fields"].items()
        if value and code in known and known[code]["field_type"] in TEXTS
    ]


def _item(kind: str, values: Item, more: Item) -> Item:
    item: dict[str, Any] = {
        "id": values["id"],
        "type": kind,
        "name": values["name"],
        "visible_to": values["visible_to"],
        "owner": {"id": values["owner_id"]},
        "custom_fields": [],
        "notes": [],
    }
    return {"result_score": SCORE, "item": item | more}


def _of_person(call: Call, values: Item) -> Item:
    org = call.store.records["organizations"].get(values["org_id"] or 0)
    return {
        "emails": [each["value"] for each in values["emails"]],
        "phones": [each["value"] for each in values["phones"]],
        "organization": {"id": org.id, "name": org.values["name"]} if org else None,
        "custom_fields": _own_texts(call, values),
    }


def _answer(call: Call, found: list[Item]) -> Answer:
    status, body = answer_rows(call, found)
    return status, body | {"data": {"items": body["data"]}}

"""Associations v4: read, set, remove, one by one and in batches."""

from itertools import dropwhile
from typing import Any

from .batches import batch_answer
from .call import NOTHING, Answer, Call, Item, text_of
from .links import DEFAULTS, LABELS, Label
from .refusals import Refusal, bad_json, bad_request, not_found
from .store import SINGULAR, TYPE_IDS, Record
from .writes import bad_associations, type_id

READ_LIMIT = 1_000
WRITE_LIMIT = 2_000
PAGE_LIMIT = 500


def read(call: Call) -> Answer:
    """Links of one record; a `paging` only when there are more."""
    record = _end(call, call.kind(), call.args["objectId"])
    limit = call.limit(PAGE_LIMIT, PAGE_LIMIT)
    rows, after = _page(call, record, call.kind("toObjectType"), call.text("after"), limit)
    return 200, {"results": rows} | (call.next_page(after) if after else {})


def _page(call: Call, record: Record, kind: str, after: str, limit: int) -> tuple[list[Item], str]:
    """One page, and the cursor of the next; an empty one at the end."""
    linked = call.store.linked(record, kind)
    ids = list(linked)
    if after:
        ids = list(dropwhile(lambda each: each != after, ids))[1:]
    rows = [_row(id_, linked[id_]) for id_ in ids[:limit]]
    return rows, ids[limit - 1] if len(ids) > limit else ""


def _row(id_: str, type_ids: set[int]) -> Item:
    # The id is a number here and a string everywhere else (seen on a live account).
    return {"toObjectId": int(id_), "associationTypes": [_type(each) for each in sorted(type_ids)]}


def _type(number: int) -> Item:
    return {"category": "HUBSPOT_DEFINED", "typeId": number, "label": LABELS[number].name}


def set_labels(call: Call) -> Answer:
    source, target = _pair(call)
    type_ids = _specs(call.body, source.kind, target.kind)
    call.store.links.add((source.kind, source.id), (target.kind, target.id), type_ids)
    return 201, _between(source, target, type_ids)


def set_default(call: Call) -> Answer:
    source, target = _pair(call)
    return batch_answer(call, [_defaulted(call, source, target)])


def remove(call: Call) -> Answer:
    source, target = _pair(call)
    call.store.links.remove((source.kind, source.id), (target.kind, target.id))
    return NOTHING


def batch_read(call: Call) -> Answer:
    """Records without links are no results but errors: a normal outcome (seen on an account)."""
    kind, to_kind = call.kind(), call.kind("toObjectType")
    results, errors = [], []
    for item in call.items(READ_LIMIT):
        id_ = text_of(item, "id")
        record = call.store.alive(kind, id_)
        rows, after = (
            _page(call, record, to_kind, item.get("after") or "", PAGE_LIMIT)
            if (record)
            else ([], "")
        )
        if not rows:
            errors.append(_none(kind, id_, to_kind))
            continue
        results.append({"from": {"id": id_}, "to": rows} | (call.next_page(after) if after else {}))
    return batch_answer(call, results[::-1], errors)


def _none(kind: str, id_: str, to_kind: str) -> Item:
    return Refusal(
        404,
        "OBJECT_NOT_FOUND",
        f"No {SINGULAR[to_kind]} is associated with {SINGULAR[kind]} {id_}.",
        sub_category="crm.associations.NO_ASSOCIATIONS_FOUND",
        context={
            "fromObjectId": [id_],
            "fromObjectType": [SINGULAR[kind]],
            "toObjectType": [SINGULAR[to_kind]],
        },
    ).item()


def batch_create(call: Call) -> Answer:
    results, errors = [], []
    for item in call.items(WRITE_LIMIT):
        try:
            source, target = _ends_of(call, item)
            type_ids = _specs(item.get("types"), source.kind, target.kind)
        except Refusal as refusal:
            errors.append(refusal.item())
            continue
        call.store.links.add((source.kind, source.id), (target.kind, target.id), type_ids)
        results.append(_between(source, target, type_ids))
    return batch_answer(call, results, errors, 200 if call.version == "2026-09" else 201)


def _pair(call: Call) -> tuple[Record, Record]:
    source = _end(call, call.kind(), call.args["objectId"])
    return source, _end(call, call.kind("toObjectType"), call.args["toObjectId"])


def _ends_of(call: Call, item: Item) -> tuple[Record, Record]:
    source = _end(call, call.kind(), _id_of(item, "from"))
    return source, _end(call, call.kind("toObjectType"), _id_of(item, "to"))


def _id_of(item: Item, name: str) -> str:
    end = item.get(name)
    if not isinstance(end, dict):
        raise bad_json(f"{name} must be an object with an id")
    return text_of(end, "id")


def _end(call: Call, kind: str, id_: str) -> Record:
    record = call.store.alive(kind, id_)
    if record is None:
        raise not_found(f"{SINGULAR[kind]} {id_} does not exist")
    return record


def _specs(sent: Any, kind: str, to_kind: str) -> list[int]:
    """Checked type ids; a type of the other direction is refused before anything is stored."""
    if not isinstance(sent, list) or not sent or not all(isinstance(each, dict) for each in sent):
        raise bad_json("a list of {associationCategory, associationTypeId} was expected")
    try:
        type_ids = [type_id(each) for each in sent]
    except KeyError as missing:
        raise bad_json(f"{missing} is required") from None
    for each in type_ids:
        label = LABELS.get(each)
        if label is None or (label.source, label.target) != (kind, to_kind):
            ends = f"{SINGULAR[kind]} to {SINGULAR[to_kind]}"
            raise bad_associations(f"{each} is no association type from {ends}")
    return type_ids


def _default(kind: str, to_kind: str) -> Label:
    if (kind, to_kind) not in DEFAULTS:
        raise bad_request(f"{SINGULAR[kind]} and {SINGULAR[to_kind]} cannot be associated")
    return DEFAULTS[kind, to_kind]


def _defaulted(call: Call, source: Record, target: Record) -> Item:
    label = _default(source.kind, target.kind)
    call.store.links.add((source.kind, source.id), (target.kind, target.id), [label.type_id])
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": label.type_id}
    return {"from": {"id": source.id}, "to": {"id": target.id}, "associationSpec": spec}


def _between(source: Record, target: Record, type_ids: list[int]) -> Item:
    return {
        "fromObjectTypeId": TYPE_IDS[source.kind],
        "fromObjectId": source.id,
        "toObjectTypeId": TYPE_IDS[target.kind],
        "toObjectId": target.id,
        "labels": [name for name in (LABELS[each].name for each in type_ids) if name],
    }

"""Contacts, tasks, deals and companies, up to a hundred at once."""

from .batches import batch_answer, plan_all, refuse_twice
from .call import NOTHING, Answer, Call, Item, only, properties_of, strings_of, text_of
from .finding import lookup, non_unique
from .objects import written
from .refusals import bad_request, not_found
from .showing import view
from .store import SINGULAR, Record
from .writes import Claims, Write, plan_create, plan_update

BATCH_LIMIT = 100


def create(call: Call) -> Answer:
    kind, claims = call.kind(), Claims()

    def plan(item: Item) -> Write:
        only(item, ("properties", "associations", "objectWriteTraceId"))
        sent = properties_of(item)
        return plan_create(call.store, kind, sent, item.get("associations"), claims)

    writes, errors = plan_all(call, call.items(BATCH_LIMIT), plan)
    results = [written(call, item, write) for item, write in writes]
    return batch_answer(call, _unordered(results), errors, 201)


def read(call: Call) -> Answer:
    sent, kind = call.document(), call.kind()
    key = sent.get("idProperty") or ""
    asked, history = strings_of(sent, "properties"), strings_of(sent, "propertiesWithHistory")
    found: dict[str, Record] = {}
    missing = []
    for id_ in (text_of(item, "id") for item in call.items(BATCH_LIMIT)):
        record = lookup(call, kind, id_, key)
        if record is None or (record.archived_at is not None) != call.flag("archived"):
            missing.append(id_)
        else:
            found[record.id] = record
    results = [view(call, each, asked or None, history) for each in found.values()]
    return batch_answer(call, _unordered(results), _not_found(kind, missing))


def _not_found(kind: str, ids: list[str]) -> list[Item]:
    if not ids:
        return []
    refusal = not_found(f"Could not get some {kind}, they may be deleted or not exist.")
    refusal.context = {"ids": ids}
    return [refusal.item()]


def update(call: Call) -> Answer:
    """By record id or a custom unique property; not by e-mail, not by an id merged away."""
    items, kind, claims = call.items(BATCH_LIMIT), call.kind(), Claims()
    key = _key_of(items)
    if key == "email":
        raise non_unique(kind, key)
    refuse_twice(text_of(item, "id") for item in items)

    def plan(item: Item) -> Write:
        only(item, ("id", "idProperty", "properties", "objectWriteTraceId"))
        record = lookup(call, kind, text_of(item, "id"), key, follow=False)
        if record is None or record.archived_at is not None:
            raise not_found(f"Could not find {SINGULAR[kind]} {item['id']}")
        return plan_update(call.store, record, properties_of(item), claims)

    writes, errors = plan_all(call, items, plan)
    results = [written(call, item, write) for item, write in writes]
    return batch_answer(call, _unordered(results), errors)


def upsert(call: Call) -> Answer:
    """Update what the unique property finds, create the rest; `new` tells which it was."""
    items, kind, claims = call.items(BATCH_LIMIT), call.kind(), Claims()
    key = _key_of(items)
    refuse_twice(_folded(text_of(item, "id"), key) for item in items)

    def plan(item: Item) -> Write:
        only(item, ("id", "idProperty", "properties", "objectWriteTraceId"))
        sent, id_ = properties_of(item), text_of(item, "id")
        record = lookup(call, kind, id_, key, follow=False)
        if record and record.archived_at is None:
            return plan_update(call.store, record, sent, claims)
        if not key:
            raise not_found(f"Could not find {SINGULAR[kind]} {id_}")
        return plan_create(call.store, kind, {key: id_} | sent, None, claims)

    writes, errors = plan_all(call, items, plan)
    results = [written(call, item, write) | {"new": write.record is None} for item, write in writes]
    return batch_answer(call, _unordered(results), errors)


def archive(call: Call) -> Answer:
    for item in call.items(BATCH_LIMIT):
        record = call.store.alive(call.kind(), text_of(item, "id"))
        if record:
            call.store.archive(record, call.at)
    return NOTHING


def _key_of(items: list[Item]) -> str:
    keys = {item.get("idProperty") or "" for item in items}
    if len(keys) > 1:
        raise bad_request("all inputs of a batch must have the same idProperty")
    key = keys.pop()
    return "" if key == "hs_object_id" else str(key)


def _folded(id_: str, key: str) -> str:
    return id_.strip().lower() if key == "email" else id_


def _unordered(results: list[Item]) -> list[Item]:
    """HubSpot promises no order of a batch's results, so they never come in the inputs' order."""
    return sorted(results, key=lambda each: int(each["id"]), reverse=True)

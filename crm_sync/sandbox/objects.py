"""Contacts, tasks, deals and companies: one by one and in batches."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from .batches import batch_answer, plan_all, refuse_twice
from .call import NOTHING, Answer, Call, Item, kind_named, only, properties_of, strings_of, text_of
from .links import LABELS
from .moments import iso
from .refusals import bad_request, not_found
from .store import CREATED, MODIFIED, SINGULAR, TYPE_IDS, Record
from .writes import Claims, Write, commit, plan_create, plan_update

BATCH_LIMIT = 100
INLINE_LINKS = 100  # associations inside a record are cut there and say so with `paging`
SHOWN = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("domain", "name"),
    "deals": ("amount", "closedate", "dealname", "dealstage", "pipeline"),
    "tasks": (),
}


def create(call: Call) -> Answer:
    sent = call.document()
    only(sent, ("properties", "associations", "objectWriteTraceId"))
    write = plan_create(call.store, call.kind(), properties_of(sent), sent.get("associations"), {})
    return 201, _written(call, sent, write)


def read(call: Call) -> Answer:
    record = _asked_for(call)
    body = view(call, record, call.names("properties") or None, call.names("propertiesWithHistory"))
    return 200, body | _inline(call, record)


def page(call: Call) -> Answer:
    history = call.names("propertiesWithHistory")
    limit = call.limit(10, 50 if history else 100)
    records = call.store.after(call.kind(), call.after(), archived=call.flag("archived"))
    found = list(islice(records, limit + 1))
    asked = call.names("properties") or None
    results = [view(call, each, asked, history) | _inline(call, each) for each in found[:limit]]
    more = call.next_page(found[limit - 1].id) if len(found) > limit else {}
    return 200, {"results": results} | more


def update(call: Call) -> Answer:
    sent = call.document()
    only(sent, ("properties", "objectWriteTraceId"))
    record = _named(call, call.args["id"], call.text("idProperty"))
    write = plan_update(call.store, record, properties_of(sent), {})
    return 200, _written(call, sent, write)


def archive(call: Call) -> Answer:
    record = call.store.find(call.kind(), call.args["id"])
    if record is None:
        raise not_found()
    if record.archived_at is None:
        call.store.archive(record, call.at)
    return NOTHING


def merge(call: Call) -> Answer:
    """Both records end, and a new one with a new id takes their place (HubSpot's changelog).

    The primary's values win; the ids of all that went in are in `hs_merged_object_ids`.
    """
    sent, store, kind = call.document(), call.store, call.kind()
    primary, other = (
        store.alive(kind, text_of(sent, name)) for name in ("primaryObjectId", "objectIdToMerge")
    )
    if primary is None or other is None:
        raise not_found()
    if primary is other:
        raise bad_request("a record cannot be merged with itself")
    return 200, view(call, merge_records(call, primary, other))


def merge_records(call: Call, primary: Record, other: Record) -> Record:
    store, kind = call.store, call.kind()
    values = other.properties | primary.properties | _merged_facts(primary, other)
    merged = store.create(kind, call.at)
    values = {name: value for name, value in values.items() if name not in merged.properties}
    for old in (primary, other):
        store.links.move((kind, old.id), (kind, merged.id))
        store.erase(old)
        store.merged[kind][old.id] = merged.id
    store.write(merged, values, call.at)
    return merged


def _merged_facts(primary: Record, other: Record) -> dict[str, str]:
    ids = [*_listed(primary, "hs_merged_object_ids"), *_listed(other, "hs_merged_object_ids")]
    facts = {"hs_merged_object_ids": ";".join([*ids, primary.id, other.id])}
    addresses = [
        *_listed(primary, "hs_additional_emails"),
        *_listed(other, "email"),
        *_listed(other, "hs_additional_emails"),
    ]
    if primary.kind == "contacts" and "email" in primary.properties:
        facts["hs_additional_emails"] = ";".join(addresses)
    return facts


def _listed(record: Record, name: str) -> list[str]:
    return [part for part in record.properties.get(name, "").split(";") if part]


def gdpr_delete(call: Call) -> Answer:
    """Erase a contact; its address may never come back, even if nobody had it."""
    sent = call.document()
    name, value = sent.get("idProperty") or "", text_of(sent, "objectId")
    record = (
        call.store.by_unique("contacts", name, value)
        if name
        else call.store.find("contacts", value)
    )
    if record is None and name != "email":
        raise not_found()
    call.store.blocklist.update(_listed(record, "email") if record else [value.strip().lower()])
    if record:
        call.store.blocklist.update(_listed(record, "hs_additional_emails"))
        call.store.erase(record)
    return NOTHING


def batch_create(call: Call) -> Answer:
    kind, claims = call.kind(), Claims()

    def plan(item: Item) -> Write:
        only(item, ("properties", "associations", "objectWriteTraceId"))
        sent = properties_of(item)
        return plan_create(call.store, kind, sent, item.get("associations"), claims)

    writes, errors = plan_all(call.items(BATCH_LIMIT), plan)
    results = [_written(call, item, write) for item, write in writes]
    return batch_answer(call, _unordered(results), errors, 201)


def batch_read(call: Call) -> Answer:
    sent, kind = call.document(), call.kind()
    key = sent.get("idProperty") or ""
    asked, history = strings_of(sent, "properties"), strings_of(sent, "propertiesWithHistory")
    found: dict[str, Record] = {}
    missing = []
    for id_ in (text_of(item, "id") for item in call.items(BATCH_LIMIT)):
        record = _lookup(call, kind, id_, key)
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


def batch_update(call: Call) -> Answer:
    """By record id or a custom unique property; not by e-mail, not by an id merged away."""
    items, kind, claims = call.items(BATCH_LIMIT), call.kind(), Claims()
    key = _key_of(items)
    if key == "email":
        raise _non_unique(kind, key)
    refuse_twice(text_of(item, "id") for item in items)

    def plan(item: Item) -> Write:
        only(item, ("id", "idProperty", "properties", "objectWriteTraceId"))
        record = _lookup(call, kind, text_of(item, "id"), key, follow=False)
        if record is None or record.archived_at is not None:
            raise not_found(f"Could not find {SINGULAR[kind]} {item['id']}")
        return plan_update(call.store, record, properties_of(item), claims)

    writes, errors = plan_all(items, plan)
    results = [_written(call, item, write) for item, write in writes]
    return batch_answer(call, _unordered(results), errors)


def batch_upsert(call: Call) -> Answer:
    """Update what the unique property finds, create the rest; `new` tells which it was."""
    items, kind, claims = call.items(BATCH_LIMIT), call.kind(), Claims()
    key = _key_of(items)
    refuse_twice(_folded(text_of(item, "id"), key) for item in items)

    def plan(item: Item) -> Write:
        only(item, ("id", "idProperty", "properties", "objectWriteTraceId"))
        sent, id_ = properties_of(item), text_of(item, "id")
        record = _lookup(call, kind, id_, key, follow=False)
        if record and record.archived_at is None:
            return plan_update(call.store, record, sent, claims)
        if not key:
            raise not_found(f"Could not find {SINGULAR[kind]} {id_}")
        return plan_create(call.store, kind, {key: id_} | sent, None, claims)

    writes, errors = plan_all(items, plan)
    results = [
        _written(call, item, write) | {"new": write.record is None} for item, write in writes
    ]
    return batch_answer(call, _unordered(results), errors)


def batch_archive(call: Call) -> Answer:
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


def _lookup(call: Call, kind: str, id_: str, key: str, *, follow: bool = True) -> Record | None:
    if not key or key == "hs_object_id":
        return call.store.find(kind, id_, follow=follow)
    if key not in call.store.unique_names(kind):
        raise _non_unique(kind, key)
    return call.store.by_unique(kind, key, id_)


def _non_unique(kind: str, name: str) -> Exception:
    message = f"Unable to perform update/upsert by non-unique {TYPE_IDS[kind]} property {name}"
    return bad_request(message)


def _named(call: Call, id_: str, key: str) -> Record:
    """The live record an address names; 404 for none and for an archived one."""
    record = _lookup(call, call.kind(), id_, key)
    if record is None or record.archived_at is not None:
        raise not_found()
    return record


def _asked_for(call: Call) -> Record:
    record = _lookup(call, call.kind(), call.args["id"], call.text("idProperty"))
    if record is None or (record.archived_at is not None) != call.flag("archived"):
        raise not_found()
    return record


def _written(call: Call, item: Item, write: Write) -> Item:
    """Carry a write out; the answer has the usual properties and those that were sent."""
    trace = item.get("objectWriteTraceId")
    record = commit(call.store, write, call.at)
    body = view(call, record, [*SHOWN[record.kind], *write.changes])
    return body | ({"objectWriteTraceId": trace} if trace else {})


def _unordered(results: list[Item]) -> list[Item]:
    """HubSpot promises no order of a batch's results, so they never come in the inputs' order."""
    return sorted(results, key=lambda each: int(each["id"]), reverse=True)


def view(
    call: Call,
    record: Record,
    asked: Iterable[str] | None = None,
    history: Iterable[str] = (),
    properties: dict[str, str] | None = None,
) -> Item:
    """A record as the API shows it: values are strings or null, unknown names are left out."""
    body: Item = {
        "id": record.id,
        "properties": _values(call, record, asked, properties),
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
        "archived": record.archived_at is not None,
        "url": f"{call.base}/{record.kind}/{record.id}",
    }
    if record.archived_at:
        body["archivedAt"] = iso(record.archived_at)
    if history:
        body["propertiesWithHistory"] = {name: list(_versions(record, name)) for name in history}
    return body


def _values(
    call: Call, record: Record, asked: Iterable[str] | None, properties: dict[str, str] | None
) -> dict[str, str | None]:
    held = record.properties if properties is None else properties
    stamps = (
        CREATED.get(record.kind, "createdate"),
        MODIFIED.get(record.kind, "hs_lastmodifieddate"),
        "hs_object_id",
    )
    names = [*(SHOWN[record.kind] if asked is None else asked), *stamps]
    known = call.store.definition
    return {name: held.get(name) for name in names if known(record.kind, name)}


def _versions(record: Record, name: str) -> Iterator[Item]:
    for at, value in reversed(record.history.get(name, [])):
        yield {"value": value, "timestamp": iso(at), "sourceType": "INTEGRATION"}


def _inline(call: Call, record: Record) -> Item:
    """Links of the record by type of object, as GET shows them: at most a hundred entries each."""
    found: dict[str, Any] = {}
    for kind in map(kind_named, call.names("associations")):
        rows = [
            {"id": id_, "type": _type_name(type_id)}
            for id_, type_ids in call.store.linked(record, kind).items()
            for type_id in sorted(type_ids)
        ]
        if rows:
            more = {} if len(rows) <= INLINE_LINKS else _more(call, record, kind, rows)
            found[kind] = {"results": rows[:INLINE_LINKS]} | more
    return {"associations": found} if found else {}


def _type_name(type_id: int) -> str:
    label = LABELS[type_id]
    name = f"{SINGULAR[label.source]}_to_{SINGULAR[label.target]}"
    return f"{name}_unlabeled" if label.name is None and label.implies else name


def _more(call: Call, record: Record, kind: str, rows: list[Item]) -> Item:
    after = rows[INLINE_LINKS - 1]["id"]
    path = f"/crm/v4/objects/{record.kind}/{record.id}/associations/{kind}"
    return {"paging": {"next": {"after": after, "link": f"{call.base}{path}?after={after}"}}}

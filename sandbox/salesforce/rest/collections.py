"""`/composite/sobjects`: up to 200 records in one request, each with a result of its own."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..call import Answer, Call, Item, listed
from ..org import ids
from ..org.moments import as_json
from ..org.objects import SObject
from ..refusals import Refusal, bad, bad_json, no_column
from ..soql.paths import Reader
from ..soql.running import value_of
from ..soql.tree import Path
from . import upsert

MOST_ROWS = 200
MOST_READ = 2_000
MOST_CHUNKS = 10  # of rows of one object, one after another
# Checks one row and answers what carries it out.
Plan = Callable[[], Item]
ROLLED_BACK = bad(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


def create(call: Call) -> Answer:
    def plan(object_: SObject, sent: Item) -> Plan:
        values = call.writer.read(object_, sent)
        return lambda: {"id": call.writer.create(object_, values).id}

    return _each(call, [partial(plan, *row) for row in _rows(call)])


def update(call: Call) -> Answer:
    seen: set[str] = set()

    def plan(object_: SObject, sent: Item) -> Plan:
        name = next((each for each in sent if each.lower() == "id"), "")
        id_ = sent.pop(name, None)
        values = call.writer.read(object_, sent)
        return lambda: {"id": changed(object_, id_, values)}

    def changed(object_: SObject, id_: Any, values: Item) -> str:
        if not id_:
            raise bad("MISSING_ARGUMENT", "Id not specified in an update call", [])
        record = call.writer.record(id_, object_)
        if record.id in seen:
            raise bad("DUPLICATE_VALUE", f"Duplicate id in list: {record.id}", [])
        seen.add(record.id)
        return call.writer.update(record, values).id

    return _each(call, [partial(plan, *row) for row in _rows(call)])


def upsert_rows(call: Call) -> Answer:
    """By an external id, whose value is in each row."""

    def plan(object_: SObject, sent: Item) -> Plan:
        field = upsert.key_field(call, object_)
        name = next((each for each in sent if each.lower() == field.name.lower()), "")
        value = sent.pop(name, None)
        values = call.writer.read(object_, sent)
        return lambda: upsert.save(call, object_, field, value, values)

    return _each(call, [partial(plan, *row) for row in _rows(call, call.object())])


def delete(call: Call) -> Answer:
    asked = [each for each in call.query.get("ids", "").split(",") if each]
    all_or_none = call.flag(call.query.get("allOrNone"), "allOrNone")

    def plan(id_: str) -> Plan:
        return lambda: gone(id_)

    def gone(id_: str) -> Item:
        record = call.writer.record(id_)
        call.writer.delete(record)
        return {"id": record.id}

    ids_ = listed(asked, MOST_ROWS, "ids")
    return _each(call, [partial(plan, id_) for id_ in ids_], all_or_none)


def retrieve(call: Call) -> Answer:
    """In the order of the ids; null for what is not there, deleted, or not for this user."""
    if call.method == "POST":
        sent = call.document("ids", "fields")
    else:
        sent = {name: call.query.get(name, "").split(",") for name in ("ids", "fields")}
    object_, reader = call.object(), Reader(call.store, call.access)
    names = listed(sent.get("fields"), 1_000, "fields")
    columns = [reader.column(object_, _path(object_, name)) for name in names]
    found: list[Item | None] = []
    for id_ in listed(sent.get("ids"), MOST_READ, "ids"):
        if ids.full(id_) is None:
            raise bad("MALFORMED_ID", f"malformed id {str(id_)[:80]}")
        record = call.store.find(id_, object_.name)
        if record is None or record.is_deleted or not call.access.sees(record):
            found.append(None)
            continue
        url = f"{call.base}/sobjects/{object_.name}/{record.id}"
        shown = {each.field.name: as_json(value_of(each, record)) for each in columns}
        found.append({"attributes": {"type": object_.name, "url": url}} | {"Id": record.id} | shown)
    return 200, found


def _path(object_: SObject, name: Any) -> Path:
    if not isinstance(name, str) or "." in name:
        raise no_column(str(name)[:80], object_.name)
    return Path((name,))


def _rows(call: Call, only: SObject | None = None) -> list[tuple[SObject, Item]]:
    """The records of the body with the objects they are of; the request as a whole is checked here."""
    sent = call.document("allOrNone", "records")
    call.flag(sent.get("allOrNone"), "allOrNone")
    found: list[tuple[SObject, Item]] = []
    chunks = 0
    for row in listed(sent.get("records"), MOST_ROWS, "records"):
        attributes = row.get("attributes") if isinstance(row, dict) else None
        if not isinstance(attributes, dict) or "type" not in attributes:
            raise bad_json("Include the attributes with the type of each record")
        object_ = call.writer.object(attributes["type"])
        if only and object_ is not only:
            raise bad("INVALID_TYPE", f"each record must be of type {only.name}")
        chunks += not found or found[-1][0] is not object_
        found.append(
            (object_, {name: value for name, value in row.items() if name != "attributes"})
        )
    if chunks > MOST_CHUNKS:
        raise bad("LIMIT_EXCEEDED", f"records of different types in more than {MOST_CHUNKS} chunks")
    return found


def _each(
    call: Call, planned: Sequence[Callable[[], Plan]], all_or_none: bool | None = None
) -> Answer:
    """All rows are read before one is carried out."""
    if all_or_none is None:
        all_or_none = call.flag(call.document().get("allOrNone"), "allOrNone")
    plans = [_read(call, each) for each in planned]
    before = call.snapshot() if all_or_none else None
    results = [_result(call, number, plan) for number, plan in enumerate(plans)]
    if before is not None and not all(each["success"] for each in results):
        call.roll_back(before)
        results = [_failed(ROLLED_BACK.row()) if each["success"] else each for each in results]
    return 200, results


def _read(call: Call, planned: Callable[[], Plan]) -> Plan | Refusal:
    try:
        return planned()
    except Refusal as refusal:
        spoils = {
            "JSON_PARSER_ERROR": call.settings.value_spoils_all,
            "INVALID_FIELD": call.settings.column_spoils_all,
        }
        if spoils.get(refusal.code, True):
            raise
        return refusal


def _result(call: Call, number: int, plan: Plan | Refusal) -> Item:
    if call.spoilt and number % 3 == 2:
        return _failed(dict(call.spoilt))
    try:
        if isinstance(plan, Refusal):
            raise plan
        return plan() | {"success": True, "errors": []}
    except Refusal as refusal:
        return _failed(refusal.row())


def _failed(error: Item) -> Item:
    return {"success": False, "errors": [error]}

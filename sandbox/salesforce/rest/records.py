"""`/sobjects`: records one by one."""

from ..call import NOTHING, Answer, Call
from ..org import ids
from ..org.moments import as_json
from ..org.store import Record
from ..refusals import Refusal, bad, not_found
from ..soql.paths import Reader
from ..soql.running import value_of
from ..soql.tree import Path


def create(call: Call) -> Answer:
    object_ = call.object()
    record = call.writer.create(object_, call.writer.read(object_, call.document()))
    return 201, {"id": record.id, "success": True, "errors": []}


def read(call: Call) -> Answer:
    object_, record = call.object(), _named(call)
    if record.is_deleted:
        raise not_found()
    reader = Reader(call.store, call.access)
    asked = call.query.get("fields", "")
    names = asked.split(",") if asked else [
        each.name for each in object_.fields.values() if call.access.reads(object_, each)
    ]  # fmt: skip
    columns = [reader.column(object_, Path((name.strip(),))) for name in names]
    url = f"{call.base}/sobjects/{object_.name}/{record.id}"
    shown = {each.field.name: as_json(value_of(each, record)) for each in columns}
    return 200, {"attributes": {"type": object_.name, "url": url}} | shown


def update(call: Call) -> Answer:
    object_, record, sent = call.object(), _named(call), call.document()
    if any(name.lower() == "id" for name in sent):
        raise bad(
            "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ["Id"]
        )
    values = call.writer.read(object_, sent)
    call.writer.update(call.writer.record(record.id, object_), values)
    return NOTHING


def delete(call: Call) -> Answer:
    call.writer.delete(call.writer.record(_named(call).id, call.object()))
    return NOTHING


def _named(call: Call) -> Record:
    """The record of the path, a deleted one too."""
    if ids.full(call.args["id"]) is None:
        raise not_found(
            f"Provided external ID field does not exist or is not accessible: {call.args['id'][:80]}"
        )
    record = call.store.find(call.args["id"], call.object().name)
    if record is None or not call.access.sees(record):
        raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")
    return record

"""Create or update by the value of an external id."""

from typing import Any

from ..call import Answer, Call, Item
from ..org.fields import Field
from ..org.objects import SObject
from ..refusals import Refusal, bad, not_found

NO_KEY = "Provided external ID field does not exist or is not accessible: "


def by_path(call: Call) -> Answer:
    """`/sobjects/Lead/Ext__c/value`."""
    object_ = call.object()
    field, value = key_field(call, object_), call.args["value"]
    if "." in value.rpartition("/")[2]:
        raise not_found()  # what looks like the name of a file is taken for a format
    sent = call.document()
    if any(name.lower() in ("id", field.name.lower()) for name in sent):
        message = f"The {field.name} field should not be specified in the sobject data."
        raise bad("INVALID_FIELD", message, [field.name])
    several = call.store.live_holding(object_.name, field.name, value)
    if len(several) > 1:
        return 300, [f"{call.base}/sobjects/{object_.name}/{each.id}" for each in several]
    if not several and call.flag(call.query.get("updateOnly"), "updateOnly"):
        raise not_found()
    saved = save(call, object_, field, value, call.writer.read(object_, sent))
    return (201 if saved["created"] else 200), {**saved, "success": True, "errors": []}


def key_field(call: Call, object_: SObject) -> Field:
    field = object_.find(call.args["field"])
    if field is None or not field.external_id or not call.access.reads(object_, field):
        raise not_found(NO_KEY + call.args["field"][:80])
    return field


def save(call: Call, object_: SObject, field: Field, value: Any, values: Item) -> Item:
    """An update overwrites what is there."""
    if not isinstance(value, str) or not value:
        raise bad("MISSING_ARGUMENT", f"{field.name} not specified", [])
    several = call.store.live_holding(object_.name, field.name, value)
    if len(several) > 1:
        message = f"{field.name}: more than one record found for external id field: {value[:80]}"
        raise Refusal(300, "DUPLICATE_EXTERNAL_ID", message, [field.name])
    if several:
        return {"id": call.writer.update(several[0], values).id, "created": False}
    return {"id": call.writer.create(object_, values | {field.name: value}).id, "created": True}

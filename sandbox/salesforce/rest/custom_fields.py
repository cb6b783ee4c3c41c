"""`/tooling/sobjects/CustomField`: fields made and removed over the tooling API.

A new field is seen by nobody until a permission set grants it; those of tasks are defined on Activity.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..call import NOTHING, Answer, Call, Item
from ..org import ids
from ..org.fields import Field, Option
from ..org.store import Record
from ..refusals import Refusal, bad, bad_json, not_found

NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9]){0,39}__c")
ACTIVITY = ("Task",)
# Objects that take fields, by the name in `FullName`.
TAKERS: Mapping[str, tuple[str, ...]] = {
    "Lead": ("Lead",), "Contact": ("Contact",), "Account": ("Account",), "Opportunity": ("Opportunity",),
    "Activity": ACTIVITY,
}  # fmt: skip
KEYS = {"label", "type", "length", "precision", "scale", "description", "inlineHelpText", "externalId", "unique",
        "caseSensitive", "required", "visibleLines", "valueSet", "defaultValue", "trackHistory",
        "trackFeedHistory", "trackTrending"}  # fmt: skip
MOST_EXTERNAL_IDS = 25
LONGEST_TEXT, LONGEST_AREA = 255, 131_072


def create(call: Call) -> Answer:
    _check_administrator(call)
    sent = call.document("FullName", "Metadata")
    metadata = sent.get("Metadata")
    if not isinstance(metadata, dict) or not isinstance(sent.get("FullName"), str):
        raise bad(
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [FullName, Metadata]",
            ["FullName", "Metadata"],
        )
    unknown = metadata.keys() - KEYS
    if unknown:
        raise bad_json(f'Unrecognized field "{sorted(unknown)[0][:80]}"')
    holder, _, name = sent["FullName"].partition(".")
    _check_name(call, holder, name)
    for object_ in TAKERS[holder]:
        call.store.define(object_, _made(name, metadata), call.at)
    row = {
        "DeveloperName": name.removesuffix("__c"),
        "TableEnumOrId": holder,
        "FullName": sent["FullName"],
    }
    made = call.store.add("CustomField", row, call.at, call.access.user_id)
    return 201, {"id": made.id, "success": True, "errors": [], "warnings": [], "infos": []}


def delete(call: Call) -> Answer:
    _check_administrator(call)
    remove(call, _row(call))
    return NOTHING


def read(call: Call) -> Answer:
    row = _row(call)
    holder, _, name = row.get("FullName").partition(".")
    field = call.store.objects[TAKERS[holder][0]].fields[name]
    names = ("DeveloperName", "TableEnumOrId", "FullName")
    return 200, {
        "Id": row.id,
        **{each: row.get(each) for each in names},
        "Metadata": field.metadata,
    }


def remove(call: Call, row: Record) -> None:
    holder, _, name = row.get("FullName").partition(".")
    for object_ in TAKERS[holder]:
        call.store.undefine(object_, name, call.at)
        for each in list(call.store.all("FieldPermissions")):
            if each.get("Field") == f"{object_}.{name}":
                call.store.remove(each)
    call.store.remove(row)


def _row(call: Call) -> Record:
    found = call.store.find(ids.full(call.args["id"]), "CustomField")
    if found is None:
        raise not_found()
    return found


def _check_administrator(call: Call) -> None:
    if not call.access.has("CustomizeApplication"):
        raise Refusal(
            403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id", []
        )


def _check_name(call: Call, holder: str, name: str) -> None:
    if holder not in TAKERS:
        message = (
            f"Custom Field Definition ID: bad value for restricted picklist field: {holder[:80]}"
        )
        raise bad("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["TableEnumOrId"])
    if not NAME.fullmatch(name) or "__" in name.removesuffix("__c"):
        message = (
            "Field Name: The Custom Field API Name can only contain underscores and alphanumeric characters. "
            "It must be unique, begin with a letter, not include spaces, not end with an underscore, and not "
            "contain two consecutive underscores."
        )
        raise bad("FIELD_INTEGRITY_EXCEPTION", message, ["DeveloperName"])
    if call.store.objects[TAKERS[holder][0]].find(name):
        message = f"There is already a field named {name.removesuffix('__c')} on {holder}."
        raise bad("DUPLICATE_DEVELOPER_NAME", message, ["DeveloperName"])
    held = [
        each for each in call.store.objects[TAKERS[holder][0]].fields.values() if each.external_id
    ]
    if len(held) >= MOST_EXTERNAL_IDS and call.document()["Metadata"].get("externalId"):
        raise bad("LIMIT_EXCEEDED", f"{holder} has {MOST_EXTERNAL_IDS} external ids already", [])


def _made(name: str, metadata: Mapping[str, Any]) -> Field:
    type_ = _needed(metadata, "type", str)
    if type_ not in TYPES:
        message = f"bad value for restricted picklist field: {type_[:80]}"
        raise bad("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["type"])
    field = TYPES[type_](metadata)
    field.name, field.custom, field.metadata = name, True, dict(metadata)
    field.label = _needed(metadata, "label", str)
    if len(field.label) > 40:
        raise bad(
            "STRING_TOO_LONG",
            f"Label: data value too large: {field.label} (max length=40)",
            ["label"],
        )
    field.required = _flag(metadata, "required")
    field.external_id, field.unique = _flag(metadata, "externalId"), _flag(metadata, "unique")
    if (field.external_id or field.unique) and type_ not in ("Text", "Number", "Email"):
        message = f"Can not specify 'externalId' for a CustomField of type {type_}"
        raise bad("FIELD_INTEGRITY_EXCEPTION", message, ["externalId"])
    field.case_sensitive = _flag(metadata, "caseSensitive")
    field.indexed = field.external_id or field.unique
    return field


def _needed(metadata: Mapping[str, Any], name: str, type_: type) -> Any:
    value = metadata.get(name)
    if value is None:
        message = f"Must specify '{name}' for a CustomField of type {metadata.get('type')}"
        raise bad("FIELD_INTEGRITY_EXCEPTION", message, [name])
    if not isinstance(value, type_) or isinstance(value, bool):
        raise bad_json(f"Cannot deserialize {name}")
    return value


def _flag(metadata: Mapping[str, Any], name: str) -> bool:
    value = metadata.get(name)
    if value not in (None, True, False):
        raise bad_json(f"Cannot deserialize instance of boolean from value of {name}")
    return bool(value)


def _text(metadata: Mapping[str, Any]) -> Field:
    return Field("", "string", length=_within(metadata, "length", LONGEST_TEXT))


def _area(metadata: Mapping[str, Any]) -> Field:
    _needed(metadata, "visibleLines", int)
    length = _within(metadata, "length", LONGEST_AREA)
    if length <= LONGEST_TEXT:
        raise bad(
            "FIELD_INTEGRITY_EXCEPTION", "A long text area has at least 256 characters", ["length"]
        )
    return Field("", "textarea", length=length)


def _within(metadata: Mapping[str, Any], name: str, most: int) -> int:
    value = int(_needed(metadata, name, int))
    if not 0 < value <= most:
        message = f"{name}: value outside of valid range on numeric field: {value}"
        raise bad("NUMBER_OUTSIDE_VALID_RANGE", message, [name])
    return value


def _number(type_: str) -> Callable[[Mapping[str, Any]], Field]:
    def made(metadata: Mapping[str, Any]) -> Field:
        precision, scale = _within(metadata, "precision", 18), int(_needed(metadata, "scale", int))
        if not 0 <= scale <= precision:
            raise bad(
                "NUMBER_OUTSIDE_VALID_RANGE",
                f"scale: value outside of valid range: {scale}",
                ["scale"],
            )
        return Field("", type_, precision=precision, scale=scale)

    return made


def _picklist(metadata: Mapping[str, Any]) -> Field:
    """`valueSet`: {restricted, valueSetDefinition: {sorted, value: [{fullName, default, label}]}}."""
    value_set = _needed(metadata, "valueSet", dict)
    values = (value_set.get("valueSetDefinition") or {}).get("value")
    if not isinstance(values, list) or not values:
        message = "Must specify either valueSetName or valueSetDefinition for a picklist"
        raise bad("FIELD_INTEGRITY_EXCEPTION", message, ["valueSet"])
    options = [_option(each) for each in values]
    if len({each.value.lower() for each in options}) < len(options):
        raise bad("DUPLICATE_VALUE", "Duplicate value in the value set", ["valueSet"])
    default = next((each.value for each in options if each.default), None)
    return Field(
        "",
        "picklist",
        length=255,
        options=options,
        restricted=bool(value_set.get("restricted")),
        default=default,
    )


def _option(value: Item) -> Option:
    if not isinstance(value, dict) or not isinstance(value.get("fullName"), str):
        raise bad_json("Cannot deserialize a value of the value set")
    return Option(
        value["fullName"],
        value.get("label") or value["fullName"],
        default=bool(value.get("default")),
    )


def _checkbox(metadata: Mapping[str, Any]) -> Field:
    if metadata.get("defaultValue") is None:
        raise bad(
            "FIELD_INTEGRITY_EXCEPTION",
            "Must specify 'defaultValue' for a CustomField of type Checkbox",
            ["defaultValue"],
        )
    return Field("", "boolean", default=metadata["defaultValue"] in (True, "true"))


TYPES: Mapping[str, Callable[[Mapping[str, Any]], Field]] = {
    "Text": _text,
    "LongTextArea": _area,
    "TextArea": lambda metadata: Field("", "textarea", length=LONGEST_TEXT),
    "Number": _number("double"),
    "Currency": _number("currency"),
    "Percent": _number("percent"),
    "Picklist": _picklist,
    "Checkbox": _checkbox,
    "Date": lambda metadata: Field("", "date"),
    "DateTime": lambda metadata: Field("", "datetime"),
    "Email": lambda metadata: Field("", "email", length=80),
    "Phone": lambda metadata: Field("", "phone", length=40),
    "Url": lambda metadata: Field("", "url", length=255),
}

"""Values of people's fields: as text for us, in JSON's types for Pipedrive.

docs/pipedrive-facts.md#field-types
"""

import math
from collections.abc import Callable, Mapping
from datetime import date

from crm_sync.pipedrive.records.lists import object_of
from crm_sync.pipedrive.records.person_fields import CONTACT_DATA, Fields, PersonField
from crm_sync.pipedrive.transport.client import Json

LONGEST_LINE, LONGEST_TEXT = 255, 65_000  # characters


def property_text(item: Json, name: str, fields: Fields) -> str:
    """Return a value of a person as text, "" for none."""
    if name in CONTACT_DATA:
        return primary_value(item, f"{name}s")
    found = fields.get(name)
    if found is None or not found.custom:
        return _plain(item.get(name))
    return value_text(object_of(item, "custom_fields").get(name), found)


def value_text(value: object, found: PersonField) -> str:
    """Return a value of an account's field as text; a choice by its label."""
    if isinstance(value, dict):
        value = value.get("value", value.get("id"))
    if isinstance(value, list):
        return "; ".join(value_text(each, found) for each in value)
    plain = _plain(value)
    return found.options.get(plain, plain)


def _plain(value: object) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def json_value(text: str, found: PersonField) -> object:
    """Return a text in the type that the field takes; raise ValueError with a reason for a person."""
    if not text:
        return None
    write = WRITERS.get(found.type)
    if write is None or not found.custom:
        raise ValueError("this program cannot write to a field of this type")
    return write(text, found)


def _number(text: str, found: PersonField) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("it is not a number")
    return int(number) if number.is_integer() else number


def _option(text: str, found: PersonField) -> int:
    option_id = found.option_id(text)
    if option_id is None:
        raise ValueError("it is none of the field's options")
    return option_id


def _day(text: str, found: PersonField) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise ValueError("it is not a day") from None


def _line(text: str, found: PersonField) -> str:
    return text[:LONGEST_LINE]


def _long_text(text: str, found: PersonField) -> str:
    return text[:LONGEST_TEXT]


WRITERS: Mapping[str, Callable[[str, PersonField], object]] = {
    "double": _number,
    "enum": _option,
    "date": _day,
    "varchar": _line,
    "varchar_auto": _line,
    "phone": _line,
    "text": _long_text,
}


def values_at(item: Json, name: str) -> list[Json]:
    """Return the entries of `emails` or `phones` that have a value."""
    listed = item.get(name)
    entries = listed if isinstance(listed, list) else []
    return [each for each in entries if isinstance(each, dict) and each.get("value")]


def primary_value(item: Json, name: str) -> str:
    """Return the primary address or number, else the first."""
    entries = values_at(item, name)
    chosen = next((each for each in entries if each.get("primary") is True), None)
    return str((chosen or (entries[0] if entries else {})).get("value") or "")


def with_primary(item: Json, name: str, value: str) -> list[Json]:
    """Return a person's addresses or numbers with one of them as the primary: none is taken away.

    A write replaces the whole list. docs/pipedrive-facts.md#addresses
    """
    others = [
        {"value": each["value"], "primary": False, "label": str(each.get("label") or "work")}
        for each in values_at(item, name)
        if str(each["value"]).strip().lower() != value.strip().lower()
    ]
    return [{"value": value, "primary": True, "label": "work"}, *others]

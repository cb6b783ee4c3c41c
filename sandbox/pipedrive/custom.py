"""Fields of the account's own: values by the field's code, a hash that is another in each account."""

import re
from datetime import date
from typing import Any

from .call import Call
from .refusals import Refusal, invalid
from .store import Item

LONGEST = {"varchar": 255, "varchar_auto": 255, "phone": 255, "text": 65_000}
NUMBERS = ("user", "org", "people")
OBJECTS = {"monetary": "currency", "time": "timezone_name", "address": "", "daterange": "until"}


def checked(call: Call, kind: str, sent: Item) -> Item:
    """The values as they are kept; a null is kept as no value."""
    known = call.store.fields[kind]
    found = {}
    for code, value in sent.items():
        field = known.get(code)
        if field is None or not field["is_custom_field"]:
            raise invalid("custom_fields", f"Unknown key '{code}'")
        try:
            found[code] = _value(call, field, value)
        except ValueError as error:
            raise _refused(call, code, str(error)) from None
    return found


def _refused(call: Call, code: str, reason: str) -> Refusal:
    if call.settings.field_errors_named:
        return invalid(f"custom_fields.{code}", reason)
    return invalid("custom_fields", reason)


def _value(call: Call, field: Item, value: Any) -> Any:
    kind = field["field_type"]
    if value is None:
        if not call.settings.null_empties:
            raise ValueError("The value must not be null")
        return None
    if kind in LONGEST:
        return _text(call, value, LONGEST[kind])
    if kind == "double":
        _need(isinstance(value, int | float) and not isinstance(value, bool), "number")
    elif kind == "enum":
        _need(_is_whole(value), "integer")
        _check_options(field, [value])
    elif kind == "set":
        _need(isinstance(value, list) and value and all(map(_is_whole, value)), "array")
        _check_options(field, value)
    elif kind == "date":
        _need(isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)), "date")
        date.fromisoformat(value)
    elif kind in NUMBERS:
        _need(_is_whole(value), "integer")
    else:
        _need(isinstance(value, dict) and "value" in value, "object")
        _need(not set(value) - {"value", OBJECTS.get(kind, "")}, "object")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(call: Call, value: Any, longest: int) -> str:
    _need(isinstance(value, str), "string")
    text = str(value)
    if len(text) > longest and not call.settings.long_text_cut:
        raise ValueError(f"must have at most {longest} characters")
    return text[:longest]


def _need(is_so: Any, kind: str) -> None:
    if not is_so:
        raise ValueError(f"The value is not a valid '{kind}'")


def _check_options(field: Item, chosen: list[int]) -> None:
    known = {each["id"] for each in field["options"] or []}
    for each in chosen:
        if each not in known:
            raise ValueError(f"Unknown option id '{each}'")

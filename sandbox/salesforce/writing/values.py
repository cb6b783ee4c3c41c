"""Is this value one that the field may have? In: what JSON brought; out: what is stored, None for nothing.

First whether it can be read at all, which decides over the whole request, and then whether it fits.
"""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ..org.fields import NUMBERS, Field
from ..org.moments import day, instant
from ..refusals import Refusal, bad, bad_json
from ..settings import Settings

EMAIL = re.compile(r"[^@\s,;<>\"()]{1,64}@(?:[^@\s.,;<>\"()]{1,63}\.)+[^@\s.,;<>\"()]{2,63}")


def read(field: Field, value: Any) -> Any:
    """The value of the field's type; JSON_PARSER_ERROR for one of another."""
    if value is None or (value == "" and field.type in ("date", "datetime")):
        return None
    if field.type == "boolean":
        return _of(bool, "boolean", value)
    if field.type in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _unreadable(field.type, value)
        return value
    text = _of(str, "string", value)
    try:
        if field.type == "date":
            return day(text)
        if field.type == "datetime":
            return instant(text)
    except ValueError:
        raise _unreadable(field.type, value) from None
    return text


def _of(type_: type, name: str, value: Any) -> Any:
    if not isinstance(value, type_):
        raise _unreadable(name, value)
    return value


def _unreadable(name: str, value: Any) -> Refusal:
    kind = "VALUE_STRING" if isinstance(value, str) else "VALUE"
    return bad_json(
        f"Cannot deserialize instance of {name} from {kind} value {str(value)[:60]} "
        "or request may be missing a required field"
    )


def fitted(field: Field, value: Any, settings: Settings) -> Any:
    """What is stored of a value that was read."""
    if isinstance(value, str):
        value = value.strip() if settings.trims else value
        if value == "":
            return None
    if value is None:
        return None
    return CHECKS.get(field.type, _text)(field, value, settings)


def _text(field: Field, value: Any, settings: Settings) -> Any:
    if field.length and isinstance(value, str) and len(value) > field.length:
        message = f"{field.label}: data value too large: {value[:80]} (max length={field.length})"
        raise bad("STRING_TOO_LONG", message, [field.name])
    return value


def _email(field: Field, value: str, settings: Settings) -> str:
    if not EMAIL.fullmatch(value):
        message = f"{field.label}: invalid email address: {value[:80]}"
        raise bad("INVALID_EMAIL_ADDRESS", message, [field.name])
    return str(_text(field, value.lower() if settings.lowers_emails else value, settings))


def _number(field: Field, value: float, settings: Settings) -> float | int:
    """More decimals than the field has are rounded."""
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    if abs(exact) >= Decimal(10) ** (field.precision - field.scale):
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise bad("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    return int(exact) if field.type == "int" else float(exact)


def _choice(field: Field, value: str, settings: Settings) -> str:
    known = [each.value for each in field.options if each.active]
    if field.restricted and value not in known:
        message = f"{field.label}: bad value for restricted picklist field: {value[:80]}"
        raise bad("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    return str(_text(field, value, settings))


Check = Callable[[Field, Any, Settings], Any]
CHECKS: dict[str, Check] = {
    "email": _email,
    "picklist": _choice,
    "boolean": lambda field, value, settings: value,
    "date": lambda field, value, settings: value,
    "datetime": lambda field, value, settings: value,
    "reference": lambda field, value, settings: value,
    **dict.fromkeys(NUMBERS, _number),
}

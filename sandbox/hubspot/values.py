"""Is this value one that the property may have? In: what was sent; out: the text to be stored."""

import math
import re
from datetime import datetime

from ..server.moments import instant, iso
from .definitions import Definition
from .store import Store

LONGEST = 65_536
# One @, no spaces, a dotted domain: about what HubSpot lets through.
EMAIL = re.compile(r"[^@\s,;<>\"()]{1,64}@(?:[^@\s.,;<>\"()]{1,63}\.)+[^@\s.,;<>\"()]{2,63}")


class Unfit(Exception):
    """The value cannot be stored; `code` is HubSpot's word for the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def stored(store: Store, kind: str, name: str, value: object) -> str:
    """The text to keep for a value that was sent; "" clears. Unfit when it cannot be kept."""
    definition = store.definition(kind, name)
    if definition is None:
        raise Unfit("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if definition["modificationMetadata"]["readOnlyValue"]:
        raise Unfit("READ_ONLY_VALUE", f'"{name}" is a read only property')
    text = _text(value)
    return CHECKS[definition["type"]](store, definition, text) if text else ""


def _text(value: object) -> str:
    """What JSON brought, as HubSpot keeps it: everything is text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _string(store: Store, definition: Definition, text: str) -> str:
    if len(text) > LONGEST:
        raise Unfit("PROPERTY_LENGTH_LIMIT_EXCEEDED", f"longer than {LONGEST} characters")
    return _email(text) if definition.get("textDisplayHint") == "email" else text


def _email(text: str) -> str:
    if not EMAIL.fullmatch(text.strip()) or len(text) > 254:
        raise Unfit("INVALID_EMAIL", f"Email address {text[:80]} is invalid")
    return text.strip().lower()


def _number(store: Store, definition: Definition, text: str) -> str:
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Unfit("INVALID_INTEGER", f"{text[:80]} was not a valid number.")
    return text.strip()


def _datetime(store: Store, definition: Definition, text: str) -> str:
    return iso(_instant(text))


def _date(store: Store, definition: Definition, text: str) -> str:
    at = _instant(text)
    if at.time() != datetime.min.time():
        raise Unfit("INVALID_DATE", f"{text[:80]} is at {iso(at)}, not at midnight UTC.")
    return at.date().isoformat()


def _instant(text: str) -> datetime:
    try:
        return instant(text)
    except (ValueError, OverflowError):
        raise Unfit("INVALID_LONG", f"{text[:80]} was not a valid long.") from None


def _enumeration(store: Store, definition: Definition, text: str) -> str:
    allowed = choices(store, definition)
    sent = text.split(";") if definition["fieldType"] == "checkbox" else [text]
    for value in sent:
        if value and value not in allowed:
            message = f"{value[:80]} was not one of the allowed options"
            raise Unfit("INVALID_OPTION", f"{message}: {sorted(allowed)[:50]}")
    return text


def choices(store: Store, definition: Definition) -> dict[str, str]:
    """Values and labels an enumeration allows now: owners, pipelines and stages come and go."""
    if definition.get("referencedObjectType") == "OWNER":
        return {
            id_: each["email"]
            for id_, each in store.owners.items()
            if id_ not in store.rules.refused_owners
        }
    if definition["name"] == "pipeline":
        return {id_: each["label"] for id_, each in store.pipelines.items()}
    if definition["name"] == "dealstage":
        return {
            stage["id"]: stage["label"]
            for pipeline in store.pipelines.values()
            for stage in pipeline["stages"]
            if not stage["archived"]
        }
    return {option["value"]: option["label"] for option in definition["options"]}


CHECKS = {
    "string": _string,
    "phone_number": _string,
    "number": _number,
    "datetime": _datetime,
    "date": _date,
    "enumeration": _enumeration,
    "bool": _enumeration,
}

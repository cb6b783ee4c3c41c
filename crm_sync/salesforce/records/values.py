"""Values of fields: as Salesforce's JSON has them, and as the port's text.

docs/salesforce-facts.md#values
"""

from datetime import UTC, date, datetime
from typing import Any

from crm_sync.salesforce.records.schema import Column

# What stands where Salesforce requires a value and nobody knows one; Salesforce's own words for it.
# docs/salesforce-facts.md#required-names
UNKNOWN = "[not provided]"
NUMBERS = ("double", "currency", "percent", "int", "long")
TRUTHS = {"true": True, "false": False}


class UnfitValue(ValueError):
    """The field does not take the value; the text says why."""


def text_value(value: Any) -> str:
    """Return a value as text: an instant in UTC to the second, a whole number without a point."""
    if value is None or value == UNKNOWN:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return str(value)


def read_instant(value: Any) -> datetime | None:
    """Return a time in UTC; None for text that is none: that must not lose the record it came with."""
    try:
        found = datetime.fromisoformat(str(value))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def column_text(column: Column | None, value: Any) -> str:
    """Return a field's value as text."""
    if column and column.type == "datetime" and (at := read_instant(value)):
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return text_value(value)


def written_value(column: Column, text: str) -> Any:
    """Return the JSON value for a text, as Salesforce would keep it; raise UnfitValue.

    One value of a wrong type would refuse all records of its request.
    docs/salesforce-facts.md#values-that-spoil-a-request
    """
    text = text.strip()
    if not text:
        return None
    if column.type in NUMBERS:
        return _number(column, text)
    if column.type == "boolean":
        if text.lower() not in TRUTHS:
            raise UnfitValue("the value is not true or false")
        return TRUTHS[text.lower()]
    if column.type in ("date", "datetime"):
        return _time(column, text)
    if column.type == "picklist" and column.restricted and text not in column.options:
        raise UnfitValue("the value is none of the field's options")
    return text[: column.length].rstrip() if column.length else text


def _number(column: Column, text: str) -> float | int:
    try:
        number = round(float(text), column.scale)
    except (ValueError, OverflowError):
        raise UnfitValue("the value is not a number") from None
    if not abs(number) < 1e18:
        raise UnfitValue("the number is too large")
    return int(number) if number == int(number) else number


def _time(column: Column, text: str) -> str:
    try:
        if column.type == "date":
            return date.fromisoformat(text[:10]).isoformat()
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UnfitValue("the value is not a time") from None
    if at.tzinfo is None:
        raise UnfitValue("the time does not say in which time zone")
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

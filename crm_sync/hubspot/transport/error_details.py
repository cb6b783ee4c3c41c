"""Read out of an error body which properties HubSpot rejected, and why.

docs/hubspot-facts.md#error-body, docs/hubspot-facts.md#invalid-properties
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from leadscoring.common.text import bounded_line

LONGEST_VALUE = 60  # characters
# docs/hubspot-facts.md#conflict-on-a-unique-value
EXISTING_ID = re.compile(r"Existing ID: (\d{1,20})|(\d{1,20}) already has that value")
REASONS = {
    "PROPERTY_DOESNT_EXIST": "there is no such property in HubSpot",
    "INVALID_EMAIL": "HubSpot does not take it as an e-mail address",
    "INVALID_OPTION": "the value is none of the property's options",
    "INVALID_INTEGER": "the value is not a number",
    "INVALID_LONG": "the value is not a number or a time",
    "READ_ONLY_VALUE": "the property is read-only",
    "REQUIRED_FIELD": "HubSpot requires a value",
    "CONFLICTING_UNIQUE_VALUE": "another record has the same value",
}
# Part of a message → its meaning for people who do not program.
MEANINGS = {
    "associations are not valid": "the record that it belongs to is not there any more",
    "Invalid input JSON": "this program asked in a way that HubSpot does not understand, "
    "which is a fault of the program",
    "Duplicate IDs": "one record was named twice",
    "already exists": "another record has the same value",
}


def property_errors(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the rejected properties with reasons: from the JSON list inside `message`, and
    from `errors`.
    """
    return dict(_faults(body))


def conflicting_record_id(body: Mapping[str, Any]) -> str:
    """Return the record that has the unique value, which only the message names; else ""."""
    known = EXISTING_ID.search(str(body.get("message") or ""))
    return (known[1] or known[2]) if known else ""


def plain_message(message: str) -> str:
    """Return the message with its meaning before it; unchanged when its meaning is not known."""
    plain = next((plain for part, plain in MEANINGS.items() if part in message), "")
    return f"{plain} ({message})" if plain else message


def with_values(faults: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str]:
    """Add to each reason the value that was sent, so that a person can correct it."""
    return {
        name: f"{why} (it was “{bounded_line(sent[name], LONGEST_VALUE)}”)"
        if sent.get(name)
        else why
        for name, why in faults.items()
    }


def _faults(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for fault in _listed_in(str(body.get("message") or "")):
        yield (
            bounded_line(fault.get("name"), 100),
            _reason(fault.get("error"), fault.get("message")),
        )
    for error in dicts_in(body.get("errors")):
        for name in strings_in(error.get("context"), "propertyName"):
            yield bounded_line(name, 100), _reason(error.get("code"), error.get("message"))
    # docs/hubspot-facts.md#writes-refused-for-the-account
    if str(body.get("message") or "").endswith("required properties were not set."):
        for name in strings_in(body.get("context"), "properties"):
            yield bounded_line(name, 100), REASONS["REQUIRED_FIELD"]


def _listed_in(message: str) -> list[Mapping[str, Any]]:
    start = message.find("[{")
    if start < 0:
        return []
    try:
        found, _ = json.JSONDecoder().raw_decode(message, start)
    except (ValueError, RecursionError):
        return []
    return [each for each in dicts_in(found) if each.get("name")]


def _reason(code: object, message: object) -> str:
    return REASONS.get(str(code), "") or bounded_line(message or code or "not valid", 120)


def dicts_in(found: object) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def strings_in(context: object, name: str) -> list[str]:
    found = context.get(name) if isinstance(context, dict) else None
    return [str(each) for each in found] if isinstance(found, list) else []

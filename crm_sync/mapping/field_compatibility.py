"""Compatibility of a CRM property with a value of ours: its type and its options. Pure."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime

from crm_sync.mapping.record_values import OURS
from crm_sync.models import FieldMapping
from crm_sync.port import CrmProperty

Source, Format = FieldMapping.Source, FieldMapping.Format
TEXTS = ("text", "long_text")
IN_WORDS = {
    "number": "a number",
    "text": "text",
    "long_text": "text of several lines",
    "enumeration": "a choice",
    "datetime": "a time",
    "date": "a day",
    "yes_no": "yes or no",
    "other": "something that this program does not know",
}
NAMED = 12  # the most options in a sentence


def find_misfit(
    mapping: FieldMapping, properties: Iterable[CrmProperty], stage_words: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return the mapping's incompatible form field, and why; None when all is compatible.

    A property that the account lacks is compatible only where set-up creates it.
    """
    found = next((each for each in properties if each.name == mapping.property), None)
    if found is None:
        if mapping.source in OURS and not mapping.takes():
            return None
        return "property", "The CRM has no property of this name: choose one that it has."
    if mapping.sends() and found.read_only:
        return "property", f"Nobody may write to “{found.label}” from outside the CRM."
    if mapping.source == Source.CONSTANT:
        return constant_problem(mapping.value, found)
    return type_problem(mapping, found) or option_problem(mapping, found, stage_words)


def type_problem(mapping: FieldMapping, found: CrmProperty) -> tuple[str, str] | None:
    takes = accepted_types(mapping)
    if found.type in takes:
        return None
    if mapping.source == Source.QUALIFIED_AT and {found.type, *takes} == {"date", "datetime"}:
        return "format", f"“{found.label}” takes {IN_WORDS[found.type]}: choose the other format."
    needed = " or ".join(IN_WORDS[each] for each in takes)
    return "property", f"“{found.label}” takes {IN_WORDS[found.type]}, and {needed} is needed."


def accepted_types(mapping: FieldMapping) -> tuple[str, ...]:
    """Return the types of properties that accept our value."""
    if mapping.source == Source.QUALIFIED_AT:
        return ("date",) if mapping.format == Format.DAY else ("datetime",)
    if mapping.source in (Source.SCORE, Source.FIT, Source.ENGAGEMENT):
        return ("number", *TEXTS)
    if mapping.source in (Source.GRADE, Source.LIFECYCLE_STAGE):
        return ("enumeration", *TEXTS)
    if mapping.source in (Source.COUNTRY, Source.JOB_TITLE) and not mapping.sends():
        return (*TEXTS, "enumeration")
    return TEXTS


def option_problem(
    mapping: FieldMapping, found: CrmProperty, stage_words: Mapping[str, str]
) -> tuple[str, str] | None:
    if found.type != "enumeration" or not mapping.sends():
        return None
    ours = OURS[mapping.source][2] if mapping.source in OURS else tuple(stage_words.values())
    lacking = [each for each in ours if each not in found.options]
    return (
        ("property", f"“{found.label}” has no choice {quoted_list(lacking)}.") if lacking else None
    )


def constant_problem(value: str, found: CrmProperty) -> tuple[str, str] | None:
    if found.type in ("enumeration", "yes_no") and value not in found.options:
        return "value", f"“{found.label}” takes one of these: {quoted_list(options_text(found))}."
    if found.type == "other":
        return "property", f"“{found.label}” takes {IN_WORDS['other']}."
    if found.type in READ and not is_readable_as(value, found.type):
        return "value", f"“{found.label}” takes {IN_WORDS[found.type]}, such as {READ[found.type]}."
    return None


READ = {"number": "12.5", "date": "2026-05-04", "datetime": "2026-05-04T10:00:00Z"}


def is_readable_as(value: str, type_: str) -> bool:
    """Return whether a text is a finite number, a day, or an instant with its offset from UTC."""
    with suppress(ValueError):
        if type_ == "number":
            return abs(float(value)) < float("inf")
        if type_ == "date":
            return bool(date.fromisoformat(value))
        return datetime.fromisoformat(value).tzinfo is not None
    return False


def options_text(found: CrmProperty) -> list[str]:
    """Return its options by value, with the label where that differs."""
    labels = found.labels or found.options
    pairs = zip(found.options, labels, strict=True)
    return [value if value == label else f"{value} ({label})" for value, label in pairs]


def quoted_list(words: list[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more

"""The properties of a CRM record from a contact here, never over what a person wrote."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from crm_sync.mapping import task_text
from crm_sync.mapping.contact_facts import ContactFacts
from crm_sync.models import FieldMapping
from crm_sync.port import CrmContact, CrmProperty, SetUpStep
from leadscoring.models import Lifecycle

WHY_NOT: Mapping[str, str] = {
    FieldMapping.Policy.FORWARD_ONLY: "it stands as far there, or further",
    FieldMapping.Policy.WHEN_EMPTY: "it is filled in already",
    FieldMapping.Policy.WHEN_EMPTY_OR_OURS: "somebody in the CRM wrote it",
    FieldMapping.Policy.THEIRS_WINS: "somebody in the CRM wrote it",
}
GRADES = tuple(fit + engagement for fit in "ABCD" for engagement in "1234")

Source, Policy, Format = FieldMapping.Source, FieldMapping.Policy, FieldMapping.Format
# Properties that exist only for us, so set-up creates them: label, type, options.
OURS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    Source.SCORE: ("Lead score", "number", ()),
    Source.FIT: ("Fit score", "number", ()),
    Source.ENGAGEMENT: ("Engagement score", "number", ()),
    Source.GRADE: ("Lead grade", "enumeration", GRADES),
    Source.REASONS: ("Reasons of the lead score", "long_text", ()),
    Source.RECENT_ACTIVITY: ("Recent activity", "long_text", ()),
    Source.SEQUENCE_HISTORY: ("Sequence history", "long_text", ()),
    Source.QUALIFIED_AT: ("Qualified at", "datetime", ()),
}


def number_text(value: float | None) -> str:
    """Return a number with at most two decimals, a point and no separators, whatever the locale."""
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def instant_text(value: datetime | None) -> str:
    """Return an instant in UTC to the second, in ISO 8601."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


READ: Mapping[str, Callable[[ContactFacts], str]] = {
    Source.EMAIL: lambda known: known.contact.email or "",
    Source.FIRST_NAME: lambda known: known.contact.first_name,
    Source.LAST_NAME: lambda known: known.contact.last_name,
    Source.COMPANY: lambda known: known.contact.company.name if known.contact.company else "",
    Source.JOB_TITLE: lambda known: known.contact.job_title,
    Source.PHONE: lambda known: known.contact.phone,
    Source.COUNTRY: lambda known: known.contact.country,
    Source.SCORE: lambda known: number_text(known.score.total) if known.score else "",
    Source.FIT: lambda known: number_text(known.score.fit) if known.score else "",
    Source.ENGAGEMENT: lambda known: number_text(known.score.engagement) if known.score else "",
    Source.GRADE: lambda known: known.score.grade if known.score else "",
    Source.REASONS: task_text.all_reasons,
    Source.RECENT_ACTIVITY: lambda known: task_text.text_property(task_text.activity_lines(known)),
    Source.SEQUENCE_HISTORY: lambda known: task_text.text_property(task_text.sequence_lines(known)),
    Source.QUALIFIED_AT: lambda known: instant_text(
        known.score.crossed_at if known.score else None
    ),
}


def mapped_value(mapping: FieldMapping, known: ContactFacts, stage_words: Mapping[str, str]) -> str:
    """Return our value for a property in the CRM's format; "" when there is none."""
    return format_value(plain_mapped_value(mapping, known, stage_words), mapping.format)


def format_value(text: str, format_: str) -> str:
    """Round a number to a whole one, or cut an instant to its day in UTC."""
    if text and format_ == Format.WHOLE:
        return f"{float(text):.0f}"
    return text[:10] if format_ == Format.DAY else text


def plain_mapped_value(
    mapping: FieldMapping, known: ContactFacts, stage_words: Mapping[str, str]
) -> str:
    if mapping.source == Source.CONSTANT:
        return mapping.value
    if mapping.source == Source.LIFECYCLE_STAGE:
        return stage_words.get(known.contact.lifecycle_stage, "")
    return READ[mapping.source](known).strip()


def record_properties(
    known: ContactFacts,
    mappings: Iterable[FieldMapping],
    stage_words: Mapping[str, str],
    record: CrmContact | None,
    last_written: Mapping[str, str],
) -> dict[str, str]:
    """Return what to write to a record as it reads now (None: it does not exist yet)."""
    told = property_diffs(known, mappings, stage_words, record, last_written)
    return {one.mapping.property: one.ours for one in told if not one.left_alone}


@dataclass(frozen=True, slots=True)
class PropertyDiff:
    """Our value of a property, the CRM's value, and why it is not written ("": it is written)."""

    mapping: FieldMapping
    ours: str
    there: str
    left_alone: str


def property_diffs(
    known: ContactFacts,
    mappings: Iterable[FieldMapping],
    stage_words: Mapping[str, str],
    record: CrmContact | None,
    last_written: Mapping[str, str],
) -> Iterator[PropertyDiff]:
    """Yield the diff of each property of a record as it reads now (None: it does not exist yet).

    `last_written`: our last values there, by property. An empty value is never written: it would
    clear what a person entered. Nor is one that the record has already.
    """
    for mapping in mappings:
        ours = mapped_value(mapping, known, stage_words)
        there = record.properties.get(mapping.property) or "" if record else ""
        ahead = not record or stage_is_ahead(known, record, there)
        yield PropertyDiff(
            mapping, ours, there, reason_not_written(mapping, ours, there, last_written, ahead)
        )


def reason_not_written(
    mapping: FieldMapping, ours: str, there: str, last_written: Mapping[str, str], ahead: bool
) -> str:
    """Return why a property is not written; "" when it is."""
    if not mapping.sends():
        return "it comes from the CRM and is not sent"
    if not ours:
        return "we know nothing to say"
    if is_same_value(mapping, ours, there):
        return "it says so already"
    if policy_allows_write(mapping, there, last_written, ahead):
        return ""
    return WHY_NOT[mapping.policy]


def is_same_value(mapping: FieldMapping, one: str, other: str) -> bool:
    """Return whether two values are equal. A CRM may return an instant with milliseconds or without."""
    if mapping.source == Source.QUALIFIED_AT and one and other:
        with suppress(ValueError):  # a value that is no instant is not equal
            return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    return one == other


def email_at_linking(
    mappings: Iterable[FieldMapping], record: CrmContact, email: str | None
) -> dict[str, str]:
    """Return what counts as written by us at first linking: the address, if the record was found by it.

    So a change of address here updates the record, unless a person has changed it in the CRM.
    """
    return {
        mapping.property: record.email
        for mapping in mappings
        if mapping.source == Source.EMAIL and record.email == email
    }


def policy_allows_write(
    mapping: FieldMapping, there: str, last_written: Mapping[str, str], ahead: bool
) -> bool:
    """Return whether the policy lets us overwrite the record's value."""
    if mapping.policy == Policy.FORWARD_ONLY:
        return ahead
    if mapping.policy == Policy.OURS_WINS or not there:
        return True
    ours = last_written.get(mapping.property, "")
    gives_way = mapping.policy in (Policy.WHEN_EMPTY_OR_OURS, Policy.THEIRS_WINS)
    return gives_way and is_same_value(mapping, there, ours)


def stage_is_ahead(known: ContactFacts, record: CrmContact, there: str) -> bool:
    """Return whether our lifecycle stage is further than the record's. A stage unknown to us stays."""
    if not record.lifecycle_stage:
        return not there
    return Lifecycle(known.contact.lifecycle_stage).ahead_of(record.lifecycle_stage)


def wanted_properties(mappings: Iterable[FieldMapping]) -> list[CrmProperty]:
    """Return the properties that exist only for us, as set-up has to create them."""
    return [wanted_property(mapping) for mapping in mappings if mapping.source in OURS]


def wanted_property(mapping: FieldMapping) -> CrmProperty:
    label, type_, options = OURS[mapping.source]
    if mapping.format == Format.DAY:
        type_ = "date"
    return CrmProperty(mapping.property, label, type_, options)


def store_given_names(steps: Iterable[SetUpStep]) -> None:
    """Store the names that the CRM gave to the properties that set-up created."""
    for step in steps:
        if step.named and step.named != step.wanted:
            FieldMapping.objects.filter(property=step.wanted).update(property=step.named)

"""The properties of a CRM record from a contact here, never over what a person wrote."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from crm_sync.mapping import task_text
from crm_sync.mapping.contact_facts import ContactFacts
from crm_sync.models import FieldMapping, LastKnown
from crm_sync.port import CrmContact, CrmProperty, SetUpStep
from leadscoring.models import Lifecycle

AS_FAR = "it stands as far there, or further"
CLEARED = "somebody in the CRM cleared it"
WHY_NOT: Mapping[str, str] = {
    FieldMapping.Policy.FORWARD_ONLY: "somebody in the CRM set it",
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
    known_there: LastKnown,
) -> dict[str, str]:
    """Return what to write to a record as it reads now (None: it does not exist yet)."""
    told = property_diffs(known, mappings, stage_words, record, known_there)
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
    known_there: LastKnown,
) -> Iterator[PropertyDiff]:
    """Yield the diff of each property of a record as it reads now (None: it does not exist yet).

    An empty value is never written: it would clear what a person entered. Nor is one that the
    record has already.
    """
    for mapping in mappings:
        ours = mapped_value(mapping, known, stage_words)
        there = record.properties.get(mapping.property) or "" if record else ""
        why = reason_not_written(mapping, ours, there, known_there)
        if not why and record and mapping.policy == Policy.FORWARD_ONLY:
            why = reason_to_leave_stage(mapping, known, record, known_there)
        yield PropertyDiff(mapping, ours, there, why)


def reason_not_written(mapping: FieldMapping, ours: str, there: str, known_there: LastKnown) -> str:
    """Return why a property is not written; "" when it is."""
    sent = known_there.sent.get(mapping.property, "")
    if not mapping.sends():
        return "it comes from the CRM and is not sent"
    if not ours:
        return "we know nothing to say"
    if is_same_value(mapping, ours, there) or (
        is_same_value(mapping, ours, sent) and is_ours(mapping, there, known_there)
    ):
        return "it says so already"
    if mapping.policy == Policy.OURS_WINS:
        return ""
    if not there:
        cleared = mapping.source != Source.CONSTANT and is_same_value(mapping, ours, sent)
        return CLEARED if cleared else ""
    if mapping.policy == Policy.FORWARD_ONLY or (
        mapping.policy != Policy.WHEN_EMPTY and is_ours(mapping, there, known_there)
    ):
        return ""
    return WHY_NOT[mapping.policy]


def reason_to_leave_stage(
    mapping: FieldMapping, known: ContactFacts, record: CrmContact, known_there: LastKnown
) -> str:
    """Return why a record's lifecycle stage stays as it is; "" when ours is further and no person set
    theirs since we last knew it. A stage unknown to us stays."""
    if not stage_is_ahead(known, record, record.properties.get(mapping.property) or ""):
        return AS_FAR
    set_there = is_sales_stage(known.contact.lifecycle_stage) or is_stage_set(
        mapping, record, known_there
    )
    return WHY_NOT[mapping.policy] if set_there else ""


def is_sales_stage(stage: str) -> bool:
    """Return whether only sales sets a stage: scores make nobody more than marketing-qualified, so a
    further stage of ours was once the record's, and one that is behind it there was set back."""
    return Lifecycle(stage).ahead_of(Lifecycle.MQL)


def is_stage_set(mapping: FieldMapping, record: CrmContact, known_there: LastKnown) -> bool:
    """Return whether a person set the stage: it is another than we last wrote, or else last read."""
    if not record.lifecycle_stage:
        return False
    if ours := known_there.forms(mapping.property):
        return record.properties.get(mapping.property) not in ours
    return known_there.stage not in ("", record.lifecycle_stage)


def is_ours(mapping: FieldMapping, there: str, known_there: LastKnown) -> bool:
    """Return whether a value there is what we last wrote, in our form or in the CRM's."""
    return any(is_same_value(mapping, there, form) for form in known_there.forms(mapping.property))


def kept_forms(
    mappings: Iterable[FieldMapping], sent: Mapping[str, str], saved: CrmContact
) -> dict[str, str]:
    """Return how the CRM keeps what was written, by its answer, where that is another form of it.

    Another lifecycle stage is not another form: a CRM may leave a stage as it is without a word.
    """
    forms = [row.property for row in mappings if row.source != Source.LIFECYCLE_STAGE]
    return {
        name: kept
        for name in forms
        if name in sent and (kept := saved.properties.get(name) or "") not in ("", sent[name])
    }


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


def stage_is_ahead(known: ContactFacts, record: CrmContact, there: str) -> bool:
    """Return whether our lifecycle stage is further than the record's. A stage unknown to us stays."""
    if not record.lifecycle_stage:
        return not there
    return Lifecycle(known.contact.lifecycle_stage).ahead_of(record.lifecycle_stage)


def wanted_properties(
    mappings: Iterable[FieldMapping], made: Iterable[CrmProperty] = ()
) -> list[CrmProperty]:
    """Return the properties that set-up has to create: those that exist only for us, and those that
    the CRM lacks (`made`) as long as a mapping knows them by the name of the default mapping."""
    lacked = {each.name: each for each in made}
    return [
        lacked.get(mapping.property) or wanted_property(mapping)
        for mapping in mappings
        if mapping.source in OURS or mapping.property in lacked
    ]


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

"""Values that sales wrote in the CRM become ours, where mapped: a change of the profile, scored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from crm_sync.mapping.record_values import is_sales_stage, is_stage_set
from crm_sync.models import FieldMapping, LastKnown, Link
from crm_sync.port import CrmContact
from leadscoring.common import bulk_sql
from leadscoring.intake.people import contacts_by_id, record_profile_changes
from leadscoring.intake.validation import InvalidItem, PersonItem, validate_item
from leadscoring.models import Contact, Lifecycle
from leadscoring.scoring import rescore

Source, Policy = FieldMapping.Source, FieldMapping.Policy
Written = Mapping[int, Mapping[str, str]]


DISOWN = """
    UPDATE crm_sync_link AS link SET last_written = link.last_written - taken.names,
        kept_as = link.kept_as - taken.names
    FROM jsonb_to_recordset(%s) AS taken(contact_id bigint, names text[])
    WHERE link.contact_id = taken.contact_id
"""


def inbound_property_names() -> list[str]:
    """Return the properties that must be read."""
    return list(FieldMapping.objects.taken().order_by("pk").values_list("property", flat=True))


def take_over_fields(
    contacts: Mapping[int, Contact],
    records: Mapping[int, CrmContact],
    last_written: Written,
    at: datetime,
) -> set[int]:
    """Take over the mapped values of records; return the contacts whose profile changed.

    All by contact id. Call inside a transaction, with the contacts locked in id order.
    `last_written`: what we had written to the records before they were read. A contact written to
    since is left for the next refresh, because the values read may be older than that.
    """
    mappings = list(FieldMapping.objects.taken())
    read = {pk: record for pk, record in records.items() if pk in contacts}
    if not mappings or not read:
        return set()
    links = Link.objects.in_bulk(list(read))
    written = {pk: links[pk].last_known if pk in links else LastKnown() for pk in read}
    settled = [pk for pk in read if written[pk].sent == last_written.get(pk, {})]
    texts = []
    for mapping in mappings:
        if mapping.source == Source.LIFECYCLE_STAGE:
            follow_lifecycle(mapping, contacts, {pk: read[pk] for pk in settled}, links, at)
        else:
            texts.append(mapping)
    found = {pk: inbound_changes(texts, contacts[pk], read[pk], written[pk]) for pk in settled}
    changes = {pk: new for pk, new in found.items() if new}
    drop_written_properties(changes, texts)
    return store_inbound(changes, at)


def inbound_changes(
    mappings: Iterable[FieldMapping],
    contact: Contact,
    record: CrmContact,
    written: LastKnown,
) -> dict[str, str]:
    """Return the values to take over from a record, by our field.

    A value equal to what we wrote is our own echo, and an empty value there clears nothing.
    """
    found = {}
    for mapping in mappings:
        raw, ours = record.properties.get(mapping.property) or "", getattr(contact, mapping.source)
        there = fit_value(mapping.source, raw)
        own_echo = raw in written.forms(mapping.property)
        filled = mapping.policy == Policy.WHEN_EMPTY and ours
        if there and there != ours and not own_echo and not filled:
            found[mapping.source] = there
    return found


def drop_written_properties(
    changes: Mapping[int, Mapping[str, str]], mappings: Sequence[FieldMapping]
) -> None:
    """Drop taken-over properties from `last_written`: a later return to our old value is no echo."""
    rows = [
        {"contact_id": pk, "names": [row.property for row in mappings if row.source in new]}
        for pk, new in changes.items()
    ]
    if rows:
        bulk_sql.run_statement(DISOWN, [bulk_sql.rows_as_json(rows)])


def fit_value(source: str, text: str) -> str:
    """Return a text by the rules of the intake; "" when it is invalid."""
    try:
        return getattr(validate_item(PersonItem, {source: text}), source) or ""
    except InvalidItem:
        return ""


def store_inbound(changes: Mapping[int, Mapping[str, str]], at: datetime) -> set[int]:
    contacts = contacts_by_id(changes)
    for pk, contact in contacts.items():
        for name, text in changes[pk].items():
            setattr(contact, name, text)
        contact.updated_at = at
    changed = [contacts[pk] for pk in sorted(contacts)]
    columns = sorted({name for new in changes.values() for name in new})
    bulk_sql.bulk_update(Contact, changed, [*columns, "updated_at"])
    record_profile_changes(changed, at)
    rescore(sorted(contacts), at)
    return set(contacts)


def follow_lifecycle(
    mapping: FieldMapping,
    contacts: Mapping[int, Contact],
    records: Mapping[int, CrmContact],
    links: Mapping[int, Link],
    at: datetime,
) -> None:
    """Take over the lifecycle stages that a person set in the CRM, further or further back.

    A stage that is behind ours was set back if ours was sales' own, or if theirs is another than we
    last wrote or read there: else ours has gone on meanwhile, and the next push writes it. At most two
    queries for each stage.
    """
    further: dict[str, list[int]] = defaultdict(list)
    back: dict[str, list[int]] = defaultdict(list)
    for pk, record in records.items():
        there, ours = record.lifecycle_stage, contacts[pk].lifecycle_stage
        if there in ("", ours):
            continue
        if Lifecycle(there).ahead_of(ours):
            further[there].append(pk)
        elif pk in links and (
            is_sales_stage(ours) or is_stage_set(mapping, record, links[pk].last_known)
        ):
            back[there].append(pk)
    for stage, ids in further.items():
        Contact.objects.filter(pk__in=ids).update(lifecycle_stage=stage)
    for stage, ids in back.items():
        Contact.objects.filter(pk__in=ids).update(lifecycle_stage=stage, stage_set_back_at=at)
    followed = [pk for ids in [*further.values(), *back.values()] for pk in ids]
    drop_written_properties({pk: {mapping.source: ""} for pk in followed}, [mapping])

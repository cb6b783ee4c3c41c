"""Values that sales wrote in the CRM become ours, where mapped: a change of the profile, scored."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from crm_sync.models import FieldMapping, Link
from crm_sync.port import CrmContact
from leadscoring.common import bulk_sql
from leadscoring.intake.people import contacts_by_id, record_profile_changes
from leadscoring.intake.validation import InvalidItem, PersonItem, validate_item
from leadscoring.models import Contact, Lifecycle
from leadscoring.scoring import rescore

Source, Policy = FieldMapping.Source, FieldMapping.Policy
Written = Mapping[int, Mapping[str, str]]


DISOWN = """
    UPDATE crm_sync_link AS link SET last_written = link.last_written - taken.names
    FROM jsonb_to_recordset(%s) AS taken(contact_id bigint, names text[])
    WHERE link.contact_id = taken.contact_id
"""


def inbound_property_names() -> list[str]:
    """Return the properties that must be read."""
    taken = FieldMapping.objects.taken().exclude(source=Source.LIFECYCLE_STAGE)
    return list(taken.order_by("pk").values_list("property", flat=True))


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
    if any(mapping.source == Source.LIFECYCLE_STAGE for mapping in mappings):
        raise_lifecycle_from_crm(read)
    texts = [mapping for mapping in mappings if mapping.source != Source.LIFECYCLE_STAGE]
    if not texts or not read:
        return set()
    now = dict(Link.objects.filter(pk__in=read).values_list("pk", "last_written"))
    settled = [pk for pk in read if now.get(pk, {}) == last_written.get(pk, {})]
    found = {pk: inbound_changes(texts, contacts[pk], read[pk], now.get(pk, {})) for pk in settled}
    changes = {pk: new for pk, new in found.items() if new}
    drop_written_properties(changes, texts)
    return store_inbound(changes, at)


def inbound_changes(
    mappings: Iterable[FieldMapping],
    contact: Contact,
    record: CrmContact,
    last_written: Mapping[str, str],
) -> dict[str, str]:
    """Return the values to take over from a record, by our field.

    A value equal to what we wrote is our own echo, and an empty value there clears nothing.
    """
    found = {}
    for mapping in mappings:
        raw, ours = record.properties.get(mapping.property) or "", getattr(contact, mapping.source)
        there = fit_value(mapping.source, raw)
        own_echo = raw == last_written.get(mapping.property)
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


def raise_lifecycle_from_crm(records: Mapping[int, CrmContact]) -> None:
    """Raise lifecycle stages that are further in the CRM, moved on by sales. One query for each stage."""
    for place, stage in enumerate(Lifecycle):
        there = [pk for pk, record in records.items() if record.lifecycle_stage == stage]
        behind = list(Lifecycle)[:place]
        if there and behind:
            Contact.objects.filter(pk__in=there, lifecycle_stage__in=behind).update(
                lifecycle_stage=stage
            )

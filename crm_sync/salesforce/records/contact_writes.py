"""Create leads, and update leads and contacts, with values that their fields take.

docs/salesforce-facts.md#collections, docs/salesforce-facts.md#required-names
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crm_sync.port import CrmContact, CrmContactWrite, CrmError, CrmMissing, CrmRejected
from crm_sync.salesforce.records.contacts import contacts_by_email, contacts_by_id, folded
from crm_sync.salesforce.records.ids import LEAD, full_id, object_of
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.people import COMPANY, field_name, property_name
from crm_sync.salesforce.records.rows import MOST_ROWS, Row, write_rows
from crm_sync.salesforce.records.values import UNKNOWN, UnfitValue, written_value
from crm_sync.salesforce.transport.calls import CREATE_LEADS, UPDATE_CONTACTS
from crm_sync.salesforce.transport.errors import (
    REASONS,
    DuplicateRuleBlock,
    RecordMoved,
    StaleFields,
    rejected_fields_error,
)
from crm_sync.transport.batches import Outcome, unique_rounds, write_all
from leadscoring.common.batching import batched
from leadscoring.common.text import bounded_line

NOT_SHOWN = (
    "Salesforce does not show the record: it is deleted, or not shared with the integration user."
)
NEEDED_BY_LEADS = ("LastName", "Company")
LONGEST_VALUE = 60  # characters of a refused value
Writes = Sequence[CrmContactWrite]


def save_contacts(org: Org, writes: Writes) -> Outcome[CrmContact]:
    """Return the record or error of each write, by trace.

    Update by record id where there is one; else find the address, or create a lead.
    """
    nameless = CrmRejected("A lead needs an e-mail address to be created.")
    outcome: Outcome[str] = {
        write.trace: nameless for write in writes if not write.record_id and not write.email
    }
    known = [write for write in writes if write.record_id]
    for each in unique_rounds(known, lambda write: full_id(write.record_id)):
        outcome |= _updated(org, {write.trace: write.record_id for write in each}, each)
    new = [write for write in writes if not write.record_id and write.email]
    for each in unique_rounds(new, lambda write: folded(write.email)):
        outcome |= _saved_by_address(org, each)
    saved = _read_back(org, writes, outcome)
    return {write.trace: saved[write.trace] for write in writes}


def _saved_by_address(org: Org, writes: Writes) -> Outcome[str]:
    there = contacts_by_email(org, [write.email for write in writes], [])
    places = {write.trace: there[write.email].record_id for write in writes if write.email in there}
    found = [write for write in writes if write.trace in places]
    new = [write for write in writes if write.trace not in places]
    outcome = _updated(org, places, found)
    outcome |= write_all(batched(new, MOST_ROWS), lambda batch: _created(org, batch))
    return outcome | _found_after_all(org, new, outcome)


def _found_after_all(org: Org, writes: Writes, outcome: Outcome[str]) -> Outcome[str]:
    """Update who was created by somebody else meanwhile, for which a duplicate rule refused ours.

    Nobody else is taken for the person, whatever the rule says. docs/salesforce-facts.md#duplicate-rules
    """
    blocked = [each for each in writes if isinstance(outcome[each.trace], DuplicateRuleBlock)]
    there = contacts_by_email(org, [write.email for write in blocked], []) if blocked else {}
    found = [write for write in blocked if write.email in there]
    return _updated(org, {each.trace: there[each.email].record_id for each in found}, found)


def _updated(org: Org, places: Mapping[str, str], writes: Writes) -> Outcome[str]:
    """Update records by id, by trace; those that moved since, where they are now."""
    outcome = write_all(batched(writes, MOST_ROWS), lambda batch: _written(org, places, batch))
    moved = [write for write in writes if isinstance(outcome[write.trace], RecordMoved)]
    if not moved:
        return outcome
    there = contacts_by_id(org, [places[write.trace] for write in moved], [])
    new_places = {
        write.trace: person.record_id
        for write in moved
        if (person := there.get(places[write.trace])) and person.asked_id
    }
    followed = [write for write in moved if write.trace in new_places]
    again: Outcome[str] = {}
    for each in unique_rounds(followed, lambda write: new_places[write.trace]):
        again |= write_all(batched(each, MOST_ROWS), lambda batch: _written(org, new_places, batch))
    return outcome | again


def _written(org: Org, places: Mapping[str, str], writes: Writes) -> Outcome[str]:
    def rows() -> Iterator[Row | tuple[str, CrmError]]:
        for write in writes:
            record_id = full_id(places[write.trace])
            sobject = object_of(record_id)
            if sobject:
                yield _row(org, write, sobject, record_id)
            else:
                yield write.trace, CrmMissing(NOT_SHOWN)

    return _with_fresh_columns(org, UPDATE_CONTACTS, rows)


def _created(org: Org, writes: Writes) -> Outcome[str]:
    return _with_fresh_columns(
        org, CREATE_LEADS, lambda: (_row(org, write, LEAD, "") for write in writes)
    )


def _with_fresh_columns(org: Org, call: Any, rows: Any) -> Outcome[str]:
    """Write rows; build them anew, from newly described fields, when a field is not there any more."""
    for last in (False, True):
        built = list(rows())
        outcome: Outcome[str] = dict(each for each in built if isinstance(each, tuple))
        batch = [each for each in built if isinstance(each, Row)]
        # An update without values would count as a change all the same.
        outcome |= {row.trace: row.record_id for row in batch if not row.values}
        sending = [row for row in batch if row.values]
        try:
            return outcome | (_named(write_rows(org, call, sending), sending) if sending else {})
        except StaleFields as stale:
            org.schema.forget()
            if last:
                return outcome | {row.trace: stale for row in sending}
    return {}


def _row(org: Org, write: CrmContactWrite, sobject: str, record_id: str) -> Any:
    """Return the row of a write, or its trace and the error that names values that do not fit."""
    columns, values, faults = org.sobject(sobject).columns, {}, {}
    sent = dict(write.properties)
    if not record_id:
        sent = {**dict.fromkeys(NEEDED_BY_LEADS, UNKNOWN), "Email": write.email, **sent}
    for name, text in sent.items():
        field = field_name(sobject, name)
        column = columns.get(field)
        if column is None:
            if not _is_elsewhere(org, sobject, name):
                faults[name] = REASONS["INVALID_FIELD"]
        elif not (column.updateable if record_id else column.createable):
            faults[name] = REASONS["INVALID_FIELD_FOR_INSERT_UPDATE"]
        else:
            try:
                values[field] = written_value(column, text)
            except UnfitValue as unfit:
                faults[name] = f"{unfit} (it was “{bounded_line(text, LONGEST_VALUE)}”)"
    if faults:
        return write.trace, rejected_fields_error(faults)
    return Row(write.trace, sobject, record_id, values)


def _is_elsewhere(org: Org, sobject: str, name: str) -> bool:
    """Return whether a property is one of people, although not of this kind: then it is left out."""
    other = next(each for each in ("Lead", "Contact") if each != sobject)
    field = field_name(other, name)
    return field == COMPANY or field in org.sobject(other).columns


def _named(outcome: Outcome[str], rows: Sequence[Row]) -> Outcome[str]:
    """Return the outcome with properties' names in place of fields' names."""
    sobject = {row.trace: row.sobject for row in rows}
    return {
        trace: rejected_fields_error(
            {property_name(sobject[trace], name): why for name, why in each.properties.items()}
        )
        if type(each) is CrmRejected and each.properties
        else each
        for trace, each in outcome.items()
    }


def _read_back(org: Org, writes: Writes, outcome: Outcome[str]) -> Outcome[CrmContact]:
    """Return the saved records as Salesforce keeps them; as they were sent where it does not tell."""
    saved = {trace: id_ for trace, id_ in outcome.items() if isinstance(id_, str)}
    names = list(dict.fromkeys(name for write in writes for name in write.properties))
    try:
        there = contacts_by_id(org, list(dict.fromkeys(saved.values())), names) if saved else {}
    except CrmError:
        if not any(write.properties for write in writes):
            raise
        there = {id_: _as_sent(id_, write) for write in writes if (id_ := saved.get(write.trace))}
    return {
        trace: there.get(answer, CrmMissing(NOT_SHOWN)) if isinstance(answer, str) else answer
        for trace, answer in outcome.items()
    }


def _as_sent(record_id: str, write: CrmContactWrite) -> CrmContact:
    return CrmContact(record_id, folded(write.email), "", "", "", False, dict(write.properties))

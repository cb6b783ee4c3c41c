"""Create leads, and update leads and contacts, with values that their fields take.

docs/salesforce-facts.md#collections, docs/salesforce-facts.md#required-names
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from crm_sync.port import (
    CrmContact,
    CrmContactWrite,
    CrmError,
    CrmMissing,
    CrmRejected,
    CrmUnexplained,
)
from crm_sync.salesforce.records.contacts import (
    contacts_by_email,
    contacts_by_id,
    folded,
    read_people,
)
from crm_sync.salesforce.records.ids import LEAD, full_id, object_of
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.people import COMPANY, field_name, property_name
from crm_sync.salesforce.records.rows import MOST_ROWS, Row, write_rows
from crm_sync.salesforce.records.values import UNKNOWN, UnfitValue, written_value
from crm_sync.salesforce.transport.calls import CREATE_LEADS, UPDATE_CONTACTS, SalesforceCall
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


class UnfitRow(NamedTuple):
    trace: str
    error: CrmError


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
    opted_out: set[str] = set()
    for each in unique_rounds(new, lambda write: folded(write.email)):
        outcome |= _saved_by_address(org, each, opted_out)
    saved = _read_back(org, writes, outcome, opted_out)
    return {write.trace: saved[write.trace] for write in writes}


def _saved_by_address(org: Org, writes: Writes, opted_out: set[str]) -> Outcome[str]:
    """`opted_out` takes in the addresses that are so on any record."""
    there = contacts_by_email(org, [write.email for write in writes], [])
    opted_out |= {folded(email) for email, person in there.items() if person.opted_out}
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
    def rows() -> Iterator[Row | UnfitRow]:
        for write in writes:
            record_id = full_id(places[write.trace])
            sobject = object_of(record_id)
            if sobject:
                yield _row(org, write, sobject, record_id)
            else:
                yield UnfitRow(write.trace, CrmMissing(NOT_SHOWN))

    return _with_fresh_columns(org, UPDATE_CONTACTS, rows)


def _created(org: Org, writes: Writes) -> Outcome[str]:
    return _with_fresh_columns(
        org, CREATE_LEADS, lambda: (_row(org, write, LEAD, "") for write in writes)
    )


def _with_fresh_columns(
    org: Org, call: SalesforceCall, rows: Callable[[], Iterable[Row | UnfitRow]]
) -> Outcome[str]:
    """Write rows; those for which a field is not there any more once more, from newly described ones."""
    outcome: Outcome[str] = {}
    for _ in range(2):
        built = [each for each in rows() if each.trace not in outcome]
        outcome |= {each.trace: each.error for each in built if isinstance(each, UnfitRow)}
        sending = [each for each in built if isinstance(each, Row)]
        # An update without values would count as a change all the same.
        outcome |= {row.trace: row.record_id for row in sending if not row.values}
        answers = _sent(org, call, [row for row in sending if row.values])
        stale = {trace: each for trace, each in answers.items() if isinstance(each, StaleFields)}
        outcome |= {trace: each for trace, each in answers.items() if trace not in stale}
        if not stale:
            return outcome
        org.schema.forget()
    return outcome | stale


def _sent(org: Org, call: SalesforceCall, rows: Sequence[Row]) -> Outcome[str]:
    if not rows:
        return {}
    try:
        return _named(write_rows(org, call, rows), rows)
    except StaleFields as stale:
        return dict.fromkeys((row.trace for row in rows), stale)


def _row(org: Org, write: CrmContactWrite, sobject: str, record_id: str) -> Row | UnfitRow:
    """Return the row of a write, or the error that names the values that do not fit."""
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
        return UnfitRow(write.trace, rejected_fields_error(faults))
    return Row(write.trace, sobject, record_id, values)


def _is_elsewhere(org: Org, sobject: str, name: str) -> bool:
    """Return whether a property is one of people, although not of this kind: then it is left out."""
    other = next(each for each in ("Lead", "Contact") if each != sobject)
    field = field_name(other, name)
    return field == COMPANY or field in org.sobject(other).columns


def _named(outcome: Outcome[str], rows: Sequence[Row]) -> Outcome[str]:
    """Return the outcome with properties' names in place of fields' names."""
    row_of = {row.trace: row for row in rows}
    return {
        trace: _explained(each, row_of[trace])
        if type(each) is CrmRejected and each.properties
        else each
        for trace, each in outcome.items()
    }


def _explained(refused: CrmRejected, row: Row) -> CrmRejected:
    """Return the error by properties; as unexplained when none of the fields at fault was sent."""
    named = {property_name(row.sobject, name): why for name, why in refused.properties.items()}
    if row.values.keys() & refused.properties.keys():
        return rejected_fields_error(named)
    return CrmUnexplained(str(refused), named)


def _read_back(
    org: Org, writes: Writes, outcome: Outcome[str], opted_out: set[str]
) -> Outcome[CrmContact]:
    """Return the saved records as Salesforce keeps them; as they were sent where it does not tell."""
    read = contacts_by_id if any(write.record_id for write in writes) else read_people
    saved = {trace: id_ for trace, id_ in outcome.items() if isinstance(id_, str)}
    names = list(dict.fromkeys(name for write in writes for name in write.properties))
    try:
        there = read(org, list(dict.fromkeys(saved.values())), names) if saved else {}
    except CrmError:
        if not any(write.properties for write in writes):
            raise
        there = {id_: _as_sent(id_, write) for write in writes if (id_ := saved.get(write.trace))}
    there = {
        id_: replace(one, opted_out=one.opted_out or one.email in opted_out)
        for id_, one in there.items()
    }
    return {
        trace: there.get(answer, CrmMissing(NOT_SHOWN)) if isinstance(answer, str) else answer
        for trace, answer in outcome.items()
    }


def _as_sent(record_id: str, write: CrmContactWrite) -> CrmContact:
    return CrmContact(record_id, folded(write.email), "", "", "", False, dict(write.properties))

"""Read people: leads and contacts behind one record, by id or by address.

A person is one record: of one address the oldest contact, else the oldest lead that is not converted.
A conversion is followed as a merge is.
docs/salesforce-facts.md#lead-and-contact, docs/salesforce-facts.md#conversion
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from crm_sync.port import CrmContact
from crm_sync.salesforce.records.ids import CONTACT, LEAD, PEOPLE, full_id, object_of
from crm_sync.salesforce.records.org import Org, Rows, with_fresh_fields
from crm_sync.salesforce.records.people import (
    OPT_OUT,
    columns_of,
    contact_of,
    is_converted,
    read_person,
    row_id,
)
from crm_sync.salesforce.records.soql import (
    Query,
    for_each_part,
    queries_of_people,
    select,
    text_literal,
)
from crm_sync.salesforce.records.successors import LONGEST_CHAIN, merged_into
from crm_sync.salesforce.records.task_fields import REFERENCE
from crm_sync.salesforce.records.values import read_instant
from crm_sync.salesforce.transport.client import Json

OLDEST_FIRST = "ORDER BY CreatedDate, Id"


@dataclass(slots=True)
class Found:
    """Rows of people by id, when sales last finished a task of theirs, and the leads they were."""

    rows: dict[str, Json] = field(default_factory=dict)
    touched_at: dict[str, datetime] = field(default_factory=dict)
    leads_of: dict[str, list[str]] = field(default_factory=dict)

    def converted(self) -> dict[str, str]:
        """Return the contact by the id of the lead that became it."""
        return {id_: place for id_, row in self.rows.items() if (place := contact_of(row))}


def contacts_by_id(
    org: Org, ids: Sequence[str], properties: Sequence[str]
) -> dict[str, CrmContact]:
    """Return people by the id that was asked; one is opted out if any record of the address is."""
    people = read_people(org, ids, properties)
    out = opted_out_addresses(org, [one.email for one in people.values() if not one.opted_out])
    return {
        asked: replace(one, opted_out=one.opted_out or one.email in out)
        for asked, one in people.items()
    }


@with_fresh_fields
def read_people(org: Org, ids: Sequence[str], properties: Sequence[str]) -> dict[str, CrmContact]:
    """Return people by the id that was asked; merged and converted ones are where they are now."""
    place = {id_: full for id_ in ids if object_of(full := full_id(id_))}
    found = Found()
    for _ in range(LONGEST_CHAIN):
        here = set(place.values()) - found.rows.keys()
        if not here:
            break
        _read(org, here, properties, found)
        absent = here - found.rows.keys()
        moved = found.converted() | (merged_into(org, absent) if absent else {})
        if not moved:
            break
        place = {asked: moved.get(there, there) for asked, there in place.items()}
    live = {asked: there for asked, there in place.items()
            if there in found.rows and not is_converted(found.rows[there])}  # fmt: skip
    return {asked: _person(org, found, there, properties, asked, live)
            for asked, there in live.items()}  # fmt: skip


@with_fresh_fields
def contacts_by_email(
    org: Org, emails: Sequence[str], properties: Sequence[str]
) -> dict[str, CrmContact]:
    """Return people by the address that was asked, in upper or lower case."""
    rows = rows_by_email(org, emails, properties)
    first: dict[str, Json] = {}
    for row in (*rows[CONTACT], *(row for row in rows[LEAD] if not is_converted(row))):
        first.setdefault(email_of(row), row)
    former = [row for row in rows[LEAD] if is_converted(row)]
    lost = {email_of(row): row_id(row) for row in former if email_of(row) not in first}
    elsewhere = contacts_by_id(org, list(lost.values()), properties) if lost else {}
    out = {email_of(row) for some in rows.values() for row in some if row.get(OPT_OUT) is True}
    found = {
        email: replace(
            read_person(org, object_of(row_id(row)), row, properties), opted_out=email in out
        )
        for email, row in first.items()
    }
    found |= {
        email: replace(elsewhere[id_], asked_id="")
        for email, id_ in lost.items()
        if id_ in elsewhere
    }
    return {email: found[folded(email)] for email in emails if folded(email) in found}


def rows_by_email(
    org: Org, emails: Iterable[str], properties: Sequence[str] = ()
) -> Mapping[str, Rows]:
    """Return all contacts and leads of addresses, the oldest first, by the name of their object."""
    wanted = sorted({folded(email) for email in emails} - {""})
    queries = [
        (sobject, Query(soql))
        for sobject in PEOPLE.values()
        for soql in for_each_part(
            wanted, partial(_by_email, columns_of(org, sobject, properties), sobject), text_literal
        )
    ]
    found: dict[str, Rows] = {LEAD: [], CONTACT: []}
    for (sobject, _), rows in zip(
        queries, org.rows_of([query for _, query in queries]), strict=True
    ):
        found[sobject] += rows
    return found


@with_fresh_fields
def archived_contacts(org: Org, ids: Sequence[str]) -> set[str]:
    """Return those ids that are in the recycle bin; not those that were merged away.

    docs/salesforce-facts.md#recycle-bin
    """
    asked = {full: id_ for id_ in ids if object_of(full := full_id(id_))}
    queries = queries_of_people(asked, _in_the_bin, deleted=True)
    found = [row_id(row) for rows in org.rows_of(queries) for row in rows]
    return {asked[id_] for id_ in found if id_ in asked}


@with_fresh_fields
def opted_out_addresses(org: Org, emails: Iterable[str]) -> set[str]:
    """Return those addresses that are opted out on any lead or contact: several may have one address.

    docs/salesforce-facts.md#opt-out
    """
    wanted = sorted({folded(email) for email in emails} - {""})
    queries = [
        Query(soql)
        for sobject in PEOPLE.values()
        if org.sobject(sobject).shown(OPT_OUT)
        for soql in for_each_part(wanted, partial(_opted_out, sobject), text_literal)
    ]
    return {email_of(row) for rows in org.rows_of(queries) for row in rows}


def email_of(row: Json) -> str:
    return folded(str(row.get("Email") or ""))


def folded(email: str) -> str:
    return email.strip().lower()


def _by_email(columns: Sequence[str], sobject: str, part: str) -> str:
    return select(columns, sobject, f"Email IN {part}", OLDEST_FIRST)


def _opted_out(sobject: str, part: str) -> str:
    return select(["Id", "Email"], sobject, f"Email IN {part} AND {OPT_OUT} = TRUE")


def _in_the_bin(sobject: str, part: str) -> str:
    where = f"Id IN {part} AND IsDeleted = TRUE AND MasterRecordId = null"
    return select(["Id"], sobject, where)


def _read(org: Org, ids: Collection[str], properties: Sequence[str], found: Found) -> None:
    """Read people, their finished tasks and their former leads, as a rule in one call."""
    queries = queries_of_people(ids, lambda sobject, part: select(
        columns_of(org, sobject, properties), sobject, f"Id IN {part}"
    ))  # fmt: skip
    contacts = sorted(each for each in ids if object_of(each) == CONTACT)
    queries += map(Query, for_each_part(contacts, lambda part: select(
        ["Id", "ConvertedContactId"], LEAD, f"ConvertedContactId IN {part}"
    )))  # fmt: skip
    queries += [Query(soql, optional=True) for soql in _touches(org, sorted(ids))]
    for rows in org.rows_of(queries):
        for row in rows:
            _keep(found, row)


def _touches(org: Org, ids: Sequence[str]) -> Iterable[str]:
    """Yield queries of when people's tasks were last finished, our own left out.

    docs/salesforce-facts.md#last-activity
    """
    shown = org.sobject("Task").columns
    if "CompletedDateTime" not in shown:
        return ()
    ours = f" AND {REFERENCE} = null" if REFERENCE in shown else ""
    return for_each_part(ids, lambda part: select(
        ["WhoId", "MAX(CompletedDateTime) touched"], "Task",
        f"WhoId IN {part} AND IsClosed = TRUE{ours}", "GROUP BY WhoId",
    ))  # fmt: skip


def _keep(found: Found, row: Json) -> None:
    if "touched" in row:
        if at := read_instant(row["touched"]):
            found.touched_at[full_id(str(row.get("WhoId") or ""))] = at
    elif "Email" in row or "OwnerId" in row:
        found.rows[row_id(row)] = row
    else:
        place = full_id(str(row.get("ConvertedContactId") or ""))
        found.leads_of.setdefault(place, []).append(row_id(row))


def _person(
    org: Org,
    found: Found,
    record_id: str,
    properties: Sequence[str],
    asked: str,
    live: Mapping[str, str],
) -> CrmContact:
    came_here = [full_id(id_) for id_, place in live.items() if place == record_id]
    former = dict.fromkeys([*found.leads_of.get(record_id, ()), *came_here])
    former.pop(record_id, None)
    person = read_person(org, object_of(record_id), found.rows[record_id], properties, asked)
    return replace(person, former_ids=tuple(former), touched_at=found.touched_at.get(record_id))

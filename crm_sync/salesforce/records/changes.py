"""Find the people and deals that changed since an instant: all of them, however many.

Each page begins after the last row of the one before, by time and id, so that a mass change of one
second is told whole. Leads and contacts, and deals and their contact roles, are asked in one call.
A row becomes visible when its transaction ends, which may be minutes after its time: callers allow for
that. docs/salesforce-facts.md#modification-time, docs/salesforce-facts.md#commit-lag
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import merge

from crm_sync.port import ChangeKind, CrmChange
from crm_sync.salesforce.records.contacts import email_of
from crm_sync.salesforce.records.deals import OPPORTUNITY, ROLE
from crm_sync.salesforce.records.ids import CONTACT, LEAD, full_id
from crm_sync.salesforce.records.org import Org, Rows, with_fresh_fields
from crm_sync.salesforce.records.people import contact_of, row_id
from crm_sync.salesforce.records.soql import (
    ROWS,
    Query,
    for_each_part,
    id_literal,
    instant_literal,
    queries_of_people,
    select,
)
from crm_sync.salesforce.records.values import read_instant
from crm_sync.salesforce.transport.client import Json
from leadscoring.common.batching import batched

MODIFIED = "SystemModstamp"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ORDER = f"ORDER BY {MODIFIED}, Id"
PART = 1_000  # changes in one part


@dataclass(frozen=True, slots=True)
class ChangeSource:
    """An object whose rows tell of changes. `deleted`: its deleted rows do too."""

    sobject: str
    columns: Sequence[str]
    deleted: bool = False

    def query(self, org: Org, where: str, order: str) -> Query:
        columns = ["Id", MODIFIED, *org.sobject(self.sobject).shown(*self.columns)]
        return Query(select(columns, self.sobject, where, order), self.deleted)


# Adding or removing a role does not move the deal's time. docs/salesforce-facts.md#contact-roles
SOURCES: Mapping[ChangeKind, tuple[ChangeSource, ...]] = {
    "contacts": (
        ChangeSource(LEAD, ("Email", "IsConverted", "ConvertedContactId")),
        ChangeSource(CONTACT, ("Email",)),
    ),
    "deals": (ChangeSource(OPPORTUNITY, ()), ChangeSource(ROLE, ("OpportunityId",), deleted=True)),
}


def changed_records(
    org: Org, kind: ChangeKind, since: datetime, most: int = ROWS
) -> Iterator[Sequence[CrmChange]]:
    """Yield what changed at `since` or later, oldest first, in parts. `most`: rows of a page."""
    sources = SOURCES[kind]
    start, end = f"{MODIFIED} >= {instant_literal(since)}", f"{ORDER} LIMIT {most}"
    first = _pages(org, sources, start, end)
    streams = [
        _rows_after(org, source, page, most) for source, page in zip(sources, first, strict=True)
    ]
    told: dict[str, datetime] = {}
    for rows in batched(merge(*streams, key=_stamp), PART):
        part = _fresh(map(_change, rows), told)
        yield _with_former(org, part) if kind == "contacts" and part else part


def newest_changed(org: Org, kind: ChangeKind) -> datetime | None:
    """Return the time of the latest change, None when there is no record."""
    end = f"ORDER BY {MODIFIED} DESC LIMIT 1"
    found = _pages(org, SOURCES[kind], "", end)
    return max((_stamp(row)[0] for rows in found for row in rows), default=None)


@with_fresh_fields
def _pages(org: Org, sources: Sequence[ChangeSource], where: str, order: str) -> list[Rows]:
    return org.rows_of([source.query(org, where, order) for source in sources])


def _rows_after(org: Org, source: ChangeSource, page: Rows, most: int) -> Iterator[Json]:
    """Yield the rows of a page and of all after it."""
    while True:
        yield from page
        if len(page) < most:
            return
        at, last = instant_literal(_stamp(page[-1])[0]), id_literal(row_id(page[-1]))
        beyond = f"{MODIFIED} >= {at} AND ({MODIFIED} > {at} OR Id > {last})"
        page = _pages(org, [source], beyond, f"{ORDER} LIMIT {most}")[0]


def _stamp(row: Json) -> tuple[datetime, str]:
    return read_instant(row.get(MODIFIED)) or EPOCH, row_id(row)


def _change(row: Json) -> CrmChange:
    """Return the change that a row tells: of the contact of a converted lead, of the deal of a role."""
    contact, deal = contact_of(row), full_id(str(row.get("OpportunityId") or ""))
    return CrmChange(
        record_id=contact or deal or row_id(row),
        changed_at=_stamp(row)[0],
        emails=tuple(filter(None, [email_of(row)])),
        former_ids=(row_id(row),) if contact else (),
    )


def _fresh(changes: Iterator[CrmChange], told: dict[str, datetime]) -> list[CrmChange]:
    """Return changes with one for each record, its newest, in their order; omit what was told."""
    found: dict[str, CrmChange] = {}
    for change in changes:
        before = found.pop(change.record_id, None)
        if before:
            change = replace(
                change,
                emails=_joined(before.emails, change.emails),
                former_ids=_joined(before.former_ids, change.former_ids),
            )
        if told.get(change.record_id) != change.changed_at or change.former_ids:
            found[change.record_id] = change
    told.update((each.record_id, each.changed_at) for each in found.values())
    return list(found.values())


def _with_former(org: Org, changes: Sequence[CrmChange]) -> list[CrmChange]:
    """Return people with the leads that they were, the records merged into them, and their addresses.

    docs/salesforce-facts.md#merges
    """
    ids = [change.record_id for change in changes]
    queries = queries_of_people(ids, _losers, deleted=True)
    contacts = [id_ for id_ in ids if full_id(id_).startswith("003")]
    queries += map(Query, for_each_part(contacts, lambda part: select(
        ["Id", "Email", "ConvertedContactId"], LEAD, f"ConvertedContactId IN {part}"
    )))  # fmt: skip
    former: dict[str, Rows] = {}
    for rows in org.rows_of(queries):
        for row in rows:
            place = str(row.get("MasterRecordId") or row.get("ConvertedContactId") or "")
            former.setdefault(full_id(place), []).append(row)
    return [
        replace(
            change,
            emails=_joined(
                change.emails, [email_of(row) for row in former.get(change.record_id, ())]
            ),
            former_ids=_joined(
                change.former_ids, [row_id(row) for row in former.get(change.record_id, ())]
            ),
        )
        for change in changes
    ]


def _losers(sobject: str, part: str) -> str:
    where = f"MasterRecordId IN {part} AND IsDeleted = TRUE"
    return select(["Id", "Email", "MasterRecordId"], sobject, where)


def _joined(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (*first, *second))))

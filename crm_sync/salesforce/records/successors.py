"""What a lead or contact has become: the contact of a converted lead, the winner of a merge.

docs/salesforce-facts.md#conversion, docs/salesforce-facts.md#merges
"""

from collections.abc import Collection, Mapping

from crm_sync.salesforce.records.ids import full_id
from crm_sync.salesforce.records.org import Org, with_fresh_fields
from crm_sync.salesforce.records.soql import queries_of_converted, queries_of_people, select

LONGEST_CHAIN = 8  # conversions and merges in a row; a ring of them would have no end


def merged_into(org: Org, record_ids: Collection[str]) -> dict[str, str]:
    """Return the winner's id by the loser's. The trace is lost when the recycle bin is emptied."""
    return next_places(org, record_ids, converted=False)


def next_places(org: Org, record_ids: Collection[str], *, converted: bool = True) -> dict[str, str]:
    """Return where people are that were merged, and with `converted` also converted, one step on."""
    queries = queries_of_people(record_ids, _merged, deleted=True)
    if converted:
        queries += queries_of_converted(record_ids)
    found = {}
    for rows in org.rows_of(queries):
        for row in rows:
            place = full_id(str(row.get("MasterRecordId") or row.get("ConvertedContactId") or ""))
            if place:
                found[full_id(str(row.get("Id") or ""))] = place
    return found


@with_fresh_fields
def present_places(org: Org, record_ids: Collection[str]) -> Mapping[str, str]:
    """Return where people are now that were merged or converted, by the asked id; omit the others."""
    place = {each: each for each in record_ids}
    for _ in range(LONGEST_CHAIN):
        moved = next_places(org, set(place.values()))
        if not moved:
            break
        place = {asked: moved.get(here, here) for asked, here in place.items()}
    return {asked: here for asked, here in place.items() if here != asked}


def _merged(sobject: str, part: str) -> str:
    where = f"Id IN {part} AND IsDeleted = TRUE AND MasterRecordId != null"
    return select(["Id", "MasterRecordId"], sobject, where)

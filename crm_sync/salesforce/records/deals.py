"""Read opportunities by the contacts that have a role in them. Leads have none before their conversion.

docs/salesforce-facts.md#contact-roles
"""

from collections.abc import Iterable, Mapping, Sequence

from crm_sync.port import CrmDeal
from crm_sync.salesforce.records.ids import CONTACT, full_id, object_of
from crm_sync.salesforce.records.org import Org, with_fresh_fields
from crm_sync.salesforce.records.people import contact_of, row_id
from crm_sync.salesforce.records.soql import Query, for_each_part, queries_of_converted, select
from crm_sync.salesforce.records.values import read_instant, text_value
from crm_sync.salesforce.transport.client import Json

OPPORTUNITY, ROLE = "Opportunity", "OpportunityContactRole"
READ = (
    "Name",
    "StageName",
    "RecordTypeId",
    "OwnerId",
    "Amount",
    "IsClosed",
    "IsWon",
    "CreatedDate",
    "SystemModstamp",
)
# There is no standard field; what orgs usually name theirs. docs/salesforce-facts.md#loss-reason
LOSS_REASONS = ("Loss_Reason__c", "Lost_Reason__c", "Closed_Lost_Reason__c")
# The pipeline of deals without a record type.
MASTER = "012000000000000AAA"


@with_fresh_fields
def deal_ids_of_people(org: Org, record_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return deal ids by the person's record id."""
    place, rows = _roles_of_people(org, record_ids, ["ContactId", "OpportunityId"])
    return _grouped(place, [(_id(row, "ContactId"), _id(row, "OpportunityId")) for row in rows])


@with_fresh_fields
def contact_ids_of_deals(org: Org, deal_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return record ids of contacts by deal id."""
    asked = {id_: full_id(id_) for id_ in deal_ids}
    queries = _roles("OpportunityId", asked.values(), ["ContactId", "OpportunityId"])
    rows = [row for found in org.rows_of(queries) for row in found]
    return _grouped(asked, [(_id(row, "OpportunityId"), _id(row, "ContactId")) for row in rows])


@with_fresh_fields
def deals_of_people(org: Org, record_ids: Sequence[str]) -> dict[str, list[CrmDeal]]:
    """Return deals by the person's record id, each once."""
    if not record_ids:
        return {}
    columns = org.sobject(OPPORTUNITY).shown(*READ, *LOSS_REASONS)
    names = ["ContactId", "OpportunityId", *(f"{OPPORTUNITY}.{name}" for name in columns)]
    place, rows = _roles_of_people(org, record_ids, names)
    deals = {_id(row, "OpportunityId"): _deal(row) for row in rows}
    ids = _grouped(place, [(_id(row, "ContactId"), _id(row, "OpportunityId")) for row in rows])
    return {id_: [deals[deal_id] for deal_id in found] for id_, found in ids.items()}


def pipeline_of(record_type: str) -> str:
    return full_id(record_type) or MASTER


def _roles_of_people(
    org: Org, record_ids: Sequence[str], names: Sequence[str]
) -> tuple[dict[str, str], list[Json]]:
    """Return who each asked person is now, and the contact roles of them all.

    A lead has roles when it was converted. docs/salesforce-facts.md#conversion
    """
    place = {id_: full_id(id_) for id_ in record_ids}
    roles, leads = _roles("ContactId", place.values(), names), queries_of_converted(place.values())
    found = org.rows_of([*roles, *leads])
    rows = [row for some in found[: len(roles)] for row in some]
    became = {row_id(row): contact for some in found[len(roles) :] for row in some
              if (contact := contact_of(row))}  # fmt: skip
    further = set(became.values()) - set(place.values())
    rows += [row for some in org.rows_of(_roles("ContactId", further, names)) for row in some]
    return {id_: became.get(full, full) for id_, full in place.items()}, rows


def _roles(field: str, ids: Iterable[str], names: Sequence[str]) -> list[Query]:
    """Return queries of contact roles. A contact may have two in one deal."""
    asked = [each for each in dict.fromkeys(ids) if each]
    if field == "ContactId":
        asked = [each for each in asked if object_of(each) == CONTACT]
    return [Query(soql) for soql in for_each_part(asked, lambda part: select(
        names, ROLE, f"{field} IN {part}", "ORDER BY CreatedDate, Id"
    ))]  # fmt: skip


def _grouped(place: Mapping[str, str], pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the second of the pairs by the first, each once, for every id that was asked.

    `place`: what the first is, by the asked id.
    """
    found: dict[str, dict[str, None]] = {}
    for first, second in pairs:
        found.setdefault(first, {})[second] = None
    return {asked: [each for each in found.get(here, ()) if each] for asked, here in place.items()}


def _deal(row: Json) -> CrmDeal:
    there = row.get(OPPORTUNITY)
    values = there if isinstance(there, dict) else {}
    return CrmDeal(
        deal_id=_id(row, "OpportunityId"),
        name=text_value(values.get("Name")),
        pipeline_id=pipeline_of(text_value(values.get("RecordTypeId"))),
        stage_id=text_value(values.get("StageName")),
        owner_id=text_value(values.get("OwnerId")),
        amount=text_value(values.get("Amount")),
        closed=values.get("IsClosed") is True,
        won=values.get("IsWon") is True,
        changed_at=read_instant(values.get("SystemModstamp")),
        made_at=read_instant(values.get("CreatedDate")),
        lost_reason=next(filter(None, (text_value(values.get(name)) for name in LOSS_REASONS)), ""),
    )


def _id(row: Json, name: str) -> str:
    return full_id(str(row.get(name) or ""))

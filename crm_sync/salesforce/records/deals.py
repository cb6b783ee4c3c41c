"""Read opportunities by the contacts that have a role in them. Leads have none before their conversion.

docs/salesforce-facts.md#contact-roles
"""

from collections.abc import Sequence

from crm_sync.port import CrmDeal
from crm_sync.salesforce.records.ids import CONTACT, full_id, object_of
from crm_sync.salesforce.records.org import Org, with_fresh_fields
from crm_sync.salesforce.records.soql import for_each_part, select
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
    rows = _roles(org, "ContactId", record_ids, ["ContactId", "OpportunityId"])
    return _grouped(
        record_ids, [(_id(row, "ContactId"), _id(row, "OpportunityId")) for row in rows]
    )


@with_fresh_fields
def contact_ids_of_deals(org: Org, deal_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return record ids of contacts by deal id."""
    rows = _roles(org, "OpportunityId", deal_ids, ["ContactId", "OpportunityId"])
    return _grouped(deal_ids, [(_id(row, "OpportunityId"), _id(row, "ContactId")) for row in rows])


@with_fresh_fields
def deals_of_people(org: Org, record_ids: Sequence[str]) -> dict[str, list[CrmDeal]]:
    """Return deals by the person's record id, each once."""
    if not any(object_of(full_id(id_)) == CONTACT for id_ in record_ids):
        return {id_: [] for id_ in record_ids}
    columns = org.sobject(OPPORTUNITY).shown(*READ, *LOSS_REASONS)
    names = ["ContactId", "OpportunityId", *(f"{OPPORTUNITY}.{name}" for name in columns)]
    rows = _roles(org, "ContactId", record_ids, names)
    deals = {_id(row, "OpportunityId"): _deal(row) for row in rows}
    ids = _grouped(record_ids, [(_id(row, "ContactId"), _id(row, "OpportunityId")) for row in rows])
    return {id_: [deals[deal_id] for deal_id in found] for id_, found in ids.items()}


def pipeline_of(record_type: str) -> str:
    return full_id(record_type) or MASTER


def _roles(org: Org, field: str, ids: Sequence[str], names: Sequence[str]) -> list[Json]:
    """Return contact roles. A contact may have two in one deal."""
    asked = list(dict.fromkeys(full for id_ in ids if (full := full_id(id_))))
    if field == "ContactId":
        asked = [each for each in asked if object_of(each) == CONTACT]
    return org.all_rows(for_each_part(asked, lambda part: select(
        names, ROLE, f"{field} IN {part}", "ORDER BY CreatedDate, Id"
    )))  # fmt: skip


def _grouped(asked: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the second of the pairs by the first, each once, for every id that was asked."""
    found: dict[str, dict[str, None]] = {}
    for first, second in pairs:
        found.setdefault(first, {})[second] = None
    return {id_: [each for each in found.get(full_id(id_), ()) if each] for id_ in asked}


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

"""Deals of contacts, and the pipelines and stages they are in."""

from collections.abc import Sequence

from crm_sync.hubspot.records.batches import (
    list_field,
    object_field,
    property_values,
    read_associations,
    read_records,
)
from crm_sync.hubspot.timestamps import parse_instant_value
from crm_sync.hubspot.transport.calls import (
    CONTACTS_OF_DEALS,
    DEALS_OF_CONTACTS,
    PIPELINES,
    READ_DEALS,
)
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.port import CrmDeal, CrmStage

# One of HubSpot's default properties of deals (knowledge base, "HubSpot's default deal properties");
# an account that has taken it away leaves it out of its answers.
LOST_REASON = "closed_lost_reason"
READ = (
    "dealname",
    "pipeline",
    "dealstage",
    "hubspot_owner_id",
    "amount",
    "hs_is_closed",
    "hs_is_closed_won",
    "hs_lastmodifieddate",
    "createdate",
    LOST_REASON,
)


def deal_ids_of_contacts(client: HubSpotClient, record_ids: Sequence[str]) -> dict[str, list[str]]:
    """Deal ids, by record id; their deals are not read."""
    return read_associations(client, DEALS_OF_CONTACTS, record_ids)


def deals_of_contacts(client: HubSpotClient, record_ids: Sequence[str]) -> dict[str, list[CrmDeal]]:
    linked = deal_ids_of_contacts(client, record_ids)
    ids = [id_ for each in linked.values() for id_ in each]
    deals = {deal.deal_id: deal for deal in map(_deal, read_records(client, READ_DEALS, ids, READ))}
    return {
        record_id: [deals[id_] for id_ in found if id_ in deals]
        for record_id, found in linked.items()
    }


def contacts_of_deals(client: HubSpotClient, deal_ids: Sequence[str]) -> dict[str, list[str]]:
    """Record ids of contacts, by deal id."""
    return read_associations(client, CONTACTS_OF_DEALS, deal_ids)


def read_stages(client: HubSpotClient) -> list[CrmStage]:
    """All stages of all pipelines, archived ones too, in their order."""
    found = list_field(client.ask(PIPELINES), "results")
    return [
        _stage(pipeline, stage)
        for pipeline in sorted(found, key=_position)
        for stage in sorted(list_field(pipeline, "stages"), key=_position)
    ]


LARGEST = 2**31 - 1  # what our column holds


def _deal(item: Json) -> CrmDeal:
    held = property_values(item)
    return CrmDeal(
        deal_id=str(item.get("id") or ""),
        name=held.get("dealname", ""),
        pipeline_id=held.get("pipeline", ""),
        stage_id=held.get("dealstage", ""),
        owner_id=held.get("hubspot_owner_id", ""),
        amount=held.get("amount", ""),
        closed=_true(held.get("hs_is_closed")),
        won=_true(held.get("hs_is_closed_won")),
        changed_at=parse_instant_value(held.get("hs_lastmodifieddate", "")),
        made_at=parse_instant_value(held.get("createdate", "")),
        lost_reason=held.get(LOST_REASON, ""),
    )


def _stage(pipeline: Json, stage: Json) -> CrmStage:
    """Won: closed with a probability of 1, whatever the label says; labels are free text."""
    metadata = object_field(stage, "metadata")
    closed = _true(metadata.get("isClosed"))
    probability = _probability(metadata.get("probability"))
    return CrmStage(
        pipeline_id=str(pipeline.get("id")),
        pipeline=str(pipeline.get("label") or ""),
        stage_id=str(stage.get("id")),
        label=str(stage.get("label") or ""),
        position=_position(stage),
        probability=probability,
        closed=closed,
        won=closed and probability == 1,
        archived=bool(pipeline.get("archived") or stage.get("archived")),
    )


def _position(item: Json) -> int:
    order = item.get("displayOrder")
    return max(-LARGEST, min(order, LARGEST)) if isinstance(order, int) else 0


def _true(value: object) -> bool:
    """Booleans come as text, and a client that parses them may write "True"."""
    return str(value).lower() == "true"


def _probability(value: object) -> float | None:
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 <= found <= 1 else None

"""Read the deals of contacts, and the deal pipelines with their stages."""

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

# A default property of deals; an account that has taken it away leaves it out of its answers.
# docs/hubspot-facts.md#calculated-deal-properties
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
    """Return deal ids by the contact's record id. Do not read the deals."""
    return read_associations(client, DEALS_OF_CONTACTS, record_ids)


def deals_of_contacts(client: HubSpotClient, record_ids: Sequence[str]) -> dict[str, list[CrmDeal]]:
    """Return deals by the contact's record id."""
    linked = deal_ids_of_contacts(client, record_ids)
    ids = [id_ for each in linked.values() for id_ in each]
    deals = {deal.deal_id: deal for deal in map(_deal, read_records(client, READ_DEALS, ids, READ))}
    return {
        record_id: [deals[id_] for id_ in found if id_ in deals]
        for record_id, found in linked.items()
    }


def contacts_of_deals(client: HubSpotClient, deal_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return record ids of contacts by deal id."""
    return read_associations(client, CONTACTS_OF_DEALS, deal_ids)


def read_stages(client: HubSpotClient) -> list[CrmStage]:
    """Return the stages of all pipelines in their order, archived ones included."""
    found = list_field(client.ask(PIPELINES), "results")
    return [
        _stage(pipeline, stage)
        for pipeline in sorted(found, key=_position)
        for stage in sorted(list_field(pipeline, "stages"), key=_position)
    ]


LARGEST = 2**31 - 1  # that our integer column can hold


def _deal(item: Json) -> CrmDeal:
    values = property_values(item)
    return CrmDeal(
        deal_id=str(item.get("id") or ""),
        name=values.get("dealname", ""),
        pipeline_id=values.get("pipeline", ""),
        stage_id=values.get("dealstage", ""),
        owner_id=values.get("hubspot_owner_id", ""),
        amount=values.get("amount", ""),
        closed=_true(values.get("hs_is_closed")),
        won=_true(values.get("hs_is_closed_won")),
        changed_at=parse_instant_value(values.get("hs_lastmodifieddate", "")),
        made_at=parse_instant_value(values.get("createdate", "")),
        lost_reason=values.get(LOST_REASON, ""),
    )


def _stage(pipeline: Json, stage: Json) -> CrmStage:
    """Return a stage. Won is closed with a probability of 1, whatever its label.

    docs/hubspot-facts.md#stage-metadata
    """
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
    """Parse a boolean, which comes as text; a client that parses it may write "True".

    docs/hubspot-facts.md#record-values
    """
    return str(value).lower() == "true"


def _probability(value: object) -> float | None:
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 <= found <= 1 else None

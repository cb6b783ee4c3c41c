"""Read the pipelines and stages: each record type of opportunities is a pipeline.

docs/salesforce-facts.md#record-types-and-stages
"""

from collections.abc import Collection
from typing import NamedTuple

from crm_sync.port import CrmMissing, CrmRejected, CrmStage
from crm_sync.salesforce.records.deals import MASTER, OPPORTUNITY
from crm_sync.salesforce.records.ids import full_id
from crm_sync.salesforce.records.org import Org, with_fresh_fields
from crm_sync.salesforce.records.soql import Query, select, text_literal
from crm_sync.salesforce.records.values import text_value
from crm_sync.salesforce.transport.calls import STAGES_OF_TYPE
from crm_sync.salesforce.transport.client import Json

NAMES = (
    "ApiName",
    "MasterLabel",
    "IsActive",
    "SortOrder",
    "IsClosed",
    "IsWon",
    "DefaultProbability",
)
LARGEST = 2**31 - 1  # that our integer column can hold


class Pipeline(NamedTuple):
    """`offered`: names of its stages; None for all that are active."""

    id: str
    label: str
    active: bool = True
    offered: Collection[str] | None = None


@with_fresh_fields
def read_pipeline_stages(org: Org) -> list[CrmStage]:
    """Return the stages of all pipelines in their order.

    A deal keeps a stage that its record type does not offer any more: such a stage is archived there.
    """
    of_opportunities = f"SobjectType = {text_literal(OPPORTUNITY)}"
    stages, types = org.rows_of([
        Query(select(NAMES, "OpportunityStage", after="ORDER BY SortOrder")),
        Query(
            select(["Id", "Name", "IsActive"], "RecordType", of_opportunities, "ORDER BY Name"),
            optional=True,
        ),
    ])  # fmt: skip
    pipelines = [_pipeline(org, row) for row in types]
    pipelines.append(
        Pipeline(MASTER, f"{OPPORTUNITY} without record type" if types else OPPORTUNITY)
    )
    return [_stage(pipeline, row) for pipeline in pipelines for row in stages]


def _pipeline(org: Org, row: Json) -> Pipeline:
    record_type, active = full_id(str(row.get("Id") or "")), row.get("IsActive") is not False
    offered = _offered(org, record_type) if active else ()
    return Pipeline(record_type, text_value(row.get("Name")), active, offered)


def _offered(org: Org, record_type: str) -> Collection[str] | None:
    """Return the stages of a record type; None where they are not told, as of one that is not
    assigned to the integration user.
    """
    try:
        found = org.client.ask(STAGES_OF_TYPE, path={"record_type": record_type}).get("values")
    except (CrmMissing, CrmRejected):
        return None
    values = found if isinstance(found, list) else []
    return [str(each.get("value")) for each in values if isinstance(each, dict)]


def _stage(pipeline: Pipeline, row: Json) -> CrmStage:
    name, order = text_value(row.get("ApiName")), row.get("SortOrder")
    offered = pipeline.offered is None or name in pipeline.offered
    return CrmStage(
        pipeline_id=pipeline.id,
        pipeline=pipeline.label,
        stage_id=name,
        label=text_value(row.get("MasterLabel")) or name,
        position=min(max(order, -LARGEST), LARGEST) if isinstance(order, int) else 0,
        probability=_probability(row.get("DefaultProbability")),
        closed=row.get("IsClosed") is True,
        won=row.get("IsWon") is True,
        archived=not (pipeline.active and offered and row.get("IsActive") is not False),
    )


def _probability(percent: object) -> float | None:
    if not isinstance(percent, int | float) or not 0 <= percent <= 100:
        return None
    return percent / 100

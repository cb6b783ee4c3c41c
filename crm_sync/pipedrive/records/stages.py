"""Read the stages of all pipelines, with two more in each for the deals that are won and lost.

docs/pipedrive-facts.md#won-and-lost, docs/pipedrive-facts.md#probability
"""

from collections.abc import Iterator

from crm_sync.pipedrive.records.deals import LOST, WON
from crm_sync.pipedrive.records.lists import PAGE, id_text, next_page, objects_of, text_at
from crm_sync.pipedrive.transport.calls import PIPELINES, STAGES, PipedriveCall
from crm_sync.pipedrive.transport.client import Json, PipedriveClient
from crm_sync.port import CrmStage

LARGEST = 2**31 - 1  # that our integer column can hold


def read_pipeline_stages(client: PipedriveClient) -> list[CrmStage]:
    """Return the stages of all pipelines in their order, deleted ones included."""
    pipelines = sorted(_all(client, PIPELINES), key=_position)
    stages = sorted(_all(client, STAGES), key=_position)
    return [
        stage
        for pipeline in pipelines
        for stage in (
            *(_stage(pipeline, each) for each in stages if _is_in(pipeline, each)),
            *_closed_stages(pipeline),
        )
    ]


def _all(client: PipedriveClient, call: PipedriveCall) -> Iterator[Json]:
    """Yield all of a list, what is marked as deleted too."""
    cursor, seen = "", {""}
    while True:
        query = [("limit", str(PAGE)), *([("cursor", cursor)] if cursor else [])]
        found = client.ask(call, query=query)
        yield from objects_of(found)
        cursor = next_page(found)
        if cursor in seen:
            return
        seen.add(cursor)


def _is_in(pipeline: Json, stage: Json) -> bool:
    return id_text(stage.get("pipeline_id")) == id_text(pipeline.get("id"))


def _stage(pipeline: Json, stage: Json) -> CrmStage:
    return CrmStage(
        pipeline_id=id_text(pipeline.get("id")),
        pipeline=text_at(pipeline, "name"),
        stage_id=id_text(stage.get("id")),
        label=text_at(stage, "name"),
        position=_position(stage),
        probability=_probability(pipeline, stage),
        closed=False,
        won=False,
        archived=pipeline.get("is_deleted") is True or stage.get("is_deleted") is True,
    )


def _closed_stages(pipeline: Json) -> Iterator[CrmStage]:
    for place, (stage_id, label) in enumerate(((WON, "Won"), (LOST, "Lost"))):
        yield CrmStage(
            pipeline_id=id_text(pipeline.get("id")),
            pipeline=text_at(pipeline, "name"),
            stage_id=stage_id,
            label=label,
            position=LARGEST - 1 + place,
            probability=1.0 if stage_id == WON else 0.0,
            closed=True,
            won=stage_id == WON,
            archived=pipeline.get("is_deleted") is True,
        )


def _probability(pipeline: Json, stage: Json) -> float | None:
    """Return a stage's probability where the pipeline uses them: else each stage says 100 %."""
    percent = stage.get("deal_probability")
    if pipeline.get("is_deal_probability_enabled") is not True or not isinstance(percent, int):
        return None
    return percent / 100 if 0 <= percent <= 100 else None


def _position(item: Json) -> int:
    order = item.get("order_nr")
    return max(0, min(order, LARGEST - 2)) if isinstance(order, int) else 0

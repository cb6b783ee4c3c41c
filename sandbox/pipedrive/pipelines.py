"""Pipelines and their stages. Read-only here; a probability counts only where the pipeline says so."""

from .call import Answer, Call, data
from .lists import answer_rows
from .refusals import not_found
from .store import Item


def page(call: Call) -> Answer:
    return answer_rows(call, _sorted(call, list(call.store.pipelines.values())))


def stages(call: Call) -> Answer:
    asked = call.query.get("pipeline_id")
    found = [each for each in call.store.stages.values() if asked in (None, each["pipeline_id"])]
    return answer_rows(call, _sorted(call, found))


def read(call: Call) -> Answer:
    return _one(call.store.pipelines.get(call.args["id"]), "Pipeline")


def read_stage(call: Call) -> Answer:
    return _one(call.store.stages.get(call.args["id"]), "Stage")


def _one(found: Item | None, name: str) -> Answer:
    if found is None:
        raise not_found(name)
    return data(found)


def _sorted(call: Call, rows: list[Item]) -> list[Item]:
    name = call.query.get("sort_by", "id")
    return sorted(
        rows,
        key=lambda each: (each[name], each["id"]),
        reverse=call.query.get("sort_direction") == "desc",
    )

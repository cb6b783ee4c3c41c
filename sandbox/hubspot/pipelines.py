"""Deal pipelines and their stages."""

from typing import Any

from .call import NOTHING, Answer, Call, Item, text_of
from .moments import iso
from .refusals import bad_json, bad_request, conflict, not_found
from .writes import stage_of

STAGE_LIMIT = 100


def page(call: Call) -> Answer:
    return 200, {"results": list(call.store.pipelines.values()) if _deals(call) else []}


def read(call: Call) -> Answer:
    return 200, _pipeline(call)


def stages(call: Call) -> Answer:
    return 200, {"results": _pipeline(call)["stages"]}


def read_stage(call: Call) -> Answer:
    return 200, _stage(call)


def create(call: Call) -> Answer:
    sent = call.document()
    if not _deals(call):
        raise bad_request("only deals have pipelines here")
    id_ = str(sent.get("pipelineId") or 74_830_011 + len(call.store.pipelines))
    if id_ in call.store.pipelines:
        raise conflict(f"pipeline {id_} already exists")
    made: Item = {"id": id_, "label": text_of(sent, "label"), "stages": []} | _new(call, sent)
    for each in sent.get("stages") or []:
        made["stages"].append(_made_stage(call, made, each))
    call.store.pipelines[id_] = made
    return 201, made


def update(call: Call) -> Answer:
    pipeline = _pipeline(call)
    _change(call, pipeline, call.document())
    return 200, pipeline


def create_stage(call: Call) -> Answer:
    pipeline = _pipeline(call)
    if len(pipeline["stages"]) >= STAGE_LIMIT:
        raise bad_request(f"a pipeline has at most {STAGE_LIMIT} stages")
    stage = _made_stage(call, pipeline, call.document())
    pipeline["stages"].append(stage)
    return 201, stage


def update_stage(call: Call) -> Answer:
    stage, sent = _stage(call), call.document()
    if "metadata" in sent:
        stage["metadata"] = stage["metadata"] | _metadata(sent)
    _change(call, stage, sent)
    return 200, stage


def archive_stage(call: Call) -> Answer:
    """Refused while deals are in it."""
    stage = _stage(call)
    deals = (each.properties.get("dealstage") for each in call.store.live("deals"))
    if stage["id"] in deals:
        raise bad_request("a stage that deals are in cannot be deleted")
    _change(call, stage, {"archived": True})
    return NOTHING


def _deals(call: Call) -> bool:
    return call.kind() == "deals"


def _pipeline(call: Call) -> dict[str, Any]:
    if not _deals(call) or call.args["pipeline"] not in call.store.pipelines:
        raise not_found()
    return call.store.pipelines[call.args["pipeline"]]


def _stage(call: Call) -> dict[str, Any]:
    stage = stage_of(_pipeline(call), call.args["stage"])
    if stage is None:
        raise not_found()
    return stage


def _made_stage(call: Call, pipeline: Item, sent: Any) -> Item:
    if not isinstance(sent, dict):
        raise bad_json("a stage must be an object")
    id_ = str(sent.get("stageId") or f"{9_500_000 + len(pipeline['stages'])}{pipeline['id'][-4:]}")
    if stage_of(pipeline, id_):
        raise conflict(f"stage {id_} already exists")
    made = {"id": id_, "label": text_of(sent, "label"), "metadata": _metadata(sent)}
    return made | _new(call, sent) | {"writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"}


def _metadata(sent: Item) -> dict[str, str]:
    """A map of strings; a deal stage must have its probability."""
    found = sent.get("metadata")
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise bad_json("metadata must be a map of strings")
    try:
        probability = float(found["probability"])
    except (KeyError, ValueError):
        raise bad_request("metadata must have a probability from 0.0 to 1.0") from None
    if not 0 <= probability <= 1:
        raise bad_request("metadata must have a probability from 0.0 to 1.0")
    closed = str(probability in (0, 1)).lower()
    return {"isClosed": closed} | found


def _new(call: Call, sent: Item) -> Item:
    order = sent.get("displayOrder")
    return {
        "displayOrder": order if isinstance(order, int) else 0,
        "createdAt": iso(call.at),
        "updatedAt": iso(call.at),
        "archived": False,
    }


def _change(call: Call, thing: Item, sent: Item) -> None:
    wanted = {"label": str, "displayOrder": int, "archived": bool}
    for name, kind in wanted.items():
        if name in sent and not isinstance(sent[name], kind):
            raise bad_json(f"{name} is of the wrong type")
    thing |= {name: sent[name] for name in wanted if name in sent} | {"updatedAt": iso(call.at)}
    thing.pop("archivedAt", None)
    if thing["archived"]:
        thing["archivedAt"] = iso(call.at)

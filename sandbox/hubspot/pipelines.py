"""Deal pipelines and their stages: read, and a stage that turns up later."""

from ..server.moments import iso
from .call import Answer, Call, Item, text_of
from .refusals import bad_json, bad_request, not_found

STAGE_LIMIT = 100


def page(call: Call) -> Answer:
    return 200, {"results": list(call.store.pipelines.values()) if call.kind() == "deals" else []}


def read(call: Call) -> Answer:
    if call.kind() != "deals" or call.args["pipelineId"] not in call.store.pipelines:
        raise not_found()
    return 200, call.store.pipelines[call.args["pipelineId"]]


def create_stage(call: Call) -> Answer:
    _, pipeline = read(call)
    sent, stages = call.document(), pipeline["stages"]
    if len(stages) >= STAGE_LIMIT:
        raise bad_request(f"a pipeline has at most {STAGE_LIMIT} stages")
    order = sent.get("displayOrder")
    made = {
        "id": f"{9_500_000 + len(stages)}{pipeline['id'][-4:]}",
        "label": text_of(sent, "label"),
        "metadata": _metadata(sent),
        "displayOrder": order if isinstance(order, int) else 0,
        "createdAt": iso(call.at),
        "updatedAt": iso(call.at),
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }
    stages.append(made)
    return 201, made


def _metadata(sent: Item) -> dict[str, str]:
    """A map of strings; a deal stage must have its probability."""
    found = sent.get("metadata")
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise bad_json("metadata must be a map of strings")
    try:
        probability = float(found["probability"])
    except (KeyError, ValueError):
        probability = -1.0
    if not 0 <= probability <= 1:
        raise bad_request("metadata must have a probability from 0.0 to 1.0")
    return {"isClosed": str(probability in (0, 1)).lower()} | found

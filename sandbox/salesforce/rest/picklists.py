"""The UI API's values of a picklist for a record type: which stages a pipeline offers."""

from ..call import Answer, Call, Item
from ..org import ids
from ..org.store import Record
from ..refusals import Refusal, not_found

MASTER = "012000000000000AAA"


def values(call: Call) -> Answer:
    object_ = call.object()
    field = object_.find(call.args["field"])
    if field is None or not call.access.reads(object_, field) or field.type != "picklist":
        raise not_found()
    offered = (
        _stages(call, ids.full(call.args["record_type"])) if field.name == "StageName" else None
    )
    shown = [
        _stage(each)
        for each in sorted(
            call.store.all("OpportunityStage"), key=lambda each: float(each.get("SortOrder"))
        )
        if offered is not None and each.get("ApiName") in offered
    ]
    if offered is None:
        shown = [
            {
                "attributes": None,
                "label": each.label or each.value,
                "validFor": [],
                "value": each.value,
            }
            for each in field.options
            if each.active
        ]
    url = f"{call.base}/ui-api/object-info/{object_.name}/picklist-values/{call.args['record_type']}/{field.name}"
    return 200, {
        "controllerValues": {},
        "defaultValue": None,
        "eTag": "0",
        "url": url,
        "values": shown,
    }


def _stages(call: Call, record_type: str | None) -> list[str]:
    """Those of a record type that is assigned to the user's profile; the master's are all active ones."""
    if record_type == MASTER:
        return [
            str(each.get("ApiName"))
            for each in call.store.all("OpportunityStage")
            if each.get("IsActive")
        ]
    stages = call.store.rules.stages_of.get(record_type or "")
    if stages is None or record_type in call.store.rules.unassigned:
        message = "The requested resource does not exist or is not available to the user"
        raise Refusal(404, "NOT_FOUND", message)
    return stages


def _stage(stage: Record) -> Item:
    return {
        "attributes": {
            "closed": bool(stage.get("IsClosed")),
            "defaultProbability": stage.get("DefaultProbability"),
            "forecastCategoryName": stage.get("ForecastCategoryName"),
            "picklistAtrributesValueType": "OpportunityStage",
            "won": bool(stage.get("IsWon")),
        },
        "label": stage.get("MasterLabel"),
        "validFor": [],
        "value": stage.get("ApiName"),
    }

"""Deals: won and lost are a status, and the stage stays the one they were in."""

from collections.abc import Iterable
from itertools import chain

from . import call as calls
from . import custom
from .call import Answer, Call, check_alive, check_owner, data, one, writable
from .lists import answer_page, wanted
from .moments import stamp
from .refusals import Refusal, bad_request, capped, invalid, not_allowed
from .showing import view
from .store import Item, Record

STATUSES = ("open", "won", "lost")
CLOSED = {"won": "won_time", "lost": "lost_time"}
# Described for a body and of no use in it.
REFUSED = ("is_deleted", "archive_time", "close_time", "won_time", "lost_time")


def page(call: Call) -> Answer:
    """Archived ones by id alone, if at all."""
    shown = call.settings.archived_readable and "ids" in call.query
    found = (each for each in _wanted(call) if shown or not each.values["is_archived"])
    return answer_page(call, found)


def archived(call: Call) -> Answer:
    return answer_page(call, (each for each in _wanted(call) if each.values["is_archived"]))


def _wanted(call: Call) -> Iterable[Record]:
    statuses = call.names("status")
    if unknown := set(statuses) - {*STATUSES, "deleted"}:
        raise invalid("status", f"'{unknown.pop()}' is not a status")
    records = wanted(call, "deals", ["person_id"])
    asks_person = "person_id" in call.query and "ids" not in call.query
    if asks_person and call.settings.deals_of_participants:
        more = call.store.deals_as_participant(call.query["person_id"])
        records = {each.id: each for each in chain(records, more)}.values()
    found = [each for each in records if not statuses or each.values["status"] in statuses]
    if "deleted" in statuses:
        found += [each for each in call.store.records["deals"].values() if each.is_deleted]
    return found


def read(call: Call) -> Answer:
    deal = one(call, "deals")
    if deal.values["is_archived"] and not call.settings.archived_readable:
        raise Refusal(404, "Deal not found", "ERR_NOT_FOUND")
    return data(view(call, deal))


def create(call: Call) -> Answer:
    values = _checked(call, call.body, {})
    if "stage_id" not in values:
        pipeline = values.get("pipeline_id", next(iter(call.store.pipelines)))
        values |= {"pipeline_id": pipeline, "stage_id": _first_stage(call, pipeline)}
    if 0 < call.settings.most_open_deals <= _count_open(call):
        raise capped("deals")
    first = fresh(call.user_id)
    return data(view(call, call.store.create("deals", first | values, call.at)))


def _count_open(call: Call) -> int:
    return sum(each.values["status"] == "open" for each in call.store.live("deals"))


def fresh(owner_id: int) -> Item:
    """What a deal has of which nothing is said."""
    return {
        "owner_id": owner_id,
        "person_id": None,
        "org_id": None,
        "value": 0,
        "currency": "EUR",
        "stage_change_time": None,
        "is_archived": False,
        "status": "open",
        "visible_to": 3,
        "label_ids": [],
        "origin": "API",
        "custom_fields": {},
    }


def _first_stage(call: Call, pipeline_id: int) -> int:
    return next(
        id_ for id_, each in call.store.stages.items() if each["pipeline_id"] == pipeline_id
    )


def update(call: Call) -> Answer:
    deal = writable(call, "deals")
    if deal.values["is_archived"] and call.body.get("is_archived") is not False:
        raise bad_request("An archived deal cannot be edited")
    call.store.write(deal, _checked(call, call.body, deal.values), call.at)
    return data(view(call, deal))


def delete(call: Call) -> Answer:
    return calls.delete(call, "deals")


def _checked(call: Call, body: Item, held: Item) -> Item:
    for name in REFUSED:
        if name in body:
            raise not_allowed(name)
    check_owner(call, body)
    check_alive(call, "persons", body.get("person_id"), "person_id")
    check_alive(call, "organizations", body.get("org_id"), "org_id")
    if not body.get("title", "x").strip() or len(body.get("title", "")) > 255:
        raise invalid("title", "must have from 1 to 255 characters")
    if body.get("status", "open") not in STATUSES:
        raise invalid("status", f"must be one of {', '.join(STATUSES)}")
    values = body | _stage(call, body, held) | _status(call, body, held)
    if "custom_fields" in body:
        own = custom.checked(call, "deals", body["custom_fields"])
        values["custom_fields"] = {**held.get("custom_fields", {}), **own}
    return values


def _stage(call: Call, body: Item, held: Item) -> Item:
    """A stage brings its pipeline; another pipeline alone brings its first stage."""
    if "pipeline_id" in body and body["pipeline_id"] not in call.store.pipelines:
        raise invalid("pipeline_id", "Pipeline not found")
    if "stage_id" not in body:
        moved = body.get("pipeline_id", held.get("pipeline_id")) != held.get("pipeline_id")
        return {"stage_id": _first_stage(call, body["pipeline_id"])} if held and moved else {}
    stage = call.store.stages.get(body["stage_id"])
    if stage is None or stage["is_deleted"]:
        raise invalid("stage_id", "Stage not found")
    if body.get("pipeline_id", stage["pipeline_id"]) != stage["pipeline_id"]:
        raise invalid("stage_id", "is no stage of this pipeline")
    moved = held and held["stage_id"] != body["stage_id"]
    when = {"stage_change_time": stamp(call.at)} if moved else {}
    return {"pipeline_id": stage["pipeline_id"], **when}


def _status(call: Call, body: Item, held: Item) -> Item:
    status = body.get("status", held.get("status", "open"))
    if status == held.get("status", "open"):
        return {}
    times: Item = dict.fromkeys(("close_time", *CLOSED.values()))
    if status in CLOSED:
        times |= {"close_time": stamp(call.at), CLOSED[status]: stamp(call.at)}
    return times | ({} if status == "lost" else {"lost_reason": None})

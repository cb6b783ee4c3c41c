"""Activities, the reps' tasks: nothing of them is unique, and none has fields of the account's own."""

import re
from datetime import date
from typing import Any

from . import call as calls
from .call import Answer, Call, check_alive, check_owner, data, one, writable
from .lists import answer_page, wanted
from .moments import stamp
from .refusals import invalid
from .showing import view
from .store import Item

TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
EMPTY: dict[str, Any] = dict.fromkeys(
    (
        "deal_id",
        "lead_id",
        "person_id",
        "org_id",
        "due_date",
        "due_time",
        "duration",
        "marked_as_done_time",
        "priority",
        "note",
    )
)


def page(call: Call) -> Answer:
    return answer_page(call, wanted(call, "activities", ["person_id", "deal_id"]))


def read(call: Call) -> Answer:
    return data(view(call, one(call, "activities")))


def create(call: Call) -> Answer:
    values = _checked(call, call.body)
    kind = values.get("type", "call")
    first = EMPTY | {"subject": kind.capitalize(), "type": kind, "owner_id": call.user_id}
    first |= {"creator_user_id": call.user_id, "busy": False, "done": False, "participants": []}
    record = call.store.create("activities", first | values | _done(call, values, {}), call.at)
    _touch_person(call, record.values)
    return data(view(call, record))


def update(call: Call) -> Answer:
    record = writable(call, "activities")
    values = _checked(call, call.body)
    call.store.write(record, values | _done(call, values, record.values), call.at)
    _touch_person(call, record.values)
    return data(view(call, record))


def delete(call: Call) -> Answer:
    return calls.delete(call, "activities")


def _touch_person(call: Call, values: Item) -> None:
    person = call.store.alive("persons", values["person_id"]) if values["person_id"] else None
    if person and call.settings.activity_touches_person:
        call.store.touch(person, call.at)


def _checked(call: Call, body: Item) -> Item:
    check_owner(call, body)
    check_alive(call, "deals", body.get("deal_id"), "deal_id")
    check_alive(call, "organizations", body.get("org_id"), "org_id")
    kinds = {each["key_string"] for each in call.store.activity_types if each["active_flag"]}
    if body.get("type", "call") not in kinds:
        raise invalid("type", "is not a valid activity type")
    if not body.get("subject", "x").strip() or len(body.get("subject", "")) > 255:
        raise invalid("subject", "must have from 1 to 255 characters")
    if len(body.get("note", "")) > call.settings.longest_note:
        raise invalid("note", f"must have at most {call.settings.longest_note} characters")
    _check_due(body)
    values = dict(body)
    if "note" in body and call.settings.rewrites_notes:
        values["note"] = rewritten(body["note"])
    if "participants" in body:
        values |= _participants(call, body["participants"])
    return values


def _check_due(body: Item) -> None:
    if "due_date" in body:
        try:
            if len(body["due_date"]) != 10:
                raise ValueError
            date.fromisoformat(body["due_date"])
        except ValueError:
            raise invalid("due_date", "is not a valid date") from None
    if "due_time" in body and not TIME.fullmatch(body["due_time"]):
        raise invalid("due_time", "is not a valid time")


def rewritten(note: str) -> str:
    """The same words and links with other mark-up, as an editor of the web app may leave it."""
    note = re.sub(r"<a href=", '<a target="_blank" rel="noopener" href=', note)
    return note.replace("<p>", "<div>").replace("</p>", "</div>")


def _participants(call: Call, sent: list[Item]) -> Item:
    """The whole list; `person_id` is whoever of them is marked as primary."""
    rows = []
    for each in sent:
        if "person_id" not in each:
            raise invalid("participants", "person_id is required")
        check_alive(call, "persons", each["person_id"], "participants")
        rows.append({"person_id": each["person_id"], "primary": each.get("primary", False)})
    primary = [each["person_id"] for each in rows if each["primary"]]
    if len(primary) > 1:
        raise invalid("participants", "only one can be primary")
    return {"participants": rows, "person_id": primary[0] if primary else None}


def _done(call: Call, values: Item, held: Item) -> Item:
    if "done" not in values or values["done"] == held.get("done", False):
        return {}
    when = stamp(call.at) if values["done"] and call.settings.done_time else None
    return {"marked_as_done_time": when}

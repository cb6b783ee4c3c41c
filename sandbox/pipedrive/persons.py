"""Persons: made, read, changed, deleted. Nothing of them is unique, their addresses neither."""

import re
from typing import Any

from . import call as calls
from . import custom
from .call import Answer, Call, check_alive, check_owner, data, one, writable
from .lists import answer_page, wanted
from .refusals import Refusal, bad_request, forbidden, invalid
from .showing import CONTACT_SYNC, view
from .store import Item, Record

LONGEST_NAME = 255
VISIBLE = (1, 3, 5, 7)
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Which marketing status may become which; what may not stays as it was, without a word.
MOVES = {
    None: {"no_consent", "subscribed", "unsubscribed", "archived"},
    "no_consent": {"subscribed", "unsubscribed", "archived"},
    "subscribed": {"unsubscribed", "archived"},
    "unsubscribed": {"archived"},
}


def page(call: Call) -> Answer:
    if "deal_id" in call.query and "ids" not in call.query:
        deal = call.store.alive("deals", call.query["deal_id"])
        ids = _persons_of(call, deal) if deal else []
        found = [call.store.alive("persons", id_) for id_ in ids]
        return answer_page(call, [each for each in found if each])
    return answer_page(call, wanted(call, "persons", ["org_id"]))


def _persons_of(call: Call, deal: Record) -> list[int]:
    if call.settings.persons_of_participants:
        return call.store.persons_of(deal)
    return [deal.values["person_id"]] if deal.values["person_id"] else []


def read(call: Call) -> Answer:
    return data(view(call, one(call, "persons")))


def create(call: Call) -> Answer:
    values = _checked(call, call.body, {})
    if not values.get("name"):
        raise invalid("name", "is required")
    first = fresh(call.user_id)
    if call.settings.campaigns:
        first["marketing_status"] = "no_consent"
    return data(view(call, call.store.create("persons", first | values, call.at)))


def fresh(owner_id: int) -> Item:
    """What a person has of whom nothing is said."""
    return {
        "name": "",
        "owner_id": owner_id,
        "org_id": None,
        "emails": [],
        "phones": [],
        "visible_to": 3,
        "label_ids": [],
        "picture_id": None,
        "custom_fields": {},
    }


def update(call: Call) -> Answer:
    record = writable(call, "persons")
    values = _checked(call, call.body, record.values)
    call.store.write(record, values, call.at)
    return data(view(call, record))


def delete(call: Call) -> Answer:
    return calls.delete(call, "persons")


def _checked(call: Call, body: Item, held: Item) -> Item:
    check_owner(call, body)
    check_alive(call, "organizations", body.get("org_id"), "org_id")
    sync = [name for name in CONTACT_SYNC if name in body]
    if sync and not call.settings.contact_sync:
        raise forbidden(f"{sync[0]} needs Contact Sync")
    if body.get("visible_to", 3) not in VISIBLE:
        raise invalid("visible_to", "must be one of 1, 3, 5, 7")
    labels = {each["id"] for each in call.store.fields["persons"]["label_ids"]["options"]}
    if not set(body.get("label_ids", [])) <= labels:
        raise invalid("label_ids", "Unknown option id")
    values = {name: value for name, value in body.items() if name != "marketing_status"}
    for name in ("emails", "phones"):
        if name in body:
            values[name] = _lines(call, name, body[name])
    if "custom_fields" in body:
        own = custom.checked(call, "persons", body["custom_fields"])
        values["custom_fields"] = {**held.get("custom_fields", {}), **own}
    return values | _names(call, body, held) | _marketing(call, body, held, values)


def _names(call: Call, body: Item, held: Item) -> Item:
    """Names are one or two parts, each made out of the other; never both in one body."""
    parts = [name for name in ("first_name", "last_name") if name in body]
    if "name" in body:
        if parts:
            message = "Cannot set 'name' and 'first_name'/'last_name' at the same time"
            raise bad_request(message)
        name = _name(call, "name", body["name"])
        first, _, last = name.partition(" ")
        return {"name": name, "first_name": first, "last_name": last or None}
    if not parts:
        return {}
    given = {"first_name": held.get("first_name"), "last_name": held.get("last_name")}
    given |= {name: body[name] for name in parts}
    both = " ".join(each for each in given.values() if each)
    return given | {"name": _name(call, "name", both)}


def _name(call: Call, field: str, text: str) -> str:
    if not text.strip():
        raise invalid(field, "must not be empty")
    if len(text) > LONGEST_NAME and not call.settings.long_text_cut:
        raise invalid(field, f"must have at most {LONGEST_NAME} characters")
    return text[:LONGEST_NAME]


def _lines(call: Call, name: str, sent: list[Item]) -> list[Item]:
    """The whole array: what is left out of it is gone."""
    if sum(bool(each.get("primary")) for each in sent) > 1:
        raise invalid(name, "only one can be primary")
    for each in sent:
        text = each.get("value", "")
        if not text.strip():
            raise invalid(name, "value is required")
        if name == "emails" and call.settings.checks_addresses and not ADDRESS.fullmatch(text):
            raise invalid(name, "is not a valid email address")
    first = next((place for place, each in enumerate(sent) if each.get("primary")), 0)
    return [
        {"value": each["value"], "primary": place == first, "label": each.get("label", "work")}
        for place, each in enumerate(sent)
    ]


def _marketing(call: Call, body: Item, held: Item, values: Item) -> Item:
    if "marketing_status" not in body:
        return {}
    if not call.settings.campaigns:
        if call.settings.without_campaigns == 200:
            return {}
        message = "marketing_status needs the Campaigns product"
        raise Refusal(call.settings.without_campaigns, message, "ERR_FORBIDDEN")
    now: Any = held.get("marketing_status")
    has_address = values.get("emails", held.get("emails"))
    wanted_status = body["marketing_status"]
    if has_address and wanted_status in MOVES.get(now, set()):
        return {"marketing_status": wanted_status}
    return {}

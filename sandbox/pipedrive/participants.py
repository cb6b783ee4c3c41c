"""Further persons of a deal. v1: pages by offset, and a person is an object with `value`."""

from typing import Any

from .call import Answer, Call, check_alive, data
from .moments import old_stamp, stamp
from .refusals import invalid, not_found
from .store import Item, Record


def page(call: Call) -> Answer:
    """The primary person is one of them."""
    deal = _deal(call)
    start, limit = int(call.query.get("start", 0)), call.limit()
    rows = {person: row for row, person in call.store.participants.get(deal.id, {}).items()}
    ids = call.store.persons_of(deal)
    shown = [_shown(call, deal, rows.get(id_, 0), id_) for id_ in ids[start : start + limit]]
    more = {
        "start": start,
        "limit": limit,
        "more_items_in_collection": len(ids) > start + limit,
    }
    return data(shown, **more)


def add(call: Call) -> Answer:
    deal, person_id = _deal(call), call.body["person_id"]
    check_alive(call, "persons", person_id, "person_id")
    if person_id in call.store.persons_of(deal):
        raise invalid("person_id", "is a participant already")
    row = call.store.number("participants")
    call.store.participants.setdefault(deal.id, {})[row] = person_id
    _touch(call, deal)
    return data(_shown(call, deal, row, person_id))


def remove(call: Call) -> Answer:
    deal, row = _deal(call), call.args["deal_participant_id"]
    if call.store.participants.get(deal.id, {}).pop(row, None) is None:
        raise not_found("Participant")
    _touch(call, deal)
    return data({"id": row})


def _deal(call: Call) -> Record:
    deal = call.store.alive("deals", call.args["id"])
    if deal is None:
        raise not_found("Deal")
    return deal


def _touch(call: Call, deal: Record) -> None:
    if call.settings.participant_touches_deal:
        call.store.touch(deal, call.at)


def _shown(call: Call, deal: Record, row: int, person_id: int) -> dict[str, Any]:
    person = call.store.records["persons"].get(person_id)
    held: Item = person.values if person else {}
    return {
        "id": row,
        "person_id": {
            "active_flag": bool(person and not person.is_deleted),
            "name": held.get("name", ""),
            "email": held.get("emails", []),
            "phone": held.get("phones", []),
            "owner_id": held.get("owner_id"),
            "company_id": call.store.company_id,
            "value": person_id,
        },
        "add_time": old_stamp(stamp(call.at)),
        "active_flag": True,
        "related_item_type": "deal",
        "related_item_id": deal.id,
        "related_item_data": {"deal_id": deal.id, "title": deal.values["title"]},
    }

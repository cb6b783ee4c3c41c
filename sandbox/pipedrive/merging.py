"""Two records become one: the other stays and wins, `{id}` is removed, and there is no new id. v1."""

from typing import Any

from .call import SINGULAR, Answer, Call, data
from .moments import old_stamp
from .refusals import bad_request, not_found
from .store import Item, Record

KEPT = ("id", "is_deleted", "add_time", "update_time")


def persons(call: Call) -> Answer:
    gone, kept = _both(call, "persons")
    values = _filled(kept, gone)
    if call.settings.merge_joins_emails:
        values |= {name: _joined(kept, gone, name) for name in ("emails", "phones")}
    _move_activities(call, gone.id, kept.id)
    for deal in call.store.deals_of(gone.id):
        call.store.write(deal, {"person_id": kept.id}, call.at)
    for rows in call.store.participants.values():
        rows |= {row: kept.id for row, person in rows.items() if person == gone.id}
    _end(call, gone, kept, values)
    return data(_old_person(call, kept) | {"merge_what_id": gone.id})


def deals(call: Call) -> Answer:
    gone, kept = _both(call, "deals")
    for activity in list(call.store.linked("activities", "deal_id", gone.id)):
        call.store.write(activity, {"deal_id": kept.id}, call.at)
    rows = call.store.participants.pop(gone.id, {})
    call.store.participants.setdefault(kept.id, {}).update(rows)
    _end(call, gone, kept, _filled(kept, gone))
    shown = {name: kept.values[name] for name in ("id", "title", "status", "stage_id")}
    return data(shown | {"merge_what_id": gone.id})


def _both(call: Call, kind: str) -> tuple[Record, Record]:
    ids = call.args["id"], call.body["merge_with_id"]
    gone, kept = (call.store.alive(kind, id_) for id_ in ids)
    if gone is None or kept is None:
        raise not_found(SINGULAR[kind])
    if gone is kept:
        raise bad_request("A record cannot be merged with itself")
    return gone, kept


def _filled(kept: Record, gone: Record) -> Item:
    """What was empty gets the other's value."""
    values = {
        name: value
        for name, value in gone.values.items()
        if name not in KEPT and name != "custom_fields" and kept.values.get(name) in (None, "", [])
    }
    own = {code: value for code, value in gone.values["custom_fields"].items() if value is not None}
    filled = {
        code: value for code, value in kept.values["custom_fields"].items() if value is not None
    }
    return values | {"custom_fields": own | filled}


def _joined(kept: Record, gone: Record, name: str) -> list[Item]:
    known = {each["value"].lower() for each in kept.values[name]}
    first = bool(kept.values[name])
    more = [each for each in gone.values[name] if each["value"].lower() not in known]
    return [*kept.values[name], *(each | {"primary": False} if first else each for each in more)]


def _move_activities(call: Call, gone: int, kept: int) -> None:
    for activity in list(call.store.linked("activities", "person_id", gone)):
        rows = [
            each | {"person_id": kept} if each["person_id"] == gone else each
            for each in activity.values["participants"]
        ]
        call.store.write(activity, {"person_id": kept, "participants": rows}, call.at)


def _end(call: Call, gone: Record, kept: Record, values: Item) -> None:
    call.store.merged[gone.kind][gone.id] = kept.id
    call.store.delete(gone, call.at, merged_to_id=kept.id)
    call.store.touch(kept, call.at)
    call.store.write(kept, values, call.at, merged_from_id=gone.id)


def _old_person(call: Call, record: Record) -> dict[str, Any]:
    """A person as v1 has it."""
    held = record.values
    names = ("id", "name", "first_name", "last_name", "owner_id", "org_id", "label_ids")
    return {name: held.get(name) for name in names} | {
        "company_id": call.store.company_id,
        "active_flag": not record.is_deleted,
        "phone": held["phones"],
        "email": held["emails"],
        "add_time": old_stamp(held["add_time"]),
        "update_time": old_stamp(held["update_time"]),
        "visible_to": str(held["visible_to"]),
    }

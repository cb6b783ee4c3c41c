"""One request as an endpoint sees it, and what many endpoints answer with."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .refusals import Refusal, invalid
from .settings import Settings
from .store import Item, Record, Store

Answer = tuple[int, Any]
MOST_IDS, MOST_KEYS = 100, 15
SINGULAR = {
    "persons": "Person",
    "activities": "Activity",
    "deals": "Deal",
    "organizations": "Organization",
}


@dataclass(slots=True)
class Call:
    """A request that has passed the door: query and body are held to the description already."""

    store: Store
    settings: Settings
    at: datetime
    user_id: int
    is_admin: bool = True
    args: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None

    def names(self, name: str) -> list[str]:
        """A list in the query, separated by commas."""
        return [part for part in str(self.query.get(name, "")).split(",") if part]

    def limit(self, highest: int = 500) -> int:
        limit = int(self.query.get("limit", 100))
        if not 1 <= limit <= highest:
            raise invalid("limit", f"must be from 1 to {highest}")
        return limit


def data(found: Any, **additional: Any) -> Answer:
    more = {"additional_data": additional} if additional else {}
    return 200, {"success": True, "data": found} | more


def one(call: Call, kind: str) -> Record:
    """The record of the path, deleted ones too, if those can be read at all."""
    id_ = call.args["id"]
    record = call.store.records[kind].get(id_)
    if record is None or (record.is_deleted and not _is_readable(call, record)):
        raise _missing(kind)
    return record


def _is_readable(call: Call, record: Record) -> bool:
    if record.id in call.store.merged[record.kind]:
        return call.settings.merged_readable
    return call.settings.deleted_readable


def writable(call: Call, kind: str) -> Record:
    record = one(call, kind)
    if record.is_deleted and not call.settings.deleted_writable:
        raise _missing(kind)
    return record


def delete(call: Call, kind: str) -> Answer:
    record = call.store.records[kind].get(call.args["id"])
    if record is None:
        raise _missing(kind)
    if record.is_deleted:
        raise Refusal(call.settings.delete_again, f"{SINGULAR[kind]} not found", "ERR_NOT_FOUND")
    call.store.delete(record, call.at)
    return data({"id": record.id})


def _missing(kind: str) -> Refusal:
    return Refusal(404, f"{SINGULAR[kind]} not found", "ERR_NOT_FOUND")


def check_owner(call: Call, body: Item) -> None:
    if "owner_id" not in body:
        return
    user = call.store.users.get(body["owner_id"])
    if user is None or not (user["active_flag"] or call.settings.inactive_owners):
        raise invalid("owner_id", "User not found or not active")


def check_alive(call: Call, kind: str, id_: int | None, name: str) -> None:
    if id_ is not None and call.store.alive(kind, id_) is None:
        raise invalid(name, f"{SINGULAR[kind]} not found")

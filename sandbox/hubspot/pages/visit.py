"""A person's request for a page, and words that several pages share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..moments import instant
from ..refusals import not_found
from ..state import State
from ..store import Record, Store
from ..writes import Claims, commit, plan_create, plan_update
from .markup import Safe, choices


@dataclass(frozen=True, slots=True)
class Visit:
    state: State
    at: datetime
    here: str = "/"  # the page's address, with its query
    args: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.state.store

    def asked(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[-1]

    def record(self, kind: str) -> Record:
        """The record the path names, archived ones too."""
        found = self.store.find(kind, self.args["id"])
        if found is None:
            raise not_found(f"There is no such record in {kind}.")
        return found

    def change(self, record: Record, changes: Mapping[str, str]) -> None:
        """Under the same rules as through the API."""
        commit(self.store, plan_update(self.store, record, changes, Claims()), self.at)

    def make(self, kind: str, values: Mapping[str, str]) -> Record:
        return commit(self.store, plan_create(self.store, kind, values, None, Claims()), self.at)


@dataclass(frozen=True, slots=True)
class Moved:
    """Go on at another page (after a change: so that a reload repeats nothing)."""

    to: str


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    body: Safe


def name_of(record: Record) -> str:
    """What a person calls the record."""
    held = record.properties
    if record.kind == "contacts":
        full = f"{held.get('firstname', '')} {held.get('lastname', '')}".strip()
        return full or held.get("email", record.id)
    names = {"deals": "dealname", "tasks": "hs_task_subject", "companies": "name"}
    return held.get(names[record.kind]) or record.id


def owner_name(store: Store, id_: str | None) -> str:
    owner = store.owners.get(id_ or "")
    if owner is None:
        return id_ or "nobody"
    gone = " (archived)" if owner["archived"] else ""
    return f"{owner['firstName']} {owner['lastName']}{gone}"


def owner_choices(store: Store, chosen: str) -> Safe:
    """Active reps, and the present one even when archived."""
    names = {
        id_: owner_name(store, id_)
        for id_, owner in store.owners.items()
        if not owner["archived"] or id_ == chosen
    }
    return choices(names, chosen, empty="nobody")


def day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def moment(text: str) -> str:
    """A stored instant as people read it."""
    return day(instant(text)) if text else ""


def distance(at: datetime, now: datetime) -> str:
    """`in 2 h`, `3 d ago`."""
    words = span(abs(at - now))
    if words == "moments":
        return "now"
    return f"in {words}" if at > now else f"{words} ago"


def span(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 1:
        return "moments"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def money(text: str) -> str:
    """`EUR 12,500`; nothing for no amount."""
    return f"EUR {float(text):,.2f}".removesuffix(".00") if text else ""

"""The CRM in memory: persons, organizations, deals and activities with what hangs on them.

Nothing here knows HTTP. The caller holds a lock around whatever belongs together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from . import definitions
from .moments import stamp
from .settings import API_USER

Item = dict[str, Any]
KINDS = ("persons", "organizations", "deals", "activities")
# Far apart, so that an id taken for another kind's shows.
FIRST_ID = {
    "persons": 1_001, "organizations": 20_001, "deals": 300_001, "activities": 4_000_001,
    "webhooks": 51, "participants": 601, "options": 701, "fields": 1,
}  # fmt: skip
# By which records are found without reading all.
LINKS = {
    "persons": ("org_id",),
    "deals": ("person_id", "org_id"),
    "activities": ("person_id", "deal_id"),
}
VERSIONS_KEPT = 20
SAVED_AS_THEY_ARE = (
    "company_id", "domain", "next_id", "webhooks", "participants", "merged", "users",
    "pipelines", "stages", "activity_types", "fields", "hidden_fields",
)  # fmt: skip
INTEGER_KEYS = (
    "webhooks",
    "participants",
    "merged",
    "users",
    "pipelines",
    "stages",
)
# Hears what happens to records: action, record, the old values that changed, and what more is said.
Tell = Callable[[str, "Record", Item | None, Item], None]


def _nobody(action: str, record: Record, previous: Item | None, more: Item) -> None:
    """Nobody wants to be told."""


@dataclass(slots=True)
class Record:
    """One object of the CRM; `values` in v2's form.

    `versions`: what the search index has had of it, newest last.
    """

    kind: str
    id: int
    values: Item
    versions: list[tuple[datetime, Item]] = field(default_factory=list)

    @property
    def is_deleted(self) -> bool:
        return bool(self.values["is_deleted"])

    def as_of(self, at: datetime) -> Item | None:
        """What the search index has of it at an instant; it does not know of deletions."""
        return next((values for when, values in reversed(self.versions) if when <= at), None)


class Store:
    """All records of one company."""

    def __init__(self) -> None:
        self.company_id = definitions.COMPANY_ID
        self.domain = definitions.DOMAIN
        self.users = definitions.users()
        self.activity_types = definitions.activity_types()
        self.pipelines, self.stages = definitions.pipelines()
        self.fields = definitions.fields()
        self.hidden_fields: dict[str, Item] = {}  # of persons, deleted for a while
        self.webhooks: dict[int, Item] = {}
        self.participants: dict[int, dict[int, int]] = {}  # by deal: row → person
        self.next_id = dict(FIRST_ID)
        self.records: dict[str, dict[int, Record]] = {kind: {} for kind in KINDS}
        self.merged: dict[str, dict[int, int]] = {kind: {} for kind in KINDS}
        self.tell: Tell = _nobody
        self.actor = (API_USER, "app")
        self._linked: dict[tuple[str, str, int], set[int]] = defaultdict(set)
        self._addresses: dict[str, set[int]] = defaultdict(set)

    def __getstate__(self) -> Item:
        """For a snapshot: who listens is no part of the account."""
        return {**self.__dict__, "tell": _nobody}

    # Reading

    def alive(self, kind: str, id_: int) -> Record | None:
        record = self.records[kind].get(id_)
        return record if record and not record.is_deleted else None

    def live(self, kind: str) -> Iterator[Record]:
        return (each for each in self.records[kind].values() if not each.is_deleted)

    def linked(self, kind: str, name: str, id_: int) -> Iterator[Record]:
        """Live records of a kind that name another one in a field, by id."""
        for each in sorted(self._linked[kind, name, id_]):
            record = self.alive(kind, each)
            if record:
                yield record

    def with_address(self, address: str) -> list[Record]:
        """Persons that have, or had, an address."""
        ids = sorted(self._addresses.get(address.lower(), ()))
        return [self.records["persons"][id_] for id_ in ids if id_ in self.records["persons"]]

    def persons_of(self, deal: Record) -> list[int]:
        """Ids of the primary person and of the participants."""
        primary = deal.values["person_id"]
        others = self.participants.get(deal.id, {}).values()
        return list(dict.fromkeys([*([primary] if primary else []), *others]))

    def deals_of(self, person_id: int) -> list[Record]:
        """Of which a person is the primary one."""
        return list(self.linked("deals", "person_id", person_id))

    def deals_as_participant(self, person_id: int) -> list[Record]:
        found = [
            deal_id for deal_id, rows in self.participants.items() if person_id in rows.values()
        ]
        return [record for record in (self.alive("deals", id_) for id_ in found) if record]

    # Writing

    def number(self, of: str) -> int:
        number = self.next_id[of]
        self.next_id[of] += 1
        return number

    def create(self, kind: str, values: Mapping[str, Any], at: datetime) -> Record:
        id_ = self.number(kind)
        times = {"add_time": stamp(at), "update_time": stamp(at)}
        record = Record(kind, id_, {"id": id_, **times, "is_deleted": False, **values})
        self.put(record)
        self._remember(record, at)
        self.tell("create", record, None, {})
        return record

    def put(self, record: Record) -> None:
        self.records[record.kind][record.id] = record
        self._index(record)

    def write(self, record: Record, changes: Mapping[str, Any], at: datetime, **more: Any) -> None:
        """Set values; those that stay the same are no change, and alone move no time."""
        held = record.values
        previous = {
            name: deepcopy(held.get(name)) for name in changes if held.get(name) != changes[name]
        }
        if not previous and not more:
            return
        self._unlink(record)
        held.update({name: deepcopy(changes[name]) for name in previous})
        held["update_time"] = stamp(at)
        self._index(record)
        self._remember(record, at)
        self.tell("change", record, previous, more)

    def touch(self, record: Record, at: datetime) -> None:
        record.values["update_time"] = stamp(at)

    def delete(self, record: Record, at: datetime, **more: Any) -> None:
        """Mark it. It stays in the search index for a while, and what hung on it stays."""
        record.values |= {"is_deleted": True, "update_time": stamp(at)}
        self.tell("delete", record, deepcopy(record.values), more)

    def restore(self, record: Record, at: datetime) -> None:
        """As people do in the web app."""
        record.values |= {"is_deleted": False, "update_time": stamp(at)}
        self._remember(record, at)
        self.tell("change", record, {"is_deleted": True}, {})

    def erase(self, record: Record) -> None:
        """Gone for good, as thirty days after the deletion."""
        self._unlink(record)
        del self.records[record.kind][record.id]

    def _remember(self, record: Record, at: datetime) -> None:
        if record.kind in ("persons", "organizations"):
            record.versions.append((at, deepcopy(record.values)))
            del record.versions[:-VERSIONS_KEPT]

    def _index(self, record: Record) -> None:
        for name in LINKS.get(record.kind, ()):
            if record.values.get(name):
                self._linked[record.kind, name, record.values[name]].add(record.id)
        for each in record.values.get("emails", ()):
            self._addresses[each["value"].lower()].add(record.id)

    def _unlink(self, record: Record) -> None:
        for name in LINKS.get(record.kind, ()):
            if record.values.get(name):
                self._linked[record.kind, name, record.values[name]].discard(record.id)

    def hide_field(self, code: str, hidden: bool) -> None:
        """As if it was deleted, but its values are there again when it comes back."""
        known = self.fields["persons"]
        source, target = (known, self.hidden_fields) if hidden else (self.hidden_fields, known)
        target[code] = source.pop(code)

    def let_go(self, user_id: int, gone: bool) -> None:
        self.users[user_id] |= {"active_flag": not gone, "is_deleted": gone}

    # As JSON

    def dump(self) -> Item:
        """The whole account."""
        records = {
            kind: [each.values for each in records.values()]
            for kind, records in self.records.items()
        }
        return {name: getattr(self, name) for name in SAVED_AS_THEY_ARE} | {"records": records}

    @classmethod
    def load(cls, saved: Item) -> Store:
        store = cls()
        for name in SAVED_AS_THEY_ARE:
            value = saved[name]
            setattr(store, name, _numbered(value) if name in INTEGER_KEYS else value)
        at = datetime(1970, 1, 1, tzinfo=UTC)
        for kind in KINDS:
            for values in saved["records"][kind]:
                record = Record(kind, values["id"], values)
                store.put(record)
                store._remember(record, at)
        return store


def _numbered(value: Any) -> Any:
    """JSON has text for keys."""
    if not isinstance(value, dict):
        return value
    return {
        int(key) if key.isdigit() else key: _numbered_inside(each) for key, each in value.items()
    }


def _numbered_inside(value: Any) -> Any:
    if isinstance(value, dict) and all(str(key).isdigit() for key in value):
        return {int(key): each for key, each in value.items()}
    return value

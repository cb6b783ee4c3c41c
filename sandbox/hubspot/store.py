"""The CRM in memory: records with their indexes, owners, pipelines, property definitions.

Nothing here knows HTTP. The caller holds a lock around whatever belongs together.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..server.moments import instant, iso
from . import definitions
from .definitions import PORTAL_ID, Definition
from .links import LABELS, Links

TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tasks": "0-27"}
SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal", "tasks": "task"}
KINDS = {
    name: kind
    for kind in TYPE_IDS
    for name in (kind, SINGULAR[kind], TYPE_IDS[kind], kind.upper(), SINGULAR[kind].upper())
}
# Far apart and beyond 32 bits, so that an id taken for another type's, or for an int32, shows.
FIRST_ID = {
    "contacts": 151_000_000_001,
    "companies": 252_000_000_001,
    "deals": 353_000_000_001,
    "tasks": 454_000_000_001,
}
CREATED = {"tasks": "hs_createdate"}
MODIFIED = {"contacts": "lastmodifieddate"}
HISTORY_KEPT = 100
SAVED_AS_THEY_ARE = ("owners", "pipelines", "groups", "next_id", "merged")
# Hears what happens to records: verb, kind, id, and what more is to be said of it.
Tell = Callable[[str, str, str, dict[str, Any]], None]


def _nobody(verb: str, kind: str, id_: str, facts: dict[str, Any]) -> None:
    """Nobody wants to be told."""


@dataclass(slots=True)
class Record:
    """One object of the CRM. Only properties that have a value are in `properties`."""

    kind: str
    id: str
    created_at: datetime
    updated_at: datetime
    properties: dict[str, str] = field(default_factory=dict)
    # newest last; "" is the moment a value was cleared
    history: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    archived_at: datetime | None = None

    def write(self, name: str, value: str, at: datetime) -> None:
        if self.properties.get(name, "") == value:
            return
        if value:
            self.properties[name] = value
        else:
            self.properties.pop(name, None)
        versions = self.history.setdefault(name, [])
        versions.append((at, value))
        if len(versions) > HISTORY_KEPT:
            del versions[0]

    def touch(self, at: datetime) -> None:
        """Bring the three properties that every answer has up to date; they keep no history."""
        self.updated_at = at
        self.properties[CREATED.get(self.kind, "createdate")] = iso(self.created_at)
        self.properties[MODIFIED.get(self.kind, "hs_lastmodifieddate")] = iso(at)
        self.properties["hs_object_id"] = self.id

    def as_of(self, at: datetime) -> dict[str, str]:
        """The properties as they were at an instant: what a search index that lags still shows."""
        if self.updated_at <= at:
            return self.properties
        then = dict(self.properties)
        for name, versions in self.history.items():
            known = [value for when, value in versions if when <= at]
            then[name] = known[-1] if known else ""
        times = [when for versions in self.history.values() for when, _ in versions if when <= at]
        modified = max(times, default=self.created_at)
        then[MODIFIED.get(self.kind, "hs_lastmodifieddate")] = iso(modified)
        return {name: value for name, value in then.items() if value}


@dataclass(slots=True)
class AccountRules:
    """What an account's administrators and its plan decide for all records."""

    formats_phones: bool = False  # keeps phone numbers without spaces and punctuation
    is_full: bool = False  # the plan's contacts are used up: no more can be created
    requires: str = ""  # a property of contacts that every write has to name
    refused_owners: set[str] = field(default_factory=set)  # listed as active, without a seat


class Store:
    """All records of one account, found by id, by unique value and by link without a scan."""

    def __init__(self, portal_id: int = PORTAL_ID) -> None:
        self.portal_id = portal_id
        self.owners = definitions.owners()
        self.pipelines = definitions.pipelines()
        self.groups = definitions.groups()
        self.definitions = definitions.properties()
        self.links = Links(self._tell_link)
        self.tell: Tell = _nobody
        self.blocklist: set[str] = set()
        self.rules = AccountRules()
        self.next_id = dict(FIRST_ID)
        self.records: dict[str, dict[str, Record]] = {kind: {} for kind in TYPE_IDS}
        self.merged: dict[str, dict[str, str]] = {kind: {} for kind in TYPE_IDS}
        self._order: dict[str, list[int]] = {kind: [] for kind in TYPE_IDS}
        self._unique: dict[tuple[str, str, str], str] = {}
        self._unique_names: dict[str, list[str]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """For a snapshot: who listens is no part of the account."""
        return {**self.__dict__, "tell": _nobody}

    # Reading

    def find(self, kind: str, id_: str, *, follow: bool = True) -> Record | None:
        """A record by its id, archived or not; an id merged away leads to its successor."""
        record = self.records[kind].get(id_)
        if record is None and follow and id_ in self.merged[kind]:
            return self.find(kind, self.merged[kind][id_])
        return record

    def alive(self, kind: str, id_: str, *, follow: bool = True) -> Record | None:
        record = self.find(kind, id_, follow=follow)
        return record if record and record.archived_at is None else None

    def by_unique(self, kind: str, name: str, value: str) -> Record | None:
        """The live record that holds a unique value; e-mail addresses in any case, or secondary."""
        id_ = self._unique.get((kind, name, unique_key(name, value)))
        return self.records[kind][id_] if id_ else None

    def live(self, kind: str) -> Iterator[Record]:
        return (each for each in self.records[kind].values() if each.archived_at is None)

    def after(self, kind: str, id_: int, *, archived: bool = False) -> Iterator[Record]:
        """Records with a larger id, in order of id."""
        order = self._order[kind]
        for position in range(bisect_right(order, id_), len(order)):
            record = self.records[kind].get(str(order[position]))
            if record and (record.archived_at is not None) == archived:
                yield record

    def linked(self, record: Record, kind: str) -> dict[str, set[int]]:
        """Live records of that kind linked with this one, and the types of each link."""
        links = self.links.to((record.kind, record.id), kind)
        return {id_: types for id_, types in links.items() if self.alive(kind, id_)}

    def definition(self, kind: str, name: str) -> Definition | None:
        found = self.definitions[kind].get(name)
        return found if found and not found["archived"] else None

    def unique_names(self, kind: str) -> list[str]:
        """Names of the unique properties of an object type."""
        if kind not in self._unique_names:
            self._unique_names[kind] = [
                each["name"]
                for each in self.definitions[kind].values()
                if each["hasUniqueValue"] and not each["archived"]
            ]
        return self._unique_names[kind]

    # Writing

    def define(self, kind: str, definition: Definition) -> None:
        self.definitions[kind][definition["name"]] = definition
        self._unique_names.pop(kind, None)
        if definition["hasUniqueValue"] and not definition["archived"]:
            self._index_property(kind, definition["name"])

    def _index_property(self, kind: str, name: str) -> None:
        """Records may hold values of a property that was away for a while."""
        for key in [key for key in self._unique if key[:2] == (kind, name)]:
            del self._unique[key]
        for record in self.live(kind):
            if name in record.properties:
                self._unique[kind, name, unique_key(name, record.properties[name])] = record.id

    def create(self, kind: str, at: datetime) -> Record:
        """An empty record with a new id."""
        number = self.next_id[kind]
        self.next_id[kind] += 1
        record = Record(kind, str(number), at, at)
        self.put(record)
        record.touch(at)
        return record

    def put(self, record: Record) -> None:
        """Take in a record whose id is larger than all before it."""
        self.records[record.kind][record.id] = record
        self._order[record.kind].append(int(record.id))

    def write(self, record: Record, changes: Mapping[str, str], at: datetime) -> None:
        """Set properties ("" clears) and keep the indexes right. Values must have been checked."""
        self._forget_unique(record)
        for name, value in changes.items():
            record.write(name, value, at)
        record.touch(at)
        self.index(record)

    def archive(self, record: Record, at: datetime) -> None:
        """Hide a record. Its unique values are free again."""
        self._forget_unique(record)
        record.archived_at = at
        record.touch(at)
        self.tell("deletion", record.kind, record.id, {})

    def restore(self, record: Record, at: datetime) -> None:
        record.archived_at = None
        record.touch(at)
        self.index(record)
        self.tell("restore", record.kind, record.id, {})

    def erase(self, record: Record) -> None:
        """Take a record out for good, with its links."""
        self._forget_unique(record)
        self.links.erase((record.kind, record.id))
        del self.records[record.kind][record.id]

    def index(self, record: Record) -> None:
        if record.archived_at is None:
            for key in self._unique_keys(record):
                self._unique[key] = record.id

    def archive_owner(self, owner_id: str, archived: bool, at: datetime) -> None:
        self.owners[owner_id] |= {"archived": archived, "updatedAt": iso(at)}

    # As JSON

    def dump(self) -> dict[str, Any]:
        """The whole account."""
        return {
            **{
                name: getattr(self, name)
                for name in ("portal_id", "definitions", *SAVED_AS_THEY_ARE)
            },
            "blocklist": sorted(self.blocklist),
            "records": {
                kind: [_dumped(each) for each in records.values()]
                for kind, records in self.records.items()
            },
            "links": self.links.saved(),
        }

    @classmethod
    def load(cls, saved: dict[str, Any]) -> Store:
        store = cls(saved["portal_id"])
        for name in SAVED_AS_THEY_ARE:
            setattr(store, name, saved[name])
        for kind, known in saved["definitions"].items():
            store.definitions[kind] |= known  # a file from before may lack some of HubSpot's own
        store.blocklist = set(saved["blocklist"])
        for kind in TYPE_IDS:
            for row in saved["records"][kind]:
                record = _loaded(kind, row)
                store.put(record)
                store.index(record)
        store.links.load(saved["links"])
        return store

    def _tell_link(self, source: tuple[str, str], target: tuple[str, str], removed: bool) -> None:
        """From both ends, each an event of its own."""
        for (kind, id_), (other, other_id) in ((source, target), (target, source)):
            types = self.links.to((kind, id_), other).get(other_id, ())
            facts = {
                "associationType": f"{SINGULAR[kind]}_TO_{SINGULAR[other]}".upper(),
                "fromObjectId": int(id_),
                "fromObjectTypeId": TYPE_IDS[kind],
                "toObjectId": int(other_id),
                "toObjectTypeId": TYPE_IDS[other],
                "associationRemoved": removed,
                "isPrimaryAssociation": any(LABELS[each].name == "Primary" for each in types),
            }
            self.tell("associationChange", kind, id_, facts)

    def _forget_unique(self, record: Record) -> None:
        for key in self._unique_keys(record):
            if self._unique.get(key) == record.id:
                del self._unique[key]

    def _unique_keys(self, record: Record) -> Iterable[tuple[str, str, str]]:
        held = record.properties
        for name in self.unique_names(record.kind):
            if name in held:
                yield record.kind, name, unique_key(name, held[name])
        for address in held.get("hs_additional_emails", "").split(";"):
            if address:
                yield record.kind, "email", unique_key("email", address)


def _dumped(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "created_at": iso(record.created_at),
        "updated_at": iso(record.updated_at),
        "archived_at": iso(record.archived_at) if record.archived_at else None,
        "properties": record.properties,
        "history": {
            name: [[iso(at), value] for at, value in versions]
            for name, versions in record.history.items()
        },
    }


def _loaded(kind: str, row: dict[str, Any]) -> Record:
    times = {
        name: instant(row[name])
        for name in ("created_at", "updated_at", "archived_at")
        if row[name]
    }
    history = {
        name: [(instant(at), value) for at, value in versions]
        for name, versions in row["history"].items()
    }
    return Record(**{**row, "kind": kind, "history": history, **times})


def unique_key(name: str, value: str) -> str:
    return value.strip().lower() if name == "email" else value

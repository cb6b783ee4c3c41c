"""The org in memory: objects, records, and indexes of what is looked up. Nothing here knows HTTP.

The caller holds a lock around whatever belongs together, and has checked what it writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from . import ids
from .fields import Field, Option
from .moments import as_json, day, instant
from .objects import SObject, objects

Values = dict[str, Any]


@dataclass(slots=True)
class Record:
    """Only fields that have a value are in `values`. `binned_with`: the record with which it was deleted."""

    object: str
    id: str
    values: Values = field(default_factory=dict)
    binned_with: str = ""

    def get(self, name: str) -> Any:
        return self.values.get(name)

    @property
    def is_deleted(self) -> bool:
        return bool(self.values.get("IsDeleted"))


@dataclass
class Rules:
    """What the org's administrators decided for all records.

    `fls`: `Object.Field` → "none" or "read": what field-level security takes from the integration user.
    `locked`: ids of records that another transaction holds; `uncommitted`: of new ones that a long transaction
    has stamped and that nobody sees before it ends. `countries`: those that may be chosen, none: any.
    `encrypted`: `Object.Field` of which nothing can be searched for. `persons`: contacts that are person accounts. `taken`: permissions that a switch took away.
    `validations`: `Object.Field` that a write of
    the object must not leave empty. `duplicates`: "", alert or block. `assigns_to`: the owner that the active
    assignment rule of leads gives, "" for no such rule. `stages_of`: record type → its stages; `unassigned`: those that the integration user's profile lacks.
    """

    fls: dict[str, str] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    uncommitted: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)
    encrypted: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    validations: set[str] = field(default_factory=set)
    duplicates: str = "alert"
    assigns_to: str = ""
    stages_of: dict[str, list[str]] = field(default_factory=dict)
    unassigned: set[str] = field(default_factory=set)


class Store:
    """`schema_changed_at`: when an object last got another field."""

    def __init__(self, at: datetime) -> None:
        self.objects: dict[str, SObject] = objects()
        self.rules = Rules()
        self.schema_changed_at = at
        self.records: dict[str, dict[str, Record]] = {name: {} for name in self.objects}
        self.next_number: dict[str, int] = {}
        self._index: dict[tuple[str, str], dict[Any, set[str]]] = {}

    # Reading

    @property
    def organization(self) -> Record:
        return next(iter(self.records["Organization"].values()))

    def object_named(self, name: str) -> SObject | None:
        """By a name in any case."""
        return self.objects.get(name) or next(
            (each for each in self.objects.values() if each.name.lower() == name.lower()), None
        )

    def find(self, id_: object, *objects_: str) -> Record | None:
        """A record by its id of 15 or 18 signs, a deleted one too."""
        whole = ids.full(id_)
        if whole is None:
            return None
        for name in objects_ or self.objects_of(whole):
            found = self.records[name].get(whole)
            if found:
                return found
        return None

    def objects_of(self, id_: str) -> list[str]:
        """The objects whose ids begin like that."""
        return [each.name for each in self.objects.values() if id_.startswith(each.prefix)]

    def all(self, object_: str) -> Iterator[Record]:
        return iter(self.records[object_].values())

    def live(self, object_: str) -> Iterator[Record]:
        return (each for each in self.all(object_) if not each.is_deleted)

    def holding(self, object_: str, name: str, value: Any) -> list[Record]:
        """The records with that value in an indexed field, deleted ones too, oldest first."""
        field_ = self.objects[object_].fields[name]
        found = self._values(object_, field_).get(key(field_, value), ())
        return [self.records[object_][id_] for id_ in sorted(found)]

    def live_holding(self, object_: str, name: str, value: Any) -> list[Record]:
        return [each for each in self.holding(object_, name, value) if not each.is_deleted]

    def changed_since(self, object_: str, at: datetime) -> list[Record]:
        """The records that were stamped then or later, deleted ones too."""
        field_ = self.objects[object_].fields["SystemModstamp"]
        stamps, first = self._values(object_, field_), key(field_, at)
        found = [id_ for stamp, ids_ in stamps.items() if stamp >= first for id_ in ids_]
        return [self.records[object_][id_] for id_ in sorted(found)]

    def _values(self, object_: str, field_: Field) -> dict[Any, set[str]]:
        return self._index.setdefault((object_, field_.name), {})

    # Writing

    def define(self, object_: str, field_: Field, at: datetime) -> None:
        self.objects[object_].fields[field_.name] = field_
        self.schema_changed_at = at
        for record in self.all(object_):
            self._enter(record, [field_.name])

    def undefine(self, object_: str, name: str, at: datetime) -> None:
        del self.objects[object_].fields[name]
        self._index.pop((object_, name), None)
        self.schema_changed_at = at
        for record in self.all(object_):
            record.values.pop(name, None)

    def add(self, object_: str, values: Mapping[str, Any], at: datetime, by: str) -> Record:
        made = self.objects[object_]
        number = self.next_number.get(made.prefix, ids.FIRST_NUMBER)
        self.next_number[made.prefix] = number + 1
        record = Record(object_, ids.numbered(made.prefix, number))
        self.records[object_][record.id] = record
        first = {"Id": record.id, "CreatedDate": at, "CreatedById": by}
        self.write(record, first | dict(values), at, by)
        return record

    def write(self, record: Record, changes: Mapping[str, Any], at: datetime, by: str) -> None:
        """Set fields (None clears), as a person or an application does it."""
        self.set(record, {**changes, "LastModifiedDate": at, "LastModifiedById": by}, at)

    def set(self, record: Record, changes: Mapping[str, Any], at: datetime) -> None:
        """Set fields as Salesforce itself does: nobody has modified the record."""
        changes = {**changes, "SystemModstamp": at}
        self._leave(record, changes)
        for name, value in changes.items():
            if value is None:
                record.values.pop(name, None)
            else:
                record.values[name] = value
        self._enter(record, changes)

    def remove(self, record: Record) -> None:
        """Take it out for good: of the recycle bin, or where there is none."""
        self._leave(record, list(record.values))
        del self.records[record.object][record.id]

    def _leave(self, record: Record, names: Any) -> None:
        for field_ in self._indexed(record.object, names):
            holders = self._values(record.object, field_)
            before = key(field_, record.values.get(field_.name))
            if before in holders:
                holders[before].discard(record.id)
                if not holders[before]:
                    del holders[before]

    def _enter(self, record: Record, names: Any) -> None:
        for field_ in self._indexed(record.object, names):
            value = record.values.get(field_.name)
            if value is not None:
                holders = self._values(record.object, field_)
                holders.setdefault(key(field_, value), set()).add(record.id)

    def _indexed(self, object_: str, names: Any) -> Iterator[Field]:
        fields = self.objects[object_].fields
        return (fields[name] for name in names if name in fields and fields[name].indexed)

    # As JSON

    def dump(self) -> dict[str, Any]:
        """The whole org."""
        return {
            "organization": self.organization.id,
            "rules": {
                name: sorted(value) if isinstance(value, set) else value
                for name, value in vars(self.rules).items()
            },
            "next_number": self.next_number,
            "fields": {
                name: [_dumped(each) for each in object_.fields.values() if each.custom]
                for name, object_ in self.objects.items()
            },
            "options": {
                name: {
                    each.name: [vars(option) for option in each.options]
                    for each in object_.fields.values()
                    if each.options
                }
                for name, object_ in self.objects.items()
            },
            "records": {
                name: [
                    {"id": each.id, "binned_with": each.binned_with}
                    | {"values": {field_: as_json(value) for field_, value in each.values.items()}}
                    for each in records.values()
                ]
                for name, records in self.records.items()
            },
        }

    @classmethod
    def load(cls, saved: dict[str, Any], at: datetime) -> Store:
        store = cls(at)
        for name, value in saved["rules"].items():
            is_set = isinstance(getattr(store.rules, name), set)
            setattr(store.rules, name, set(value) if is_set else value)
        store.next_number = saved["next_number"]
        for name, fields in saved["fields"].items():
            for each in fields:
                each["lookup"] = tuple(each["lookup"])
                store.objects[name].fields[each["name"]] = Field(**(each | {"options": []}))
        for name, options in saved["options"].items():
            for field_, kept in options.items():
                options_ = [Option(**each) for each in kept]
                default = next((each.value for each in options_ if each.default), None)
                found = store.objects[name].fields[field_]
                found.options, found.default = options_, default or found.default
        for name, rows in saved["records"].items():
            for row in rows:
                store._take(name, row)
        return store

    def _take(self, object_: str, row: dict[str, Any]) -> None:
        fields = self.objects[object_].fields
        values = {name: _stored(fields[name], value) for name, value in row["values"].items()}
        record = Record(object_, row["id"], values, row["binned_with"])
        self.records[object_][record.id] = record
        self._enter(record, list(values))


def _dumped(field_: Field) -> dict[str, Any]:
    return {**vars(field_), "options": []}


def _stored(field_: Field, value: Any) -> Any:
    if field_.type == "datetime":
        return instant(value)
    return day(value) if field_.type == "date" else value


def key(field_: Field, value: Any) -> Any:
    """What two values have in common that are the same to a query."""
    if isinstance(value, str) and field_.is_text and not field_.case_sensitive:
        return value.lower()
    return value if not isinstance(value, date) else as_json(value)

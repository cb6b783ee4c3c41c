"""What the names of a query mean: fields of its object, or of what its lookups refer to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..org.access import Access
from ..org.fields import Field, text
from ..org.objects import SObject
from ..org.store import Record, Store
from ..refusals import bad, no_column
from .tree import Path

# A lookup that refers to several objects shows what all of them have.
NAMED = ("Id", "Name", "FirstName", "LastName", "Email", "Phone", "Title", "Username", "Alias")
TYPE = text("Type", 40)
DEEPEST = 5  # relationships in one path


@dataclass(frozen=True)
class Column:
    """`names`: as answers have them. `steps`: the lookups to the record that has the field."""

    names: tuple[str, ...]
    field: Field
    steps: tuple[Field, ...]
    value: Callable[[Record], Any]


class Reader:
    """Looks names up for one user, who does not see everything."""

    def __init__(self, store: Store, access: Access) -> None:
        self.store = store
        self.access = access

    def column(self, object_: SObject, path: Path) -> Column:
        names: list[str] = []
        steps: list[Field] = []
        targets = [object_]
        for name in path.parts[:-1]:
            lookup = self._lookup(targets, name)
            names.append(lookup.relationship)
            steps.append(lookup)
            targets = [
                self.store.objects[each] for each in lookup.lookup if each in self.store.objects
            ]
        if len(steps) > DEEPEST:
            raise bad("INVALID_FIELD", f"more than {DEEPEST} relationships in one path")
        field = self.field(targets, path.parts[-1])
        return Column((*names, field.name), field, tuple(steps), self._value(steps, field.name))

    def _lookup(self, objects: Sequence[SObject], name: str) -> Field:
        object_ = objects[0]
        if len(objects) == 1:
            for each in object_.fields.values():
                if each.lookup and each.relationship.lower() == name.lower():
                    targets = [self.store.objects[target] for target in each.lookup]
                    readable = any(self.access.may("Read", target) for target in targets)
                    if readable and self.access.reads(object_, each):
                        return each
        raise bad(
            "INVALID_FIELD",
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
            "relationship, be sure to append the '__r' after the custom relationship name.",
        )

    def field(self, objects: Sequence[SObject], name: str) -> Field:
        if len(objects) > 1:
            known = next((each for each in NAMED if each.lower() == name.lower()), "")
            if name.lower() == "type":
                return TYPE
            if not known:
                raise no_column(name, "Name")
            return next(each.fields[known] for each in objects if known in each.fields)
        found = objects[0].find(name)
        if found is None or not self.access.reads(objects[0], found):
            raise no_column(name, objects[0].name)
        return found

    def _value(self, steps: Sequence[Field], name: str) -> Callable[[Record], Any]:
        if not steps:
            if name == "Type":
                return lambda record: shown(record, name)
            return lambda record: record.values.get(name)

        def value(record: Record) -> Any:
            found = self.follow(record, steps)
            return shown(found, name) if found else None

        return value

    def follow(self, record: Record | None, steps: Sequence[Field]) -> Record | None:
        """The record at the end of the lookups, as far as the user sees it."""
        for step in steps:
            if record is None:
                return None
            record = self.store.find(record.get(step.name), *step.lookup)
            if record and not self.access.sees(record):
                return None
        return record


def shown(record: Record, name: str) -> Any:
    if name == "Type" and record.object in ("User", "Group"):
        return "Queue" if record.get("Type") == "Queue" else record.object
    value = record.values.get(name)
    return (
        record.object
        if value is None and name == "Type" and record.object in ("Lead", "Contact")
        else value
    )

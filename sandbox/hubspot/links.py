"""Associations: which record is linked with which, by which types, kept in both directions."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class Label(NamedTuple):
    """A HUBSPOT_DEFINED association type from one object type to another."""

    type_id: int
    source: str
    target: str
    inverse: int
    name: str | None = None
    implies: int | None = None


# Source of the ids: HubSpot's associations guide. Direction matters: 204 starts at the task.
LABELS = {
    label.type_id: label
    for label in (
        Label(203, "contacts", "tasks", 204),
        Label(204, "tasks", "contacts", 203),
        Label(191, "companies", "tasks", 192),
        Label(192, "tasks", "companies", 191),
        Label(215, "deals", "tasks", 216),
        Label(216, "tasks", "deals", 215),
        Label(4, "contacts", "deals", 3),
        Label(3, "deals", "contacts", 4),
        Label(279, "contacts", "companies", 280),
        Label(280, "companies", "contacts", 279),
        Label(1, "contacts", "companies", 2, "Primary", implies=279),
        Label(2, "companies", "contacts", 1, "Primary", implies=280),
        Label(341, "deals", "companies", 342),
        Label(342, "companies", "deals", 341),
        Label(5, "deals", "companies", 6, "Primary", implies=341),
        Label(6, "companies", "deals", 5, "Primary", implies=342),
    )
}
# A contact and a deal have one primary company; a company may be primary for many.
PRIMARY = {1, 5}
DEFAULTS = {(each.source, each.target): each for each in LABELS.values() if each.name is None}

Ends = tuple[str, str]  # kind and id


class Links:
    """The graph. `(kind, id)` → kind of the other end → its id → type ids."""

    def __init__(self, tell: Callable[[Ends, Ends, bool], None]) -> None:
        """`tell` hears of links that somebody sets, and (True) takes away; not of a record's end."""
        self._of: dict[Ends, dict[str, dict[str, set[int]]]] = {}
        self._tell = tell

    def to(self, source: Ends, target_kind: str) -> dict[str, set[int]]:
        """Ids of that kind linked with the record, oldest link first."""
        return self._of.get(source, {}).get(target_kind, {})

    def add(self, source: Ends, target: Ends, type_ids: Iterable[int]) -> None:
        self._add(source, target, type_ids)
        self._tell(source, target, False)

    def _add(self, source: Ends, target: Ends, type_ids: Iterable[int]) -> None:
        for type_id in type_ids:
            label = LABELS[type_id]
            if type_id in PRIMARY:
                self._demote(source, target[0], type_id)
            elif label.inverse in PRIMARY:
                self._demote(target, source[0], label.inverse)
            self._put(source, target, type_id)
            self._put(target, source, label.inverse)
            if label.implies is not None:
                self._add(source, target, [label.implies])

    def _put(self, source: Ends, target: Ends, type_id: int) -> None:
        by_kind = self._of.setdefault(source, {})
        by_kind.setdefault(target[0], {}).setdefault(target[1], set()).add(type_id)

    def _demote(self, source: Ends, kind: str, type_id: int) -> None:
        """Take the label from whichever link has it now; the link itself stays."""
        for id_, type_ids in self.to(source, kind).items():
            if type_id in type_ids:
                type_ids.discard(type_id)
                self.to((kind, id_), source[0])[source[1]].discard(LABELS[type_id].inverse)

    def remove(self, source: Ends, target: Ends) -> None:
        self.to(source, target[0]).pop(target[1], None)
        self.to(target, source[0]).pop(source[1], None)
        self._tell(source, target, True)

    def remove_types(self, source: Ends, target: Ends, type_ids: Iterable[int]) -> None:
        """Take labels away; without its unlabelled type a pair has none at all (as documented)."""
        wanted = set(type_ids)
        if any(LABELS[each].name is None for each in wanted):
            return self.remove(source, target)
        for near, far, gone in (
            (source, target, wanted),
            (target, source, {LABELS[each].inverse for each in wanted}),
        ):
            self.to(near, far[0]).get(far[1], set()).difference_update(gone)
        return self._tell(source, target, False)

    def erase(self, source: Ends) -> None:
        for kind, targets in self._of.pop(source, {}).items():
            for id_ in targets:
                self.to((kind, id_), source[0]).pop(source[1], None)

    def move(self, old: Ends, new: Ends) -> None:
        """Give all links of one record to another: what a merge does."""
        for kind, targets in list(self._of.get(old, {}).items()):
            for id_, type_ids in list(targets.items()):
                self._add(new, (kind, id_), type_ids)
        self.erase(old)

    def saved(self) -> list[list[Any]]:
        return [
            [source[0], source[1], kind, id_, sorted(type_ids)]
            for source, by_kind in self._of.items()
            for kind, targets in by_kind.items()
            for id_, type_ids in targets.items()
        ]

    def load(self, rows: Iterable[list[Any]]) -> None:
        for kind, id_, target_kind, target_id, type_ids in rows:
            for type_id in type_ids:
                self._put((kind, id_), (target_kind, target_id), type_id)

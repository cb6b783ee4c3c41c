"""Carry a query out: find, sort, cut, and show each record as it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from ..org.access import Access
from ..org.fields import Field
from ..org.moments import as_json
from ..org.objects import SObject
from ..org.store import Record, Store
from ..refusals import bad, malformed, no_object
from .conditions import Conditions
from .paths import Column, Reader
from .tree import Order, Path, Query, TypeOf

HIGHEST_OFFSET = 2_000
ARCHIVED_AFTER = timedelta(days=365)
AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len(set(values)),
    "MIN": lambda values: min(values, default=None),
    "MAX": lambda values: max(values, default=None),
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values) if values else None,
}
Shown = dict[str, Any]
Show = Callable[[Record], Shown]


@dataclass(frozen=True)
class Found:
    """`rows`: what `show` takes. `total`: of COUNT(), which has no rows."""

    rows: Sequence[Any]
    show: Callable[[Any], Shown]
    total: int


class Runner:
    """`base`: the path before `/sobjects`. `tooling`: whether it asks the tooling API's objects."""

    def __init__(
        self, store: Store, access: Access, at: datetime, base: str, *,
        all_rows: bool, tooling: bool = False,
    ) -> None:  # fmt: skip
        self._store = store
        self._reader = Reader(store, access)
        self._access = access
        self._at = at
        self._base = base
        self._all_rows = all_rows
        self._tooling = tooling

    def run(self, query: Query) -> Found:
        object_ = self._object(query.object)
        found = self._records(object_, query)
        if not query.fields:
            return Found([], lambda row: row, len(found))
        if query.group_by or any(_is_aggregate(each) for each in query.fields):
            rows = self._grouped(object_, query, found)
            return Found(rows, lambda row: row, len(rows))
        return Found(found, self._show(object_, query.fields), len(found))

    def _object(self, name: str) -> SObject:
        found = self._store.object_named(name)
        if found is None or found.tooling != self._tooling or not self._access.may("Read", found):
            raise no_object(name)
        return found

    def _records(self, object_: SObject, query: Query) -> list[Record]:
        conditions = Conditions(self._reader, object_, self._at, self._sub_select)
        test = conditions.test(query.where) if query.where else None
        candidates = conditions.candidates
        if candidates is None:
            candidates = list(self._store.all(object_.name))
        hidden = not (self._all_rows or query.all_rows)
        found = [
            each
            for each in candidates
            if not (hidden and (each.is_deleted or is_archived(each, self._at)))
            and (test is None or test(each))
            and self._access.sees(each)
        ]
        return self._cut(self._sorted(object_, found, query.order_by), query)

    def _sorted(
        self, object_: SObject, records: list[Record], order_by: Sequence[Order]
    ) -> list[Record]:
        if not order_by:  # in no order: nobody may rely on the oldest coming first
            return records[::-1]
        for order in reversed(order_by):
            column = self._reader.column(object_, order.path)
            if column.field.is_long:
                raise bad(
                    "INVALID_FIELD",
                    f"field '{column.field.name}' can not be sorted in a query call",
                )
            value = _sorting(column)
            keys = [(value(each), each) for each in records]
            empty = [each for found, each in keys if found is None]
            keys = [pair for pair in keys if pair[0] is not None]
            keys.sort(key=itemgetter(0), reverse=order.descending)
            held = [each for _, each in keys]
            records = held + empty if order.nulls_last else empty + held
        return records

    def _cut(self, records: list[Record], query: Query) -> list[Record]:
        if query.offset > HIGHEST_OFFSET:
            raise bad(
                "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {HIGHEST_OFFSET}"
            )
        records = records[query.offset :]
        return records if query.limit is None else records[: query.limit]

    def _sub_select(self, query: Query) -> list[Any]:
        """The values of a semi join's only field."""
        if len(query.fields) != 1 or not isinstance(query.fields[0], Path):
            raise malformed("a semi join selects one field")
        object_ = self._object(query.object)
        column = self._reader.column(object_, query.fields[0])
        return [column.value(each) for each in self._records(object_, query)]

    def _show(self, object_: SObject, fields: Sequence[Path | TypeOf | Query]) -> Show:
        parts = [self._part(object_, each) for each in fields]

        def show(record: Record) -> Shown:
            shown: Shown = self._attributes(record)
            for part in parts:
                part(record, shown)
            return shown

        return show

    def _attributes(self, record: Record) -> Shown:
        url = f"{self._base}/sobjects/{record.object}/{record.id}"
        return {"attributes": {"type": record.object, "url": url}}

    def _part(
        self, object_: SObject, asked: Path | TypeOf | Query
    ) -> Callable[[Record, Shown], None]:
        if isinstance(asked, Query):
            return self._children(object_, asked)
        if isinstance(asked, TypeOf):
            return self._typeof(object_, asked)
        column = self._reader.column(object_, asked)
        label = _labels(column.field) if asked.function == "toLabel" else None

        def put(record: Record, shown: Shown) -> None:
            value = as_json(value_of(column, record))
            place = self._place(column, record, shown)
            if place is not None:
                place[column.names[-1]] = label(value) if label else value

        return put

    def _place(self, column: Column, record: Record, shown: Shown) -> Shown | None:
        """The inner object of a path's last relationship; None where it leads nowhere."""
        for number, name in enumerate(column.names[:-1], 1):
            inner = self._reader.follow(record, column.steps[:number])
            if inner is None:
                shown[name] = None
                return None
            if not shown.get(name):
                shown[name] = self._attributes(inner)
            shown = shown[name]
        return shown

    def _children(self, object_: SObject, asked: Query) -> Callable[[Record, Shown], None]:
        relation = next(
            (each for each in object_.children if each.lower() == asked.object.lower()), ""
        )
        if not relation:
            raise no_object(asked.object)
        child, lookup = object_.children[relation]
        child_object = self._object(child)
        show = self._show(child_object, asked.fields)
        conditions = Conditions(self._reader, child_object, self._at, self._sub_select)
        test = conditions.test(asked.where, sole=False) if asked.where else None

        def put(record: Record, shown: Shown) -> None:
            rows = [
                each
                for each in self._store.holding(child, lookup, record.id)
                if (self._all_rows or not each.is_deleted)
                and (test is None or test(each))
                and self._access.sees(each)
            ]
            rows = self._cut(self._sorted(child_object, rows, asked.order_by), asked)
            shown[relation] = (
                {"totalSize": len(rows), "done": True, "records": [show(each) for each in rows]}
                if rows
                else None
            )

        return put

    def _typeof(self, object_: SObject, asked: TypeOf) -> Callable[[Record, Shown], None]:
        lookup = next(
            (each for each in object_.fields.values()
             if len(each.lookup) > 1 and each.relationship.lower() == asked.relationship.lower()), None
        )  # fmt: skip
        if lookup is None:
            raise bad("INVALID_FIELD", f"'{asked.relationship}' is no polymorphic relationship")
        branches = {
            branch.name: self._show(branch, fields)
            for name, fields in asked.branches
            for branch in [self._object(name)]
        }
        paths = [Path((lookup.relationship, *each.parts)) for each in asked.otherwise]
        others = [self._part(object_, each) for each in paths]

        def put(record: Record, shown: Shown) -> None:
            target = self._reader.follow(record, [lookup])
            if target is None or target.object in branches:
                shown[lookup.relationship] = target and branches[target.object](target)
                return
            shown[lookup.relationship] = self._attributes(target)
            for other in others:
                other(record, shown)

        return put

    def _grouped(self, object_: SObject, query: Query, records: list[Record]) -> list[Shown]:
        by = [self._reader.column(object_, each) for each in query.group_by]
        groups: dict[tuple[Any, ...], list[Record]] = {} if by else {(): records}
        if by:
            for record in records:
                groups.setdefault(tuple(each.value(record) for each in by), []).append(record)
        names = {each.names: number for number, each in enumerate(by)}
        columns = []
        for asked in query.fields:
            if not isinstance(asked, Path):
                raise malformed("only fields and functions can be grouped")
            column = self._reader.column(object_, asked)
            if not asked.function and column.names not in names:
                raise malformed(f"Field must be grouped or aggregated: {column.field.name}")
            columns.append((asked, column))
        return [_aggregated(columns, names, values, group) for values, group in groups.items()]


def _aggregated(
    columns: list[tuple[Path, Column]], names: dict[tuple[str, ...], int],
    values: tuple[Any, ...], group: list[Record],
) -> Shown:  # fmt: skip
    row: Shown = {"attributes": {"type": "AggregateResult"}}
    unnamed = 0
    for asked, column in columns:
        if not asked.function:
            row[column.field.name] = as_json(values[names[column.names]])
            continue
        held = [value for each in group if (value := column.value(each)) is not None]
        row[asked.alias or f"expr{unnamed}"] = as_json(AGGREGATES[asked.function](held))
        unnamed += not asked.alias
    return row


def _is_aggregate(asked: Path | TypeOf | Query) -> bool:
    return isinstance(asked, Path) and asked.function in AGGREGATES


def _labels(field: Field) -> Callable[[Any], Any]:
    labels = {each.value: each.label or each.value for each in field.options}
    return lambda value: labels.get(value, value)


def _sorting(column: Column) -> Callable[[Record], Any]:
    """By text in any case, and ids by theirs."""
    if column.field.is_text:
        return lambda record: (column.value(record) or "").lower() or None
    return column.value


def value_of(column: Column, record: Record) -> Any:
    """Boxes that nobody ticked are false, not empty."""
    value = column.value(record)
    return False if value is None and column.field.type == "boolean" else value


def is_archived(record: Record, at: datetime) -> bool:
    """Closed tasks older than a year are left out of ordinary queries."""
    done = record.get("CompletedDateTime") if record.object == "Task" else None
    return done is not None and done < at - ARCHIVED_AFTER

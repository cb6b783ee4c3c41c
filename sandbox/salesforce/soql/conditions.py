"""WHERE: from a condition to a test of a record. Types are checked as strictly as Salesforce does."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from operator import ge, gt, le, lt
from typing import Any

from ..org import ids
from ..org.fields import NUMBERS, Field
from ..org.moments import day, instant
from ..org.objects import SObject
from ..org.store import Record, key
from ..refusals import Refusal, bad
from .paths import Column, Reader
from .spans import SPANS
from .tree import Compare, Condition, Literal, Query

Test = Callable[[Record], bool]
SubSelect = Callable[[Query], list[Any]]  # the values of its only field
ORDERED = {"<": lt, "<=": le, ">": gt, ">=": ge}
MOST_SEMI_JOINS = 2


class Conditions:
    """`candidates`: records among which all that are sought are, where an index tells them."""

    def __init__(self, reader: Reader, object_: SObject, at: datetime, select: SubSelect) -> None:
        self._reader = reader
        self._object = object_
        self._at = at
        self._select = select
        self._semi_joins = 0
        self.candidates: list[Record] | None = None

    def test(self, condition: Condition, *, sole: bool = True) -> Test:
        """`sole`: whether a record for which it does not hold cannot be found."""
        if isinstance(condition, Compare):
            return self._comparison(condition, sole)
        tests = [self.test(each, sole=sole and condition.word == "AND") for each in condition.parts]
        if condition.word == "NOT":
            return lambda record: not tests[0](record)
        join = all if condition.word == "AND" else any
        return lambda record: join(test(record) for test in tests)

    def _comparison(self, compare: Compare, sole: bool) -> Test:
        if compare.path.function:
            raise bad("MALFORMED_QUERY", f"unexpected token: '{compare.path.function}'")
        column = self._reader.column(self._object, compare.path)
        encrypted = f"{self._object.name}.{column.field.name}" in self._reader.store.rules.encrypted
        if column.field.is_long or (encrypted and not column.steps):
            raise bad(
                "INVALID_FIELD", f"field '{column.field.name}' can not be filtered in a query call"
            )
        if compare.query is not None:
            return self._semi_join(column, compare, compare.query, sole)
        if compare.operator in ("INCLUDES", "EXCLUDES"):
            raise _wrong_operator(column.field)
        if compare.operator == "LIKE":
            return _like(column, compare.values[0])
        values = [self._value(column.field, each) for each in compare.values]
        if compare.operator in ORDERED:
            if sole:
                self._narrow_to_late(column, compare.operator, values[0])
            return self._ordered(column, compare.operator, values[0])
        wanted = compare.operator in ("=", "IN")
        if wanted and sole:
            self._narrow(column, values)
        return _among(column, values, wanted)

    def _semi_join(self, column: Column, compare: Compare, query: Query, sole: bool) -> Test:
        self._semi_joins += 1
        if not sole or self._semi_joins > MOST_SEMI_JOINS or query.object == self._object.name:
            raise bad("MALFORMED_QUERY", "this semi join is not allowed here")
        if column.field.type not in ("id", "reference"):
            raise bad(
                "INVALID_FIELD", "the left operand of a semi join must be an id or a reference"
            )
        values = [each for each in self._select(query) if each is not None]
        if compare.operator == "IN":
            self._narrow(column, values)
        return _among(column, values, compare.operator == "IN")

    def _narrow(self, column: Column, values: list[Any]) -> None:
        """Take the first index there is: the rest of the condition is tested on what it tells."""
        if (
            self.candidates is not None
            or column.steps
            or any(isinstance(each, tuple | None) for each in values)
        ):
            return
        store, name = self._reader.store, self._object.name
        if column.field.name == "Id":
            records = store.records[name]
            self.candidates = [records[each] for each in dict.fromkeys(values) if each in records]
        elif column.field.indexed:
            found = [store.holding(name, column.field.name, each) for each in values]
            self.candidates = list({each.id: each for part in found for each in part}.values())

    def _narrow_to_late(self, column: Column, operator: str, wanted: Any) -> None:
        """A poll asks for what changed lately."""
        stamped = column.field.name == "SystemModstamp" and not column.steps
        if (
            self.candidates is None
            and stamped
            and operator in (">", ">=")
            and isinstance(wanted, datetime)
        ):
            store = self._reader.store
            self.candidates = store.changed_since(self._object.name, wanted)

    def _ordered(self, column: Column, operator: str, wanted: Any) -> Test:
        field, compare = column.field, ORDERED[operator]
        if field.type == "boolean" or wanted is None:
            raise _wrong_operator(field)
        if isinstance(wanted, tuple):
            wanted = wanted[0] if operator in ("<", ">=") else wanted[1]
            compare = {"<": lt, ">=": ge, ">": ge, "<=": lt}[operator]

        is_text = field.is_text
        if is_text:
            wanted = wanted.lower()  # ids by their case, for nothing else tells some of them apart

        def holds(record: Record) -> bool:
            value = column.value(record)
            if value is None:
                return False
            return bool(compare(value.lower() if is_text else value, wanted))

        return holds

    def _value(self, field: Field, literal: Literal) -> Any:
        """What is compared with; (first, after) of a span of days."""
        if literal.kind == "null":
            return None
        if literal.kind == "span" and field.type in ("date", "datetime"):
            name, many = literal.value
            first, after = SPANS[name](self._at.date(), many)
            return (first, after) if field.type == "date" else (_midnight(first), _midnight(after))
        wanted = _kind(field)
        if literal.kind != wanted:
            raise _wrong_type(field, wanted)
        return _read(field, literal)


def _kind(field: Field) -> str:
    """How a value for the field is written."""
    if field.type in ("date", "datetime", "boolean"):
        return field.type
    return "number" if field.type in NUMBERS else "string"


def _read(field: Field, literal: Literal) -> Any:
    try:
        if literal.kind == "date":
            return day(literal.value)
        if literal.kind == "datetime":
            return instant(literal.value)
    except ValueError:
        raise bad("MALFORMED_QUERY", f"Invalid date: {literal.value}") from None
    if field.type in ("id", "reference"):
        return _id(field, literal.value)
    return literal.value


def _id(field: Field, text: str) -> str | None:
    if text == "":
        return None
    found = ids.full(text)
    if found is None:
        raise bad("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text[:80]}")
    return found


def _wrong_type(field: Field, wanted: str) -> Refusal:
    quotes = "should be" if wanted == "string" else "should not be"
    return bad(
        "INVALID_FIELD",
        f"value of filter criterion for field '{field.name}' must be of type {wanted} and {quotes} enclosed in quotes",
    )


def _wrong_operator(field: Field) -> Refusal:
    return bad(
        "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.type} field {field.name}"
    )


def _midnight(day_: date) -> datetime:
    return datetime.combine(day_, time(), UTC)


def _among(column: Column, values: Iterable[Any], wanted: bool) -> Test:
    field, listed = column.field, list(values)
    single = {key(field, each) for each in listed if not isinstance(each, tuple)}
    spans = [each for each in listed if isinstance(each, tuple)]

    def holds(record: Record) -> bool:
        value = column.value(record)
        if value is None and field.type == "boolean":
            value = False
        found = key(field, value) in single or any(
            value is not None and first <= value < after for first, after in spans
        )
        return found == wanted

    return holds


def _like(column: Column, literal: Literal) -> Test:
    if not column.field.is_text:
        raise _wrong_operator(column.field)
    if literal.kind != "string":
        raise _wrong_type(column.field, "string")
    pieces = re.findall(r"\\.|.", literal.value, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    pattern = "".join(
        wild.get(each) or re.escape(each[1:] if len(each) > 1 else each) for each in pieces
    )
    matches = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch

    def holds(record: Record) -> bool:
        value = column.value(record)
        return value is not None and matches(value) is not None

    return holds

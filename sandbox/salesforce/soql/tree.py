"""The parts of a query, as it was written: nothing is looked up yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Path:
    """`Account.Owner.Name`. `function`: toLabel, or an aggregate in capitals."""

    parts: tuple[str, ...]
    function: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class TypeOf:
    """TYPEOF Owner WHEN User THEN Id, Email ELSE Name END."""

    relationship: str
    branches: tuple[tuple[str, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """`kind`: string, number, boolean, null, date, datetime, or span (a date literal: its name and number)."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Compare:
    """`operator`: in capitals; IN and NOT IN have several values, or a query."""

    path: Path
    operator: str
    values: tuple[Literal, ...] = ()
    query: Query | None = None


@dataclass(frozen=True, slots=True)
class Junction:
    """`word`: AND, OR, NOT."""

    word: str
    parts: tuple[Condition, ...]


Condition = Compare | Junction


@dataclass(frozen=True, slots=True)
class Order:
    path: Path
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """`fields`: empty for COUNT()."""

    fields: tuple[Path | TypeOf | Query, ...]
    object: str
    where: Condition | None = None
    group_by: tuple[Path, ...] = ()
    order_by: tuple[Order, ...] = field(default=())
    limit: int | None = None
    offset: int = 0
    all_rows: bool = False

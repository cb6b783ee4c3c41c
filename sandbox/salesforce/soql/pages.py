"""Queries and their pages; a cursor is good for two days."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..org import ids
from ..org.store import Record
from ..refusals import bad
from .running import Found

LASTS = timedelta(days=2)
MOST_ROWS = 2_000
FEWEST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Cursor:
    found: Found
    at: datetime
    rows: int
    url: str


class Cursors:
    """Of all queries that had more than a page. `stable`: rows that are gone meanwhile stay out."""

    def __init__(self) -> None:
        self._kept: dict[str, Cursor] = {}

    def forget(self) -> None:
        self._kept.clear()

    def first(self, found: Found, at: datetime, rows: int, url: str) -> dict[str, Any]:
        """`url`: of the query itself; pages are below it."""
        cursor = Cursor(found, at, rows, url)
        locator = ids.numbered("01g", ids.FIRST_NUMBER + len(self._kept))
        if len(found.rows) > rows:
            self._kept[locator] = cursor
        return _page(cursor, locator, 0)

    def page(self, name: str, at: datetime) -> dict[str, Any]:
        locator, _, place = name.partition("-")
        cursor = self._kept.get(locator)
        if cursor is None or not place.isdigit() or at - cursor.at > LASTS:
            raise bad("INVALID_QUERY_LOCATOR", "invalid query locator")
        return _page(cursor, locator, int(place))


def _page(cursor: Cursor, locator: str, place: int) -> dict[str, Any]:
    found, end = cursor.found, place + cursor.rows
    rows = [found.show(each) for each in found.rows[place:end] if _is_there(each, found.show)]
    more = end < len(found.rows)
    shown: dict[str, Any] = {"totalSize": found.total, "done": not more}
    if more:
        shown["nextRecordsUrl"] = f"{cursor.url}/{locator}-{end}"
    return shown | {"records": rows}


def _is_there(row: Any, show: Callable[[Any], Any]) -> bool:
    """A record that was erased between two pages is on none."""
    return not isinstance(row, Record) or bool(row.values)

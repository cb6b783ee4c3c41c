"""Build SOQL from parts that cannot change its meaning: names of fields, escaped texts, ids, instants.

docs/salesforce-facts.md#soql-literals, docs/salesforce-facts.md#soql-limits
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from crm_sync.salesforce.records.ids import ID, LEAD, PEOPLE, object_of

# An address of a request may have 16,384 bytes. Kept in a composite too.
LONGEST_ENCODED = 12_000
ROWS = 2_000  # of a page
NAME = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*){0,3}|MAX\([A-Za-z]\w*\) [a-z]+")
ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}


@dataclass(frozen=True, slots=True)
class Query:
    """`deleted`: with records in the recycle bin. `optional`: none are found where it is refused."""

    soql: str
    deleted: bool = False
    optional: bool = False


def text_literal(text: str) -> str:
    """Return a text in quotes, with everything escaped that means something within them."""
    return "'" + "".join(map(_escaped, text)) + "'"


def instant_literal(at: datetime) -> str:
    """Return an instant in UTC with milliseconds, which stands without quotes."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def id_literal(record_id: str) -> str:
    """Return an id in quotes; raise ValueError for what is none."""
    if not ID.fullmatch(record_id):
        raise ValueError("not an id")
    return f"'{record_id}'"


def select(names: Iterable[str], source: str, where: str = "", after: str = "") -> str:
    """Return a query. `after`: what follows the condition, such as an order."""
    columns = list(dict.fromkeys(names))
    if not all(map(NAME.fullmatch, (*columns, source))):
        raise ValueError("not the name of a field")
    parts = ["SELECT", ", ".join(columns), "FROM", source]
    parts += ["WHERE", where] if where else []
    return " ".join([*parts, after] if after else parts)


def for_each_part(
    values: Sequence[str],
    build: Callable[[str], str],
    literal: Callable[[str], str] = id_literal,
) -> Iterator[str]:
    """Yield queries for parts of the values that are short enough. `build`: a query of "('a', 'b')"."""
    room = LONGEST_ENCODED - len(quote(build("()")))
    part: list[str] = []
    left = room
    for each in map(literal, values):
        cost = len(quote(f"{each}, "))
        if part and cost > left:
            yield build(f"({', '.join(part)})")
            part, left = [], room
        part.append(each)
        left -= cost
    if part:
        yield build(f"({', '.join(part)})")


def queries_of_people(
    record_ids: Iterable[str], build: Callable[[str, str], str], *, deleted: bool = False
) -> list[Query]:
    """Return queries of leads and of contacts by id. `build`: a query of an object and "('a', 'b')"."""
    ids = sorted(set(record_ids))
    return [
        Query(soql, deleted)
        for sobject in PEOPLE.values()
        for soql in for_each_part(
            [each for each in ids if object_of(each) == sobject], partial(build, sobject)
        )
    ]


def queries_of_converted(record_ids: Iterable[str]) -> list[Query]:
    """Return queries of the contacts that leads have become."""
    leads = sorted({each for each in record_ids if object_of(each) == LEAD})
    names = ["Id", "IsConverted", "ConvertedContactId"]
    return [Query(soql) for soql in for_each_part(
        leads, lambda part: select(names, LEAD, f"Id IN {part} AND IsConverted = TRUE"))]  # fmt: skip


def _escaped(sign: str) -> str:
    known = ESCAPES.get(sign)
    if known:
        return known
    return f"\\u{ord(sign):04X}" if ord(sign) < 32 or ord(sign) == 127 else sign

"""Search, as its guide says: filters, one sort, 200 a page, 10,000 in all, no archived records.

The index may lag (`Settings.search_lag`): it then shows records as they were that long ago.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..server.moments import instant, milliseconds
from .call import Answer, Call, Item, kind_named, strings_of, text_of, whole
from .refusals import bad_json, bad_request
from .showing import view
from .store import MODIFIED, Record

PAGE_LIMIT = 200
RESULT_LIMIT = 10_000
BODY_LIMIT = 3_000
GROUPS, FILTERS, FILTERS_IN_ALL = 5, 6, 18
QUERIED = {
    "contacts": ("firstname", "lastname", "email", "phone", "company", "hs_additional_emails"),
    "companies": ("name", "domain", "phone"),
    "deals": ("dealname",),
    "tasks": ("hs_task_subject", "hs_task_body"),
}
Found = tuple[Record, dict[str, str]]
Test = Callable[[Found], bool]


def search(call: Call) -> Answer:
    sent, kind = call.document(), call.kind()
    if len(json.dumps(sent, separators=(",", ":"), ensure_ascii=False)) > BODY_LIMIT:
        raise bad_request(f"a search may have {BODY_LIMIT} characters")
    limit = whole(sent.get("limit") or 10, "limit", PAGE_LIMIT, lowest=1)
    start = whole(sent.get("after") or 0, "after")
    if start + limit > RESULT_LIMIT:
        raise bad_request(f"only the first {RESULT_LIMIT} results can be paged through")
    found = _sorted(call, kind, list(_matching(call, kind, sent)), sent.get("sorts"))
    asked = strings_of(sent, "properties") or None
    shown = found[start : start + limit]
    results = [view(call, record, asked, properties=then) for record, then in shown]
    more = call.next_page(str(start + limit)) if len(found) > start + limit else {}
    return 200, {"total": len(found), "results": results} | more


def _matching(call: Call, kind: str, sent: Item) -> Iterator[Found]:
    groups = _groups(call, kind, sent.get("filterGroups") or sent.get("filters"))
    words = str(sent.get("query") or "").lower().split()
    since = _changed_since(kind, sent.get("filterGroups")) if groups else None
    for record, then in _indexed(call, kind, since):
        found = record, then
        if groups and not any(all(test(found) for test in group) for group in groups):
            continue
        if _has_words(kind, then, words):
            yield found


def _changed_since(kind: str, groups: Any) -> datetime | None:
    """Before which no record changed last that these groups can find; None when any may be found."""
    modified = MODIFIED.get(kind, "hs_lastmodifieddate")
    bounds = [
        [
            instant(str(each["value"]))
            for each in group["filters"]
            if each.get("propertyName") == modified and each.get("operator") in ("GTE", "GT", "EQ")
        ]
        for group in groups or ()
    ]
    return min(map(max, bounds)) if bounds and all(bounds) else None


def _indexed(call: Call, kind: str, since: datetime | None) -> Iterator[Found]:
    """Every record as the index knows it, but for those that changed last before an instant.

    Archived ones leave it with the same lag.
    """
    seen = call.at - timedelta(seconds=call.settings.search_lag)
    for record in call.store.records[kind].values():
        if since and record.updated_at < since:
            continue
        gone = record.archived_at is not None and record.archived_at <= seen
        if record.created_at <= seen and not gone:
            yield record, record.as_of(seen)


def _has_words(kind: str, properties: dict[str, str], words: list[str]) -> bool:
    if not words:
        return True
    text = " ".join(properties.get(name, "") for name in QUERIED[kind]).lower()
    return all(word in text for word in words)


def _groups(call: Call, kind: str, sent: Any) -> list[list[Test]]:
    """`filterGroups`: any of them, each with all of its filters."""
    if not sent:
        return []
    try:
        groups = [group["filters"] for group in sent]
        total = sum(map(len, groups))
    except (TypeError, KeyError):
        raise bad_json("filterGroups must be a list of {filters: [...]}") from None
    if len(groups) > GROUPS or total > FILTERS_IN_ALL or any(len(g) > FILTERS for g in groups):
        limits = f"{GROUPS} groups, {FILTERS} filters in each, {FILTERS_IN_ALL} in all"
        raise bad_request(f"too many filters: at most {limits}")
    return [[_test(call, kind, each) for each in group] for group in groups]


def _test(call: Call, kind: str, sent: Any) -> Test:
    if not isinstance(sent, dict):
        raise bad_json("a filter must be an object")
    name, operator = text_of(sent, "propertyName"), text_of(sent, "operator")
    if name.startswith("associations."):
        return _association_test(call, name, operator, sent)
    definition = call.store.definition(kind, name)
    if definition is None:
        raise bad_request(f"There was a problem with the request: no property {name}")
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        wanted = operator == "HAS_PROPERTY"
        return lambda found: (name in found[1]) == wanted
    compare = _comparison(operator, sent, Scale(definition["type"]))
    return lambda found: compare(found[1].get(name))


def _association_test(call: Call, name: str, operator: str, sent: Item) -> Test:
    kind = kind_named(name.removeprefix("associations."))
    if operator not in ("EQ", "IN"):
        raise bad_request(f"{operator} is not supported for associations")
    ids = {text_of(sent, "value")} if operator == "EQ" else set(strings_of(sent, "values"))
    return lambda found: not ids.isdisjoint(call.store.linked(found[0], kind))


@dataclass(frozen=True, slots=True)
class Scale:
    """How values of a property type compare: numbers and times by size, texts as they are."""

    type: str

    def place(self, text: str) -> Any:
        if self.type == "number":
            return float(text)
        if self.type in ("date", "datetime"):
            return milliseconds(instant(text))
        return text.lower() if self.type in ("string", "phone_number") else text

    def wanted(self, text: str) -> Any:
        """The place of a filter's value; a 400 when it is not one of this type."""
        try:
            return self.place(text)
        except (ValueError, OverflowError):
            raise bad_request(f"{text[:80]} is not a valid {self.type}") from None


Comparison = Callable[[str | None], bool]
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda held, wanted: held == wanted,
    "GT": lambda held, wanted: held > wanted,
    "GTE": lambda held, wanted: held >= wanted,
    "LT": lambda held, wanted: held < wanted,
    "LTE": lambda held, wanted: held <= wanted,
}


def _comparison(operator: str, sent: Item, scale: Scale) -> Comparison:
    if operator in ORDERS:
        order, edge = ORDERS[operator], scale.wanted(text_of(sent, "value"))
        return lambda held: held is not None and order(scale.place(held), edge)
    if operator == "BETWEEN":
        low, high = (scale.wanted(text_of(sent, name)) for name in ("value", "highValue"))
        return lambda held: held is not None and low <= scale.place(held) <= high
    if operator == "NEQ":
        other = scale.wanted(text_of(sent, "value"))
        return lambda held: held is None or scale.place(held) != other
    if operator in ("IN", "NOT_IN"):
        return _membership(operator, strings_of(sent, "values"), scale)
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        return _token(operator, text_of(sent, "value"))
    raise bad_request(f"{operator} is no search operator")


def _membership(operator: str, values: list[str], scale: Scale) -> Comparison:
    """Values for strings must come in lower case; others match nothing (as documented)."""
    if not values:
        raise bad_request("values must not be empty")
    by_size = scale.type in ("number", "date", "datetime")
    members = {scale.wanted(each) for each in values} if by_size else set(values)
    if operator == "IN":
        return lambda held: held is not None and scale.place(held) in members
    return lambda held: held is None or scale.place(held) not in members


def _token(operator: str, value: str) -> Comparison:
    """Whole words; a star stands for the rest of one."""
    pattern = re.escape(value.lower()).replace(r"\*", r"\S*")
    word = re.compile(rf"(?<![^\W_]){pattern}(?![^\W_])")
    contains = operator == "CONTAINS_TOKEN"
    return lambda held: bool(word.search((held or "").lower())) == contains


def _sorted(call: Call, kind: str, found: list[Found], sorts: Any) -> list[Found]:
    """Oldest first unless one sort is asked for; records without the property come last."""
    if not sorts:
        return found
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise bad_request("one sort is allowed")
    name, descending = _direction(sorts[0])
    definition = call.store.definition(kind, name)
    if definition is None:
        raise bad_request(f"There was a problem with the request: no property {name}")
    place = Scale(definition["type"]).place
    having = [each for each in found if name in each[1]]
    having.sort(key=lambda each: place(each[1][name]), reverse=descending)
    return having + [each for each in found if name not in each[1]]


def _direction(sort: Any) -> tuple[str, bool]:
    """`{propertyName, direction}`, `name`, or `-name`."""
    if isinstance(sort, str):
        return sort.removeprefix("-"), sort.startswith("-")
    if isinstance(sort, dict):
        return text_of(sort, "propertyName"), sort.get("direction") == "DESCENDING"
    raise bad_json("a sort must name a property")

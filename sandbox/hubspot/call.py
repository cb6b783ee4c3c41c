"""One request as an endpoint sees it, and the checks that many endpoints share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from .refusals import bad_json, bad_request
from .settings import Settings
from .store import KINDS, Store

Answer = tuple[int, Any]
Item = dict[str, Any]
NOTHING: Answer = (204, None)


@dataclass(slots=True)
class Call:
    """A request that has passed the door. `version`: v3, v4, 2026-03 or 2026-09."""

    store: Store
    settings: Settings
    at: datetime
    path: str
    base: str
    version: str = "v3"
    used_today: int = 0
    args: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    body: Any = None
    spoilt: Mapping[str, Any] | None = None  # how some inputs of a batch fail, by made-up trouble

    # Names of properties that were asked for → those that exist; see showing.py.
    known_names: dict[tuple[str, tuple[str, ...]], list[str]] = field(default_factory=dict)

    def kind(self, argument: str = "objectType") -> str:
        """The object type in the path, by name or type id."""
        return kind_named(self.args[argument])

    def document(self) -> Item:
        if not isinstance(self.body, dict):
            raise bad_json("an object was expected")
        return self.body

    def items(self, limit: int) -> list[Item]:
        """The `inputs` of a batch."""
        found = self.document().get("inputs")
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise bad_json("inputs must be a list of objects")
        if len(found) > limit:
            message = f"The maximum number of inputs supported is {limit}, got {len(found)}"
            raise bad_request(message)
        if not found:
            raise bad_request("inputs must not be empty")
        return found

    def flag(self, name: str) -> bool:
        return self.query.get(name, ["false"])[-1].lower() == "true"

    def text(self, name: str) -> str:
        return self.query.get(name, [""])[-1]

    def names(self, name: str) -> list[str]:
        """A list in the query: repeated, or separated by commas."""
        return [part for value in self.query.get(name, []) for part in value.split(",") if part]

    def limit(self, default: int, highest: int) -> int:
        return whole(self.text("limit") or default, "limit", highest, lowest=1)

    def after(self) -> int:
        return whole(self.text("after") or 0, "after")

    def next_page(self, after: str) -> dict[str, Any]:
        """`paging` of an answer that has more; absent from the last page."""
        query = self.query | {"after": [after]}
        link = f"{self.base}{self.path}?{urlencode(query, doseq=True)}"
        return {"paging": {"next": {"after": after, "link": link}}}


def kind_named(name: str) -> str:
    """Our word for an object type: contacts for contact, CONTACT, contacts and 0-1."""
    if name not in KINDS:
        raise bad_request(f"Unable to infer object type from: {name}")
    return KINDS[name]


def whole(value: Any, name: str, highest: int = 10**15, lowest: int = 0) -> int:
    """An integer within bounds, from a number or its digits."""
    text = str(value)
    if not (text.isascii() and text.isdigit() and lowest <= int(text[:16]) <= highest):
        raise bad_request(f"{name} must be a whole number from {lowest} to {highest}")
    return int(text[:16])


def text_of(item: Mapping[str, Any], name: str) -> str:
    """A required string; a number is taken for its digits."""
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise bad_json(f"{name} is required")
    return str(value)


def strings_of(item: Mapping[str, Any], name: str) -> list[str]:
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise bad_json(f"{name} must be a list of strings")
    return value


def properties_of(item: Mapping[str, Any]) -> Item:
    """`properties` of a write: names with scalars."""
    found = item.get("properties")
    if not isinstance(found, dict):
        raise bad_json("properties must be an object")
    if any(isinstance(value, list | dict) for value in found.values()):
        raise bad_json("a property's value must be a string")
    return found


def only(item: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Refuse what the description does not have, rather than lose it in silence."""
    unknown = [name for name in item if name not in allowed]
    if unknown:
        raise bad_json(f'Unrecognized field "{unknown[0]}"')

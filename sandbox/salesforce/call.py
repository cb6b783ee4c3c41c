"""One request as an endpoint sees it, and the checks that many endpoints share."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from .org.access import Access
from .org.objects import SObject
from .org.store import Store
from .refusals import bad, bad_json, not_found
from .settings import Settings
from .soql.pages import Cursors
from .writing.rows import Writer
from .writing.rules import Headers

Answer = tuple[int, Any]
Item = dict[str, Any]
NOTHING: Answer = (204, None)


@dataclass
class Call:
    """A request that has passed the door. `path`: after the version; `headers`: by name in lower case.

    `again`: carries out another request in the same transaction, for composites. `at`: by the org's clock.
    """

    store: Store
    settings: Settings
    access: Access
    cursors: Cursors
    at: datetime
    version: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    again: Callable[[Call], Answer]
    args: dict[str, str] = field(default_factory=dict)
    used: int = 0  # calls in the last 24 hours
    spoilt: Mapping[str, Any] | None = (
        None  # how some rows of a collection fail, by made-up trouble
    )

    @property
    def base(self) -> str:
        return f"/services/data/v{self.version}"

    @cached_property
    def writer(self) -> Writer:
        return Writer(self.store, self.access, self.settings, self._headers(), self.at)

    def _headers(self) -> Headers:
        rule = _parameters(self.headers.get("sforce-duplicate-rule-header", ""))
        return Headers(
            assign=self.headers.get("sforce-auto-assign", "TRUE"),
            allow_save=rule.get("allowsave") == "true",
            duplicate_details=rule.get("includerecorddetails") == "true",
        )

    def object(self) -> SObject:
        """The object that the path names."""
        found = self.store.object_named(self.args["object"])
        if found is None or found.tooling or not self.access.may("Read", found):
            raise not_found()
        return found

    def document(self, *allowed: str) -> Item:
        """The body; unknown keys are refused rather than lost in silence. None: any."""
        if not isinstance(self.body, dict):
            raise bad_json("Unexpected character: an object was expected")
        unknown = [name for name in self.body if allowed and name not in allowed]
        if unknown:
            raise bad_json(f'Unrecognized field "{unknown[0][:80]}"')
        return self.body

    def flag(self, value: Any, name: str) -> bool:
        """true or false, of JSON or out of a URL."""
        if value in (None, False, "false"):
            return False
        if value in (True, "true"):
            return True
        raise bad_json(f"Cannot deserialize instance of boolean from value of {name}")

    def options(self, name: str) -> Mapping[str, str]:
        """A header such as `Sforce-Query-Options: batchSize=500`."""
        return _parameters(self.headers.get(name, ""))

    def snapshot(self) -> bytes:
        return pickle.dumps(self.store.__dict__)

    def roll_back(self, snapshot: bytes) -> None:
        self.store.__dict__.update(pickle.loads(snapshot))  # noqa: S301 - our own, out of memory


def _parameters(text: str) -> Mapping[str, str]:
    pairs = (each.partition("=") for each in text.replace(";", ",").split(","))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def listed(value: Any, most: int, what: str) -> list[Any]:
    """A list of a body, neither empty nor too long."""
    if not isinstance(value, list) or not value:
        raise bad("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{what}]", [what])
    if len(value) > most:
        message = f"record limit reached. cannot submit more than {most} records in this call"
        raise bad("EXCEEDED_ID_LIMIT", message)
    return value

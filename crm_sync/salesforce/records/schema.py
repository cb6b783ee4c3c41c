"""What an org's objects are made of, as far as the integration user sees it: described, and kept an hour.

A field without permission does not exist for us, so the description is also the list of what may be
asked and written. It is shared in Redis, and forgotten when an answer shows that it is not true any more.
docs/salesforce-facts.md#field-permissions
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any

from crm_sync.port import CrmMissing
from crm_sync.salesforce.transport.calls import DESCRIBE
from crm_sync.salesforce.transport.client import Json, SalesforceClient
from crm_sync.transport.redis_state import RedisState

KEPT_SECONDS = 3600
HERE_SECONDS = 300.0  # in a process, which does not see what another one forgets
MOST_OPTIONS = 1000
DONE = ("createable", "updateable", "deletable", "queryable")


@dataclass(frozen=True, slots=True)
class Column:
    """A field of an object. `needed`: no record is created without a value of ours for it."""

    name: str
    label: str
    type: str
    length: int = 0
    scale: int = 0
    createable: bool = False
    updateable: bool = False
    filterable: bool = False
    unique: bool = False
    needed: bool = False
    restricted: bool = False
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    default: str = ""  # the option that a new record has


@dataclass(frozen=True, slots=True)
class SObject:
    """An object of the org; one that is not shown to us has no fields and allows nothing."""

    name: str
    createable: bool = False
    updateable: bool = False
    deletable: bool = False
    queryable: bool = False
    columns: Mapping[str, Column] = field(default_factory=dict)

    def shown(self, *names: str) -> list[str]:
        """Return those names of fields that may be asked for."""
        return [name for name in names if name in self.columns]


class Schema:
    """One for all clients of a set of credentials."""

    def __init__(self, shared: RedisState) -> None:
        self._shared = shared
        self._here: dict[str, tuple[SObject, float]] = {}

    def of(self, client: SalesforceClient, name: str) -> SObject:
        known = self._here.get(name)
        if known and monotonic() < known[1]:
            return known[0]
        found = self._kept(name) or self.described(client, name)
        self._here[name] = found, monotonic() + HERE_SECONDS
        return found

    def described(self, client: SalesforceClient, name: str) -> SObject:
        """Ask Salesforce, and keep the answer."""
        try:
            found = read_sobject(name, client.ask(DESCRIBE, path={"object": name}))
        except CrmMissing:
            found = SObject(name)
        key, kept = self._key(name), json.dumps(asdict(found))
        self._shared.ask(lambda redis: redis.set(key, kept, ex=KEPT_SECONDS))
        self._here[name] = found, monotonic() + HERE_SECONDS
        return found

    def forget(self) -> None:
        """Describe everything anew when it is next asked for."""
        keys = [self._key(name) for name in self._here]
        self._here.clear()
        if keys:
            self._shared.ask(lambda redis: redis.delete(*keys))

    def _kept(self, name: str) -> SObject | None:
        key = self._key(name)
        kept = self._shared.ask(lambda redis: redis.get(key))
        if not kept:
            return None
        try:
            found = json.loads(str(kept))
            columns = {
                each["name"]: Column(
                    **{**each, "options": tuple(each["options"]), "labels": tuple(each["labels"])}
                )
                for each in found.pop("columns").values()
            }
            return SObject(**found, columns=columns)
        except (ValueError, TypeError, KeyError):  # of another release
            return None

    def _key(self, name: str) -> str:
        return self._shared.key(f"fields:{name}")


def read_sobject(name: str, found: Json) -> SObject:
    listed = found.get("fields")
    columns = [
        read_column(each)
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    ]
    allowed = {each: found.get(each) is True for each in DONE}
    return SObject(name, **allowed, columns={each.name: each for each in columns})


def read_column(found: Mapping[str, Any]) -> Column:
    values = found.get("picklistValues")
    options = [
        each
        for each in (values if isinstance(values, list) else [])
        if isinstance(each, dict) and each.get("active") is not False
    ][:MOST_OPTIONS]
    return Column(
        name=found["name"],
        label=str(found.get("label") or found["name"])[:200],
        type=str(found.get("type") or ""),
        length=_whole(found.get("length")),
        scale=_whole(found.get("scale")),
        createable=found.get("createable") is True,
        updateable=found.get("updateable") is True,
        filterable=found.get("filterable") is not False,
        unique=found.get("unique") is True,
        needed=found.get("nillable") is False
        and found.get("defaultedOnCreate") is False
        and found.get("createable") is True,
        restricted=found.get("restrictedPicklist") is True,
        options=tuple(str(each.get("value")) for each in options),
        labels=tuple(str(each.get("label") or each.get("value")) for each in options),
        default=next(
            (str(each.get("value")) for each in options if each.get("defaultValue") is True), ""
        ),
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0

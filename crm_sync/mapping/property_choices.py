"""The account's properties as choices, cached for a few minutes."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from redis import RedisError

from crm_sync.port import Crm, CrmError, CrmProperty

KEPT_SECONDS = 300
# An unavailable CRM is cached too, so that not every opened page waits for it.
AWAY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class PropertyChoices:
    """`away`: why they are unknown now, in a sentence; `properties` is empty then."""

    properties: Sequence[CrmProperty] = ()
    away: str = ""


def property_choices(crm: Crm) -> PropertyChoices:
    """Return the account's properties, at most KEPT_SECONDS old. Never raise a CrmError or RedisError."""
    key = f"crm-properties:{crm.identity}" if crm.connected else ""
    if key and (kept := cached_properties(key)):
        return kept
    try:
        found = PropertyChoices(tuple(crm.with_priority("polling").properties()))
    except CrmError as error:
        found = PropertyChoices(away=str(error))
    if key:
        seconds = AWAY_SECONDS if found.away else KEPT_SECONDS
        with suppress(RedisError):
            cache.set(key, asdict(found), seconds)
    return found


def cached_properties(key: str) -> PropertyChoices | None:
    """Return the cached properties; None when there are none, or they are of an incompatible release.

    They are cached as plain values, so that another release can read them.
    """
    kept: Any = None
    with suppress(RedisError):
        kept = cache.get(key)
    with suppress(TypeError, KeyError):
        return kept and PropertyChoices(
            tuple(map(_from_json, kept["properties"])),
            kept["away"],
        )
    return None


def _from_json(kept: Mapping[str, Any]) -> CrmProperty:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()
    }
    return CrmProperty(**values)


def clear_cached_properties(crm: Crm) -> None:
    """Clear the cache, because properties were just created."""
    with suppress(RedisError):
        cache.delete(f"crm-properties:{crm.identity}")

"""The account's properties, to choose from: asked for at most every few minutes."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from redis import RedisError

from crm_sync.port import Crm, CrmError, CrmProperty

KEPT_SECONDS = 300
# Nobody waits for a CRM that is away each time a page is opened.
AWAY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class PropertyChoices:
    """`away`: why they are not known now, in a sentence; then there are none."""

    properties: Sequence[CrmProperty] = ()
    away: str = ""


def property_choices(crm: Crm) -> PropertyChoices:
    """What the account has, as it was some minutes ago at most. Never raises."""
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
    """As plain values, so that another release may read them; what it cannot read is asked anew."""
    kept: Any = None
    with suppress(RedisError):
        kept = cache.get(key)
    with suppress(TypeError, KeyError):
        return kept and PropertyChoices(
            tuple(CrmProperty(**each) for each in kept["properties"]), kept["away"]
        )
    return None


def clear_cached_properties(crm: Crm) -> None:
    """Ask anew the next time: somebody has just made properties."""
    with suppress(RedisError):
        cache.delete(f"crm-properties:{crm.identity}")

"""Read everything instead of asking one by one, where that costs less: a list costs by the page.

docs/pipedrive-facts.md#tokens-of-a-day
"""

from collections.abc import Iterable

from crm_sync.pipedrive.transport.client import Json
from crm_sync.transport.redis_state import RedisState

KNOWN_SECONDS = 24 * 3600
MOST_PAGES = 60  # of 500 items, which are in memory at once


class WholeLists:
    """How long lists were found to be is kept, so that a long one is not begun in vain each time."""

    def __init__(self, shared: RedisState) -> None:
        self._shared = shared

    def read(self, name: str, pages: Iterable[list[Json]], most: int) -> list[Json] | None:
        """Return all items of a list; None when it has more than `most` pages, or MOST_PAGES."""
        most = min(most, MOST_PAGES)
        key = self._shared.key(f"pages:{name}")
        if int(self._shared.ask(lambda redis: redis.get(key)) or 0) > most or most < 1:
            return None
        items: list[Json] = []
        for read, page in enumerate(pages, start=1):
            if read > most:
                self._shared.ask(lambda redis: redis.set(key, most + 1, ex=KNOWN_SECONDS))
                return None
            items += page
        return items

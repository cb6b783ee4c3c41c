"""Share state between all processes of one set of credentials, in Redis.

Without Redis each is on its own.
"""

import hashlib
import logging
from collections.abc import Callable
from typing import TypeVar

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from leadscoring.common.outage import OutageMemory

logger = logging.getLogger(__name__)
Found = TypeVar("Found")

AWAY_SECONDS = 5.0  # without a request to Redis after it failed


class RedisState:
    """Name the keys by the adapter and a hash of address and credentials, which cannot be read from it."""

    def __init__(self, url: str, adapter: str, *names: str) -> None:
        self._adapter = adapter
        self._redis = Redis.from_url(
            url,
            socket_connect_timeout=0.5,
            socket_timeout=0.5,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self.name = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
        self._outage = OutageMemory(AWAY_SECONDS)

    def key(self, name: str) -> str:
        return f"{self._adapter}:{self.name}:{name}"

    def ask(self, question: Callable[[Redis], Found]) -> Found | None:
        """Return the answer, None while Redis cannot be reached: for AWAY_SECONDS after a failure."""
        if self._outage.is_out():
            return None
        try:
            found = question(self._redis)
        except (RedisError, OSError) as fault:
            self._lost(fault)
            return None
        if self._outage.record_success():
            logger.warning("Redis is back, all processes share one pace again")
        return found

    def _lost(self, fault: Exception) -> None:
        """Log an outage once, however long it lasts."""
        reason = type(fault).__name__
        if self._outage.record_failure(reason):
            logger.warning("Redis is away, each process keeps its own pace (%s)", reason)

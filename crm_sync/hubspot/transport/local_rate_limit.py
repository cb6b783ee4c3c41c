"""Limit the rate of one process while Redis, and with it the shared budget, cannot be reached."""

from threading import Lock
from time import monotonic

from crm_sync.hubspot.transport.rate_limit_script import LimiterAnswer

# Seconds. Eight such processes stay below 100 requests in ten seconds. docs/hubspot-facts.md#request-limits
SECONDS_BETWEEN = 1.0


class LocalRateLimiter:
    """Space the requests of one process evenly.

    `most`: the configured limit in requests per ten seconds, None for none.
    """

    def __init__(self, most: int | None) -> None:
        self._between = max(SECONDS_BETWEEN, 10 / most if most else 0.0)
        self._next = 0.0
        self._held: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def turn(self, holds: list[str], *, take: bool) -> LimiterAnswer:
        """Return the seconds to wait and why. With `take`, reserve the slot when the wait is 0."""
        with self._lock:
            now = monotonic()
            until, held = max(
                (self._held.get(name, (0.0, "")) for name in holds), default=(0.0, "")
            )
            if until > max(now, self._next):
                return LimiterAnswer(until - now, held)
            wait = max(self._next - now, 0.0)
            if wait == 0 and take:
                self._next = now + self._between
            return LimiterAnswer(wait)

    def hold(self, name: str, seconds: float, held: str) -> None:
        """Block a name for some seconds. Needed while Redis answers too: it may be gone at the
        next call.
        """
        with self._lock:
            self._held[name] = monotonic() + seconds, held

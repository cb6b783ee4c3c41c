"""Limit the rate of requests within one process."""

from threading import Lock
from time import monotonic

from crm_sync.transport.rate_limit_script import LimiterAnswer


class LocalRateLimiter:
    """Space the requests of one process evenly, while Redis and the shared budget cannot be reached.

    `between`: the seconds from one request to the next.
    """

    def __init__(self, between: float) -> None:
        self._between = between
        self._next = 0.0
        self._blocked: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def turn(self, blocks: list[str], *, take: bool) -> LimiterAnswer:
        """Return the seconds to wait and why. With `take`, reserve the slot when the wait is 0."""
        with self._lock:
            now = monotonic()
            until, cause = max(
                (self._blocked.get(name, (0.0, "")) for name in blocks), default=(0.0, "")
            )
            if until > max(now, self._next):
                return LimiterAnswer(until - now, cause)
            wait = max(self._next - now, 0.0)
            if wait == 0 and take:
                self._next = now + self._between
            return LimiterAnswer(wait)

    def block(self, name: str, seconds: float, cause: str) -> None:
        """Block a name for some seconds. Needed while Redis answers too: it may be gone at the
        next call.
        """
        with self._lock:
            self._blocked[name] = monotonic() + seconds, cause

"""The pace of one process that has no Redis to share a budget through: slow, and on its own."""

from threading import Lock
from time import monotonic

from crm_sync.hubspot.transport.rate_limit_script import LimiterAnswer

SECONDS_BETWEEN = 1.0  # eight such processes stay below 100 requests in ten seconds


class LocalRateLimiter:
    """`most`: requests in ten seconds that may be made at all, None for no bound."""

    def __init__(self, most: int | None) -> None:
        self._between = max(SECONDS_BETWEEN, 10 / most if most else 0.0)
        self._next = 0.0
        self._held: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def turn(self, holds: list[str], *, take: bool) -> LimiterAnswer:
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
        """Remembered also while Redis is there: it may be gone the next moment."""
        with self._lock:
            self._held[name] = monotonic() + seconds, held

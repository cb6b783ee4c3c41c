"""How many calls the org has made in the last 24 hours."""

from collections import deque
from dataclasses import dataclass, field

from .refusals import Refusal
from .settings import Settings

DAY = 86_400.0
TOTAL = Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
CONCURRENT = Refusal(
    403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
)


@dataclass
class Pace:
    """`now`: a monotonic clock's seconds."""

    _times: deque[float] = field(default_factory=deque)

    def admit(self, settings: Settings, now: float) -> None:
        """Count a call in, or refuse it."""
        if settings.day_used_up or 0 < settings.daily <= self.used(now):
            raise TOTAL
        self._times.append(now)

    def used(self, now: float) -> int:
        while self._times and self._times[0] <= now - DAY:
            self._times.popleft()
        return len(self._times)

    def header(self, settings: Settings, now: float) -> str:
        used = settings.daily if settings.day_used_up else self.used(now)
        app = f"per-app-api-usage={used}/250(appName=Lead scoring)"
        return f"api-usage={used}/{settings.daily or 5_000_000}; {app}"

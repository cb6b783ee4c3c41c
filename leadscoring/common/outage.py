"""Leave a server alone for some seconds after it failed, so that the next callers do not wait."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Outcome:
    at: float  # on the monotonic clock
    reason: str  # "": it answered


class OutageMemory:
    """What this process knows of a server. `seconds`: for how long the outcome of a try stands."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._last = _Outcome(float("-inf"), "")

    @property
    def reason(self) -> str:
        """Return why the last try failed, however long ago; "" when it did not."""
        return self._last.reason

    def is_known(self) -> bool:
        """Return whether the last outcome, good or bad, still stands."""
        return self._clock() < self._last.at + self._seconds

    def is_out(self) -> bool:
        """Return whether a failure still stands: do not try now."""
        return bool(self._last.reason) and self.is_known()

    def record_failure(self, reason: str) -> bool:
        """Return whether this failure is the first since the last success: log it once."""
        first = not self._last.reason
        self._last = _Outcome(self._clock(), reason)
        return first

    def record_success(self) -> bool:
        """Return whether this success ends an outage."""
        ended = bool(self._last.reason)
        self._last = _Outcome(self._clock(), "")
        return ended

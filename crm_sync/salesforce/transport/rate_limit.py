"""Keep within the org's calls of 24 hours, which all its programs share: one view for all processes.

There is no limit of calls a second. What is blocked and what is used is kept in Redis; without Redis
each process knows only what it was told itself.
docs/salesforce-facts.md#limits
"""

import re
from collections.abc import Mapping
from math import inf
from time import monotonic, sleep

from crm_sync.port import CrmBudget, CrmBusy, CrmError, CrmPaced, Priority
from crm_sync.salesforce.transport.errors import AFTER_THE_DAYS_LIMIT, USED_UP
from crm_sync.transport.local_rate_limit import LocalRateLimiter
from crm_sync.transport.rate_limit_script import LimiterAnswer
from crm_sync.transport.redis_state import RedisState

UNIT = "calls"
PATIENCE = 2.0  # seconds that a call may wait here; a longer wait is left to the caller
ALL = "all"
# Seconds that the day's use counts. After them one call finds out anew: by then another program may use less.
USE_KNOWN_FOR = 900
SECONDS_BETWEEN_NOTES = 2.0
# The part of the day's calls that each priority may use up; the rest is for fresh leads and for the org's
# other programs.
DAYS_SHARE: Mapping[Priority, float] = {"live": 1.0, "backlog": 0.95, "polling": 0.9}
USE = re.compile(r"(?:^|[\s;,])api-usage=(\d{1,9})/(\d{1,9})")
AT_ONCE = "at once"
BLOCKS = {
    AT_ONCE: "Salesforce was working on too many long calls of the org a moment ago.",
    "day": USED_UP,
    "away": "Salesforce was not available a moment ago.",
}
NEARLY_USED = (
    "The org's calls of 24 hours are nearly used up: the rest is kept for fresh leads. "
    "Reading goes on by itself."
)


class SalesforceLimiter:
    def __init__(self, shared: RedisState) -> None:
        self._shared = shared
        self._alone = LocalRateLimiter(0.0)
        self._use = (0, 0, -inf)  # used, allowed, when it was told
        self._noted_at = -SECONDS_BETWEEN_NOTES

    def wait(self, priority: Priority) -> None:
        """Block until a call may be made; raise CrmBusy when that is more than PATIENCE s away."""
        turn = self._turn()
        if turn.seconds > PATIENCE:
            raise CrmBusy(BLOCKS.get(turn.cause, BLOCKS["away"]), turn.seconds, shared=True)
        if self._is_kept_back(priority):
            raise CrmPaced(NEARLY_USED, USE_KNOWN_FOR)
        sleep(turn.seconds)

    def room(self, priority: Priority) -> float:
        """Return the seconds until a call would be admitted."""
        return USE_KNOWN_FOR if self._is_kept_back(priority) else self._turn().seconds

    def learn(self, headers: Mapping[str, str]) -> None:
        """Store the day's use from an answer's headers, for all processes."""
        told = USE.search(headers.get("sforce-limit-info", ""))
        if not told or not int(told[2]):
            return
        self._use = int(told[1]), int(told[2]), monotonic()
        if monotonic() - self._noted_at >= SECONDS_BETWEEN_NOTES:
            self._noted_at = monotonic()
            key, value = self._shared.key("today"), f"{told[1]} {told[2]}"
            self._shared.ask(lambda redis: redis.set(key, value, ex=USE_KNOWN_FOR))

    def obey(self, error: CrmError) -> None:
        """Block the calls of all processes after an error that concerns them all."""
        if isinstance(error, CrmBusy) and error.shared:
            long = error.retry_after >= AFTER_THE_DAYS_LIMIT
            cause = "day" if long else AT_ONCE if error.retry_after < 30 else "away"
            self._alone.block(ALL, error.retry_after, cause)
            key, milliseconds = self._shared.key("all:held"), int(error.retry_after * 1000)
            self._shared.ask(lambda redis: redis.set(key, cause, px=max(1, milliseconds)))

    def budget(self) -> CrmBudget:
        """Return the org's used and allowed calls of 24 hours; None while unknown."""
        used, allowed = self._today()
        return CrmBudget(None, None, used if allowed else None, allowed or None, None, UNIT)

    def _is_kept_back(self, priority: Priority) -> bool:
        share = DAYS_SHARE[priority]
        if share >= 1:
            return False
        used, allowed = self._today()
        return allowed > 0 and used >= share * allowed

    def _today(self) -> tuple[int, int]:
        """Return the used and the allowed calls of 24 hours; (0, 0) while unknown."""
        used, allowed, at = self._use
        if monotonic() - at < SECONDS_BETWEEN_NOTES:  # newer than what is noted for all
            return used, allowed
        key = self._shared.key("today")
        shared = self._shared.ask(lambda redis: redis.get(key) or "")
        if shared:
            noted = [int(each) for each in str(shared).split()]
            return noted[0], noted[1]
        return (used, allowed) if monotonic() - at < USE_KNOWN_FOR else (0, 0)

    def _turn(self) -> LimiterAnswer:
        key = self._shared.key("all:held")
        found = self._shared.ask(lambda redis: (redis.pttl(key), redis.get(key) or ""))
        if found is None:
            return self._alone.turn([ALL], take=False)
        left, cause = found
        return LimiterAnswer(max(float(str(left)), 0.0) / 1000, str(cause))

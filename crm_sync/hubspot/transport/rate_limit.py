"""Limit the rate of requests: one budget for all processes of a token, in Redis, by Redis's clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

from crm_sync.hubspot.transport.buckets import BUCKETS, BURST, COUNTED_SECONDS
from crm_sync.hubspot.transport.calls import ApiCall
from crm_sync.hubspot.transport.errors import USED_UP, DailyLimitReached
from crm_sync.port import CrmBudget, CrmBusy, CrmError, CrmPaced, Priority
from crm_sync.transport.local_rate_limit import LocalRateLimiter
from crm_sync.transport.rate_limit_script import (
    NO_LIMIT,
    SHARES,
    TURN,
    Bucket,
    LimiterAnswer,
)
from crm_sync.transport.redis_state import RedisState

PATIENCE = 2.0  # seconds that a call may wait here; a longer wait is left to the caller
SHORTEST_SLEEP = 0.002  # seconds
# Seconds between the requests of one process without Redis. Eight such processes stay below 100 requests in
# ten seconds. docs/hubspot-facts.md#request-limits
SECONDS_BETWEEN_LOCAL = 1.0
# Requests in ten seconds, the least that HubSpot grants. docs/hubspot-facts.md#request-limits
BEFORE_THE_FIRST_ANSWER = 100
LEARNED_FOR = 24 * 3600  # seconds that limits from headers are kept
SECONDS_BETWEEN_NOTES = 2.0  # of the day's use, which is in every answer
# Seconds between tries while the daily limit is used up: the account may get more before midnight.
# docs/hubspot-facts.md#daily-limit
LONGEST_DAY = 3600.0
ALL, DAY = "all", "day"
SLOW, LOCKED, MOVING = "slow", "locked", "moving"
BLOCK_REASONS = {
    "": "Our requests to HubSpot are used up for the moment.",
    SLOW: "HubSpot asked us to slow down.",
    LOCKED: "HubSpot was changing the same records a moment ago.",
    MOVING: "HubSpot is moving the account to another data centre.",
    DAY: USED_UP,
}


class RateLimiter:
    """`most`: HUBSPOT_REQUESTS_PER_10S, None for the account's whole limit."""

    def __init__(self, shared: RedisState, most: int | None) -> None:
        self._shared = shared
        self._most = most
        self._learned = ""
        self._noted_at = -SECONDS_BETWEEN_NOTES
        self._alone = LocalRateLimiter(max(SECONDS_BETWEEN_LOCAL, 10 / most if most else 0.0))

    def wait(self, call: ApiCall, priority: Priority = "live") -> None:
        """Block until the call may be made; raise CrmPaced when that is more than PATIENCE s away.

        Raise DailyLimitReached when the daily limit is used up, and CrmBusy while the account is being moved.
        """
        began = monotonic()
        while True:
            waited = min(monotonic() - began, PATIENCE)
            turn = self._turn(
                BUCKETS[call.limit], _blocks_of(call), priority, waited=waited, take=True
            )
            if turn.seconds <= 0:
                return
            if waited + turn.seconds > PATIENCE:
                raise _too_long(turn)
            sleep(max(turn.seconds, SHORTEST_SLEEP))

    def room(self, priority: Priority) -> float:
        """Return the seconds until an ordinary request would be admitted."""
        return self._turn((BURST,), [BURST.name, ALL, DAY], priority, waited=0, take=False).seconds

    def learn(self, headers: Mapping[str, str]) -> None:
        """Store the limits from an answer's headers, for all processes.

        docs/hubspot-facts.md#rate-limit-answers
        """
        most = _number(headers.get("x-hubspot-ratelimit-max"))
        window = _number(headers.get("x-hubspot-ratelimit-interval-milliseconds")) or 10_000
        told = str(max(1, most * 10_000 // window)) if most else ""
        if told and told != self._learned:
            self._learned = told
            self._note("limit", told)
        today = _number(headers.get("x-hubspot-ratelimit-daily"))
        if today and monotonic() - self._noted_at >= SECONDS_BETWEEN_NOTES:
            self._noted_at = monotonic()
            left = _number(headers.get("x-hubspot-ratelimit-daily-remaining"))
            self._note("today", f"{max(today - left, 0)} {today}")

    def obey(self, call: ApiCall, status: int, error: CrmError) -> None:
        """Block the requests of all processes that an error answer concerns.

        docs/hubspot-facts.md#rate-limit-answers, docs/hubspot-facts.md#locks-and-migrations
        """
        if isinstance(error, DailyLimitReached):
            self.block(DAY, min(self._until_midnight(), LONGEST_DAY), DAY)
        elif isinstance(error, CrmBusy) and status == 429:
            self.block(BUCKETS[call.limit][0].name, error.retry_after, SLOW)
        elif isinstance(error, CrmBusy) and status == 423:
            self.block(f"records:{call.records}", error.retry_after, LOCKED)
        elif isinstance(error, CrmBusy) and status == 477:
            self.block(ALL, error.retry_after, MOVING)

    def block(self, name: str, seconds: float, cause: str = SLOW) -> None:
        """Block requests for some seconds. `name`: a bucket, "all", "day", or "records:contacts"."""
        self._alone.block(name, seconds, cause)
        key = self._shared.key(f"{name}:held")
        self._shared.ask(lambda redis: redis.set(key, cause, px=max(1, int(seconds * 1000))))

    def budget(self) -> CrmBudget:
        """Return the requests of the last ten seconds and of today, with their limits; None if
        unknown.
        """
        found = self._shared.ask(self._read_budget)
        if found is None:
            return CrmBudget(None, self._most, None, None, COUNTED_SECONDS)
        used, learned, (used_today, allowed_today) = found
        allowed = min((most for most in (learned, self._most) if most), default=None)
        return CrmBudget(used, allowed, used_today, allowed_today, COUNTED_SECONDS)

    def set_zone(self, zone: str) -> None:
        """Store the account's time zone, in which its day ends. docs/hubspot-facts.md#daily-limit"""
        self._note("zone", zone)

    def _read_budget(self, redis: Any) -> Any:
        now = int(redis.time()[0])
        seconds = range(now - COUNTED_SECONDS + 1, now + 1)
        used = redis.mget([self._shared.key(f"made:{second}") for second in seconds])
        learned, today = redis.mget([self._shared.key("limit"), self._shared.key("today")])
        of_today = tuple(map(int, today.split())) if today else (None, None)
        return sum(int(each or 0) for each in used), _number(learned), of_today

    def _turn(
        self,
        buckets: tuple[Bucket, ...],
        blocks: list[str],
        priority: Priority,
        *,
        waited: float,
        take: bool,
    ) -> LimiterAnswer:
        names = ["limit", "made:", f"{priority}:spare", *(each.name for each in buckets)]
        keys = [self._shared.key(name) for name in (*names, *(f"{name}:held" for name in blocks))]
        arguments = [
            self._most or BEFORE_THE_FIRST_ANSWER,
            self._most or NO_LIMIT,
            *SHARES[priority],
            0.99 * waited / PATIENCE,
            "take" if take else "look",
            len(buckets),
            *(bound for each in buckets for bound in (each.window, each.most)),
        ]
        answer: Any = self._shared.ask(lambda redis: redis.eval(TURN, len(keys), *keys, *arguments))
        if answer is None:
            return self._alone.turn(blocks, take=take)
        self._learned = answer[1]
        return LimiterAnswer(float(answer[0]), answer[2])

    def _note(self, name: str, value: str) -> None:
        key = self._shared.key(name)
        self._shared.ask(lambda redis: redis.set(key, value, ex=LEARNED_FOR))

    def _until_midnight(self) -> float:
        found = self._shared.ask(lambda redis: (redis.time(), redis.get(self._shared.key("zone"))))
        if found is None:
            return LONGEST_DAY
        (seconds, _), zone = found
        return seconds_until_midnight(datetime.fromtimestamp(seconds, UTC), str(zone or "UTC"))


def seconds_until_midnight(at: datetime, zone: str) -> float:
    """Return the seconds until the day ends in a time zone; in UTC when the zone is unknown."""
    try:
        there = at.astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        there = at.astimezone(UTC)
    midnight = datetime.combine(there.date() + timedelta(days=1), datetime.min.time(), there.tzinfo)
    return (midnight.astimezone(UTC) - at).total_seconds()


def _blocks_of(call: ApiCall) -> list[str]:
    return [*(each.name for each in BUCKETS[call.limit]), f"records:{call.records}", ALL, DAY]


def _too_long(turn: LimiterAnswer) -> CrmError:
    sentence = BLOCK_REASONS.get(turn.cause, BLOCK_REASONS[""])
    if turn.cause == DAY:
        return DailyLimitReached(sentence)
    if turn.cause == MOVING:
        return CrmBusy(sentence, turn.seconds, shared=True)
    return CrmPaced(sentence, turn.seconds)


def _number(text: str | None) -> int:
    return int(text[:9]) if text and text.isascii() and text.isdigit() else 0

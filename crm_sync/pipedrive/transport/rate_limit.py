"""Limit requests: bursts and the tokens of a day, one budget for all processes of a token, in Redis.

docs/pipedrive-facts.md#bursts, docs/pipedrive-facts.md#tokens-of-a-day
"""

from collections.abc import Mapping
from time import monotonic, sleep
from typing import Any

from crm_sync.pipedrive.transport.calls import PipedriveCall
from crm_sync.pipedrive.transport.errors import (
    BLOCKED,
    BLOCKED_SECONDS,
    REMAINING,
    USED_UP,
    WINDOW,
    DayUsedUp,
    PipedriveBlocked,
)
from crm_sync.port import CrmBudget, CrmBusy, CrmError, CrmPaced, Priority
from crm_sync.transport.local_rate_limit import LocalRateLimiter
from crm_sync.transport.rate_limit_script import NO_LIMIT, SHARES, TURN, Bucket, LimiterAnswer
from crm_sync.transport.redis_state import RedisState

PATIENCE = 2.0  # seconds that a call may wait here; a longer wait is left to the caller
SHORTEST_SLEEP = 0.002  # seconds
# Requests in a window for the smallest plan, until an answer tells the account's own.
SMALLEST_BURST = 20
# Longer than Pipedrive's window: what is admitted in it may arrive later than it was admitted.
OUR_WINDOW = 1.25 * WINDOW
BURST = Bucket("burst", OUR_WINDOW, NO_LIMIT)
SEARCHES = Bucket("search", OUR_WINDOW, 10)
# Seconds between the requests of one process without Redis: eight such stay below the smallest burst.
SECONDS_BETWEEN_LOCAL = 1.0
LEARNED_FOR = 24 * 3600  # seconds that the burst's limit is kept
# Seconds that a day's rest is believed: others use it up as well, and it is whole again at midnight.
REST_FOR = 900
SECONDS_BETWEEN_NOTES = 2.0  # of the day's rest, which is in every answer
COUNTED_FOR = 2 * 24 * 3600  # seconds that a day's own tokens are kept
SMALLEST_DAY = 30_000
MOST_DOUBLINGS = 7  # of the wait after a refusal
# Which part of the day's tokens is left alone by what can wait, so that a fresh lead still goes.
KEPT: Mapping[Priority, float] = {"live": 0.0, "backlog": 0.03, "polling": 0.1}
BLOCKED_FOR_ALL, DAY = "all", "day"
SLOW, STOPPED = "slow", "stopped"
SENTENCES = {
    "": "Our requests to Pipedrive are used up for the moment.",
    SLOW: "Pipedrive asked us to slow down.",
    STOPPED: BLOCKED,
    DAY: USED_UP,
}


class TokenLimiter:
    """Admit requests by the account's limits."""

    def __init__(self, shared: RedisState) -> None:
        self._shared = shared
        self._learned = ""
        self._refused = False
        self._noted_at = -SECONDS_BETWEEN_NOTES
        self._alone = LocalRateLimiter(SECONDS_BETWEEN_LOCAL)

    def wait(self, call: PipedriveCall, priority: Priority = "live") -> None:
        """Block until the call may be made; raise CrmPaced when that is more than PATIENCE s away.

        Raise DayUsedUp when the day's tokens are used up, CrmBusy while Pipedrive blocks us.
        """
        self._check_day(priority)
        buckets = (SEARCHES, BURST) if call.search else (BURST,)
        began = monotonic()
        while True:
            waited = min(monotonic() - began, PATIENCE)
            turn = self._turn(buckets, priority, waited=waited, take=True)
            if turn.seconds <= 0:
                break
            if waited + turn.seconds > PATIENCE:
                raise _too_long(turn)
            sleep(max(turn.seconds, SHORTEST_SLEEP))
        self._count(call.cost)

    def room(self, priority: Priority) -> float:
        """Return the seconds until an ordinary request would be admitted."""
        try:
            self._check_day(priority)
        except CrmPaced as paced:
            return paced.retry_after
        return self._turn((BURST,), priority, waited=0, take=False).seconds

    def forgive(self) -> None:
        """Count refusals anew: a request was answered."""
        if self._refused:
            self._refused = False
            self._shared.ask(lambda redis: redis.delete(self._shared.key("refusals")))

    def learn(self, call: PipedriveCall, headers: Mapping[str, str]) -> None:
        """Store the limits from an answer's headers, for all processes."""
        most = _number(headers.get("x-ratelimit-limit"))
        # A search may tell the limit of searches.
        if most and not call.search and str(most) != self._learned:
            self._learned = str(most)
            self._note("limit", str(most), LEARNED_FOR)
        day, left = (
            _number(headers.get(name)) for name in ("x-daily-ratelimit-token-limit", REMAINING)
        )
        if day and REMAINING in headers and monotonic() - self._noted_at >= SECONDS_BETWEEN_NOTES:
            self._noted_at = monotonic()
            self._note("rest", f"{left} {day}", REST_FOR)

    def obey(self, error: CrmError, call: PipedriveCall) -> None:
        """Block the requests of all processes that an error answer concerns."""
        if isinstance(error, DayUsedUp):
            self._block(DAY, REST_FOR, DAY)
        elif isinstance(error, PipedriveBlocked):
            self._block(BLOCKED_FOR_ALL, error.retry_after, STOPPED)
        elif isinstance(error, CrmBusy) and error.shared:
            name = SEARCHES.name if call.search else BURST.name
            self._block(name, error.retry_after * self._patience(), SLOW)

    def budget(self) -> CrmBudget:
        """Return the tokens of today and the account's limit, as far as they are known.

        Our own are counted by the day in UTC; what Pipedrive tells includes those of others.
        """
        found: Any = self._shared.ask(
            lambda redis: (redis.get(self._own_key(redis)), redis.get(self._shared.key("rest")))
        )
        if found is None:
            return CrmBudget(None, None, None, None, unit="tokens")
        own, rest = _number(found[0]), found[1]
        left, day = map(int, rest.split()) if rest else (0, 0)
        used = max(own, day - left) if day else own
        return CrmBudget(None, None, used, max(day or SMALLEST_DAY, used), unit="tokens")

    def _patience(self) -> int:
        """Return how many times as long to wait as is asked for: twice as long for each refusal in a row,
        since whoever goes on asking is blocked. A day that is used up may look like this, too."""
        key = self._shared.key("refusals")

        def count(redis: Any) -> int:
            refusals = int(redis.incr(key))
            redis.expire(key, int(BLOCKED_SECONDS))
            return refusals

        self._refused = True
        refusals = self._shared.ask(count) or 1
        return int(2 ** min(refusals - 1, MOST_DOUBLINGS))

    def _check_day(self, priority: Priority) -> None:
        """Raise CrmPaced when what is left of the day is kept for more urgent work."""
        kept = KEPT[priority]
        rest = self._shared.ask(lambda redis: redis.get(self._shared.key("rest"))) if kept else None
        left, day = map(int, str(rest).split()) if rest else (1, 0)
        if left < kept * day:
            raise CrmPaced(
                f"The last {kept:.0%} of the day's tokens in Pipedrive are kept for fresh leads.",
                REST_FOR,
            )

    def _count(self, tokens: int) -> None:
        def add(redis: Any) -> None:
            key = self._own_key(redis)
            redis.incrby(key, tokens)
            redis.expire(key, COUNTED_FOR)

        self._shared.ask(add)

    def _own_key(self, redis: Any) -> str:
        return self._shared.key(f"spent:{redis.time()[0] // 86_400}")

    def _block(self, name: str, seconds: float, cause: str) -> None:
        self._alone.block(name, seconds, cause)
        key = self._shared.key(f"{name}:held")
        self._shared.ask(lambda redis: redis.set(key, cause, px=max(1, int(seconds * 1000))))

    def _turn(
        self, buckets: tuple[Bucket, ...], priority: Priority, *, waited: float, take: bool
    ) -> LimiterAnswer:
        blocks = [*(each.name for each in buckets), BLOCKED_FOR_ALL, DAY]
        names = ["limit", "made:", f"{priority}:spare", *(each.name for each in buckets)]
        keys = [self._shared.key(name) for name in (*names, *(f"{name}:held" for name in blocks))]
        arguments = [
            SMALLEST_BURST,
            NO_LIMIT,
            *SHARES[priority],
            0.99 * waited / PATIENCE,
            "take" if take else "look",
            len(buckets),
            *(bound for each in buckets for bound in (each.window, each.most)),
        ]
        answer: Any = self._shared.ask(lambda redis: redis.eval(TURN, len(keys), *keys, *arguments))
        if answer is None:
            return self._alone.turn(blocks, take=take)
        return LimiterAnswer(float(answer[0]), answer[2])

    def _note(self, name: str, value: str, seconds: int) -> None:
        key = self._shared.key(name)
        self._shared.ask(lambda redis: redis.set(key, value, ex=seconds))


def _too_long(turn: LimiterAnswer) -> CrmError:
    sentence = SENTENCES.get(turn.cause, SENTENCES[""])
    if turn.cause == DAY:
        return DayUsedUp(sentence)
    if turn.cause == STOPPED:
        return PipedriveBlocked(sentence, turn.seconds, shared=True)
    return CrmPaced(sentence, turn.seconds)


def _number(text: object) -> int:
    told = str(text or "")
    return int(told[:12]) if told.isascii() and told.isdigit() else 0

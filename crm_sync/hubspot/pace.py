"""How fast we may ask: one budget for all processes of a token, in Redis and by Redis's clock.

Each bucket keeps one instant: when all that was admitted would be through at an even pace (the
generic cell rate algorithm). A request may be ahead of the even pace by a small burst. Within any
window `burst + rate` requests are admitted, 95 % of the limit together; the rest is room for
requests that arrive later than they were admitted.
"""

from collections.abc import Mapping
from threading import Lock
from time import monotonic, sleep
from typing import Any, NamedTuple

from crm_sync.hubspot.calls import Limit
from crm_sync.hubspot.shared import Shared
from crm_sync.port import CrmBusy

PATIENCE = 2.0  # seconds that a call may wait for its turn; longer is the caller's to plan
BEFORE_THE_FIRST_ANSWER = 100  # requests in ten seconds, the least that HubSpot grants
SECONDS_BETWEEN_ALONE = 1.0  # without Redis: eight processes stay below 100 in ten seconds
LEARNED_FOR = 24 * 3600


class Bucket(NamedTuple):
    name: str
    window: float  # seconds
    most: float  # requests in a window, if the account's limit is not below


NO_LIMIT = 1_000_000
BURST = Bucket("burst", 10, NO_LIMIT)
# Associations have a limit of their own (100, or 150 in larger accounts). Whether they count
# against the ordinary one differs by endpoint, so they do here.
BUCKETS: Mapping[Limit, tuple[Bucket, ...]] = {
    "burst": (BURST,),
    "associations": (Bucket("associations", 10, 150), BURST),
    "search": (Bucket("search", 1, 5),),
}

# KEYS: the learned limit, then each bucket's instant. ARGV: the limit when none was learned and
# the most that may be used of it, then each bucket's window and most. Answers: seconds to wait (0:
# admitted) and the learned limit. Written by its effects, so that it may read the clock.
ADMIT = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local learned = redis.call('GET', KEYS[1])
local limit = math.min(tonumber(learned or ARGV[1]), tonumber(ARGV[2]))
local wait, after = 0, {}
for i = 2, #KEYS do
  local window, most = tonumber(ARGV[2 * i - 1]), math.min(limit, tonumber(ARGV[2 * i]))
  local burst = math.max(1, math.floor(0.15 * most))
  local step = window / math.max(0.95 * most - burst, most / 2)
  local due = math.max(tonumber(redis.call('GET', KEYS[i]) or 0), now)
  local held = redis.call('PTTL', KEYS[i] .. ':held') / 1000
  wait = math.max(wait, due - (burst - 1) * step - now, held)
  after[i] = {due + step, due + step - now}
end
if wait <= 0 then
  for i = 2, #KEYS do
    local seconds = math.ceil(after[i][2]) + 1
    redis.call('SET', KEYS[i], string.format('%.6f', after[i][1]), 'EX', seconds)
  end
end
return {string.format('%.6f', wait), learned or ''}
"""


class Pace:
    """`most`: HUBSPOT_REQUESTS_PER_10S, or None to use all that the account has."""

    def __init__(self, shared: Shared, most: int | None) -> None:
        self._shared = shared
        self._most = most
        self._learned = ""
        self._alone = Lock()
        self._alone_at = 0.0

    def wait(self, limit: Limit) -> None:
        """Return when a request may be made; CrmBusy when that is more than PATIENCE away."""
        left = PATIENCE
        while (seconds := self._seconds(limit)) > 0:
            if seconds > left:
                raise CrmBusy("Our requests to HubSpot are used up for the moment.", seconds)
            sleep(seconds)
            left -= seconds

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take the limit from an answer's headers, for all processes."""
        most = _number(headers.get("x-hubspot-ratelimit-max"))
        window = _number(headers.get("x-hubspot-ratelimit-interval-milliseconds")) or 10_000
        told = str(max(1, most * 10_000 // window)) if most else ""
        if told and told != self._learned:
            self._learned = told
            key = self._shared.key("limit")
            self._shared.ask(lambda redis: redis.set(key, told, ex=LEARNED_FOR))

    def hold(self, limit: Limit, seconds: float) -> None:
        """HubSpot said to slow down: nobody asks for that long."""
        key = self._shared.key(f"{BUCKETS[limit][0].name}:held")
        self._shared.ask(lambda redis: redis.set(key, "1", px=max(1, int(seconds * 1000))))

    def _seconds(self, limit: Limit) -> float:
        """Seconds until there is room; 0 when the request was admitted."""
        buckets = BUCKETS[limit]
        keys = [self._shared.key(name) for name in ("limit", *(each.name for each in buckets))]
        usual = self._most or BEFORE_THE_FIRST_ANSWER
        bounds = [usual, self._most or NO_LIMIT, *(x for each in buckets for x in each[1:])]
        answer: Any = self._shared.ask(lambda redis: redis.eval(ADMIT, len(keys), *keys, *bounds))
        if answer is None:
            return self._seconds_alone()
        self._learned = answer[1]
        return float(answer[0])

    def _seconds_alone(self) -> float:
        with self._alone:
            wait = self._alone_at - monotonic()
            if wait <= 0:
                self._alone_at = monotonic() + SECONDS_BETWEEN_ALONE
            return wait


def _number(text: str | None) -> int:
    return int(text[:9]) if text and text.isascii() and text.isdigit() else 0

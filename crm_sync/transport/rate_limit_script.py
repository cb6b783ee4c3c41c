"""Admit the requests of all processes of one set of credentials, by one Redis script.

Each bucket keeps one instant: when all admitted requests would be through at an even rate (the
generic cell rate algorithm, GCRA). A request may be ahead of the even rate by a small burst. Within
any window `burst + rate` requests are admitted, together 95 % of the limit; the rest is for requests
that arrive later than they were admitted.

Priorities share the burst: one that may use only a part of it leaves the rest free. So a live
request is admitted at once, while the even rate serves whoever asks.
"""

from collections.abc import Mapping
from typing import NamedTuple

from crm_sync.port import Priority


class Bucket(NamedTuple):
    name: str
    window: float  # seconds
    most: float  # requests in a window, if the account's limit is not below


class PriorityShare(NamedTuple):
    """Parts of the burst, from 0 to 1.

    `spare`: what one request in ten steps may use, so that no priority starves.
    """

    usual: float
    spare: float = 0.0


NO_LIMIT = 1_000_000
SHARES: Mapping[Priority, PriorityShare] = {
    "live": PriorityShare(1.0),
    "backlog": PriorityShare(0.6),
    "polling": PriorityShare(0.3, spare=0.8),
}

# KEYS: the learned limit, the counter's prefix, the mark of a spare turn that was used, then the
# buckets' instants, then the blocks that concern this call.
# ARGV: the limit when none was learned, the most that may be used of it, the priority's usual and
# spare share, what part of its patience the caller has waited, "take" or "look", how many buckets
# there are, then each bucket's window and most.
# Answers: seconds to wait (0: admitted, unless it only looked), the learned limit, the cause of a block.
# Replicated by its effects, so that it may read the clock.
TURN = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local learned = redis.call('GET', KEYS[1])
local limit = math.min(tonumber(learned or ARGV[1]), tonumber(ARGV[2]))
local share, spare, waited = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local buckets = tonumber(ARGV[7])
local is_spare = spare > 0 and redis.call('EXISTS', KEYS[3]) == 0
if is_spare then share = spare end
local wait, cause, after, slowest = 0, '', {}, 0
for i = 1, buckets do
  local window, most = tonumber(ARGV[6 + 2 * i]), math.min(limit, tonumber(ARGV[7 + 2 * i]))
  local burst = math.min(math.max(5, math.floor(0.06 * most)), math.max(1, math.floor(most / 5)))
  local step = window / math.max(0.95 * most - burst, most / 2)
  local ahead = math.max(1, math.floor(share * burst))
  -- who has waited longer goes before others of its priority
  if ahead < burst then ahead = ahead + waited end
  local due = math.max(tonumber(redis.call('GET', KEYS[3 + i]) or 0), now)
  wait = math.max(wait, due - (ahead - 1) * step - now)
  after[i] = {due + step, due + step - now}
  slowest = math.max(slowest, step)
end
for i = 4 + buckets, #KEYS do
  local left = redis.call('PTTL', KEYS[i]) / 1000
  if left > wait then wait, cause = left, redis.call('GET', KEYS[i]) or '' end
end
if wait <= 0 and ARGV[6] == 'take' then
  for i = 1, buckets do
    local seconds = math.ceil(after[i][2]) + 1
    redis.call('SET', KEYS[3 + i], string.format('%.6f', after[i][1]), 'EX', seconds)
  end
  if is_spare then redis.call('SET', KEYS[3], '1', 'PX', math.ceil(10000 * slowest)) end
  local counter = KEYS[2] .. string.format('%d', math.floor(now))
  redis.call('INCR', counter)
  redis.call('EXPIRE', counter, 15)
end
return {string.format('%.6f', wait), learned or '', cause}
"""


class LimiterAnswer(NamedTuple):
    """`seconds`: to wait, 0 for now. `cause`: why requests are blocked, "" for the rate alone."""

    seconds: float
    cause: str = ""

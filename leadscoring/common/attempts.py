"""How often something was tried in a window of time, counted in Redis for all processes."""

import hashlib
from datetime import datetime

from django.core.cache import cache
from redis import RedisError

from leadscoring.common.outage import OutageMemory

redis_outage = OutageMemory(seconds=5.0)


def count_tries(name: str, more: int, window: int, at: datetime) -> int:
    """Count some tries; return how many there were in this window of `window` seconds, with these.

    `name`: hashed, so that Redis holds nobody's address. With Redis away there were none.
    """
    if redis_outage.is_out():
        return 0
    number = int(at.timestamp()) // window
    key = f"tries:{hashlib.sha256(name.encode()).hexdigest()}:{number}"
    try:
        cache.add(key, 0, timeout=2 * window)
        return cache.incr(key, more)
    except (RedisError, ValueError) as error:  # ValueError: it vanished in between
        redis_outage.record_failure(type(error).__name__)
        return 0


def window_end(window: int, at: datetime) -> int:
    """Return when the window that an instant is in ends, as seconds since 1970."""
    return (int(at.timestamp()) // window + 1) * window


def seconds_to_wait(name: str, most: int, window: int, at: datetime) -> int:
    """Count a try; return after how many seconds to try again, 0 when it may go on."""
    if count_tries(name, 1, window, at) <= most:
        return 0
    return window_end(window, at) - int(at.timestamp())

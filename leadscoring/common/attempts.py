"""How often something was tried in a window of time, counted in Redis for all processes."""

import hashlib
from datetime import datetime

from django.core.cache import cache
from redis import RedisError

from leadscoring.common.outage import OutageMemory

redis_outage = OutageMemory(seconds=5.0)


def seconds_to_wait(name: str, most: int, window: int, at: datetime) -> int:
    """Count a try; return after how many seconds to try again, 0 when it may go on.

    `name`: hashed, so that Redis holds nobody's address. With Redis away all may go on.
    """
    if redis_outage.is_out():
        return 0
    number, second = divmod(int(at.timestamp()), window)
    key = f"tries:{hashlib.sha256(name.encode()).hexdigest()}:{number}"
    try:
        cache.add(key, 0, timeout=2 * window)
        used = cache.incr(key)
    except (RedisError, ValueError) as error:  # ValueError: it vanished in between
        redis_outage.record_failure(type(error).__name__)
        return 0
    return window - second if used > most else 0

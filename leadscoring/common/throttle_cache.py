"""The shared cache, in which the limits on guessing go on to hold while Redis is away."""

from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError

from leadscoring.common.outage import OutageMemory

# django-allauth's keys: its counts, their locks, the codes and tokens that were used.
THROTTLE_KEYS = ("allauth", "jwt:")
redis_outage = OutageMemory(seconds=5.0)


class ThrottleCache(RedisCache):
    """Redis; with Redis away, the keys of log-in's limits are in this process' memory, others fail.

    All threads of a process share that memory. Each process then counts for itself.
    """

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # With Django's default of 300 entries, who tries many names would push the counts out.
        self._memory = LocMemCache("throttle", {"OPTIONS": {"MAX_ENTRIES": 100_000}})

    def add(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("add", key, *args, **kwargs)

    def get(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get", key, *args, **kwargs)

    def set(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("set", key, *args, **kwargs)

    def delete(self, key: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("delete", key, *args, **kwargs)

    def _ask(self, verb: str, key: str, *args: Any, **kwargs: Any) -> Any:
        of_redis = getattr(super(), verb)
        if not key.startswith(THROTTLE_KEYS):
            return of_redis(key, *args, **kwargs)
        if not redis_outage.is_out():
            try:
                answer = of_redis(key, *args, **kwargs)
            except RedisError as error:
                redis_outage.record_failure(type(error).__name__)
            else:
                redis_outage.record_success()
                return answer
        return getattr(self._memory, verb)(key, *args, **kwargs)

"""Authentication of the API by key, and its rate limit."""

from datetime import datetime

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.timezone import now
from ninja.security import HttpBearer
from redis import RedisError

from leadscoring import api_keys
from leadscoring.api.errors import ApiError
from leadscoring.common.outage import OutageMemory
from leadscoring.models import ApiKey

# Of one key; far above what a sender of single activities needs, far below what harms others.
REQUESTS_PER_MINUTE = 12_000
redis_outage = OutageMemory(seconds=5.0)

WRITE_ONLY = "This key may send people and activities, and reads nothing."


class RateLimited(Exception):
    """The key's requests of this minute are used up."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class ApiKeyAuth(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = admit_key(token, now())
        if key is not None and key.write_only and request.method != "POST":
            raise ApiError(403, "write_only", WRITE_ONLY)
        return key


def admit_key(text: str, at: datetime) -> ApiKey | None:
    """Return the key of a text and count the request; None for an unknown one. Raise RateLimited."""
    key = api_keys.find_key(text)
    if key is not None:
        _count_request(key, at)
        api_keys.record_use(key, at)
    return key


def _count_request(key: ApiKey, at: datetime) -> None:
    """Count a request; raise RateLimited beyond the limit. With Redis away, admit all."""
    if redis_outage.is_out():
        return
    minute, second = divmod(int(at.timestamp()), 60)
    name = f"requests:{key.pk}:{minute}"
    try:
        cache.add(name, 0, timeout=120)
        used = cache.incr(name)
    except (RedisError, ValueError) as error:  # ValueError: it vanished in between
        redis_outage.record_failure(type(error).__name__)
        return
    if used > REQUESTS_PER_MINUTE:
        raise RateLimited(60 - second)

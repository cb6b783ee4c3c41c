"""Authentication of the API by key, and its rate limit."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from ninja.security import HttpBearer

from leadscoring import api_keys
from leadscoring.api.errors import ApiError
from leadscoring.common import attempts
from leadscoring.intake.sources import record_refusal
from leadscoring.models import ApiKey

# Of one key; far above what a sender needs, far below what harms others. A request may hold thousands of events.
REQUESTS_PER_MINUTE, EVENTS_PER_MINUTE = 12_000, 300_000
WINDOW = 60  # seconds

TOO_MUCH = "More than {:,} {} came within a minute; the rest of that minute was not taken."
WRITE_ONLY = "This key may send people and activities, and reads nothing."


class RateLimited(ApiError):
    """What a key may send in this minute is used up; nothing of the request was taken."""

    def __init__(self, at: int, resets_at: int) -> None:
        super().__init__(429)
        self.at, self.resets_at = at, resets_at

    def response(self) -> HttpResponse:
        response = super().response()
        response["Retry-After"] = str(self.resets_at - self.at)
        response["X-RateLimit-Reset"] = str(self.resets_at)
        return response


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
        _count("requests", key, 1, REQUESTS_PER_MINUTE, at)
        api_keys.record_use(key, at)
    return key


def count_events(key: ApiKey, events: int, at: datetime) -> None:
    """Count what a request holds, before any of it is taken. Raise RateLimited."""
    _count("events", key, events, EVENTS_PER_MINUTE, at)


def _count(what: str, key: ApiKey, more: int, most: int, at: datetime) -> None:
    """Count towards a limit; raise RateLimited beyond it. With Redis away, admit all."""
    used = attempts.count_tries(f"{what} of key {key.pk}", more, WINDOW, at) if more else 0
    if used > most:
        if used - more <= most:  # once in a window: who floods is not to write as much
            record_refusal(key.name, TOO_MUCH.format(most, what), at)
        raise RateLimited(int(at.timestamp()), attempts.window_end(WINDOW, at))

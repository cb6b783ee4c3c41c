"""How fast one may ask: a rolling ten seconds, a second for searches, a day."""

from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from .settings import Settings

Headers = dict[str, str]


class TooFast(Exception):
    """A 429."""

    def __init__(self, policy: str, headers: Headers, retry_after: int) -> None:
        super().__init__(policy)
        self.policy = policy
        self.headers = headers
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        return limit_body(self.policy)


def limit_body(policy: str) -> dict[str, Any]:
    """HubSpot's 429 has `errorType` where other refusals have `category`."""
    return {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid4()),
        "policyName": policy,
        "groupName": "publicapi:private-apps:api-calls",
        "requestId": uuid4().hex,
    }


@dataclass
class Pace:
    """What was asked lately. `now` is a monotonic clock's seconds, `at` tells the day."""

    _bursts: dict[str, deque[float]] = field(default_factory=dict)
    _day: date | None = None
    used_today: int = 0

    def admit(
        self, settings: Settings, token: str, bucket: str, now: float, at: datetime
    ) -> Headers:
        """Count a request in, or raise TooFast. Buckets: search, associations, ordinary.

        Searches have no rate headers; association batches have a burst of their own.
        """
        self._new_day(at)
        if self.is_day_over(settings):
            raise TooFast("DAILY", self._headers(settings, 0), 3_600)
        self.used_today += 1
        if bucket == "search":
            if self._left("search", settings.search_rate, 1, now) < 0:
                raise TooFast("SECONDLY", {}, 1)
            return {}
        left = self._left(f"{bucket} {token}", settings.rate, 10, now)
        headers = self._headers(settings, max(left, 0)) if bucket == "ordinary" else {}
        if left < 0:
            raise TooFast("TEN_SECONDLY_ROLLING", headers, 10)
        return headers

    def is_day_over(self, settings: Settings) -> bool:
        return settings.day_used_up or 0 < settings.daily <= self.used_today

    def left_today(self, settings: Settings) -> int:
        return 0 if self.is_day_over(settings) else settings.daily - self.used_today

    def _left(self, name: str, allowed: int, seconds: float, now: float) -> int:
        """Requests left after this one; -1 when it is one too many (it is then not counted)."""
        times = self._bursts.setdefault(name, deque())
        while times and times[0] <= now - seconds:
            times.popleft()
        if allowed and len(times) >= allowed:
            return -1
        times.append(now)
        return allowed - len(times) if allowed else 0

    def _headers(self, settings: Settings, left: int) -> Headers:
        if not settings.rate:
            return {}
        return {
            "X-HubSpot-RateLimit-Daily": str(settings.daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(self.left_today(settings), 0)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Max": str(settings.rate),
            "X-HubSpot-RateLimit-Remaining": str(left),
        }

    def _new_day(self, at: datetime) -> None:
        if at.date() != self._day:
            self._day, self.used_today = at.date(), 0

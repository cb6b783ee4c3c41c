"""How fast one may ask: two rolling seconds, ten searches in them, and what a day may cost."""

from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime

from .refusals import INFO, Refusal
from .settings import Settings

WINDOW, BLOCK = 2, 10  # seconds
Headers = dict[str, str]
BLOCK_PAGE = (
    "<!doctype html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body><h1>Sorry, you have been blocked</h1><p>Error 1015</p></body></html>"
)


class Blocked(Exception):
    """Somebody went on in spite of 429: an HTML page with 403."""


def too_fast(headers: Headers | None = None) -> Refusal:
    message = "Request over limit"
    whole = {"success": False, "error": message, "errorCode": 429, "error_info": INFO}
    return Refusal(429, message, headers=headers, whole=whole)


@dataclass
class Pace:
    """What was asked lately. `now` is a monotonic clock's seconds, `at` tells the day."""

    _times: dict[str, deque[float]] = field(default_factory=dict)
    _refused: dict[str, deque[float]] = field(default_factory=dict)
    _blocked_until: dict[str, float] = field(default_factory=dict)
    _day: date | None = None
    used_today: int = 0

    def admit(
        self, settings: Settings, token: str, cost: int, search: bool, now: float, at: datetime
    ) -> Headers:
        """Count a request in, or raise a 429, or Blocked. A search counts as a request too."""
        self._new_day(at)
        if settings.blocked or self._blocked_until.get(token, 0.0) > now:
            raise Blocked
        bursts = {token: settings.rate} | (
            {f"{token} search": settings.search_rate} if search else {}
        )
        name, left = min(
            ((name, self._left(name, allowed, now)) for name, allowed in bursts.items()),
            key=lambda each: each[1],
        )
        if left < 0 or self.is_day_over(settings, cost):
            self.used_today += cost if settings.refused_costs else 0
            self._count_refused(settings, token, now)
            raise too_fast(self._headers(settings, name, bursts[name], max(left, 0), now))
        for each in bursts:
            self._times[each].append(now)
        self.used_today += cost
        return self._headers(settings, name, bursts[name], max(left - 1, 0), now)

    def is_day_over(self, settings: Settings, cost: int) -> bool:
        return settings.day_used_up or 0 < settings.daily < self.used_today + cost

    def _left(self, name: str, allowed: int, now: float) -> int:
        """How many more there may be now; -1 when there may be none."""
        times = _since(self._times.setdefault(name, deque()), now - WINDOW)
        if not allowed:
            return 1_000_000
        return allowed - len(times) or -1

    def _count_refused(self, settings: Settings, token: str, now: float) -> None:
        refused = _since(self._refused.setdefault(token, deque()), now - BLOCK)
        refused.append(now)
        if 0 < settings.block_after <= len(refused):
            refused.clear()
            self._blocked_until[token] = now + BLOCK

    def _headers(
        self, settings: Settings, name: str, allowed: int, left: int, now: float
    ) -> Headers:
        headers: Headers = {}
        if allowed:
            times = self._times[name]
            headers |= {
                "x-ratelimit-limit": str(allowed),
                "x-ratelimit-remaining": str(left),
                "x-ratelimit-reset": str(
                    max(1, round(times[0] + WINDOW - now)) if times else WINDOW
                ),
            }
        if settings.daily_headers and settings.daily:
            over = settings.day_used_up
            headers |= {
                "x-daily-ratelimit-token-limit": str(settings.daily),
                "x-daily-ratelimit-token-remaining": str(
                    0 if over else max(0, settings.daily - self.used_today)
                ),
            }
        return headers

    def _new_day(self, at: datetime) -> None:
        if at.date() != self._day:
            self._day, self.used_today = at.date(), 0


def _since(times: deque[float], start: float) -> deque[float]:
    while times and times[0] <= start:
        times.popleft()
    return times

"""Webhooks on their way: told to an address, in batches, again until they are taken.

At most 100 events in a request, 5 s for the answer, 10 requests at once, 10 further attempts; the
order is not kept, and an event may come twice: HubSpot's numbers, which are the strictest. A real CRM
spreads its attempts over hours; here the first wait is a setting, and each is twice the last. A CRM's
own outbox may do otherwise.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import count
from random import Random
from threading import Condition, Thread
from typing import Any
from urllib.parse import urlsplit

from .settings import WebhookSettings

MOST_EVENTS, ANSWER_SECONDS, AT_ONCE, MOST_RETRIES = 100, 5.0, 10, 10
GATHER_SECONDS = 0.02  # what happens within it goes in one request
LOG_KEPT = 10_000

Event = dict[str, Any]
# Body and headers of a request to an address: each CRM writes and signs in its own way.
Pack = Callable[[str, list[Event], int], tuple[bytes, dict[str, str]]]


@dataclass(order=True)
class Delivery:
    """Events on their way. `due`: by the monotonic clock."""

    due: float
    number: int
    attempt: int = field(compare=False)
    events: list[Event] = field(compare=False)


class Outbox:
    """Tells nobody until `webhook_url` is set. `log`: each attempt and how it was answered."""

    most_events = MOST_EVENTS
    answer_seconds = ANSWER_SECONDS

    def __init__(self, settings: WebhookSettings, pack: Pack) -> None:
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_KEPT)
        self._settings = settings
        self._pack = pack
        self._chance = Random(1)  # noqa: S311 - chance for tests, no secret
        self._numbers = count(1)
        self._waiting: list[Event] = []
        self._ready_at = 0.0
        self._deliveries: list[Delivery] = []
        self._under_way = 0
        self._changed = Condition()
        self._threads: list[Thread] = []
        self._stopped = False

    def address(self, events: list[Event]) -> str:
        """Where events of one request go; "" for nowhere."""
        return self._settings.webhook_url

    def backoff(self, attempt: int) -> float | None:
        """Seconds until the next attempt; None to give up."""
        wait = self._settings.webhook_backoff * 2**attempt * self._chance.uniform(1, 1.5)
        return wait if attempt < MOST_RETRIES else None

    def answered(self, delivery: Delivery, status: int) -> None:
        """An attempt is over."""

    def put(self, event: Callable[[int], Event]) -> None:
        """Send what `event` makes of the event's number; whoever tells it waits for nobody."""
        with self._changed:
            if self._chance.random() < self._settings.webhook_lost:
                return
            told = event(next(self._numbers))
            twice = self._chance.random() < self._settings.webhook_twice
            if not self._waiting:
                self._ready_at = time.monotonic() + GATHER_SECONDS
            self._waiting += [told, told] if twice else [told]
            self._start()
            self._changed.notify()

    def _start(self) -> None:
        while len(self._threads) < AT_ONCE:
            thread = Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (delivery := self._next()) is not None:
            status = self._post(delivery)
            self.answered(delivery, status)
            with self._changed:
                self.log.append(
                    {"status": status, "attempt": delivery.attempt, "events": delivery.events}
                )
                self._under_way -= 1
                failed = not 200 <= status < 300 and bool(self.address(delivery.events))
                wait = self.backoff(delivery.attempt) if failed else None
                if wait is not None:
                    self._again(delivery, wait)
                self._changed.notify_all()

    def _again(self, delivery: Delivery, wait: float) -> None:
        due, number = time.monotonic() + wait, next(self._numbers)
        heappush(self._deliveries, Delivery(due, number, delivery.attempt + 1, delivery.events))

    def _next(self) -> Delivery | None:
        """The next delivery as soon as it is due; None at the end."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                if self._waiting and self._ready_at <= now:
                    self._under_way += 1
                    return Delivery(now, next(self._numbers), 0, self._taken())
                if self._deliveries and self._deliveries[0].due <= now:
                    self._under_way += 1
                    return heappop(self._deliveries)
                self._changed.wait(self._wait(now))
        return None

    def _wait(self, now: float) -> float | None:
        dues = [self._ready_at] if self._waiting else []
        dues += [self._deliveries[0].due] if self._deliveries else []
        return max(0.0, min(dues) - now) if dues else None

    def _taken(self) -> list[Event]:
        if self._settings.webhook_reorder:
            self._chance.shuffle(self._waiting)
        most = self.most_events
        taken, self._waiting = self._waiting[:most], self._waiting[most:]
        return taken

    def _post(self, delivery: Delivery) -> int:
        """The status of the answer; 0 when there was none in time."""
        url = self.address(delivery.events)
        if not url:
            return 0
        body, headers = self._pack(url, delivery.events, delivery.attempt)
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            connection = kind(parts.netloc, timeout=self.answer_seconds)
            try:
                connection.request("POST", target or "/", body, headers)
                return connection.getresponse().status
            finally:
                connection.close()
        except (OSError, HTTPException, ValueError):
            return 0

    def settled(self, seconds: float = 10.0) -> bool:
        """Wait until everything was taken, or given up; whether it was."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._waiting or self._deliveries or self._under_way), seconds
            )

    def stop(self) -> None:
        """What has not arrived yet never will."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

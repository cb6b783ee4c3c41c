"""Webhooks: what happens in the CRM is told to an address, signed, in batches, again until it is taken.

Source: HubSpot's webhooks guide. At most 100 events in a request, 5 s for the answer, 10 requests
at once, 10 further attempts; the order is not kept, and an event may come twice. The real one
spreads its attempts over a day; here the first wait is a setting, and each is twice the last.
"""

import hashlib
import hmac
import json
import re
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import count
from random import Random
from threading import Condition, Thread
from typing import Any
from urllib.parse import urlsplit

from .events import Event, event, is_subscribed
from .moments import milliseconds
from .settings import Settings

MOST_EVENTS, ANSWER_SECONDS, AT_ONCE, MOST_RETRIES = 100, 5.0, 10, 10
GATHER_SECONDS = 0.02  # what happens within it goes in one request
LOG_KEPT = 10_000
# Decoded in the address before it is signed.
PLAIN = {f"%{ord(sign):02X}": sign for sign in ":/?@!$'()*,;"}


@dataclass(order=True)
class Delivery:
    """Events on their way. `due`: by the monotonic clock."""

    due: float
    number: int
    attempt: int = field(compare=False)
    events: list[Event] = field(compare=False)


class Sender:
    """Tells nobody until `webhook_url` is set. `log`: each attempt and how it was answered."""

    def __init__(self, settings: Settings, portal_id: Callable[[], int]) -> None:
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_KEPT)
        self._settings = settings
        self._portal_id = portal_id
        self._chance = Random(1)  # noqa: S311 - chance for tests, no secret
        self._numbers = count(1)
        self._waiting: list[Event] = []
        self._ready_at = 0.0
        self._deliveries: list[Delivery] = []
        self._under_way = 0
        self._changed = Condition()
        self._threads: list[Thread] = []
        self._stopped = False

    def tell(self, verb: str, kind: str, id_: str, facts: Event) -> None:
        """Something happened; whoever does it does not wait for anybody."""
        if not self._settings.webhook_url or not is_subscribed(verb, kind, facts):
            return
        with self._changed:
            if self._chance.random() < self._settings.webhook_lost:
                return
            told = event(
                verb, kind, id_, facts,
                number=next(self._numbers), portal_id=self._portal_id(),
                generic=self._settings.webhook_generic,
            )  # fmt: skip
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
            with self._changed:
                self.log.append(
                    {"status": status, "attempt": delivery.attempt, "events": delivery.events}
                )
                self._under_way -= 1
                failed = not 200 <= status < 300 and bool(self._settings.webhook_url)
                if failed and delivery.attempt < MOST_RETRIES:
                    self._again(delivery)
                self._changed.notify_all()

    def _again(self, delivery: Delivery) -> None:
        wait = self._settings.webhook_backoff * 2**delivery.attempt * self._chance.uniform(1, 1.5)
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
        taken, self._waiting = self._waiting[:MOST_EVENTS], self._waiting[MOST_EVENTS:]
        return taken

    def _post(self, delivery: Delivery) -> int:
        """The status of the answer; 0 when there was none in time."""
        url = self._settings.webhook_url
        events = [each | {"attemptNumber": delivery.attempt} for each in delivery.events]
        body = json.dumps(events, separators=(",", ":")).encode()
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            connection = kind(parts.netloc, timeout=ANSWER_SECONDS)
            try:
                connection.request("POST", target or "/", body, self._headers(url, body))
                return connection.getresponse().status
            finally:
                connection.close()
        except (OSError, HTTPException, ValueError):
            return 0

    def _headers(self, url: str, body: bytes) -> dict[str, str]:
        stamp = str(milliseconds(datetime.now(UTC)))
        secret = self._settings.webhook_secret.encode()
        return {
            "Content-Type": "application/json",
            "X-HubSpot-Signature": hashlib.sha256(secret + body).hexdigest(),
            "X-HubSpot-Signature-Version": "v1",
            "X-HubSpot-Signature-v3": signature(secret, url, body, stamp),
            "X-HubSpot-Request-Timestamp": stamp,
        }

    def settled(self, seconds: float = 10.0) -> bool:
        """Wait until everything was taken, or given up; whether it was."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._waiting or self._deliveries or self._under_way), seconds
            )

    def forget(self) -> None:
        """What has not arrived yet never will."""
        with self._changed:
            self._waiting.clear()
            self._deliveries.clear()
            self.log.clear()
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


def signature(secret: bytes, url: str, body: bytes, stamp: str) -> str:
    address = re.sub("%[0-9A-Fa-f]{2}", lambda code: PLAIN.get(code[0].upper(), code[0]), url)
    text = f"POST{address}".encode() + body + stamp.encode()
    return b64encode(hmac.digest(secret, text, hashlib.sha256)).decode()

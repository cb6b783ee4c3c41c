"""Webhooks on their way. No signature: user and password alone tell them from others'.

Each event is a request of its own, sent again after 3, 30 and 150 s. Ten first attempts that fail ban
the webhook for half an hour, and what happens meanwhile is lost.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..server.moments import iso
from ..server.outbox import Delivery, Event, Outbox
from .moments import old_stamp, stamp
from .webhooks import OBJECTS

if TYPE_CHECKING:
    from .state import PipedriveState
    from .store import Item, Record

WAITS = (1, 10, 50)  # times the first wait
FAILURES, BAN_SECONDS = 10, 1_800


class PipedriveOutbox(Outbox):
    most_events = 1
    answer_seconds = 10.0

    def __init__(self, state: PipedriveState) -> None:
        super().__init__(state.settings, self._packed)
        self._state = state
        self._failures: Counter[int] = Counter()
        self._banned_until: dict[int, float] = {}

    def is_banned(self, webhook_id: int) -> bool:
        return self._banned_until.get(webhook_id, 0.0) > time.monotonic()

    def address(self, events: list[Event]) -> str:
        webhook = self._webhook(events)
        return str(webhook["subscription_url"]) if webhook else ""

    def backoff(self, attempt: int) -> float | None:
        if attempt >= len(WAITS):
            return None
        return self._state.settings.webhook_backoff * WAITS[attempt]

    def answered(self, delivery: Delivery, status: int) -> None:
        webhook = self._webhook(delivery.events)
        if webhook is None:
            return
        with self._state.lock:
            when = old_stamp(stamp(datetime.now(UTC)))
            webhook |= {"last_http_status": status, "last_delivery_time": when}
            if delivery.attempt == 0 and not 200 <= status < 300:
                self._count_failure(webhook["id"])

    def _count_failure(self, webhook_id: int) -> None:
        self._failures[webhook_id] += 1
        if self._failures[webhook_id] >= FAILURES:
            self._failures[webhook_id] = 0
            self._banned_until[webhook_id] = time.monotonic() + BAN_SECONDS

    def _webhook(self, events: list[Event]) -> Item | None:
        return self._state.store.webhooks.get(int(events[0]["meta"]["webhook_id"]))

    def _packed(self, url: str, events: list[Event], attempt: int) -> tuple[bytes, dict[str, str]]:
        told = events[0] | {"meta": events[0]["meta"] | {"attempt": attempt + 1}}
        headers = {"Content-Type": "application/json"}
        webhook = self._webhook(events)
        if webhook and webhook["http_auth_user"]:
            pair = f"{webhook['http_auth_user']}:{webhook['http_auth_password'] or ''}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return json.dumps(told).encode(), headers


def event(
    state: PipedriveState,
    webhook: Item,
    action: str,
    record: Record,
    told: dict[str, Any],
    more: Item,
) -> Event:
    """`more`: who a merged record became, or was; all ids are text."""
    at = datetime.now(UTC)
    user_id, source = state.store.actor
    meta = {
        "action": action,
        "entity": OBJECTS[record.kind],
        "entity_id": str(record.id),
        "company_id": str(state.store.company_id),
        "id": str(uuid4()),
        "correlation_id": str(uuid4()),
        "timestamp": str(int(at.timestamp())) if state.settings.webhook_seconds else iso(at),
        "user_id": str(user_id),
        "version": "2.0",
        "webhook_id": str(webhook["id"]),
        "webhook_owner_id": str(webhook["owner_id"]),
        "change_source": source,
        "attempt": 1,
        "is_bulk_edit": False,
        "host": f"{state.store.domain}.pipedrive.com",
        "type": "general",
        "permitted_user_ids": [str(id_) for id_ in state.store.users],
    }
    return {"meta": meta | {name: str(id_) for name, id_ in more.items()}, **told}

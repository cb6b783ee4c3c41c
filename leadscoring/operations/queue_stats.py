"""What waits in each queue and for how long, read from the broker when asked."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from leadscoring.celery import FORMER_QUEUE, PUBLISHED_AT, QUEUES

# kombu's names: a queue is a list under its own name, the oldest message at its right end; what
# workers have taken and not begun is in one hash, as [message, exchange, routing key].
TAKEN = "unacked"


@dataclass(frozen=True, slots=True)
class QueueStats:
    """`waiting`: tasks in the queue; `taken`: those that a worker holds and has not begun;
    `oldest_seconds`: since the oldest waiting one was sent, None when that is not known."""

    name: str
    waiting: int
    taken: int
    oldest_seconds: float | None


def queue_stats(at: datetime) -> list[QueueStats]:
    """Return the figures of every queue; nothing while Redis is away."""
    names = [*QUEUES, FORMER_QUEUE]
    try:
        with _broker() as broker, broker.pipeline(transaction=True) as ask:
            for name in names:
                ask.llen(name)
                ask.lindex(name, -1)
            ask.hvals(TAKEN)
            *found, messages = ask.execute()
    except RedisError:
        return []
    taken = Counter(_routing_key(message) for message in messages)
    stats = [
        QueueStats(name, waiting, taken[name], _age(oldest, at))
        for name, waiting, oldest in zip(names, found[::2], found[1::2], strict=True)
    ]
    # The former queue is of interest only while the release before has left something in it.
    return [each for each in stats if each.name in QUEUES or each.waiting]


def _broker() -> Redis:
    return Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )


def _routing_key(message: bytes) -> str:
    parts: Sequence[Any] = json.loads(message)
    return str(parts[2])


def _age(message: bytes | None, at: datetime) -> float | None:
    """Return the seconds since a message was sent; None when it does not say (of an earlier release)."""
    sent = json.loads(message)["headers"].get(PUBLISHED_AT) if message else None
    return None if sent is None else max(0.0, at.timestamp() - float(sent))

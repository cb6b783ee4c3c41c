"""Which processes were seen alive, and when: the worker does a task now and then, beat rings for it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.core.cache import cache

PROCESSES = ("worker", "beat")
SILENT = timedelta(seconds=60)
KEPT_SECONDS = 7 * 86_400


def record_heartbeat(process: str, at: datetime) -> None:
    cache.set(f"heartbeat:{process}", at.timestamp(), KEPT_SECONDS)


def read_ages(at: datetime) -> Mapping[str, float | None]:
    """Seconds since each process was seen; None when it never was. Raises when Redis is away."""
    found = cache.get_many([f"heartbeat:{process}" for process in PROCESSES])
    return {process: heartbeat_age(found.get(f"heartbeat:{process}"), at) for process in PROCESSES}


def heartbeat_age(timestamp: float | None, at: datetime) -> float | None:
    if timestamp is None:
        return None
    return max(0.0, (at - datetime.fromtimestamp(timestamp, UTC)).total_seconds())

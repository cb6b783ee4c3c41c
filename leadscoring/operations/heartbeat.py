"""Which processes were seen alive, and when: workers do a task in each queue every few seconds, which
beat sends.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.core.cache import cache

from leadscoring.celery import QUEUES

BEAT = "beat"
# A turn of these takes a minute and a half, and one more may be before the heartbeat.
LONG_TURNS = ("sync", "slow")
SILENT, SILENT_IN_LONG_TURNS = timedelta(seconds=60), timedelta(minutes=4)
KEPT_SECONDS = 7 * 86_400


def worker(queue: str) -> str:
    """Return the name under which the worker of a queue is seen."""
    return f"worker-{queue}"


# Process -> the age of its last sign of life from which on it counts as missing.
PROCESSES: Mapping[str, timedelta] = {
    **{worker(queue): SILENT_IN_LONG_TURNS if queue in LONG_TURNS else SILENT for queue in QUEUES},
    BEAT: SILENT,
}


def record_heartbeat(process: str, at: datetime) -> None:
    cache.set(f"heartbeat:{process}", at.timestamp(), KEPT_SECONDS)


def read_ages(at: datetime) -> Mapping[str, float | None]:
    """Return the seconds since each process was seen; None: never. Raise RedisError when Redis is away."""
    found = cache.get_many([f"heartbeat:{process}" for process in PROCESSES])
    return {process: _heartbeat_age(found.get(f"heartbeat:{process}"), at) for process in PROCESSES}


def _heartbeat_age(timestamp: float | None, at: datetime) -> float | None:
    if timestamp is None:
        return None
    return max(0.0, (at - datetime.fromtimestamp(timestamp, UTC)).total_seconds())


def is_silent(process: str, age: float | None) -> bool:
    return age is None or age > PROCESSES[process].total_seconds()

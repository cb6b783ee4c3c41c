"""Turns: a task with much to do ends after a while and sends itself for its next turn."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache

from leadscoring.common.wakeup import wake_worker

# Seconds after which a task that was sent and that no worker has begun counts as lost.
LOST_AFTER = 5


def send_next_turn(task: str, countdown: float = 0.0) -> None:
    """Send a task once more, unless its next turn waits already. Raise nothing."""
    wake_worker(task, countdown or None, once_in=math.ceil(countdown) + LOST_AFTER)


@contextmanager
def only_turn(name: str, seconds: int) -> Iterator[bool]:
    """Yield whether this is the only turn of this name. `seconds`: what a turn takes at most.

    For fairness alone: when Redis loses its data, two turns run at once.
    """
    mine = cache.add(f"turn:{name}", 1, timeout=seconds)
    try:
        yield mine
    finally:
        if mine:
            cache.delete(f"turn:{name}")

"""The bell for hints: rung once for all that come until a worker begins."""

import logging
import time
from datetime import timedelta

from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis import RedisError

log = logging.getLogger(__name__)

TASK = "crm_sync.tasks.look_at_hints"
# What comes within it is looked at together: a flood costs a record one look, not one for each event.
GATHERING = timedelta(seconds=0.5)
# Of a ring whose task was lost.
RUNG, FORGOTTEN_AFTER = "crm_sync:hints:rung", 5
# With Redis away a ring costs up to a second: after one in vain, requests are spared the next.
SILENCE = 5.0
silent_until = 0.0


def wake_worker() -> None:
    """Tell a worker that there are hints. When that fails, the sweep finds them."""
    global silent_until
    if time.monotonic() < silent_until:
        return
    try:
        if cache.add(RUNG, 1, timeout=FORGOTTEN_AFTER):
            current_app.send_task(TASK, countdown=GATHERING.total_seconds())
    except (RedisError, OperationalError):
        silent_until = time.monotonic() + SILENCE
        log.warning("Redis does not answer: hints wait for the sweep")


def acknowledge() -> None:
    """A worker begins: what is heard from now on needs another ring."""
    try:
        cache.delete(RUNG)
    except RedisError:
        log.warning("Redis does not answer: the next ring may be late by %d s", FORGOTTEN_AFTER)

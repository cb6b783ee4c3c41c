"""Wake a worker for rows that are stored already: the one place that publishes tasks.

The rows are the truth and a sweep finds them, so a wake-up may fail, whatever the reason: the broker
is away, its client is broken or half installed, the cache refuses. The caller never hears of it; the
log, `/readyz` and the home page do.
"""

import logging

from celery import current_app
from django.core.cache import cache

from leadscoring.common.outage import OutageMemory

log = logging.getLogger(__name__)

# Seconds for which the outcome of a try stands. With the broker silent a try costs up to a second:
# requests are spared the next ones.
KNOWN_FOR = 5.0
# Expires a probe that no worker takes; longer than clocks of two machines may differ.
PROBE, PROBE_EXPIRES = "leadscoring.tasks.probe", 900

broker = OutageMemory(KNOWN_FOR)


def wake_worker(
    task: str,
    countdown: float | None = None,
    *,
    once_in: int | None = None,
    expires: float | None = None,
) -> None:
    """Publish a task by its name, without arguments; raise nothing.

    `once_in`: skip when one was published within so many seconds that no worker has acknowledged.
    Skip also when this process failed to publish within the last `KNOWN_FOR` seconds.
    """
    if broker.is_out():
        return
    try:
        if once_in and not cache.add(_key(task), 1, timeout=once_in):
            return
        try:
            current_app.send_task(task, countdown=countdown, expires=expires)
        except Exception:
            if once_in:  # nothing waits: the next one may be published
                cache.delete(_key(task))
            raise
    except Exception as error:  # whatever it is, the caller's rows are stored
        broker.record_failure(_describe(error))
        log.warning("workers cannot be woken: rows wait for the sweep", exc_info=error)
    else:
        broker.record_success()


def acknowledge(task: str) -> None:
    """Let the next `wake_worker(task, once_in=…)` publish again; for the worker, as it begins."""
    try:
        cache.delete(_key(task))
    except Exception as error:
        log.warning("a wake-up was not acknowledged (%s): the next may be late", _describe(error))


def failure() -> str:
    """Return why this process cannot wake a worker at present, "" when it can.

    Publish a probe unless the last outcome is known: only a try shows a broken client, and shows in
    every process what another one met. So the answer also ends when the cause does.
    """
    if not broker.is_known():
        wake_worker(PROBE, expires=PROBE_EXPIRES)
    return broker.reason


def _key(task: str) -> str:
    return f"wakeup:{task}"


def _describe(error: Exception) -> str:
    """Return the kinds of an exception and of what it stems from: "OperationalError, ConnectionError".

    Its text stays out, which may hold an address or a password; a missing module's name is neither.
    """
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < 3:
        missing = f" of {cause.name}" if isinstance(cause, ImportError) and cause.name else ""
        kinds.append(type(cause).__name__ + missing)
        cause = cause.__cause__
    return ", ".join(dict.fromkeys(kinds))

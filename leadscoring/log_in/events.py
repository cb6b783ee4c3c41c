"""What happened at the door, as lines of the log and as counts for Prometheus.

A line names the account by its key and the client by its address, never by what was typed.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from allauth.core import context
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.http import HttpRequest
from prometheus_client.core import CounterMetricFamily, Metric
from redis import RedisError

from leadscoring.common.outage import OutageMemory
from leadscoring.log_in.client import client_address

logger = logging.getLogger(__name__)
redis_outage = OutageMemory(seconds=5.0)

SENTENCES = {
    "logged_in": "Somebody logged in.",
    "refused": "A log-in was refused.",
    "throttled": "There were too many tries to log in.",
    "busy": "A log-in had to wait: too many at once.",
    "logged_out": "Somebody logged out.",
    "session_ended": "Somebody ended a session.",
    "password_changed": "A password was changed.",
    "second_factor_added": "A second factor was added.",
    "second_factor_removed": "A second factor was removed.",
    "recovery_codes_made": "Somebody made new recovery codes.",
}


def record(event: str, user: Any = None, request: HttpRequest | None = None) -> None:
    """Log an event and count it. `user`: whose account, if any is known."""
    request = request or context.request
    facts = {
        "event": event,
        "user": getattr(user, "pk", None),
        "client": client_address(request) if request else None,
    }
    logger.info(SENTENCES[event], extra={"facts": facts})
    _count(event)


def _count(event: str) -> None:
    """Count in Redis, which all processes share. With Redis away the line of the log is all."""
    if redis_outage.is_out():
        return
    try:
        cache.add(_key(event), 0, timeout=None)
        cache.incr(_key(event))
    except (RedisError, ValueError) as error:  # ValueError: it vanished in between
        redis_outage.record_failure(type(error).__name__)


def _key(event: str) -> str:
    return f"log_in:{event}"


def metrics() -> Iterator[Metric]:
    """The counts since Redis was new; nothing while it is away."""
    with suppress(RedisError):
        found = cache.get_many([_key(event) for event in SENTENCES])
        family = CounterMetricFamily(
            "leadscoring_log_in_events", "What happened at log-in.", labels=["event"]
        )
        for event in SENTENCES:
            family.add_metric([event], found.get(_key(event)) or 0)
        yield family


# --- receivers --------------------------------------------------------------------------------
def record_log_out(request: HttpRequest, user: Any, **_: Any) -> None:
    if user is not None:
        record("logged_out", user, request)


def record_refusal(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    name = str(credentials.get("username", "")).replace("\0", "")
    record("refused", get_user_model().objects.filter(username=name).only("pk").first(), request)


def record_second_factor_added(request: HttpRequest, user: Any, **_: Any) -> None:
    record("second_factor_added", user, request)


def record_second_factor_removed(request: HttpRequest, user: Any, **_: Any) -> None:
    record("second_factor_removed", user, request)


def record_recovery_codes(request: HttpRequest, user: Any, **_: Any) -> None:
    record("recovery_codes_made", user, request)

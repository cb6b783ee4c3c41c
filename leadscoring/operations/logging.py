"""Logs: one line of JSON each, for machines to read; and the header that keeps pages to themselves."""

import json
import logging
import re
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

from leadscoring.operations.machine_addresses import MACHINE_ADDRESSES


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON.

    Of an exception only its type and where it was raised are written: its text may repeat
    what people sent us (addresses, names), and that never reaches a log.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _safe_message(record),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])[-5:]
            line["error"] = record.exc_info[0].__name__
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, ensure_ascii=False)


def _safe_message(record: logging.LogRecord) -> str:
    """Return the message without what people sent: a path may hold an address or an unsubscribe token,
    and others' messages repeat a request line, a request's path or an exception's text.
    """
    message = record.getMessage()
    request = getattr(record, "request", None)
    if isinstance(request, HttpRequest):
        route = request.resolver_match.route if request.resolver_match else "an unknown address"
        return message.replace(request.path, route)
    if record.exc_info and record.name.startswith(("celery", "gunicorn")):
        return str(record.msg)
    return INVALID_REQUEST.sub("Invalid request", message)


def _is_no_answer_to_a_machine(record: logging.LogRecord) -> bool:
    """Drop what Django says of each 503 of readiness and metrics: who asks has it, each minute."""
    request = getattr(record, "request", None)
    return not (isinstance(request, HttpRequest) and request.path in MACHINE_ADDRESSES)


# "Invalid request from ip=192.0.2.1: Invalid HTTP request line: 'GET /u/…'", says gunicorn.
INVALID_REQUEST = re.compile("^Invalid request from .*", re.DOTALL)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "leadscoring.operations.logging.JsonFormatter"}},
    "filters": {"not_to_machines": {"()": lambda: _is_no_answer_to_a_machine}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        # The request line of a 4xx may hold an address (`/contacts/ada@…`).
        "django.request": {"level": "ERROR", "filters": ["not_to_machines"]},
        "django.server": {"handlers": [], "level": "WARNING"},
        # A request can name any host; without a handler it would go to stderr as it is, not as JSON.
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
        "celery": {"level": "INFO"},
        # A line for every task received and done: at a sweep every few seconds, noise.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
    },
}


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Restrict pages to what comes from this site."""
    from django.conf import settings

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        return response

    return middleware

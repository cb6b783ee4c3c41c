"""A WSGI application that takes its time, for tests of the server in front of it."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from leadscoring.operations.gunicorn_worker import BoundedThreadWorker


class ImpatientWorker(BoundedThreadWorker):
    arrived_within = 1.0


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    time.sleep(0.05)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

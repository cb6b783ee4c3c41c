"""A real web server as a process of its own, for tests and benchmarks."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leadscoring import devservers
from sandbox.demo.stage import free_port

CHECKOUT = Path(__file__).resolve().parent.parent
READY_WITHIN = 60.0


WORKER = "leadscoring.operations.gunicorn_worker.BoundedThreadWorker"


@contextmanager
def served(
    environment: Mapping[str, str], workers: int = 2, worker_class: str = WORKER
) -> Iterator[str]:
    """gunicorn as Procfile starts it, on a free port; yields its host and port, ends it after."""
    place = f"127.0.0.1:{free_port()}"
    command = (
        sys.executable, "-m", "gunicorn", "leadscoring.wsgi", "--bind", place, "--no-control-socket",
        "--log-level", "warning", "--worker-class", worker_class, "--workers", str(workers), "--threads", "4",
    )  # fmt: skip
    process = subprocess.Popen(
        devservers.end_with_parent(command), cwd=CHECKOUT, env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(place)
        yield place
    finally:
        process.terminate()
        process.wait(30)


def wait_for(place: str) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://{place}/healthz", timeout=2).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            threading.Event().wait(0.1)
    raise TimeoutError(f"{place} did not answer")


class Caller:
    """One kept connection with a key, as a client program has it."""

    def __init__(self, place: str, key: str) -> None:
        self.connection = http.client.HTTPConnection(place, timeout=60)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, path: str, body: Any, **options: Any) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) or hasattr(body, "__next__") else json.dumps(body)
        self.connection.request("POST", f"/api/v1/{path}", raw, self.headers, **options)
        return self.answer()

    def get(self, path: str) -> tuple[int, Any]:
        self.connection.request("GET", f"/api/v1/{path}", headers=self.headers)
        return self.answer()

    def answer(self) -> tuple[int, Any]:
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

"""Requests that are on their way when a test ends: a browser still sends while its page is closed."""

import threading
from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from pytest_django.live_server_helper import LiveServer


class InFlight:
    """How many requests our server has begun to answer and not ended."""

    def __init__(self) -> None:
        self.many, self.lock = 0, threading.Lock()

    def begin(self, **_: object) -> None:
        with self.lock:
            self.many += 1

    def end(self, **_: object) -> None:
        with self.lock:
            self.many -= 1


@pytest.fixture(autouse=True)
def in_flight(live_server: LiveServer) -> Iterator[None]:
    """Let all requests end before the tables are emptied: who writes then would be in a deadlock."""
    found = InFlight()
    request_started.connect(found.begin, weak=False)
    request_finished.connect(found.end, weak=False)
    yield
    for _ in range(300):
        if found.many <= 0:
            break
        threading.Event().wait(0.1)
    request_started.disconnect(found.begin)
    request_finished.disconnect(found.end)

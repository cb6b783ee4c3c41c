"""More requests than can be served soon: the surplus is told so at once, and the rest is served."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from leadscoring.operations.gunicorn_worker import MOST_WAITING
from sandbox.demo.stage import CHECKOUT, free_port
from tests.loop.outside import until

WORKER = "tests.operations.slow_app.ImpatientWorker"
THREADS = 2


@pytest.fixture
def slow_web() -> Iterator[str]:
    place = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "tests.operations.slow_app:app", "--bind", place, "--workers", "1",
         "--threads", str(THREADS), "--worker-class", WORKER, "--log-level", "warning", "--no-control-socket"],
        cwd=CHECKOUT,
    )  # fmt: skip
    url = f"http://{place}/"
    until(lambda: reached(url))
    yield url
    process.terminate()
    process.wait(30)


def reached(url: str) -> bool:
    try:
        return answer(url)[0] == 200
    except OSError:
        return False


def answer(url: str) -> tuple[int, str, float]:
    began = time.monotonic()
    try:
        with urllib.request.urlopen(url, b"{}", timeout=30) as given:
            return given.status, "", time.monotonic() - began
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["Retry-After"], time.monotonic() - began


def test_the_surplus_is_refused_at_once_and_the_rest_is_served(slow_web: str):
    many = 2 * MOST_WAITING

    with ThreadPoolExecutor(many) as pool:
        answers = list(pool.map(answer, [slow_web] * many))

    counts = Counter(status for status, _, _ in answers)
    assert set(counts) == {200, 503}
    assert counts[200] >= MOST_WAITING
    assert {after for status, after, _ in answers if status == 503} == {"2"}
    assert answer(slow_web)[0] == 200


def test_a_request_that_arrives_together_with_the_one_before_is_served(slow_web: str):
    place = slow_web.removeprefix("http://").strip("/").split(":")
    first = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    second = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    with socket.create_connection((place[0], int(place[1])), 30) as client:
        client.sendall(first + second)
        answers = b"".join(iter(lambda: client.recv(65_536), b""))

    assert answers.count(b"200 OK") == 2
    assert answer(slow_web)[0] == 200


def test_connections_that_send_nothing_hold_no_thread(slow_web: str):
    place = slow_web.removeprefix("http://").strip("/").split(":")

    with ExitStack() as idle:
        for _ in range(10 * THREADS):
            idle.enter_context(socket.create_connection((place[0], int(place[1])), 30))
        served, _, _ = answer(slow_web)

    assert served == 200


def test_requests_that_never_arrive_whole_hold_no_thread_for_long(slow_web: str):
    place = slow_web.removeprefix("http://").strip("/").split(":")
    begun = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"

    with ExitStack() as slow:
        for _ in range(3 * THREADS):
            client = slow.enter_context(socket.create_connection((place[0], int(place[1])), 30))
            client.sendall(begun)
        served, _, _ = answer(slow_web)

    assert served == 200

"""A real web server with real troubles: bodies in chunks and too large, Redis silent, PostgreSQL restarted."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg
import pytest

from leadscoring import devservers
from leadscoring.devservers import Postgres, Server
from tests.web import CHECKOUT, Caller, served

pytestmark = pytest.mark.processes

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """A PostgreSQL of this file's own, to be restarted; durable, as one that matters is."""
    with devservers.run_server(Postgres, durable=True) as server:
        yield server


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """Something that takes connections and never says a word, as a Redis that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


@pytest.fixture(scope="module")
def place(postgres: Server, silent: str) -> Iterator[str]:
    environment = {"DATABASE_URL": postgres.url, "REDIS_URL": silent}
    manage("migrate", "--no-input", "-v0", **environment)
    with served(environment, workers=1) as place:
        yield place


def manage(*arguments: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=CHECKOUT, env=os.environ | environment,
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def key(postgres: Server, silent: str, place: str) -> str:
    made = manage("create_api_key", "test", "--json", DATABASE_URL=postgres.url, REDIS_URL=silent)
    text: str = json.loads(made)["key"]
    return text


@pytest.fixture
def caller(place: str, key: str) -> Iterator[Caller]:
    one = Caller(place, key)
    yield one
    one.connection.close()


def view(event_id: str) -> dict[str, str]:
    return {"email": "ada@example.com", "type": "page_view", "event_id": event_id}


def in_chunks(body: bytes, size: int = 65_536) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def test_with_a_silent_redis_people_and_activities_are_taken(caller):
    assert caller.post("activities", view("silent"))[1]["accepted"] == 1


def test_a_body_in_chunks_is_a_body(caller):
    body = json.dumps([view("chunk-1"), view("chunk-2")]).encode()

    status, answer = caller.post("activities", in_chunks(body, 7), encode_chunked=True)

    assert (status, answer["accepted"]) == (200, 2)


@pytest.mark.parametrize("chunked", [True, False])
def test_six_mebibytes_are_refused_in_words_however_they_come(caller, chunked):
    body = b" " * (6 * MIB)

    status, answer = caller.post(
        "activities", in_chunks(body) if chunked else body, encode_chunked=chunked
    )

    assert (status, answer["error"]["code"]) == (413, "too_large")
    assert caller.post("activities", view("afterwards"))[0] == 200


def post_until(end: threading.Event, caller: Caller, name: str) -> list[tuple[str, int]]:
    """Post single activities until told to end; their ids and the statuses of the answers."""
    answered = []
    for number in count():
        answered.append(
            (f"{name}-{number}", caller.post("activities", view(f"{name}-{number}"))[0])
        )
        if end.is_set():
            caller.connection.close()
            return answered
    raise AssertionError("unreachable")


def test_what_was_answered_with_200_is_there_after_postgresql_was_restarted(
    place, key, caller, postgres
):
    end = threading.Event()
    with ThreadPoolExecutor(3) as senders:
        under_load = [
            senders.submit(post_until, end, Caller(place, key), f"load-{n}") for n in range(3)
        ]
        try:
            caller.post("activities", view("before"))
            postgres.stop()
            away = caller.post("activities", view("away"))
            postgres.start()
            back = caller.post("activities", view("back"))
        finally:
            end.set()
    answered = [one for sender in under_load for one in sender.result()]

    with psycopg.connect(postgres.url) as connection:
        there = {row[0] for row in connection.execute("SELECT event_id FROM leadscoring_activity")}
    assert (away[0], away[1]["error"]["code"], back[0]) == (503, "unavailable", 200)
    assert {status for _, status in answered} <= {200, 503}
    assert {event for event, status in answered if status == 200} <= there


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ("Content-Length: 1000", json.dumps(view("cut")).encode()),
        ("Transfer-Encoding: chunked", b"ff\r\n" + json.dumps(view("cut")).encode()),
        ("Transfer-Encoding: chunked", b"zz\r\n" + json.dumps(view("cut")).encode() + b"\r\n0\r\n\r\n"),
    ],
    ids=["shorter than announced", "half a chunk", "a chunk of no length"],
)  # fmt: skip
def test_a_body_that_did_not_arrive_whole_is_refused_and_nothing_of_it_taken(
    place, key, postgres, headers, sent
):
    host, port = place.split(":")
    head = f"POST /api/v1/activities HTTP/1.1\r\nHost: {place}\r\nAuthorization: Bearer {key}\r\n"

    with socket.create_connection((host, int(port)), timeout=30) as sender:
        sender.sendall(f"{head}{headers}\r\nConnection: close\r\n\r\n".encode() + sent)
        sender.shutdown(socket.SHUT_WR)
        answer = sender.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"did not arrive whole" in answer
    with psycopg.connect(postgres.url) as connection:
        stored = "SELECT count(*) FROM leadscoring_activity WHERE event_id = 'cut'"
        assert connection.execute(stored).fetchone() == (0,)

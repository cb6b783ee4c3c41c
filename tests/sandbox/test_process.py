"""The stand-in as a process of its own."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from sandbox.hubspot.server import Sandbox
from tests.sandbox.conftest import TOKEN, Hub

SOURCES = Path(__file__).parents[3] / "crm_sync" / "sandbox"


def run(*more: str) -> tuple[subprocess.Popen[str], str]:
    """A process that listens, and its address."""
    command = [sys.executable, "-m", "sandbox.hubspot", "--port", "0", "--token", "t", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("sandbox listening on http://127.0.0.1:")
    return process, line.split()[-1]


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    process.send_signal(number)
    with process:
        return process.wait(timeout=10)


def test_it_says_where_it_listens_and_ends_when_told() -> None:
    codes = [end(run()[0], number) for number in (signal.SIGTERM, signal.SIGINT)]

    assert codes == [0, 0]


def test_its_data_outlive_it_in_a_file(tmp_path: Path) -> None:
    file, headers = tmp_path / "state.json", {"Authorization": "Bearer t"}
    body = {"properties": {"email": "ada@lead.example"}}

    process, url = run("--file", str(file))
    made = requests.post(f"{url}/crm/v3/objects/contacts", json=body, headers=headers, timeout=10)
    end(process)
    process, url = run("--file", str(file))
    again = requests.post(f"{url}/crm/v3/objects/contacts", json=body, headers=headers, timeout=10)
    end(process)

    assert (made.status_code, again.status_code) == (201, 409)
    assert again.json()["message"].endswith(made.json()["id"])


def test_links_and_merges_are_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Sandbox("test-token", rate=0, file=file) as first:
        there = Hub(first)
        ids = [there.contact(f"p{number}@lead.example") for number in range(2)]
        task = there.task(ids[1])
        body = {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}
        there.post("/crm/v3/objects/contacts/merge", body)
        there.session.close()

    with Sandbox("test-token", rate=0, file=file) as second:
        again = Hub(second)
        merged = again.get(f"/crm/v3/objects/contacts/{ids[1]}").json()["id"]
        path = f"/crm/v4/objects/tasks/{task}/associations/contacts"
        linked = again.get(path).json()["results"]
        again.session.close()

    assert [each["toObjectId"] for each in linked] == [int(merged)]


def test_when_stopped_it_answers_no_more() -> None:
    sandbox = Sandbox("test-token").start()
    hub = Hub(sandbox)
    hub.contact()

    sandbox.stop()

    with hub.session, pytest.raises(requests.ConnectionError):
        hub.get("/crm/v3/owners")


def test_forty_clients_with_open_connections_are_all_answered(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    connections = [HTTPConnection("127.0.0.1", port, timeout=20) for _ in range(40)]
    statuses: list[int] = []

    def ask(connection: HTTPConnection) -> None:
        for _ in range(25):
            connection.request(
                "GET", "/crm/v3/owners", headers={"Authorization": f"Bearer {TOKEN}"}
            )
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()

    with ThreadPoolExecutor(40) as clients:
        list(clients.map(ask, connections))

    assert statuses == [200] * 1_000

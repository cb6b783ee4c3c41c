"""Redis, the CRM and the database go away and come back, under real processes that nobody helps."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import psycopg
import pytest
from redis import Redis as RedisClient
from rich.console import Console

from leadscoring.devservers import Postgres, Redis, Server, Servers, run_server
from sandbox.demo.stage import Stage, arrange, free_port, running
from sandbox.demo.story import Loop, until
from sandbox.hubspot.server import Sandbox

# Older CRM state holds mail. Far above the second between two pulls, short enough to wait for.
MAX_AGE_SECONDS = 6
CLIENT_WAITS = 10.0
SEND_NOW = (
    "from django.utils.timezone import now; from sequences.sending.send import send_due; "
    "print('left:', send_due(now))"
)
numbers = count(1)


class Stoppable(Protocol):
    def start(self) -> Any: ...

    def stop(self) -> None: ...


class Crm:
    """The stand-in; stopped and started, it keeps its port and what it knew."""

    def __init__(self, file: Path, token: str) -> None:
        self.file, self.token, self.port = file, token, free_port()
        self.start()

    def start(self) -> None:
        self.sandbox = Sandbox(self.token, port=self.port, rate=0, file=self.file).start()

    def stop(self) -> None:
        self.sandbox.stop()


@dataclass
class Parts:
    stage: Stage
    loop: Loop
    postgres: Server
    redis: Server
    crm: Crm


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    folder = tmp_path_factory.mktemp("stage")
    with ExitStack() as stack:
        # Durable: what it answered must be there also after it was killed.
        postgres = stack.enter_context(run_server(Postgres, durable=True))
        redis = stack.enter_context(run_server(Redis))
        stage = arrange(folder, Servers(postgres.url, redis.url))
        crm = Crm(folder / "crm.json", stage.environment["HUBSPOT_ACCESS_TOKEN"])
        stack.callback(lambda: crm.stop())
        own = {
            "HUBSPOT_BASE_URL": crm.sandbox.url,
            "CRM_POLL_SECONDS": "1",
            "CRM_MAX_AGE_SECONDS": str(MAX_AGE_SECONDS),
        }
        stage = replace(stage, environment={**stage.environment, **own})
        stack.enter_context(running(stage))
        loop = Loop(replace(stage, crm=crm.sandbox.url), Console(quiet=True))
        loop.command("crm_setup")
        loop.key = loop.command("create_api_key", "outages")["key"]
        until("all is well", lambda: asked(loop, "/readyz")[0] == 200)
        yield Parts(stage, loop, postgres, redis, crm)


@contextmanager
def gone(server: Stoppable) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def asked(loop: Loop, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and text of an answer that has to come within ten seconds."""
    request = urllib.request.Request(
        loop.stage.web + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {loop.key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=CLIENT_WAITS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def not_ready(loop: Loop) -> str:
    """The reasons that /readyz gives; empty when it says it is ready."""
    status, text = asked(loop, "/readyz")
    assert status == 503 or not json.loads(text)["reasons"]
    return "; ".join(json.loads(text)["reasons"])


def somebody_hot(loop: Loop) -> str:
    """A person known here, one activity away from sales; their address."""
    address = f"lead{next(numbers)}@outage.example"
    loop.ours("contacts", {"email": address, "first_name": "Lea", "company": "Outage", "phone": "1",
                           "job_title": "VP Marketing", "properties": {"company_size": 300}})  # fmt: skip
    return address


def asks_for_a_demo(loop: Loop, address: str) -> int:
    return asked(loop, "/api/v1/activities", {"email": address, "type": "demo_request"})[0]


def handoff(loop: Loop, address: str) -> Any:
    (row,) = loop.contact(address)["handoffs"]
    return row


def tasks_of_delivered(loop: Loop, address: str) -> int:
    """How many tasks the CRM has, once the ledger says that it has one."""
    until("it is delivered", lambda: handoff(loop, address)["status"] == "delivered")
    reference = handoff(loop, address)["reference"]
    return sum(reference in task.body for task in loop.sales.tasks())


def test_with_redis_gone_a_crossing_is_answered_and_reaches_sales_by_itself_later(parts: Parts):
    loop, lead = parts.loop, somebody_hot(parts.loop)

    with gone(parts.redis):
        answered = asks_for_a_demo(loop, lead)
        waiting, reasons = handoff(loop, lead), not_ready(loop)
        lives, measured = asked(loop, "/healthz")[0], asked(loop, "/metrics")[0]

    assert (answered, waiting["status"], waiting["attempts"]) == (200, "waiting", 0)
    assert (reasons, lives, measured) == ("Redis does not answer", 200, 200)
    assert tasks_of_delivered(loop, lead) == 1


def test_a_redis_that_hangs_and_is_killed_leaves_workers_that_go_on(parts: Parts):
    loop = parts.loop

    for _ in range(3):
        said = subprocess.run(
            ["pgrep", "-P", str(parts.redis.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        )
        os.kill(int(said.stdout), signal.SIGSTOP)
        lead = somebody_hot(loop)
        answered = asks_for_a_demo(loop, lead)  # with nobody to wake
        Event().wait(3)  # the workers wait for what does not come
        os.kill(int(said.stdout), signal.SIGKILL)
        parts.redis.process.wait(30)
        parts.redis.start()

        assert answered == 200
        assert tasks_of_delivered(loop, lead) == 1

    until("all is well again", lambda: not not_ready(loop))


def test_a_redis_that_is_full_loses_no_lead(parts: Parts):
    loop, lead = parts.loop, somebody_hot(parts.loop)

    with RedisClient.from_url(parts.redis.url) as redis:
        redis.config_set("maxmemory-policy", "noeviction")
        redis.config_set("maxmemory", 1)
        try:
            answered = asks_for_a_demo(loop, lead)
            # The other web process may have published just before: what it knows stands some seconds.
            until("it is said why", lambda: "workers cannot be woken" in not_ready(loop))
        finally:
            redis.config_set("maxmemory", 0)

    assert answered == 200
    assert tasks_of_delivered(loop, lead) == 1
    until("all is well again", lambda: not not_ready(loop))


def test_with_the_crm_gone_leads_wait_with_a_cause_and_mail_is_held(parts: Parts):
    loop, known, lead = parts.loop, somebody_hot(parts.loop), somebody_hot(parts.loop)
    asks_for_a_demo(loop, known)
    until("the CRM's state is known", lambda: loop.contact(known)["crm"]["effect"] == "none")
    loop.command("sequence", "apply", "sandbox/demo/nurture.yaml")

    with gone(parts.crm):
        until("the CRM's state is too old", lambda: "the CRM's state is" in not_ready(loop))
        loop.command("sequence", "enroll", "nurture", known)
        sent = parts.stage.manage("shell", "-v", "0", "-c", SEND_NOW).stdout
        enrolled, mails = loop.enrollment(known)["state"], loop.mails_to(known)
        answered = asks_for_a_demo(loop, lead)
        because, _ = until("the row says why it waits", lambda: handoff(loop, lead)["because"])

    assert (sent.strip(), enrolled, mails) == ("left: 0", "active", [])
    assert answered == 200
    assert because.startswith("HubSpot is away")
    assert tasks_of_delivered(loop, lead) == 1
    until("the mail leaves when the CRM is back", lambda: len(loop.mails_to(known)) == 1)


@dataclass
class Load:
    """Clients that post one activity after the other, each again until it is taken."""

    loop: Loop
    ended: Event = field(default_factory=Event)
    taken: set[str] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)

    def post(self, client: str) -> None:
        mine = 0
        while not self.ended.is_set():
            event = f"{client}-{mine}"
            person = f"load{mine % 5}@outage.example"  # both clients meet the same people
            body = {"email": person, "type": "page_view", "source": "load", "event_id": event}
            until("it is taken", partial(self.take, body))
            self.taken.add(event)
            mine += 1

    def take(self, body: Any) -> bool:
        status, _ = asked(self.loop, "/api/v1/activities", body)
        if status != 200:
            self.refused.add(status)
        return status == 200

    def more(self) -> None:
        """Return when thirty more are taken."""
        enough = len(self.taken) + 30
        until("clients get their activities in", lambda: len(self.taken) >= enough)


@contextmanager
def under_load(loop: Loop, client: str) -> Iterator[Load]:
    load = Load(loop)
    with ThreadPoolExecutor(2) as pool:
        clients = [pool.submit(load.post, f"{client}-{number}") for number in range(2)]
        try:
            load.more()
            yield load
            load.more()
        finally:
            load.ended.set()
        for posted in clients:
            posted.result()


def crash(postgres: Server) -> None:
    """All its processes leave at once, nothing is written any more."""
    leader = (postgres.data / "postmaster.pid").read_text().split()[0]
    os.kill(int(leader), signal.SIGQUIT)
    postgres.process.wait(30)


def stored(parts: Parts, prefix: str) -> list[str]:
    with psycopg.connect(parts.stage.environment["DATABASE_URL"]) as database:
        rows = database.execute(
            "SELECT event_id FROM leadscoring_activity WHERE source = 'load' AND starts_with(event_id, %s)",
            [prefix],
        )
        return [event for (event,) in rows]


@pytest.mark.parametrize("ends", [Server.stop, crash], ids=["stopped", "crashed"])
def test_what_was_answered_is_there_after_the_database_came_back(parts: Parts, ends: Any):
    loop, lead = parts.loop, somebody_hot(parts.loop)

    with under_load(loop, ends.__name__) as load:
        ends(parts.postgres)
        reasons, measured = not_ready(loop), asked(loop, "/metrics")[0]
        parts.postgres.start()

    assert (reasons.split("; ")[0], measured) == ("the database does not answer", 503)
    assert load.refused == {503}
    # Each was posted until it was answered, some several times.
    assert sorted(stored(parts, ends.__name__)) == sorted(load.taken)
    loop.command("rescore", "--check")
    assert asks_for_a_demo(loop, lead) == 200
    assert tasks_of_delivered(loop, lead) == 1
    until("all is well again", lambda: not not_ready(loop))


@contextmanager
def frozen(postgres: Server) -> Iterator[None]:
    """PostgreSQL's processes stand still: connections stay open, and nothing is answered."""
    leader = (postgres.data / "postmaster.pid").read_text().split()[0]
    said = subprocess.run(["pgrep", "-P", leader], capture_output=True, text=True, check=True)
    stopped = [int(pid) for pid in [*said.stdout.split(), leader]]
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_a_database_that_hangs_holds_no_thread_for_long_and_readiness_answers_meanwhile(
    parts: Parts,
):
    loop, lead = parts.loop, somebody_hot(parts.loop)
    threads = 2 * 4  # of both web processes

    with ThreadPoolExecutor(threads) as pool, frozen(parts.postgres):
        posted = [
            pool.submit(patient_status, loop, {"email": lead, "type": "page_view", "event_id": f"h{number}"})
            for number in range(threads)
        ]  # fmt: skip
        Event().wait(1)  # all threads wait for the database
        reasons, lives, measured = (
            not_ready(loop),
            asked(loop, "/healthz")[0],
            asked(loop, "/metrics")[0],
        )
        unanswered = [post for post in posted if not post.done()]
        refused = {post.result() for post in posted}

    assert "the database does not answer" in reasons
    assert (lives, measured) == (200, 503)
    assert (len(unanswered), refused) == (threads, {503})
    until("all is well again", lambda: not not_ready(loop))
    assert asks_for_a_demo(loop, lead) == 200
    assert tasks_of_delivered(loop, lead) == 1


def patient_status(loop: Loop, body: Any) -> int:
    """The status of a post that is waited for as long as it takes."""
    request = urllib.request.Request(
        f"{loop.stage.web}/api/v1/activities", json.dumps(body).encode(),
        {"Authorization": f"Bearer {loop.key}", "Content-Type": "application/json"},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code

"""The upgrade of docs/upgrading.md, step by step, with clients that post all the while."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.console import Console

from leadscoring.devservers import Postgres, Redis, Servers, run_server
from sandbox.demo.stage import arrange, wait_for
from sandbox.demo.story import Loop, until
from tests.chaos.parts import Part
from tests.upgrade.snapshot import DELIVERED, DUE, HERE, KEY, address, parts_of, statuses

RELEASES = sorted(HERE.glob("release-*.sql"))
# As if the release had been used until now: otherwise its leads would have cooled down meanwhile.
TO_NOW = """
    DO $$
    DECLARE since interval; found record;
    BEGIN
        SELECT now() - max(crossed_at) INTO since FROM public.crm_sync_handoff;
        FOR found IN
            SELECT columns.table_name AS "table", string_agg(
                format('%1$I = %1$I + $1', columns.column_name), ', ') AS moves
            FROM information_schema.columns
            WHERE columns.table_schema = 'public'
              AND columns.data_type = 'timestamp with time zone'
            GROUP BY columns.table_name
        LOOP
            EXECUTE format('UPDATE public.%I SET %s', found."table", found.moves) USING since;
        END LOOP;
    END $$
"""


@dataclass
class Clients:
    """Programs that send each person and activity until it is taken, as the contract says."""

    web: str
    key: str
    ended: threading.Event = field(default_factory=threading.Event)
    taken: list[str] = field(default_factory=list)
    crossed: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)

    def run(self, name: str) -> None:
        number = 0
        while not self.ended.is_set():
            who = f"{name}-{number}"
            self.send("contacts", {
                "email": address(who), "first_name": who, "company": f"{who} Inc", "phone": "1",
                "job_title": "VP Marketing", "properties": {"company_size": 300},
            })  # fmt: skip
            hot = number % 10 == 0
            self.send("activities", {
                "email": address(who), "type": "demo_request" if hot else "page_view",
                "source": "load", "event_id": who,
            })  # fmt: skip
            self.taken.append(who)
            self.crossed += [who] if hot else []
            number += 1

    def send(self, path: str, body: Any) -> None:
        while (wait := self.ask(path, body)) is not None:
            time.sleep(wait)  # what Retry-After asked for

    def ask(self, path: str, body: Any) -> float | None:
        """Seconds to wait, or None when it was taken."""
        request = urllib.request.Request(
            f"{self.web}/api/v1/{path}", data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.answers[answer.status] += 1
                return None
        except urllib.error.HTTPError as refused:
            self.answers[refused.code] += 1
            return float(refused.headers["Retry-After"])


@contextmanager
def posting(clients: Clients) -> Iterator[None]:
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(clients.run, name) for name in ("ann", "bob")]
        try:
            yield
        finally:
            clients.ended.set()
        for one in running:
            one.result()


@dataclass
class Release:
    """A database of the release before, on servers of its own; no process runs yet."""

    parts: dict[str, Part]
    loop: Loop
    database_url: str

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as database:
            return database.execute(statement).fetchall()


@pytest.fixture(params=RELEASES, ids=lambda file: file.stem)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Release]:
    with ExitStack() as stack:
        postgres = stack.enter_context(run_server(Postgres))
        redis = stack.enter_context(run_server(Redis))
        stage = arrange(tmp_path, Servers(postgres.url, redis.url))
        statements = request.param.read_text()
        with psycopg.connect(postgres.url) as database:
            database.execute(statements)
            database.execute(TO_NOW)
        parts = parts_of(stage)
        for part in parts.values():
            stack.callback(part.kill)
        parts["crm"].start()
        parts["mail"].start()
        wait_for(stage.crm, stage)
        loop = Loop(stage, Console(quiet=True))
        loop.key = statements.splitlines()[0].removeprefix(KEY)
        made = Release(parts, loop, postgres.url)
        let_numbers_pass(made)
        yield made


def let_numbers_pass(release: Release) -> None:
    """The stand-in is a new one: it gives no number that the release before has a record or task by."""
    ((record, task),) = release.ask(
        "SELECT (SELECT max(record_id::bigint) FROM crm_sync_link),"
        " (SELECT max(task_id::bigint) FROM crm_sync_handoff WHERE task_id <> '')"
    )
    due = {"hs_timestamp": "2026-05-04T09:00:00Z"}
    for kind, last, properties in (
        ("contacts", record, {"email": "x@old.example"}),
        ("tasks", task, due),
    ):
        number = 0
        while number < last:
            number = int(
                release.loop.sales.ask(f"objects/{kind}", {"properties": properties})["id"]
            )
            release.loop.sales.ask(f"objects/{kind}/{number}", method="DELETE")


def test_the_documented_upgrade_fails_no_request_and_loses_no_lead(release: Release):
    loop, parts = release.loop, release.parts
    clients = Clients(loop.stage.web, loop.key)
    for name in ("web", "worker", "beat"):  # of the new release, on the tables of the old one
        parts[name].start()
    wait_for(f"{loop.stage.web}/healthz", loop.stage)

    with posting(clients):
        until("clients are asked to wait", lambda: clients.answers[503] >= 4)
        taken_before = len(clients.taken)
        migrated = loop.stage.manage("migrate", "--no-input").returncode
        until("clients get their activities in", lambda: len(clients.taken) >= 40)
    until("no lead waits", lambda: "waiting" not in statuses(loop))
    until("due mails have left", lambda: loop.mails_to(address("waiting0")))

    assert (migrated, taken_before) == (0, 0)
    assert clients.answers.keys() == {200, 503}
    stored = release.ask("SELECT event_id FROM leadscoring_activity WHERE source = 'load'")
    assert sorted(event for (event,) in stored) == sorted(clients.taken)
    expected = [*clients.crossed, *(f"due{number}" for number in range(DUE))]
    assert {who: tasks_of(loop, who) for who in expected} == dict.fromkeys(expected, 1)
    assert all(part.process and part.process.poll() is None for part in parts.values())
    loop.command("rescore", "--check")


# What the ledger said of a task, in the words of the release and in those of now.
SAID_BEFORE = """
    SELECT id, coalesce(nullif(task_state, ''), 'open'), task_due_at, coalesce(task_seen_at, delivered_at),
        touched_at, told_subject, coalesce(told_total, total), coalesce(nullif(told_grade, ''), grade)
    FROM crm_sync_handoff WHERE status = 'delivered' ORDER BY id
"""
SAID_NOW = """
    SELECT handoff_id, state, due_at, seen_at, touched_at, text_subject, text_total, text_grade
    FROM crm_sync_handofftask ORDER BY handoff_id
"""
# Delivered before tasks were followed, and touched: of neither the release's own file has one.
VARY = """
    UPDATE crm_sync_handoff SET task_state = '', task_seen_at = NULL, told_total = NULL, told_grade = ''
    WHERE id = (SELECT min(id) FROM crm_sync_handoff WHERE status = 'delivered');
    UPDATE crm_sync_handoff SET task_state = 'started', touched_at = delivered_at + interval '1 hour',
        told_total = 99, told_grade = 'A2'
    WHERE id = (SELECT max(id) FROM crm_sync_handoff WHERE status = 'delivered');
"""


def test_what_became_of_each_task_is_taken_over_and_could_be_taken_back(release: Release):
    with psycopg.connect(release.database_url) as database:
        database.execute(VARY)
    before = release.ask(SAID_BEFORE)

    migrated = release.loop.stage.manage("migrate", "--no-input").returncode

    assert (migrated, release.ask(SAID_NOW)) == (0, before)
    assert len(before) >= DELIVERED
    assert release.loop.stage.manage("migrate", "--no-input", "crm_sync", "0015").returncode == 0
    assert release.ask(SAID_BEFORE) == before


def tasks_of(loop: Loop, who: str) -> int:
    """How many tasks the CRM has of somebody's one handoff."""
    (row,) = loop.contact(address(who))["handoffs"]
    found = [task for task in loop.sales.tasks() if row["reference"] in task.body]
    assert [task.task_id for task in found] == [row["task_id"]]
    return len(found)

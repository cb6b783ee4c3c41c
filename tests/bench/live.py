"""How long a lead takes to its task while everything else is at work: `python -m tests.bench.live`.

Beside it the CRM's changes are pulled, 100,000 people are scored and told to the CRM, the ledger is
compared with 100,000 tasks, and 10,000 mails wait. First with the processes of the Procfile, then, on
new servers with the same load, with one worker that serves all queues with as many slots.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from celery import Celery
from rich.console import Console

from leadscoring.celery import QUEUES
from leadscoring.devservers import Postgres, Redis, Servers, run_server
from sandbox.demo.stage import CHECKOUT, Stage, arrange, port_of, wait_for
from sandbox.demo.story import Loop, until
from sandbox.hubspot.definitions import PORTAL_ID
from sandbox.hubspot.store import FIRST_ID
from tests.bench.handoff import HAS_TASK, spread
from tests.bench.sending import mail_server
from tests.chaos.faults import answers, too_fast
from tests.chaos.leads import Leads
from tests.chaos.parts import Part

PEOPLE, MAILS, LEADS = 100_000, 10_000, 80
RATE = 190  # requests in ten seconds, HubSpot's most common limit
BETWEEN_LEADS, UNDER_WAY = 1.5, 8.0
WITHIN = 300.0
# How many slots the two workers have together when each has as many as there are processors.
SLOTS = 2 * (os.cpu_count() or 1)
WORKER = "celery -A leadscoring worker --task-events --without-mingle --without-gossip"
SHAPES = {
    "the processes of the Procfile": ("worker-live", "worker-slow"),
    f"one worker for all queues, {SLOTS} slots": (f"{WORKER} --concurrency {SLOTS}",),
}
# What is to be done, each rung for at the beginning; beat rings for the rest.
LOAD = {task: queue for queue, tasks in QUEUES.items() for task in tasks}
DONE = {
    "scored": "SELECT count(*) FROM leadscoring_score",
    "told to the CRM": "SELECT count(*) FROM crm_sync_push",
    "looked at by the pull": "SELECT count(*) FROM leadscoring_crmstate WHERE record_id <> ''",
    "compared": """SELECT coalesce(
        (SELECT (document #>> '{survey,found}')::int FROM crm_sync_comparisonrun),
        (SELECT (document ->> 'found')::int FROM crm_sync_report WHERE kind = 'comparison'), 0)""",
    "mails sent": "SELECT count(*) FROM sequences_delivery WHERE state = 'sent'",
}


@dataclass
class Scene:
    stage: Stage
    leads: Leads

    @property
    def database_url(self) -> str:
        return self.stage.environment["DATABASE_URL"]

    def figures(self) -> dict[str, int]:
        with psycopg.connect(self.database_url, autocommit=True) as database:
            return {name: database.execute(asked).fetchone()[0] for name, asked in DONE.items()}


@contextmanager
def scene(folder: Path, people: int, mails: int) -> Iterator[Scene]:
    """Servers, the stand-in, a mail server and web; filled, and nobody at work yet."""
    with ExitStack() as stack:
        postgres, redis = (stack.enter_context(run_server(kind)) for kind in (Postgres, Redis))
        stage = arrange(folder, Servers(postgres.url, redis.url))
        own = {
            "HUBSPOT_REQUESTS_PER_10S": str(RATE),
            "CRM_POLL_SECONDS": "20",
            "EMAIL_URL": f"smtp://127.0.0.1:{stack.enter_context(mail_server())}",
        }
        stage = replace(stage, environment={**stage.environment, **own})
        token = stage.environment["HUBSPOT_ACCESS_TOKEN"]
        crm = ("-m", "tests.bench.seeded_crm", "--port", port_of(stage.crm), "--token", token,
               "--rate", str(RATE), "--people", str(people))  # fmt: skip
        web = {"web": procfile()["web"] + f" --bind 127.0.0.1:{port_of(stage.web)}"}
        stack.enter_context(part(stage, "crm", crm))
        stage.manage("migrate", "--no-input")
        until("the CRM is filled", partial(is_up, stage), WITHIN)
        loop = Loop(stage, Console(quiet=True))
        loop.command("crm_setup")
        filled = stage.manage(
            "shell", "-c", f"from tests.bench.live import fill; fill({people}, {mails})"
        )
        assert filled.returncode == 0, (folder / "commands.log").read_text()[-2000:]
        stack.enter_context(part(stage, "web", command_of(web["web"])))
        wait_for(f"{stage.web}/healthz", stage)
        key = loop.command("create_api_key", "bench")["key"]
        yield Scene(stage, Leads(stage.web, key, Random(1), lengths=(1,)))


def is_up(stage: Stage) -> bool:
    try:
        wait_for(stage.crm, stage)
    except Exception:
        return False
    return True


def procfile() -> dict[str, str]:
    lines = (CHECKOUT / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines)


def command_of(line: str) -> tuple[str, ...]:
    """A line of the Procfile with the program out of this environment."""
    program, *arguments = line.split()
    return ("-m", program, *arguments)


@contextmanager
def part(stage: Stage, name: str, command: tuple[str, ...]) -> Iterator[Part]:
    started = Part(name, command, stage.environment, stage.folder)
    started.start()
    try:
        yield started
    finally:
        started.kill()


def fill(people: int, mails: int) -> None:
    """So many people with a delivered handoff each, and so many others whose first mail is due."""
    from django.utils.timezone import now

    from crm_sync.models import Handoff, Link
    from leadscoring.models import Activity, Contact, CrmFreshness, CrmState
    from sequences.models import Enrollment, Sequence, Step

    email = "'p' || n || '@crowd.example'"
    at, ago = "now()", "now() - interval '{}'".format
    insert(Contact, people + mails, id="n", email=email, created_at=at, updated_at=at,
           company_id="NULL", external_id="NULL", lifecycle_stage="'lead'", last_activity_at="NULL")  # fmt: skip
    query("SELECT setval(pg_get_serial_sequence('leadscoring_contact', 'id'), %s)", people + mails)
    for number in range(4):
        insert(Activity, people, contact_id="n", source="'website'", type="'page_view'",
               event_id=f"n || '-{number}'", occurred_at=ago(f"{number + 1} days"), received_at=at,
               properties="""'{"url": "/blog"}'::jsonb""")  # fmt: skip
    record, task = (f"({FIRST_ID[kind] - 1} + n)::text" for kind in ("contacts", "tasks"))
    account = f"'{PORTAL_ID}'"
    insert(Link, people, contact_id="n", account_id=account, record_id=record, seen_at=at,
           email=email, gone_at="NULL")  # fmt: skip
    month = ago("20 days")
    insert(Handoff, people, contact_id="n", cycle="1", reference="'LS-' || lpad(n::text, 12, '0')",
           total="80", grade="'A1'", crossed_at=month, turn_at=month, due_at=month, status="'delivered'",
           account_id=account, record_id=record, owner_id="'712340001'", task_id=task,
           task_tried_at=month, delivered_at=month)  # fmt: skip
    query(
        "INSERT INTO crm_sync_handofftask (handoff_id, state, seen_at, text_subject, text_total, text_grade)"
        " SELECT id, 'open', now(), '', total, grade FROM crm_sync_handoff"
    )
    sequence = Sequence.objects.create(name="Nurture")
    Step.objects.create(
        sequence=sequence,
        position=1,
        wait=timedelta(0),
        subject="Hello",
        body="Good to have you here.",
    )
    mailed = f"{people} + n"
    insert(CrmState, mails, contact_id=mailed, since=at, seen_at=at)
    insert(Enrollment, mails, contact_id=mailed, sequence_id=str(sequence.pk), by="'bench'",
           next_at=at, entered_at=at, changed_at=at)  # fmt: skip
    for kind in CrmFreshness.Kind:
        CrmFreshness.objects.update_or_create(kind=kind, defaults={"as_of": now()})
    query("ANALYZE")


def insert(model: Any, many: int, **own: str) -> None:
    """So many rows, numbered `n` from 1 on: SQL for some columns, the model's defaults for the others."""
    from django.db import connection

    columns, values = {}, []
    for field in model._meta.concrete_fields:
        if field.column in own:
            columns[field.column] = own[field.column]
        elif not field.primary_key:
            columns[field.column] = "%s"
            values.append(field.get_db_prep_save(field.get_default(), connection))
    names, expressions = ", ".join(columns), ", ".join(columns.values())
    query(
        f"INSERT INTO {model._meta.db_table} ({names}) SELECT {expressions} FROM generate_series(1, %s) n",
        *values,
        many,
    )


def query(statement: str, *values: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def is_ready(log: Path) -> bool:
    return "ready." in log.read_text()


def measure(over: Scene, workers: tuple[str, ...], leads: int) -> tuple[list[float], list[str]]:
    """Seconds to the task of each lead, and what else was done meanwhile."""
    lines = procfile()
    commands = {f"worker-{n}": lines.get(each, each) for n, each in enumerate(workers)}
    commands["beat"] = f"{lines['beat']} --schedule {over.stage.folder / 'beat'}"
    with ExitStack() as stack:
        for name, line in commands.items():
            stack.enter_context(part(over.stage, name, command_of(line)))
        for name in (name for name in commands if name != "beat"):
            log = over.stage.folder / f"{name}.log"
            until(f"{name} is ready", partial(is_ready, log), WITHIN)
        with Celery(broker=over.stage.environment["REDIS_URL"], set_as_current=False) as celery:
            for task, queue in LOAD.items():
                celery.send_task(task, queue=queue)
        time.sleep(UNDER_WAY)
        before, began = over.figures(), time.monotonic()
        with ThreadPoolExecutor(leads) as pool:
            taken = list(pool.map(partial(single, over), range(leads)))
        after, seconds = over.figures(), time.monotonic() - began
        refused = too_fast(answers(over.stage.crm))
    return taken, [*told(before, after, seconds), f"{refused} × 429"]


def told(before: Mapping[str, int], after: Mapping[str, int], seconds: float) -> Iterator[str]:
    for name, end in after.items():
        yield f"{end - before[name]} {name} ({end} in all)"
    yield f"in {seconds:.0f} s"


def single(over: Scene, turn: int) -> float:
    time.sleep(BETWEEN_LEADS * turn)
    person = over.leads.person()
    over.leads.say("contacts", [person])
    with psycopg.connect(over.database_url, autocommit=True) as database:
        began = time.perf_counter()
        over.leads.say("activities", [over.leads.wants_a_demo(person["email"])])
        asked = partial(database.execute, HAS_TASK, [person["email"]])
        until("the task is there", lambda: asked().rowcount, WITHIN)
        return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.live", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--mails", type=int, default=MAILS)
    parser.add_argument("--leads", type=int, default=LEADS)
    options, console = parser.parse_args(), Console(soft_wrap=True, highlight=False)
    for shape, workers in SHAPES.items():
        with (
            tempfile.TemporaryDirectory(prefix="bench-live-") as folder,
            scene(Path(folder), options.people, options.mails) as over,
        ):
            seconds, meanwhile = measure(over, workers, options.leads)
        console.print(f"{shape} ({len(seconds)} leads): {spread(seconds)}")
        console.print(f"    one after the other: {' '.join(f'{each:.1f}' for each in seconds)}")
        console.print(f"    meanwhile: {', '.join(meanwhile)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

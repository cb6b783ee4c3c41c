"""`make snapshot VERSION=1.2.0`: write a database as this release leaves it, for the tests of the next.

The real processes fill it through their public interfaces: people, activities, scores; handoffs
that are delivered, wait, need attention or are withdrawn; tasks that were done, deals, links;
sequences with people who are active, paused and stopped, mails that were sent, an unsubscribe.
Then the worker stops and more comes in, so that leads and mails are due when the upgrade begins.
"""

import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from rich.console import Console

from leadscoring.devservers import Postgres, Redis, Servers, run_server
from sandbox.demo.stage import CHECKOUT, Stage, arrange, port_of, wait_for
from sandbox.demo.story import Loop, until
from tests.chaos.parts import Part

HERE = Path(__file__).resolve().parent
CELERY = ("-m", "celery", "-A", "leadscoring")
# Of a newer pg_dump or psql alone; without them any PostgreSQL from 15 on takes the file.
ONLY_NEW = re.compile(r"^(\\(un)?restrict .*|SET transaction_timeout = .*)\n", re.MULTILINE)
# The first line of the file: who sends something after the upgrade needs a key from before it.
KEY = "-- API key: "
DELIVERED, DUE = 8, 5  # leads before and after the worker stops


def write(version: str) -> Path:
    """Write `release-VERSION.sql` beside this file; return its path."""
    target = HERE / f"release-{version}.sql"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(run_server(Postgres))
        redis = stack.enter_context(run_server(Redis))
        stage = arrange(folder, Servers(postgres.url, redis.url))
        with filled(stage) as key:
            assert isinstance(postgres, Postgres)
            target.write_text(
                f"{KEY}{key}\n" + dump(postgres.binary.resolve().parent, postgres.url)
            )
    return target


def dump(programs: Path, url: str) -> str:
    """The database as statements that any client can run."""
    told = subprocess.run(
        [programs / "pg_dump", "--no-owner", "--no-privileges", "--rows-per-insert=100", url],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ONLY_NEW.sub("", told.stdout)


@contextmanager
def filled(stage: Stage) -> Iterator[str]:
    """Everything runs, then the worker and beat end. Yields an API key; nothing is written meanwhile."""
    parts = parts_of(stage)
    with ExitStack() as stack:
        for part in parts.values():
            stack.callback(part.kill)
        if stage.manage("migrate", "--no-input").returncode:
            raise SystemExit("The database could not be made.")
        for part in parts.values():
            part.start()
        wait_for(f"{stage.web}/healthz", stage)
        wait_for(stage.crm, stage)
        loop = Loop(stage, Console(quiet=True))
        live(loop)
        parts["beat"].kill()
        parts["worker"].kill()
        leave_something_due(loop)
        yield loop.key


def parts_of(stage: Stage) -> dict[str, Part]:
    token, mail = stage.environment["HUBSPOT_ACCESS_TOKEN"], stage.environment["EMAIL_URL"]
    commands = {
        "crm": ("-m", "sandbox.hubspot", "--port", port_of(stage.crm), "--token", token),
        "mail": ("-m", "aiosmtpd", "-n", "-l", mail.removeprefix("smtp://"),
                 "-c", "aiosmtpd.handlers.Mailbox", str(stage.mails)),
        "web": ("-m", "gunicorn", "leadscoring.wsgi", "--bind", f"127.0.0.1:{port_of(stage.web)}",
                "--worker-class", "leadscoring.operations.gunicorn_worker.BoundedThreadWorker", "--threads", "4", "--no-control-socket"),
        "worker": (*CELERY, "worker", "--concurrency", "2", "--without-mingle", "--without-gossip"),
        "beat": (*CELERY, "beat", "--schedule", str(stage.folder / "beat")),
    }  # fmt: skip
    return {
        name: Part(name, command, stage.environment, stage.folder)
        for name, command in commands.items()
    }


def live(loop: Loop) -> None:
    """Some days of a small company, in half a minute."""
    loop.command("crm_setup")
    loop.key = loop.command("create_api_key", "website")["key"]
    loop.command("sequence", "apply", "sandbox/demo/nurture.yaml")
    for number in range(DELIVERED):
        crosses(loop, f"lead{number}")
    knows(loop, "nobody", external_id="crm-less-1", email=None)
    asks_for_a_demo(loop, external_id="crm-less-1")
    readers = [reads(loop, f"reader{number}") for number in range(6)]
    done = {"delivered": DELIVERED, "needs_attention": 1}
    until("leads are with sales", lambda: statuses(loop) == done)
    loop.command("sequence", "enroll", "nurture", *readers)
    for reader in readers:
        until("the first mail arrives", partial(loop.mails_to, reader))
    unsubscribes(loop, readers[0])
    follow_up(loop)
    crosses(loop, "late")  # delivered, so the deals above were followed by one more crossing
    until("the last is with sales", lambda: statuses(loop)["delivered"] == DELIVERED + 1)


def leave_something_due(loop: Loop) -> None:
    """Nobody works any more: leads wait, and mails fall due."""
    for number in range(DUE):
        crosses(loop, f"due{number}")
    waiting = [reads(loop, f"waiting{number}") for number in range(4)]
    loop.command("sequence", "enroll", "nurture", *waiting)


def statuses(loop: Loop) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in loop.handoffs():
        found[row["status"]] = found.get(row["status"], 0) + 1
    return found


def knows(loop: Loop, name: str, **identifiers: str | None) -> None:
    who = {"email": address(name)} | identifiers
    loop.ours("contacts", {
        **{key: value for key, value in who.items() if value}, "first_name": name.capitalize(),
        "last_name": "Lind", "company": f"{name.capitalize()} Tools", "job_title": "VP Marketing",
        "phone": "1", "country": "Sweden", "properties": {"company_size": 300, "plan": "trial"},
    })  # fmt: skip


def asks_for_a_demo(loop: Loop, **who: str) -> None:
    loop.ours("activities", {**who, "type": "demo_request", "source": "website",
                             "event_id": f"demo-{next(iter(who.values()))}"})  # fmt: skip


def crosses(loop: Loop, name: str) -> None:
    knows(loop, name)
    asks_for_a_demo(loop, email=address(name))


def reads(loop: Loop, name: str) -> str:
    """Somebody not ready for sales, with some history; their address."""
    person, now = address(name), datetime.now(UTC)
    loop.ours("contacts", {"email": person, "first_name": name.capitalize()})
    loop.ours("activities", [
        {"email": person, "type": "page_view", "source": "website", "event_id": f"{name}-{days}",
         "occurred_at": (now - timedelta(days=days)).isoformat(),
         "properties": {"url": "https://www.northwind-tools.example/pricing"}}
        for days in (1, 20, 50)
    ])  # fmt: skip
    return person


def has_effect(loop: Loop, name: str, effect: str) -> bool:
    return bool(loop.contact(address(name))["crm"]["effect"] == effect)


def address(name: str) -> str:
    return f"{name}@upgrade.example"


def unsubscribes(loop: Loop, person: str) -> None:
    found = re.search(r"<(http[^>]+)>", str(loop.mails_to(person)[0]["List-Unsubscribe"]))
    assert found
    one_click = urllib.request.Request(found[1], data=b"List-Unsubscribe=One-Click", method="POST")
    urllib.request.urlopen(one_click, timeout=10).close()
    until("it stops", lambda: loop.enrollment(person)["state"] == "stopped")


def follow_up(loop: Loop) -> None:
    """What sales does with the first leads: a task is done, a deal is negotiated, one is won."""
    by_address = {row["email"]: row for row in loop.handoffs()}
    first = by_address[address("lead0")]
    loop.sales.ask(
        f"objects/tasks/{first['task_id']}",
        {"properties": {"hs_task_status": "COMPLETED"}},
        "PATCH",
    )
    loop.command("sequence", "enroll", "nurture", address("lead1"), address("lead2"))
    for name, stage, effect in (("lead1", "contractsent", "pause"), ("lead2", "closedwon", "stop")):
        record = by_address[address(name)]["record_id"]
        loop.sales.ask("objects/deals", {
            "properties": {"dealname": f"{name} seats", "pipeline": "default", "dealstage": stage,
                           "amount": "1200"},
            "associations": [{"to": {"id": record}, "types": [
                {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]}],
        })  # fmt: skip
        until(
            "the deal is known",
            partial(has_effect, loop, name, effect),
        )


if __name__ == "__main__":
    if len(sys.argv) != 2 or not re.fullmatch(r"\d+\.\d+\.\d+", sys.argv[1]):
        sys.exit("Usage: python -m tests.upgrade.snapshot 1.2.0")
    made = write(sys.argv[1])
    sys.stdout.write(f"{made.relative_to(CHECKOUT)}: {made.stat().st_size // 1000} kB\n")

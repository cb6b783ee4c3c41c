"""How fast leads reach sales, and what they cost: `python -m tests.bench.handoff`.

A backlog against the stand-in (a process, HubSpot's 190 requests in ten seconds) by real workers on
two machines; how long a single lead takes meanwhile; beside it, in the same run, the usual way:
create a contact, create a task, three tries. Then what claiming and recording cost at different
sizes of the ledger.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import psycopg
from rich.console import Console

from sandbox.demo.stage import wait_for
from sandbox.demo.story import Loop, until
from tests.bench.ledger import claims
from tests.chaos.checker import check
from tests.chaos.faults import answers, too_fast
from tests.chaos.ground import Ground, ground
from tests.chaos.leads import Leads
from tests.chaos.parts import Machine, Part
from tests.chaos.record import crossings
from tests.chaos.trouble import redis, ring
from tests.chaos.usual import QUEUE

LEADS, USUAL, SINGLE = 10_000, 600, 30
# Processes of a worker on each of the two machines.
WORKERS = {2: (1, 1), 5: (3, 2)}
BETWEEN_SINGLES = 0.6
DELIVERED = "SELECT count(*) FROM crm_sync_handoff WHERE status = 'delivered'"
HAS_TASK = """
    SELECT FROM crm_sync_handoff row JOIN leadscoring_contact contact ON contact.id = row.contact_id
    WHERE contact.email = %s AND task_id <> ''
"""
# The budget of requests is whole again.
WINDOW = 11.0
WITHIN = 1200.0
numbers = count(1)


@dataclass(frozen=True)
class Rate:
    """`asked`: the CRM's answers by call and status."""

    leads: int
    seconds: float
    asked: Counter[tuple[str, str]]

    @property
    def a_second(self) -> float:
        return self.leads / self.seconds

    def __str__(self) -> str:
        calls, refused = sum(self.asked.values()), too_fast(self.asked)
        return (
            f"{self.leads:>6} leads in {self.seconds:6.1f} s: {self.a_second:6.1f} leads/s, "
            f"{calls / self.leads:.3f} calls a lead, {refused} × 429"
        )

    def by_call(self) -> str:
        calls = Counter[str]()
        for (call, _), times in self.asked.items():
            calls[call.replace("/crm/", "")] += times
        return ", ".join(f"{times} × {call}" for call, times in calls.most_common())


def begin(over: Ground) -> Leads:
    loop = Loop(over.stage, Console(quiet=True))
    over.web.start()
    wait_for(f"{over.stage.web}/healthz", over.stage)
    loop.command("crm_setup")
    key = loop.command("create_api_key", "bench")["key"]
    return Leads(over.stage.web, key, Random(1), lengths=(500,))


def delivered(over: Ground) -> int:
    ((count,),) = over.ask(DELIVERED)
    return int(count)


def says_ready(log: Path) -> bool:
    return "ready." in log.read_text()


@contextmanager
def workers(over: Ground, many: int) -> Iterator[list[Part]]:
    """So many for leads, awake, on two machines that share nothing but addresses; with a beat, and
    as in production one worker for what else there is to do."""
    pools = [("--concurrency", str(some), "-Q", "live,mail") for some in WORKERS[many]]
    machines = [
        Machine(f"machine-{next(numbers)}", 0.0, pool, over.stage.environment, over.clock, over.stage.folder)
        for pool in (*pools, ("--concurrency", "1", "-Q", "sync,slow"))
    ]  # fmt: skip
    everybody = [machine.worker for machine in machines]
    try:
        for part in [*everybody, machines[0].beat]:
            part.start()
        for part in everybody:
            log = part.folder / f"{part.name}.log"
            until(f"{part.name} is ready", partial(says_ready, log))
        yield everybody[:-1]
    finally:
        for part in [*everybody, machines[0].beat]:
            part.kill()


def backlog(over: Ground, leads: Leads, parts: Sequence[Part], many: int) -> None:
    """Leads come in while all workers are frozen; when they wake up the budget is whole."""
    for part in parts:
        part.freeze()
    leads.come_in(many)
    redis(over).delete("live")
    time.sleep(WINDOW)
    ring(over, 10)


def drain(over: Ground, leads: Leads, processes: int, many: int) -> Rate:
    with workers(over, processes) as parts:
        goal = delivered(over) + many
        backlog(over, leads, parts, many)
        before, began = answers(over.stage.crm), time.perf_counter()
        for part in parts:
            part.thaw()
        until("the backlog is drained", lambda: delivered(over) >= goal, WITHIN)
        seconds = time.perf_counter() - began
    return Rate(many, seconds, answers(over.stage.crm) - before)


def singles(over: Ground, leads: Leads, many: int) -> tuple[list[float], int]:
    """Seconds from an activity posted to its task, while a backlog drains; what was left of it."""
    alone = replace(leads, lengths=(1,), number=leads.number + many, taken=leads.taken)
    with workers(over, 2) as parts:
        goal = delivered(over) + many
        backlog(over, leads, parts, many)
        for part in parts:
            part.thaw()
        with ThreadPoolExecutor(SINGLE) as pool:
            taken = list(pool.map(partial(single, over, alone), range(SINGLE)))
        left = max(0, goal - delivered(over))
        until("all is done", lambda: delivered(over) >= goal + SINGLE, WITHIN)
    return taken, left


def single(over: Ground, alone: Leads, turn: int) -> float:
    time.sleep(BETWEEN_SINGLES * (turn + 1))
    person = alone.person()
    alone.say("contacts", [person])
    with psycopg.connect(over.database_url, autocommit=True) as database:
        began = time.perf_counter()
        alone.say("activities", [alone.wants_a_demo(person["email"])])
        alone.taken.append(person["email"])
        asked = partial(database.execute, HAS_TASK, [person["email"]])
        until("the task is there", lambda: asked().rowcount, WITHIN)
        return time.perf_counter() - began


def usual(over: Ground, many: int) -> Rate:
    """The usual way, on the same stand-in and machine."""
    redis(over).rpush(QUEUE, *(f"lead-{n}@usual.example" for n in range(many)))
    token = over.stage.environment["HUBSPOT_ACCESS_TOKEN"]
    way = ("-m", "tests.chaos.usual", over.stage.crm, token, over.redis_url)
    worker = Part("usual", way, over.stage.environment, over.stage.folder)
    time.sleep(WINDOW)
    before, began = answers(over.stage.crm), time.perf_counter()
    worker.start()
    assert worker.process
    worker.process.wait(WITHIN)
    return Rate(many, time.perf_counter() - began, answers(over.stage.crm) - before)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.handoff", description=__doc__)
    parser.add_argument("--leads", type=int, default=LEADS)
    parser.add_argument("--parts", default="2,5,single,usual,ledger", help="what is measured")
    options, console = parser.parse_args(), Console(soft_wrap=True, highlight=False)
    parts = options.parts.split(",")
    with (
        tempfile.TemporaryDirectory(prefix="bench-handoff-") as folder,
        ground(Path(folder), wrong=0.0) as over,
    ):
        leads, fastest = begin(over), 0.0
        for number in (each for each in WORKERS if str(each) in parts):
            rate = drain(over, leads, number, options.leads)
            fastest = max(fastest, rate.a_second)
            console.print(f"{number} workers        {rate}\n    {rate.by_call()}")
        if "single" in parts:
            seconds, left = singles(over, leads, options.leads)
            console.print(
                f"a single lead meanwhile ({SINGLE}): {spread(seconds)}; {left} of the backlog were left"
            )
        found = check(crossings(over.database_url, leads.taken), over.seen_there())
        found.show(console)
        if "usual" in parts:
            rate = usual(over, USUAL)
            console.print(f"the usual way    {rate}\n{fastest / rate.a_second:.0f} × the usual way")
        if "ledger" in parts:
            claims(over, console)
    return 0 if found.clean else 1


def spread(seconds: list[float]) -> str:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    return f"median {statistics.median(seconds):.2f} s, p95 {p95:.2f} s, most {max(seconds):.2f} s"


if __name__ == "__main__":
    sys.exit(main())

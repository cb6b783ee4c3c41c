"""What 100 leads that a CRM does not know cost in its own unit: `python -m tests.bench.crm_costs`.

Each CRM's stand-in as a process, a real worker, the leads waiting before it starts. One lead goes first, so that
what is read once a day (fields, reps, the account) is not counted. Then a day within Pipedrive's smallest plan.
"""

import argparse
import sys
import tempfile
import urllib.request
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.demo.stage import Stage
from sandbox.demo.story import until
from tests.bench.handoff import begin, delivered, says_ready
from tests.chaos.crms import CRMS
from tests.chaos.faults import answers
from tests.chaos.ground import Ground, ground
from tests.chaos.leads import Leads
from tests.chaos.parts import Machine
from tests.chaos.trouble import ring

LEADS = 100
A_DAY = "tests/crm_sync/pipedrive/test_day.py"


def tokens(stage: Stage) -> int:
    """Return how many of the day's tokens were used, from the headers of an answer."""
    request = urllib.request.Request(
        f"{stage.crm}/v1/users/me",
        headers={"x-api-token": stage.environment["PIPEDRIVE_API_TOKEN"]},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        name = "x-daily-ratelimit-token-"
        return int(answer.headers[name + "limit"]) - int(answer.headers[name + "remaining"])


def cost(over: Ground, leads: Leads, many: int) -> Counter[str]:
    """Hand leads off while one worker serves the queue `live`; return the CRM's calls."""
    leads.come_in(many)
    goal, before = delivered(over) + many, answers(over.stage.crm)
    pool = ("--pool", "solo", "-Q", "live")
    machine = Machine(
        f"machine-{goal}", 0.0, pool, over.stage.environment, over.clock, over.stage.folder
    )
    machine.worker.start()
    try:
        log = machine.worker.folder / f"{machine.worker.name}.log"
        until("the worker is ready", lambda: says_ready(log))
        ring(over, 1)
        until("all are delivered", lambda: delivered(over) >= goal, 300.0)
    finally:
        machine.worker.kill()
    calls = Counter[str]()
    for (call, _), times in (answers(over.stage.crm) - before).items():
        calls[call] += times
    return calls


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crm_costs", description=__doc__)
    parser.add_argument("--crm", choices=CRMS, action="append")
    console = Console(soft_wrap=True, highlight=False)
    chosen = parser.parse_args().crm or [*CRMS]
    for crm in chosen:
        with (
            tempfile.TemporaryDirectory(prefix="bench-costs-") as folder,
            ground(Path(folder), crm=crm, wrong=0.0) as over,
        ):
            leads = replace(begin(over), lengths=(LEADS,))
            cost(over, leads, 1)
            before = tokens(over.stage) if crm == "pipedrive" else 0
            calls = cost(over, leads, LEADS)
            used = f", {tokens(over.stage) - before - 2} tokens" if crm == "pipedrive" else ""
            console.print(f"{crm}: {calls.total()} calls for {LEADS} leads{used}")
            for call, times in calls.most_common():
                console.print(f"    {times:>4} × {call}")
    return pytest.main(["-q", "-s", "-m", "long", A_DAY]) if "pipedrive" in chosen else 0


if __name__ == "__main__":
    sys.exit(main())

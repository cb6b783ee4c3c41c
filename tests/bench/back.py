"""What sales did → what we send, on a quiet system: `python -m tests.bench.back`.

The same stage changes three ways in one run: told by a webhook, found by asking, and found by asking
an index that shows a change only seconds later, as HubSpot's does.
"""

import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

from rich.console import Console

from leadscoring import devservers
from sandbox.demo.stage import arrange, running
from tests.loop.outside import Outside, until

PEOPLE, POLL, LAG = 40, 20, 3.0
PAUSES, LETS_GO = "contractsent", "qualifiedtobuy"
EFFECT = {PAUSES: "pause", LETS_GO: "none"}


def somebody(loop: Outside, number: int) -> tuple[str, str]:
    """A lead with sales, and the id of their deal."""
    email = f"lead-{number}@bench.example"
    loop.post("contacts", {"email": email, "job_title": "VP Marketing", "company": "Bench"})
    loop.act(email, "demo_request", event_id=str(number), source="bench")
    time.sleep(0.6)  # the rep's requests count with ours: under HubSpot's 100 in 10 seconds
    return email, loop.deal(loop.settled(email)["record_id"], LETS_GO, f"Deal {number}")


def effect(loop: Outside, email: str) -> str:
    return str(loop.contact(email)["crm"]["effect"])


def moved(loop: Outside, deals: dict[str, str], stage: str, over: float) -> list[float]:
    """Every deal moves at some moment of so many seconds; how long each effect then took."""
    random = Random(over)
    begin = time.monotonic()
    plan = sorted((begin + random.uniform(0, over), email) for email in deals)
    since: dict[str, float] = {}
    took = []
    while plan or since:
        if plan and plan[0][0] <= time.monotonic():
            _, email = plan.pop(0)
            loop.changed("deals", deals[email], dealstage=stage)
            since[email] = time.monotonic()
        for email in [one for one in since if effect(loop, one) == EFFECT[stage]]:
            took.append(time.monotonic() - since.pop(email))
        time.sleep(0.02)
    return took


def line(name: str, seconds: list[float]) -> str:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    return f"{name:<58} median {statistics.median(seconds):6.2f} s   p95 {p95:6.2f} s   most {max(seconds):6.2f} s"


def main() -> None:
    console = Console(width=140)
    with tempfile.TemporaryDirectory(prefix="bench-back-") as folder, ExitStack() as stack:
        stage = arrange(Path(folder), stack.enter_context(devservers.run_servers()))
        stage = replace(stage, environment={**stage.environment, "CRM_POLL_SECONDS": str(POLL)})
        stack.enter_context(running(stage))
        loop = Outside(stage)
        loop.run("crm_setup")
        loop = replace(loop, key=loop.run("create_api_key", "bench").out.strip())
        deals = dict(somebody(loop, number) for number in range(PEOPLE))
        until(lambda: all(loop.contact(email)["crm"]["deals"] for email in deals))
        polled = moved(loop, deals, PAUSES, over=3 * POLL)
        loop.hubspot("POST", "/sandbox/settings", {"search_lag": LAG})
        lagging = moved(loop, deals, LETS_GO, over=3 * POLL)
        loop.hubspot("POST", "/sandbox/settings", {"search_lag": 0.0})
        loop.send_webhooks()
        told = moved(loop, deals, PAUSES, over=PEOPLE)
    console.print(line(f"told by a webhook ({PEOPLE} stage changes)", told))
    console.print(line(f"found by asking every {POLL} s", polled))
    console.print(line(f"the same, of an index that is {LAG:.0f} s behind", lagging))


if __name__ == "__main__":
    main()

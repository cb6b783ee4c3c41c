"""Activity posted → task in the CRM, on a quiet system: `python -m tests.bench.loop`.

Compared in the same run with the usual way: the web request itself creates a contact and then a
task in the CRM, one call after the other, with nothing to fall back on.
"""

import json
import statistics
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from leadscoring import devservers
from sandbox.demo.stage import Stage, arrange, running
from sandbox.demo.story import Loop

PEOPLE = 100


def seen(stage: Stage) -> int:
    """How many tasks the stand-in holds, asked beside its HubSpot API so that no budget is used."""
    with urllib.request.urlopen(f"{stage.crm}/sandbox/requests", timeout=10) as answer:
        log = json.loads(answer.read())
    requests = log["requests"] if isinstance(log, dict) else log
    return sum(
        each["path"].endswith("/tasks/batch/create") and each["status"] < 300 for each in requests
    )


def ours(loop: Loop, number: int) -> float:
    address = f"lead-{number}@bench.example"
    loop.ours("contacts", {"email": address, "first_name": "Lead", "company": "Bench", "phone": "1",
                           "job_title": "VP Marketing", "properties": {"company_size": 300}})  # fmt: skip
    before, began = seen(loop.stage), time.perf_counter()
    loop.ours(
        "activities",
        {"email": address, "type": "demo_request", "source": "bench", "event_id": str(number)},
    )
    while seen(loop.stage) == before:
        if time.perf_counter() - began > 30:
            raise TimeoutError(f"no task for {address} within 30 s")
        time.sleep(0.005)
    return time.perf_counter() - began


def usual(loop: Loop, number: int) -> float:
    began = time.perf_counter()
    contact = loop.sales.ask(
        "objects/contacts", {"properties": {"email": f"usual-{number}@bench.example"}}
    )
    link = {
        "to": {"id": contact["id"]},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}],
    }
    loop.sales.ask(
        "objects/tasks",
        {"properties": {"hs_timestamp": str(int(time.time() * 1000))}, "associations": [link]},
    )
    return time.perf_counter() - began


def line(name: str, seconds: list[float]) -> str:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    return f"{name:<44} median {statistics.median(seconds):6.3f} s   p95 {p95:6.3f} s   most {max(seconds):6.3f} s"


def main() -> None:
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bench-loop-") as folder, ExitStack() as stack:
        stage = arrange(Path(folder), stack.enter_context(devservers.run_servers()))
        usual_polling: dict[str, Any] = {**stage.environment, "CRM_POLL_SECONDS": "60"}
        stage = replace(stage, environment=usual_polling)
        stack.enter_context(running(stage))
        loop = Loop(stage, console)
        loop.command("crm_setup")
        loop.key = loop.command("create_api_key", "bench")["key"]
        measured = []
        for number in range(PEOPLE):
            measured.append(ours(loop, number))
            time.sleep(0.6)  # a quiet system, under HubSpot's 100 requests in 10 seconds
        plain = []
        for number in range(30):
            plain.append(usual(loop, number))
            time.sleep(0.3)
    console.print(line(f"activity posted → task in the CRM ({PEOPLE})", measured), highlight=False)
    console.print(line("the usual way, two calls in the request (30)", plain), highlight=False)


if __name__ == "__main__":
    main()

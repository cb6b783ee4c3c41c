"""Real leads through the whole loop by the public commands: `python -m tests.bench.real_leads FILE`.

FILE (or `LEADS_CSV=FILE make bench`) is the lead-scoring data set of "X Education", some 9,240 leads
with their outcome, on which many public case studies are built: `Lead Scoring.csv` at
https://www.kaggle.com/datasets/amritachatterjee09/lead-scoring-dataset. It is not ours to pass on.

The file has no addresses and no dates: an address is made from the id, and what was recorded of
their behaviour is dated to one day before now. Columns that leak the outcome are left out.
"""

import argparse
import csv
import json
import os
import re
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from leadscoring import devservers
from sandbox.demo.stage import Stage, arrange, running
from sandbox.demo.story import Loop, until

LEADS_CSV = os.environ.get("LEADS_CSV", "")
NO_LEADS = (
    "no real leads: give their file in LEADS_CSV (tests/bench/real_leads.py says where to get it)"
)
MODEL = Path(__file__).with_name("real_leads.yaml")
# Column there -> field here. Anything that sales wrote afterwards is not in this list.
KNOWN = {
    "Prospect ID": "external_id",
    "Lead Origin": "lead_origin",
    "Lead Source": "lead_source",
    "Do Not Email": "do_not_email",
    "Country": "country",
    "City": "city",
    "Specialization": "specialization",
    "What is your current occupation": "occupation",
    "How did you hear about X Education": "heard_by",
}
MOST_VISITS = 20


@dataclass
class Result:
    people: int
    activities: int
    people_per_second: float
    activities_per_second: float
    crossed: int
    tasks: int
    once: bool
    handoff_seconds: float
    auc: float


def leads(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def given(value: str) -> str:
    """`Select` is what the form says when its field was left alone."""
    return "" if value == "Select" else value


def person(lead: dict[str, str]) -> dict[str, str]:
    fields = {ours: given(lead[theirs]) for theirs, ours in KNOWN.items()}
    return {"email": f"{lead['Prospect ID']}@leads.example", **fields}


def did(lead: dict[str, str], at: datetime) -> Iterator[dict[str, str]]:
    """What was recorded of a lead's behaviour, an activity each."""
    visits = min(int(float(lead["TotalVisits"] or 0)), MOST_VISITS)
    done = [("visit", "")] * visits
    done.append(("site_time", lead["Total Time Spent on Website"] or "0"))
    if last := re.sub(r"\W+", "_", lead["Last Activity"].lower()).strip("_"):
        done.append((last, ""))
    for number, (type_, seconds) in enumerate(done):
        yield {
            "event_id": f"{lead['Lead Number']}-{number}",
            "external_id": lead["Prospect ID"],
            "type": type_,
            "occurred_at": at.isoformat(),
            "seconds": seconds,
        }


def write(path: Path, rows: list[dict[str, str]]) -> int:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def auc(scores: list[tuple[float, int]]) -> float:
    """The chance that a lead who converted scores above one who did not; ties count half.

    Mann-Whitney's U over the product of the counts, from the mean ranks of equal scores.
    """
    ranked = sorted(scores)
    ranks: dict[float, list[int]] = {}
    for rank, (score, _) in enumerate(ranked, 1):
        ranks.setdefault(score, []).append(rank)
    mean = {score: sum(places) / len(places) for score, places in ranks.items()}
    good = sum(outcome for _, outcome in scores)
    total = sum(mean[score] for score, outcome in scores if outcome)
    return (total - good * (good + 1) / 2) / (good * (len(scores) - good))


def run(rows: list[dict[str, str]], folder: Path, console: Console) -> Result:
    at = datetime.now(UTC) - timedelta(days=1)
    write(folder / "people.csv", [person(lead) for lead in rows])
    count = write(folder / "activities.csv", [each for lead in rows for each in did(lead, at)])
    with ExitStack() as stack:
        stage = arrange(folder, stack.enter_context(devservers.run_servers()))
        stack.enter_context(running(stage))
        loop = Loop(stage, console)
        loop.command("crm_setup")
        loop.command("scoring_model", "apply", str(MODEL))
        loop.command("scoring_model", "publish", "real-leads", "1", "--yes")
        people, people_seconds = timed(loop, "import_contacts", folder / "people.csv")
        activities, activity_seconds = timed(loop, "import_activities", folder / "activities.csv")
        began = time.monotonic()
        loop.key = loop.command("create_api_key", "bench")["key"]
        handoffs, _ = until("everybody who crossed has a task", lambda: all_delivered(loop), 300)
        handoff_seconds = time.monotonic() - began
        references = [row["reference"] for row in handoffs]
        bodies = tasks(stage)
        outcome = {lead["Prospect ID"]: int(lead["Converted"]) for lead in rows}
        return Result(
            people=people["created"],
            activities=activities["accepted"],
            people_per_second=len(rows) / people_seconds,
            activities_per_second=count / activity_seconds,
            crossed=len(handoffs),
            tasks=len(bodies),
            once=Counter(re.findall(r"LS-[A-Z0-9]+", " ".join(bodies))) == Counter(references),
            handoff_seconds=handoff_seconds,
            auc=auc([(total, outcome[external_id]) for external_id, total in totals(stage)]),
        )


def timed(loop: Loop, command: str, file: Path) -> tuple[Any, float]:
    began = time.monotonic()
    return loop.command(command, str(file)), time.monotonic() - began


def all_delivered(loop: Loop) -> list[Any]:
    rows = loop.handoffs()
    return rows if all(row["status"] == "delivered" for row in rows) else []


def tasks(stage: Stage) -> list[str]:
    """The bodies of all tasks, asked beside the HubSpot API so that no request budget is used."""
    with urllib.request.urlopen(f"{stage.crm}/sandbox/store", timeout=60) as answer:
        records = json.loads(answer.read())["records"]["tasks"]
    return [record["properties"]["hs_task_body"] for record in records]


def totals(stage: Stage) -> list[tuple[str, float]]:
    """Everybody's total, read from the database: an API call each would measure the API."""
    import psycopg

    with psycopg.connect(stage.environment["DATABASE_URL"]) as connection:
        found = connection.execute(
            "SELECT external_id, total FROM leadscoring_score JOIN leadscoring_contact ON id = contact_id"
        ).fetchall()
    return [(str(external_id), float(total)) for external_id, total in found]


def main() -> None:
    console = Console()
    arguments = argparse.ArgumentParser()
    arguments.add_argument("file", nargs="?", default=LEADS_CSV, help="the leads, as CSV")
    file = arguments.parse_args().file
    if not file:
        console.print(f"SKIPPED: {NO_LEADS}.")
        return
    with tempfile.TemporaryDirectory(prefix="real-leads-") as folder:
        result = run(leads(Path(file)), Path(folder), console)
    console.print(
        f"people imported        {result.people:>8,}   {result.people_per_second:,.0f} rows a second"
    )
    console.print(
        f"activities imported    {result.activities:>8,}   {result.activities_per_second:,.0f} rows a second"
    )
    console.print(f"crossed the threshold  {result.crossed:>8,}")
    console.print(
        f"tasks in the CRM       {result.tasks:>8,}   all there {result.handoff_seconds:.1f} s after the import"
    )
    console.print(
        f"AUC of the score       {result.auc:>8.3f}   against the outcome (0.5: chance, 1: perfect)"
    )


if __name__ == "__main__":
    main()

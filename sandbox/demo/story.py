"""The story of the loop, played on real parts and checked hop by hop by asking both sides.

It speaks to the product through its commands and its HTTP API, and to the CRM through the CRM's
API, as any other program would. It imports nothing of either.
"""

import argparse
import csv
import email
import email.policy
import json
import re
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console

from sandbox.demo.sales import CRMS, HopFailed, SalesTask, ask, bearer, sales_of
from sandbox.demo.stage import Stage, StageError, set_up

HERE = Path(__file__).parent
# The instant at which the shipped activities end; they are moved so that they end now.
ANCHOR = datetime(2026, 1, 1, 12, tzinfo=UTC)
LOG_IN = ("demo", "demo-log-in")
ADA, BEN = "ada.lind@alder-robotics.example", "ben.osei@fern-foods.example"


def until(what: str, question: Callable[[], Any], within: float = 60.0) -> tuple[Any, float]:
    """Ask again and again until the answer is true; the answer and the seconds it took."""
    started = time.monotonic()
    while time.monotonic() - started < within:
        if answer := question():
            return answer, time.monotonic() - started
        threading.Event().wait(0.05)
    raise HopFailed(f"Not within {within:.0f} s: {what}.")


class Loop:
    """Both sides of the running stage, and what the story asks of them."""

    def __init__(self, stage: Stage, console: Console) -> None:
        self.stage = stage
        self.console = console
        self.sales = sales_of(stage.environment["CRM"])(stage.crm, stage.environment)
        self.key = ""

    def say(self, sentence: str) -> None:
        self.console.print(f"  [green]✓[/green] {sentence}", highlight=False)

    def command(self, *arguments: str, good: tuple[int, ...] = (0,)) -> Any:
        done = self.stage.manage(*arguments, "--json")
        if done.returncode not in good:
            raise HopFailed(
                f"`manage.py {arguments[0]}` exited {done.returncode}: {done.stdout[:300]}"
            )
        return json.loads(done.stdout)

    # --- our side -----------------------------------------------------------------------------
    def ours(self, path: str, body: Any = None) -> Any:
        return ask(f"{self.stage.web}/api/v1/{path}", bearer(self.key), body)

    def contact(self, address: str) -> Any:
        return self.ours(f"contacts/{quote(address)}")

    def handoffs(self) -> list[Any]:
        rows, cursor = [], ""
        while True:
            page = self.ours(f"handoffs?cursor={quote(cursor)}" if cursor else "handoffs")
            rows += page["handoffs"]
            if not (cursor := page["next_cursor"] or ""):
                return rows

    def enrollment(self, address: str) -> Any:
        return next(iter(self.contact(address)["enrollments"]), None)

    # --- the CRM's side -----------------------------------------------------------------------
    def task_of(self, reference: str) -> SalesTask | None:
        return next((task for task in self.sales.tasks() if reference in task.body), None)

    def mails_to(self, address: str) -> list[email.message.EmailMessage]:
        found = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in self.stage.mails.glob("new/*")
        ]
        return [mail for mail in found if address in str(mail["To"])]


def play(loop: Loop) -> None:
    """The whole story. Raises HopFailed at the first hop that does not happen."""
    people_and_activities(loop)
    ready_for_sales(loop)
    ada_asks_for_a_demo(loop)
    ben_gets_mail(loop)
    ada_negotiates_and_signs(loop)
    both_sides_agree(loop)


def people_and_activities(loop: Loop) -> None:
    loop.console.print("\n[bold]1. People and what they did come in[/bold]")
    set_up_crm = loop.command("crm_setup")
    loop.say(f"The CRM got the properties it lacked ({len(set_up_crm['steps'])} checked).")
    folder = loop.stage.folder
    shutil.copy(HERE / "people.csv", folder)
    people = loop.command("import_contacts", str(folder / "people.csv"), good=(0, 1))
    check(people["created"] > 490, f"too few people were imported: {people}")
    loop.say(
        f"{people['created']} people from an export; {people['rejected']} rows cannot be right and "
        "wait in an error file with the reason."
    )
    move_to_now(HERE / "activities.csv", folder / "activities.csv")
    done = loop.command("import_activities", str(folder / "activities.csv"), good=(0, 1))
    check(done["accepted"] > 5_000, f"too few activities were imported: {done}")
    loop.say(
        f"{done['accepted']} activities of 90 days, {done['duplicates']} given twice and stored once."
    )
    loop.key = loop.command("create_api_key", "demo")["key"]


def move_to_now(source: Path, target: Path) -> None:
    """Copy the shipped activities, moved in time so that they end now. Bad times stay bad."""
    shift = datetime.now(UTC) - ANCHOR
    with source.open(newline="") as old, target.open("w", newline="") as new:
        reader, writer = csv.DictReader(old), None
        for row in reader:
            writer = writer or started(csv.DictWriter(new, row.keys()))
            writer.writerow({**row, "Timestamp": moved(row["Timestamp"], shift)})


def started(writer: "csv.DictWriter[str]") -> "csv.DictWriter[str]":
    writer.writeheader()
    return writer


def moved(time_text: str, shift: timedelta) -> str:
    try:
        return (datetime.fromisoformat(time_text) + shift).isoformat(timespec="seconds")
    except ValueError:
        return time_text


def ready_for_sales(loop: Loop) -> None:
    loop.console.print("\n[bold]2. Those who are ready go to sales[/bold]")

    def all_delivered() -> list[Any]:
        rows = loop.handoffs()
        return rows if rows and all(row["status"] == "delivered" for row in rows) else []

    rows, seconds = until("the imported people who crossed have their tasks", all_delivered)
    reps = Counter(task.owner_id for task in loop.sales.tasks())
    shares = ", ".join(f"{loop.sales.owner(rep)} {count}" for rep, count in reps.most_common())
    loop.say(
        f"{len(rows)} crossed the threshold, each has one task in the CRM {seconds:.1f} s later ({shares})."
    )


def ada_asks_for_a_demo(loop: Loop) -> None:
    loop.console.print("\n[bold]3. Ada asks for a demo[/bold]")
    ada = {"email": ADA, "first_name": "Ada", "last_name": "Lind", "company": "Alder Robotics",
           "job_title": "VP Marketing", "country": "Sweden", "phone": "+46 8 555 0100", "properties": {"company_size": 340}}  # fmt: skip
    loop.ours("contacts", ada)
    now = datetime.now(UTC)
    site = "https://www.northwind-tools.example"
    did = [
        {"email": ADA, "type": "page_view", "event_id": f"ada-{n}", "source": "web",
         "occurred_at": (now - timedelta(minutes=50 - n)).isoformat(), "properties": {"url": site + page}}
        for n, page in enumerate(["/", "/features", "/pricing", "/customers", "/pricing"])
    ]  # fmt: skip
    did.append({"email": ADA, "type": "content_download", "event_id": "ada-guide", "source": "web",
                "properties": {"form": "Buyer's guide"}})  # fmt: skip
    loop.ours("activities", did)
    posted = time.monotonic()
    loop.ours("activities", {"email": ADA, "type": "demo_request", "event_id": "ada-demo",
                             "source": "web", "properties": {"form": "Request a demo"}})  # fmt: skip
    answered = time.monotonic() - posted
    contact = loop.contact(ADA)
    check(contact["handoffs"], f"Ada did not cross: {contact['score']}")
    reference = contact["handoffs"][0]["reference"]
    task, _ = until("Ada's task is in the CRM", lambda: loop.task_of(reference))
    took = time.monotonic() - posted
    rep = loop.sales.owner(task.owner_id)
    score = contact["score"]
    loop.say(f"Stored and scored in {answered:.2f} s: {score['total']:.0f}, {score['grade']}.")
    loop.say(
        f"Ada asked for a demo {took:.1f} s ago → task for {rep} in the CRM: “{task.subject}”."
    )
    delivered, _ = until(
        "the ledger says delivered", lambda: loop.contact(ADA)["handoffs"][0]["delivered_at"]
    )
    check(loop.contact(ADA)["crm"]["record_id"] or delivered, "the CRM's record id is kept")


def ben_gets_mail(loop: Loop) -> None:
    loop.console.print("\n[bold]4. Ben is not ready: he gets mail, until he says no[/bold]")
    loop.ours("contacts", {"email": BEN, "first_name": "Ben", "company": "Fern Foods"})
    loop.command("sequence", "apply", str(HERE / "nurture.yaml"))
    loop.command("sequence", "enroll", "nurture", BEN, ADA)
    mails, seconds = until("Ben's first mail has arrived", lambda: loop.mails_to(BEN))
    until("Ada's first mail has arrived", lambda: loop.mails_to(ADA))
    loop.say(
        f"“{mails[0]['Subject']}” reached Ben's mailbox {seconds:.1f} s after he entered the sequence."
    )
    ben_reads_the_guide(loop, mails[0])
    link = re.search(r"<(http[^>]+)>", str(mails[0]["List-Unsubscribe"]))
    if link is None:
        raise HopFailed("the mail has no List-Unsubscribe")
    one_click = urllib.request.Request(link[1], data=b"List-Unsubscribe=One-Click", method="POST")  # noqa: S310 - our own link
    urllib.request.urlopen(one_click, timeout=10).close()  # noqa: S310 - as above
    stopped, _ = until(
        "Ben's sequence has stopped", lambda: loop.enrollment(BEN)["state"] == "stopped"
    )
    loop.say(f"Ben unsubscribed with one click → {loop.enrollment(BEN)['because']}")
    check(stopped, "Ben's sequence goes on")


def ben_reads_the_guide(loop: Loop, mail: email.message.EmailMessage) -> None:
    before = loop.contact(BEN)["score"]["total"]
    page = mail.get_body(("html",))
    link = re.search(
        rf'href="({re.escape(loop.stage.web)}/c/[^"]+)"', page.get_content() if page else ""
    )
    if link is None:
        raise HopFailed("the mail has no link that leads through here")
    leads_to = where_it_leads(link[1])
    after = loop.contact(BEN)["score"]["total"]
    check(after > before, f"Ben's click did not count: {before:g} → {after:g}")
    loop.say(f"Ben followed the link to {leads_to} → his score is {after:g}, was {before:g}.")


def where_it_leads(address: str) -> str:
    """Where a redirect points, without going there: the demo's pages are invented."""
    opener = urllib.request.build_opener(StayHere)
    try:
        opener.open(address, timeout=10).close()
    except urllib.error.HTTPError as answer:
        if answer.code == 302:
            return str(answer.headers["Location"])
        raise
    raise HopFailed(f"{address} leads nowhere")


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **more: Any) -> None:
        return None


def ada_negotiates_and_signs(loop: Loop) -> None:
    loop.console.print("\n[bold]5. Sales negotiates with Ada: marketing is quiet[/bold]")
    record = loop.contact(ADA)["handoffs"][0]["record_id"]
    deal_id = loop.sales.negotiate(record, "Alder Robotics, 40 seats", "18000")
    _, seconds = until("the deal came back", lambda: loop.contact(ADA)["crm"]["effect"] == "pause")
    loop.say(
        f"A deal moved to contract in the CRM; known here {seconds:.1f} s later: {loop.contact(ADA)['crm']['because']}"
    )
    paused = loop.enrollment(ADA)
    check(paused["state"] == "paused", f"Ada's sequence is not paused: {paused}")
    loop.say(f"Ada's sequence is paused: {paused['because']}")
    loop.sales.win(deal_id)
    _, seconds = until(
        "the won deal came back", lambda: loop.contact(ADA)["crm"]["effect"] == "stop"
    )
    loop.say(
        f"The deal is won; known here {seconds:.1f} s later: {loop.contact(ADA)['crm']['because']}"
    )
    stopped = loop.enrollment(ADA)
    check(stopped["state"] == "stopped", f"Ada's sequence goes on: {stopped}")
    check(len(loop.mails_to(ADA)) == 1, "Ada got mail while sales was talking with her")
    loop.say("Ada's sequence is stopped; after the first mail, none went to her.")


def both_sides_agree(loop: Loop) -> None:
    loop.console.print("\n[bold]6. Both sides agree[/bold]")
    references = [row["reference"] for row in loop.handoffs() if row["status"] == "delivered"]
    bodies = [task.body for task in loop.sales.tasks()]
    found = Counter(ref for body in bodies for ref in re.findall(r"LS-[A-Z0-9]+", body))
    wrong = [ref for ref in references if found[ref] != 1]
    check(not wrong, f"not exactly one task each: {wrong}")
    check(
        len(bodies) == len(references),
        f"{len(bodies)} tasks there, {len(references)} handoffs here",
    )
    loop.say(
        f"{len(references)} delivered handoffs here, {len(bodies)} tasks there, each exactly once."
    )
    loop.command("rescore", "--check")
    loop.say("Every stored score equals the recomputed one.")


def check(holds: object, otherwise: str) -> None:
    if not holds:
        raise HopFailed(otherwise)


@contextmanager
def told(console: Console) -> Iterator[None]:
    """Failures as a sentence and an exit code."""
    try:
        yield
    except (HopFailed, StageError) as failed:
        console.print(f"\n[bold red]The loop is broken:[/bold red] {failed}", highlight=False)
        raise SystemExit(1) from failed
    except KeyboardInterrupt:
        console.print("\nEnded; everything that was started is gone.")
        raise SystemExit(130) from None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="play, check every hop, and exit")
    parser.add_argument("--crm", default="hubspot", choices=CRMS)
    options = parser.parse_args(arguments)
    console, began = Console(soft_wrap=True), time.monotonic()
    console.print(
        "Starting PostgreSQL, Redis, a CRM to try with, a mail server, web, worker and beat …"
    )
    with told(console), set_up(options.crm) as stage:
        loop = Loop(stage, console)
        play(loop)
        console.print(
            f"\n[bold green]Every hop happened[/bold green] ({time.monotonic() - began:.0f} s in all)."
        )
        if not options.once:
            keep_serving(stage, console)
    return 0


def keep_serving(stage: Stage, console: Console) -> None:
    user, password = LOG_IN
    environment = {**stage.environment, "DJANGO_SUPERUSER_PASSWORD": password}
    made = Stage(stage.folder, environment, stage.web, stage.crm, stage.mails).manage(
        "createsuperuser",
        "--no-input",
        "--username",
        user,
        "--email",
        "demo@northwind-tools.example",
    )
    check(made.returncode == 0, "the log-in could not be made")
    console.print(
        f"\n  The marketer's side   {stage.web}/admin/   log in as [bold]{user}[/bold], password [bold]{password}[/bold]"
    )
    console.print(f"  The rep's side        {stage.crm}/")
    console.print(f"  The HTTP API          {stage.web}/api/v1/docs")
    console.print(f"  Mails that were sent  {stage.mails}/new/")
    console.print(
        "\nPlay the rep: complete a task, move a deal, and watch the other side. Ctrl-C ends everything."
    )
    threading.Event().wait()

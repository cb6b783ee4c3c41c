"""What reading the CRM costs: python -m tests.bench.pull

So many linked contacts, every fifth with a deal, in an embedded PostgreSQL and in the stand-in (a process of
its own); then polls a minute apart while sales changes records. Told: requests a day against a small account's
250,000, our process's time and queries of a poll, and the most memory it had before, after reading all for the
first time, and after the polls. Minutes are not waited for: what is due by time is made due, and the searches
overlap by seconds instead of minutes.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tests.conftest import SETTINGS

TOKEN = "made-up"
POLLS = 20  # two sweeps of associations
DAY = 1440
OVERLAP = timedelta(seconds=5)
RUNS = [(5_000, 2_000), (50_000, 2_000), (50_000, 200), (50_000, 8_000)]

PEOPLE = """
    INSERT INTO leadscoring_contact (id, email, first_name, last_name, job_title, phone, country, properties,
        lifecycle_stage, created_at, updated_at)
    SELECT n, 'p' || n || '@crowd.example', '', '', '', '', '', '{}', 'lead', now(), now()
    FROM generate_series(1, %(number)s) n
"""
LINKS = """
    INSERT INTO crm_sync_link (contact_id, account_id, record_id, owner_id, lifecycle_stage, lead_status, last_written,
        opted_out, seen_at)
    SELECT n, %(portal)s, (%(first)s + n - 1)::text, '', '', '', '{}', false, now()
    FROM generate_series(1, %(number)s) n
"""


def a_crm(people: int, file: Path) -> dict[str, Any]:
    """A stand-in's file with so many contacts; their first id, the account, the deals."""
    from sandbox.hubspot.store import Store
    from sandbox.server.standin import save

    store, day = Store(), timedelta(days=1)
    contacts = []
    for number in range(people):
        at = datetime.now(UTC).replace(microsecond=0) - day * (1 - number / people)
        contacts.append(store.create("contacts", at))
        store.write(contacts[-1], {"email": f"p{number + 1}@crowd.example"}, at)
    for contact in contacts[::5]:
        at = contact.created_at
        deal = store.create("deals", at)
        facts = {"dealname": "Deal", "pipeline": "default", "dealstage": "contractsent"}
        store.write(deal, facts, at)
        store.links.add(("deals", deal.id), ("contacts", contact.id), [3])
    save(store.dump(), file)
    return {
        "first": int(contacts[0].id),
        "portal": str(store.portal_id),
        "contacts": [contact.id for contact in contacts],
        "deals": list(store.records["deals"]),
    }


@dataclass(slots=True)
class Polls:
    """What polls took. `requests`: by path; `seconds`: of our process."""

    requests: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    queries: list[int] = field(default_factory=list)

    def take(self, crm: Any, **more: Any) -> None:
        from django.db import connection
        from django.utils.timezone import now

        from crm_sync.pull.poll import pull_changes

        asked = 0

        def count(execute: Any, *rest: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(*rest)

        began = time.process_time()
        with connection.execute_wrapper(count):
            report = pull_changes(crm, now(), **more)
        assert report
        assert not report.error, report.error
        self.seconds.append(time.process_time() - began)
        self.queries.append(asked)


def a_minute_later() -> None:
    """What waits for time has waited a minute more."""
    from django.db.models import F

    from crm_sync.models import PullReport, Round

    minute = timedelta(minutes=1)
    for name in ("looked_at", "whole_since", "whole_until"):
        Round.objects.exclude(**{name: None}).update(**{name: F(name) - minute})
    PullReport.objects.update(definitions_at=F("definitions_at") - minute)


class Other:
    """The stand-in, from sales' side."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        head = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, sent, head, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def change(self, kind: str, ids: list[str], turn: int) -> None:
        owner = f"71234000{1 + turn % 3}"
        inputs = [{"id": id_, "properties": {"hubspot_owner_id": owner}} for id_ in ids]
        for start in range(0, len(inputs), 100):
            body = {"inputs": inputs[start : start + 100]}
            self.ask("POST", f"/crm/v3/objects/{kind}/batch/update", body)

    def requests(self) -> dict[str, int]:
        """Of the product, so far: updates are sales'."""
        found: dict[str, int] = {}
        for row in self.ask("GET", "/sandbox/requests"):
            if not row["path"].endswith("/update"):
                found[row["path"]] = found.get(row["path"], 0) + 1
        return found


def run(people: int, changes_an_hour: int, url: str, known: dict[str, Any]) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from crm_sync.hubspot.adapter import HubSpot

    HubSpot.capabilities = replace(HubSpot.capabilities, search_overlap=OVERLAP)
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        values = {"number": people, "first": known["first"], "portal": known["portal"]}
        cursor.execute(PEOPLE, values)
        cursor.execute(LINKS, values)
        cursor.execute("ANALYZE")
    other, crm = Other(url), HubSpot(TOKEN, url, os.environ["REDIS_URL"], 10_000)
    first, polls = Polls(), Polls()
    memory = [max_memory()]
    first.take(crm)
    memory.append(max_memory())
    before = sum(other.requests().values())
    for turn in range(POLLS):
        each = changes_an_hour // 120
        for kind in ("contacts", "deals"):
            ids = known[kind]
            place = turn * each % len(ids)
            other.change(kind, (ids + ids)[place : place + each], turn)
        a_minute_later()
        polls.take(crm)
    a_day = (sum(other.requests().values()) - before) * DAY // POLLS
    memory.append(max_memory())
    say(people, changes_an_hour, a_day, polls, "/".join(map(str, memory)), first)


def max_memory() -> int:
    """MB. Not getrusage's: that begins with what the process had that started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def say(people: int, changes: int, a_day: int, polls: Polls, memory: str, first: Polls) -> None:
    usual, longest = median(polls.seconds) * 1000, max(polls.seconds) * 1000
    sys.stdout.write(
        f"{people:>7,} {changes:>8,} {a_day:>9,} {a_day / 250_000:>6.1%} {usual:>7.0f} {longest:>8.0f}"
        f" {median(polls.queries):>8.0f} {memory:>15} {first.seconds[0]:>9.0f}\n"
    )


def main() -> None:
    from leadscoring import devservers

    sys.stdout.write(
        "         changes  requests           ms of a poll   queries          MB first time\n"
        " people  an hour     a day  share   usual  longest  of a poll  of the process   seconds\n"
    )
    for people, changes in RUNS:
        with TemporaryDirectory() as folder, devservers.run_servers() as services:
            file = Path(folder) / "crm.json"
            known = a_crm(people, file)
            served = [sys.executable, "-m", "sandbox.hubspot", "--port", "0", "--token", TOKEN]
            served += ["--rate", "0", "--file", str(file)]
            sandbox = subprocess.Popen(served, stdout=subprocess.PIPE, text=True)
            assert sandbox.stdout
            url = sandbox.stdout.readline().split()[-1]
            where = {"DATABASE_URL": services.database_url, "REDIS_URL": services.redis_url}
            asked = json.dumps([people, changes, url, known])
            try:
                code = (
                    "import json, sys; from tests.bench.pull import run; run(*json.load(sys.stdin))"
                )
                subprocess.run(
                    [sys.executable, "-c", code],
                    input=asked, text=True, check=True, env=os.environ | SETTINGS | where,
                )  # fmt: skip
            finally:
                sandbox.terminate()
                sandbox.wait()


if __name__ == "__main__":
    main()

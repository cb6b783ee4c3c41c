"""How fast activities come in, with scores up to date in the answer: python -m tests.bench.intake

Over real HTTP against gunicorn with two workers and an embedded PostgreSQL that keeps its promises
(fsync on). Batches of 1,000 from four client processes; single ones; a person with 100,000
activities; and, in the same run on the same data, the naive way: row by row through the ORM, one
person at a time, without any HTTP.
"""

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from leadscoring import devservers
from tests.conftest import SETTINGS
from tests.web import CHECKOUT, Caller, served

NOW = datetime.now(UTC)
PEOPLE, BATCH, CLIENTS = 10_000, 1000, 4
BEFORE, MEASURED = 100, 100  # batches
SINGLE, NAIVE, BUSY = 400, 1000, 100_000
PAGES = ("/", "/features", "/pricing", "/customers", "/docs", "/blog/a-long-title-of-a-post")
KINDS = (*("page_view",) * 12, *("email_open",) * 5, *("email_click",) * 2, "content_download",
         "form_submit", "webinar_attended")  # fmt: skip


def activity(random: Random, number: int) -> dict[str, Any]:
    return {
        "email": f"person{random.randrange(PEOPLE)}@company.example",
        "type": random.choice(KINDS),
        "event_id": f"event-{number}",
        "occurred_at": (NOW - timedelta(seconds=random.randrange(60 * 86_400))).isoformat(),
        "properties": {"url": f"https://shop.example{random.choice(PAGES)}", "campaign": "spring"},
    }


def activities(first: int, count: int) -> list[dict[str, Any]]:
    random = Random(first)
    return [activity(random, number) for number in range(first, first + count)]


def batches(first: int, count: int) -> list[bytes]:
    starts = range(first, first + count * BATCH, BATCH)
    return [json.dumps(activities(start, BATCH)).encode() for start in starts]


def send(place: str, key: str, bodies: list[bytes]) -> list[float]:
    """Post bodies one after the other; the seconds each took."""
    caller, took = Caller(place, key), []
    for body in bodies:
        began = time.perf_counter()
        status, answer = caller.post("activities", body)
        took.append(time.perf_counter() - began)
        assert status == 200, answer
        assert (answer["duplicates"], answer["rejected"]) == (0, []), answer
    return took


def together(place: str, key: str, bodies: list[bytes]) -> tuple[float, list[float]]:
    """Four processes share the bodies; seconds in all, and of each request."""
    shares = [(place, key, bodies[n::CLIENTS]) for n in range(CLIENTS)]
    with multiprocessing.get_context("spawn").Pool(CLIENTS) as pool:
        pool.starmap(send, [(place, key, [])] * CLIENTS)  # they are up before time is taken
        began = time.perf_counter()
        took = pool.starmap(send, shares, chunksize=1)
        return time.perf_counter() - began, [seconds for some in took for seconds in some]


def naive(first: int) -> float:
    """Activities a second of the obvious way: each row looked up, stored and scored by itself."""
    from django.db import transaction
    from django.utils.dateparse import parse_datetime

    from leadscoring.models import Activity, Contact
    from leadscoring.scoring import rescore

    rows = activities(first, NAIVE)
    began = time.perf_counter()
    for row in rows:
        with transaction.atomic():
            contact, _ = Contact.objects.select_for_update().get_or_create(email=row["email"])
            fields = {"contact": contact, "type": row["type"], "properties": row["properties"],
                      "occurred_at": parse_datetime(row["occurred_at"])}  # fmt: skip
            Activity.objects.get_or_create(
                source="naive", event_id=row["event_id"], defaults=fields
            )
            rescore([contact.pk], datetime.now(UTC), {contact.pk: {row["type"]}})
    return NAIVE / (time.perf_counter() - began)


def busy() -> None:
    """Somebody who did a hundred thousand things."""
    from leadscoring.models import Activity
    from tests.makers import a_contact

    bot = a_contact(at=NOW, email="busy@company.example")
    rows = (
        Activity(contact=bot, source="busy", event_id=str(number), type="page_view",
                 occurred_at=NOW - timedelta(seconds=60 * number), properties={"url": "/pricing"})
        for number in range(BUSY)
    )  # fmt: skip
    Activity.objects.bulk_create(rows, batch_size=5000)


def singles(email: str, prefix: str, count: int) -> list[bytes]:
    one = {"email": email, "type": "page_view", "properties": {"url": "/pricing"}}
    return [json.dumps({**one, "event_id": f"{prefix}-{n}"}).encode() for n in range(count)]


def p95(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds) * 1000:.0f} ms, p95 {statistics.quantiles(seconds, n=20)[-1] * 1000:.0f} ms"


@contextmanager
def stage() -> Iterator[tuple[str, str]]:
    """A web server with its own services, and a key."""
    with devservers.run_servers(durable=True) as services:
        os.environ.update(SETTINGS | {"DATABASE_URL": services.database_url,
                                      "REDIS_URL": services.redis_url})  # fmt: skip
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "migrate", "--no-input", "-v0"], cwd=CHECKOUT, check=True)
        made = subprocess.run([*manage, "create_api_key", "bench", "--json"],
                              cwd=CHECKOUT, check=True, stdout=subprocess.PIPE)  # fmt: skip
        with served({}) as place:
            yield place, json.loads(made.stdout)["key"]


def say(what: str, figure: str) -> None:
    sys.stdout.write(f"{what:<58} {figure}\n")
    sys.stdout.flush()


def rate_of(place: str, key: str, first: int, count: int) -> str:
    seconds, took = together(place, key, batches(first, count))
    return f"{count * BATCH / seconds:>8,.0f} activities/s   (a batch: {p95(took)})"


def main() -> None:
    import django

    with stage() as (place, key):
        django.setup()
        say("batches of 1,000, 4 clients, mostly new people", rate_of(place, key, 0, BEFORE))
        say(f"the same for {PEOPLE:,} people known by now", rate_of(place, key, 10**6, MEASURED))
        for clients, share in ((1, singles("person1@company.example", "one", SINGLE)),
                               (4, singles("person2@company.example", "four", SINGLE))):  # fmt: skip
            took = send(place, key, share) if clients == 1 else together(place, key, share)[1]
            say(f"single activities, {clients} client{'s' * (clients > 1)}", p95(took))
        busy()
        took = send(place, key, singles("busy@company.example", "busy", 100))
        say(f"single activities of a person with {BUSY:,}", p95(took))
        say("row by row through the ORM, one person at a time, no HTTP",
            f"{naive(3 * 10**6):>8,.0f} activities/s")  # fmt: skip


if __name__ == "__main__":
    main()

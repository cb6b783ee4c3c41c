"""The stand-in with people and a task on each of them: `python -m tests.bench.seeded_crm --people 100000`.

Ids are counted up from the first ones of a store, so that whoever fills a database knows them.
"""

import argparse
import signal
from datetime import UTC, datetime, timedelta
from threading import Event

from sandbox.hubspot.server import Sandbox
from sandbox.hubspot.store import Record, Store

TASK_TO_CONTACT = {204}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.seeded_crm", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--people", type=int, required=True)
    options = parser.parse_args()
    ended = Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    sandbox = Sandbox(options.token, port=options.port, rate=options.rate)
    fill(sandbox.store, options.people, datetime.now(UTC) - timedelta(days=30))
    with sandbox:
        ended.wait()


def reference(number: int) -> str:
    return f"LS-{number:012}"


def fill(store: Store, people: int, at: datetime) -> None:
    """So many contacts, each with an open task of ours, all of an hour a month ago."""
    owner = next(id_ for id_, each in store.owners.items() if not each["archived"])
    for number in range(1, people + 1):
        when = at + timedelta(seconds=number % 3600)
        contact = add(store, "contacts", when, email=f"p{number}@crowd.example")
        task = add(
            store, "tasks", when,
            hs_task_subject=f"Hot lead {number}", hs_task_status="NOT_STARTED",
            hs_task_body=f"<p>ref {reference(number)}</p>", hubspot_owner_id=owner,
            hs_timestamp="2026-05-04T09:00:00Z",
        )  # fmt: skip
        store.links.add(("tasks", task.id), ("contacts", contact.id), TASK_TO_CONTACT)


def add(store: Store, kind: str, at: datetime, **properties: str) -> Record:
    record = store.create(kind, at)
    record.properties.update(properties)
    store.index(record)
    return record


if __name__ == "__main__":
    main()

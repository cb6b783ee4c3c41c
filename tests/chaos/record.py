"""What can be seen from outside after a storm: the CRM's own record (see `crms`), and the rows of the database."""

import json
import re
import urllib.request
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

REFERENCE = re.compile(r"\bLS-[0-9A-Z]{12}\b")
ROWS = """
    SELECT lower(contact.email), row.cycle, row.reference, row.status, row.reason, row.record_id,
        row.owner_id, row.task_id
    FROM crm_sync_handoff row JOIN leadscoring_contact contact ON contact.id = row.contact_id
    ORDER BY row.id
"""
UNWRITTEN = """
    SELECT lower(contact.email), number FROM leadscoring_score score
    JOIN leadscoring_contact contact ON contact.id = score.contact_id,
        generate_series(1, score.cycle) number
    WHERE NOT EXISTS (SELECT FROM crm_sync_handoff row
        WHERE row.contact_id = score.contact_id AND row.cycle = number)
"""


@dataclass(frozen=True)
class Crossing:
    """A lead that sales must hear of once, and what its side of the ledger says; no status: no row."""

    email: str
    cycle: int = 1
    reference: str = ""
    status: str = ""
    because: str = ""
    record_id: str = ""
    owner_id: str = ""
    task_id: str = ""

    def __str__(self) -> str:
        return f"{self.email} cycle {self.cycle} {self.reference} {self.status}".strip()


@dataclass(frozen=True)
class Task:
    """A task that is, or once was, in the CRM. `emails`: whose records it hangs on."""

    id: str
    references: frozenset[str]
    record_ids: frozenset[str]
    emails: frozenset[str]
    owner_id: str
    archived: bool


@dataclass
class CrmRecord:
    """All tasks, the record ids of each address, the owners that may be given tasks."""

    tasks: list[Task] = field(default_factory=list)
    record_ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    owners: set[str] = field(default_factory=set)


def references(text: str) -> frozenset[str]:
    """All references of handoffs in a task's text."""
    return frozenset(REFERENCE.findall(text))


def asked(url: str) -> Any:
    """The JSON that an address answers."""
    with urllib.request.urlopen(url, timeout=120) as answer:
        return json.loads(answer.read())


def crossings(database_url: str, taken: Iterable[str]) -> list[Crossing]:
    """Every crossing: the ledger's rows, scores that crossed without one, and people whose decisive
    activity was `taken` by the API but who have neither."""
    with psycopg.connect(database_url) as database:
        found = [Crossing(*row) for row in database.execute(ROWS)]
        found += [Crossing(*row) for row in database.execute(UNWRITTEN)]
    known = {crossing.email for crossing in found}
    return found + [Crossing(email) for email in taken if email not in known]

"""What differs between the CRMs that a storm goes over: the stand-in's options and its record of tasks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.record import CrmRecord, Task, references

RATE = 190  # requests in ten seconds, HubSpot's most common limit


@dataclass(frozen=True)
class StormyCrm:
    """`options`: of the stand-in; `settings`: of the product; `record`: of the stand-in's dump.

    `unique`: the stand-in's dial by which it takes a second task of one reference, or refuses it; "" where
    the CRM cannot refuse one.
    """

    record: Callable[[dict[str, Any]], CrmRecord]
    options: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    unique: str = ""


def hubspot_record(store: dict[str, Any]) -> CrmRecord:
    there = CrmRecord(owners={key for key, one in store["owners"].items() if not one["archived"]})
    emails = {}
    for row in store["records"]["contacts"]:
        emails[row["id"]] = row["properties"].get("email", "").lower()
        there.record_ids[emails[row["id"]]].append(row["id"])
    hangs = defaultdict(set)
    for kind, id_, other_kind, other_id, _ in store["links"]:
        if (kind, other_kind) == ("tasks", "contacts"):
            hangs[id_].add(other_id)
    there.tasks = [hubspot_task(row, hangs[row["id"]], emails) for row in store["records"]["tasks"]]
    return there


def hubspot_task(row: dict[str, Any], record_ids: Iterable[str], emails: dict[str, str]) -> Task:
    has = row["properties"]
    return Task(
        id=row["id"],
        references=references(has.get("hs_task_body", "")),
        record_ids=frozenset(record_ids),
        emails=frozenset(emails[id_] for id_ in record_ids),
        owner_id=has.get("hubspot_owner_id", ""),
        archived=row["archived_at"] is not None,
    )


CRMS = {
    "hubspot": StormyCrm(
        hubspot_record,
        ("--rate", str(RATE)),
        {"HUBSPOT_REQUESTS_PER_10S": str(RATE)},
        "unique_task_properties",
    ),
}

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


def salesforce_record(store: dict[str, Any]) -> CrmRecord:
    rows = {
        name: [row["values"] | {"Id": row["id"]} for row in store["records"][name]]
        for name in ("User", "Lead", "Contact", "Task")
    }
    there = CrmRecord(owners={user["Id"] for user in rows["User"] if user["IsActive"]})
    emails = {}
    for person in [*rows["Contact"], *rows["Lead"]]:
        emails[person["Id"]] = (person.get("Email") or "").lower()
        there.record_ids[emails[person["Id"]]].append(person["Id"])
    there.tasks = [salesforce_task(row, emails) for row in rows["Task"]]
    return there


def salesforce_task(row: dict[str, Any], emails: Mapping[str, str]) -> Task:
    who = row.get("WhoId") or ""
    return Task(
        id=row["Id"],
        references=references(row.get("Description") or ""),
        record_ids=frozenset({who} - {""}),
        emails=frozenset({emails.get(who, "")} - {""}),
        owner_id=row["OwnerId"],
        archived=bool(row.get("IsDeleted")),
    )


def pipedrive_record(store: dict[str, Any]) -> CrmRecord:
    users, records = store["users"].values(), store["records"]
    there = CrmRecord(owners={str(user["id"]) for user in users if user["active_flag"]})
    emails = {}
    for person in records["persons"]:
        id_, addresses = str(person["id"]), person["emails"]
        emails[id_] = addresses[0]["value"].lower() if addresses else ""
        there.record_ids[emails[id_]].append(id_)
    there.tasks = [pipedrive_activity(row, emails) for row in records["activities"]]
    return there


def pipedrive_activity(row: dict[str, Any], emails: Mapping[str, str]) -> Task:
    people = {str(each["person_id"]) for each in row["participants"]}
    return Task(
        id=str(row["id"]),
        references=references(row["note"] or ""),
        record_ids=frozenset(people),
        emails=frozenset(emails[id_] for id_ in people if id_ in emails),
        owner_id=str(row["owner_id"]),
        archived=row["is_deleted"],
    )


CRMS = {
    "hubspot": StormyCrm(
        hubspot_record,
        ("--rate", str(RATE)),
        {"HUBSPOT_REQUESTS_PER_10S": str(RATE)},
        "unique_task_properties",
    ),
    "salesforce": StormyCrm(salesforce_record, ("--daily", "0")),
    "pipedrive": StormyCrm(pipedrive_record, ("--daily", "10000000")),
}

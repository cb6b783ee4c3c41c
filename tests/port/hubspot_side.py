"""The other side of HubSpot's adapter: the sandbox, asked over HTTP without our own client."""

import json
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from redis import Redis

from crm_sync.hubspot import entry
from crm_sync.hubspot.transport.versions import CLASSIC, path_in
from sandbox.hubspot.server import Sandbox
from sandbox.hubspot.settings import ALL_SCOPES

TOKEN = "pat-na1-made-up"
CONTACTS, DEALS, TASKS = (f"/crm/v3/objects/{kind}" for kind in ("contacts", "deals", "tasks"))
COMPANIES, LINKS = "/crm/v3/objects/companies", "/crm/v4/associations"
STAGES = {"mql": "marketingqualifiedlead", "sql": "salesqualifiedlead"}

LOST_REASON = {
    "name": "closed_lost_reason",
    "label": "Closed Lost Reason",
    "type": "string",
    "fieldType": "textarea",
    "groupName": "dealinformation",
}


def forget_hubspot(redis_url: str) -> None:
    """Forget what was learned of the account under one address and token: limits, pages, fields."""
    redis = _redis(redis_url)
    learned = [*redis.scan_iter("hubspot:*"), *redis.scan_iter("*crm-properties:*")]
    if learned:
        redis.delete(*learned)
    entry._connected.cache_clear()


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url)


class HubSpotSide:
    abilities = frozenset(
        [
            "guard",
            "batch_of_100",
            "started",
            "shared_tasks",
            "tasks_without_contact",
            "several_addresses",
            "lifecycle_order",
            "former_ids",
            "short_pages",
            "lost_reason",
            "retry_after",
            "end_of_support",
            "short_pages",
        ]
    )
    token = TOKEN
    text_property = "jobtitle"
    number_property = "lead_score"
    lifecycle_property = "lifecyclestage"
    stage_of_their_own = "other"
    active_owner = "712340001"
    other_owner = "712340002"
    archived_owner = "712340004"
    open_stage = ("default", "contractsent")
    won_stage = ("default", "closedwon")
    lost_stage = ("default", "closedlost")

    def __init__(self, sandbox: Sandbox, version: str = CLASSIC) -> None:
        """`version`: what the adapter under test speaks; this side speaks v3 and v4."""
        self.version = version
        self.sandbox = sandbox
        self.url = sandbox.url
        self.own: list[tuple[str, str]] = []  # requests that are ours, not the adapter's

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.own.append((method, path.partition("?")[0]))
        request = urllib.request.Request(
            self.sandbox.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")

    def trouble(self, kind: str, path: str = "/", **more: Any) -> None:
        path = path_in(self.version, path)
        fault = {"kind": kind, "match": {"path_prefix": path}, **more}
        self.ask("POST", "/sandbox/faults", fault)

    def seen(self) -> list[dict[str, Any]]:
        """Every API request so far: method, path, status."""
        return self.ask("GET", "/sandbox/requests")

    def add_contact(self, email: str, *, owner_id: str = "", lifecycle_stage: str = "") -> str:
        stage = STAGES.get(lifecycle_stage, lifecycle_stage)
        sent = {"email": email, "hubspot_owner_id": owner_id, "lifecyclestage": stage}
        return self.ask("POST", CONTACTS, {"properties": sent})["id"]

    def merge(self, kept: str, gone: str) -> str:
        both = {"primaryObjectId": kept, "objectIdToMerge": gone}
        return self.ask("POST", f"{CONTACTS}/merge", both)["id"]

    def archive(self, record_id: str) -> None:
        self.ask("DELETE", f"{CONTACTS}/{record_id}")

    def erase(self, record_id: str) -> None:
        self.ask("POST", f"{CONTACTS}/gdpr-delete", {"objectId": record_id})

    def restore(self, record_id: str, kind: str = "contacts") -> None:
        """People restore records in HubSpot's own pages; there is no call for it."""
        with self.sandbox.state.lock:
            record = self.sandbox.store.records[kind][record_id]
            self.sandbox.store.restore(record, datetime.now(UTC))

    def forbid_opting_out(self) -> None:
        self.allow(scope for scope in ALL_SCOPES if "communication" not in scope)

    def opt_out(self, record_id: str) -> None:
        self.set(record_id, hs_email_optout="true")

    def set(self, record_id: str, **properties: str) -> None:
        self.ask("PATCH", f"{CONTACTS}/{record_id}", {"properties": properties})

    def value(self, record_id: str, name: str) -> str:
        found = self.ask("GET", f"{CONTACTS}/{record_id}?properties={name}")
        return found["properties"][name] or ""

    def contacts(self) -> int:
        return len(self.ask("GET", f"{CONTACTS}?limit=100")["results"])

    def add_deal(self, name: str, stage: tuple[str, str], *record_ids: str) -> str:
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}
        deal = {
            "properties": {"dealname": name, "pipeline": stage[0], "dealstage": stage[1]},
            "associations": [{"to": {"id": id_}, "types": [spec]} for id_ in record_ids],
        }
        return self.ask("POST", DEALS, deal)["id"]

    def move_deal(self, deal_id: str, stage: tuple[str, str]) -> None:
        said = {"pipeline": stage[0], "dealstage": stage[1]}
        self.ask("PATCH", f"{DEALS}/{deal_id}", {"properties": said})

    def archive_deal(self, deal_id: str) -> None:
        self.ask("DELETE", f"{DEALS}/{deal_id}")

    def restore_deal(self, deal_id: str) -> None:
        self.restore(deal_id, "deals")

    def associate_deal(self, deal_id: str, record_id: str) -> None:
        """As HubSpot's own pages do it; neither record counts as changed by that."""
        self.ask(
            "PUT", f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{record_id}"
        )

    def unhang_deal(self, deal_id: str, record_id: str) -> None:
        self.ask("DELETE", f"/crm/v4/objects/deals/{deal_id}/associations/contacts/{record_id}")

    def merge_deals(self, kept: str, gone: str) -> None:
        self.ask("POST", f"{DEALS}/merge", {"primaryObjectId": kept, "objectIdToMerge": gone})

    def import_many(self, kind: str, many: int) -> list[str]:
        """Imports are HubSpot's own work; what they leave behind is one time on many records."""
        at, store = datetime.now(UTC), self.sandbox.store
        with self.sandbox.state.lock:
            return [store.create(kind, at).id for _ in range(many)]

    def explain_loss(self, deal_id: str, reason: str) -> None:
        """An account that has the property, which the stand-in's at first has not."""
        self.ask("POST", "/crm/v3/properties/deals", LOST_REASON)
        self.ask("PATCH", f"{DEALS}/{deal_id}", {"properties": {LOST_REASON["name"]: reason}})

    def add_tasks(self, record_id: str, many: int) -> None:
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}
        task = {
            "properties": {"hs_timestamp": "2026-05-04T09:00:00Z"},
            "associations": [{"to": {"id": record_id}, "types": [spec]}],
        }
        for start in range(0, many, 100):
            self.ask("POST", f"{TASKS}/batch/create", {"inputs": [task] * min(100, many - start)})

    def finish(self, task_id: str) -> None:
        done = {"properties": {"hs_task_status": "COMPLETED"}}
        self.ask("PATCH", f"{TASKS}/{task_id}", done)

    def begin(self, task_id: str) -> None:
        begun = {"properties": {"hs_task_status": "IN_PROGRESS"}}
        self.ask("PATCH", f"{TASKS}/{task_id}", begun)

    def delete_task(self, task_id: str) -> None:
        self.ask("DELETE", f"{TASKS}/{task_id}")

    def associate(self, task_id: str, record_ids: list[str]) -> None:
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}
        links = [
            {"from": {"id": task_id}, "to": {"id": record_id}, "types": [spec]}
            for record_id in record_ids
        ]
        self.ask("POST", f"{LINKS}/tasks/contacts/batch/create", {"inputs": links})

    def employ(self, record_id: str, owner_id: str) -> None:
        company = {"properties": {"name": "Acme", "hubspot_owner_id": owner_id}}
        company_id = self.ask("POST", COMPANIES, company)["id"]
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}
        link = {"from": {"id": record_id}, "to": {"id": company_id}, "types": [spec]}
        self.ask("POST", f"{LINKS}/contacts/companies/batch/create", {"inputs": [link]})

    def touch(self, record_id: str, at: datetime) -> None:
        """The property is HubSpot's own: nobody can write it over the API."""
        with self.sandbox.state.lock:
            record = self.sandbox.store.records["contacts"][record_id]
            self.sandbox.store.write(record, {"notes_last_contacted": at.isoformat()}, at)

    def remove_property(self, name: str, kind: str = "contacts") -> None:
        self.ask("DELETE", f"/crm/v3/properties/{kind}/{name}")

    def hide_companies(self) -> None:
        self.allow(scope for scope in ALL_SCOPES if "companies" not in scope)

    def forbid_writing(self) -> None:
        self.allow(scope for scope in ALL_SCOPES if not scope.endswith("contacts.write"))

    def allow(self, scopes: Iterable[str]) -> None:
        self.ask("POST", "/sandbox/settings", {"tokens": {TOKEN: {"scopes": list(scopes)}}})

    def refuse(self, *, times: int) -> None:
        path = f"{TASKS}/batch/create"
        self.trouble("status", path, status=400, body={"message": "no"}, times=times)

    def requests(self) -> int:
        return len(self.seen())

    def tasks(self) -> list[str]:
        found = self.ask("GET", f"{TASKS}?limit=100&properties=hs_task_subject")["results"]
        return [each["properties"]["hs_task_subject"] for each in found]

    def be_busy(self, seconds: int) -> None:
        body = {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
        self.trouble("status", status=429, body=body, headers={"Retry-After": str(seconds)})

    def go_silent(self) -> None:
        self.trouble("drop_after")

    def revoke(self) -> None:
        self.ask("POST", "/sandbox/settings", {"tokens": {}})

"""The other side of Pipedrive's adapter: the stand-in, asked over HTTP without our own client."""

import json
import time
import urllib.request
from datetime import UTC, datetime
from functools import cache
from typing import Any

from redis import Redis

from sandbox.pipedrive import deals, persons
from sandbox.pipedrive.definitions import ANA, KIM, TOM
from sandbox.pipedrive.moments import stamp
from sandbox.pipedrive.server import Sandbox

TOKEN = "a-made-up-api-token-of-forty-characters0"
PERSONS, DEALS, ACTIVITIES = (f"/api/v2/{kind}" for kind in ("persons", "deals", "activities"))
FIELDS = "/api/v2/personFields"
# How the product's own fields are called there; their codes are another in each account.
TEXT, NUMBER, LIFECYCLE, OPT_OUT = "Job title", "Lead score", "Lifecycle stage", "E-mail opt-out"
STAGES = {"mql": "Marketing qualified", "sql": "Sales qualified", "customer": "Customer"}
OPTED_OUT = "Opted out"


def forget_pipedrive(redis_url: str) -> None:
    """Forget what was learned of the account under one address and token: limits, fields, lists."""
    redis = _redis(redis_url)
    learned = [*redis.scan_iter("pipedrive:*"), *redis.scan_iter("*crm-properties:*")]
    if learned:
        redis.delete(*learned)


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url)


class PipedriveSide:
    abilities = frozenset(["shared_tasks", "several_addresses", "lost_reason", "retry_after"])
    token = TOKEN
    stage_of_their_own = "Other"
    active_owner, other_owner, archived_owner = str(KIM), str(ANA), str(TOM)
    # Won and lost are no stages there: the adapter tells one more of each for every pipeline.
    open_stage, won_stage, lost_stage = ("1", "15"), ("1", "won"), ("1", "lost")

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url
        self.own: list[tuple[str, str]] = []  # requests that are ours, not the adapter's

    @property
    def text_property(self) -> str:
        return self.field(TEXT)["field_code"]

    @property
    def number_property(self) -> str:
        return self.field(NUMBER)["field_code"]

    @property
    def lifecycle_property(self) -> str:
        return self.field(LIFECYCLE)["field_code"]

    def field(self, label: str) -> dict[str, Any]:
        """A field by what people call it."""
        known = self.ask("GET", f"{FIELDS}?limit=500")["data"]
        return next(each for each in known if each["field_name"] == label)

    def chosen(self, label: str, option: str) -> dict[str, int]:
        """A value of a field of choices; an option that lacks is made."""
        field = self.field(label)
        ids = {each["label"]: each["id"] for each in field["options"]}
        if option not in ids:
            path = f"{FIELDS}/{field['field_code']}/options"
            (made,) = self.ask("POST", path, [{"label": option}])["data"]
            ids[option] = made["id"]
        return {field["field_code"]: ids[option]}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.own.append((method, path.partition("?")[0]))
        request = urllib.request.Request(
            self.sandbox.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"x-api-token": TOKEN, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def made(self, path: str, body: Any) -> str:
        return str(self.ask("POST", path, body)["data"]["id"])

    def trouble(self, kind: str, path: str = "/", **more: Any) -> None:
        fault = {"kind": kind, "match": {"path_prefix": path}, **more}
        self.ask("POST", "/sandbox/faults", fault)

    def seen(self) -> list[dict[str, Any]]:
        """Every API request so far: method, path, status."""
        return self.ask("GET", "/sandbox/requests")

    def add_contact(self, email: str, *, owner_id: str = "", lifecycle_stage: str = "") -> str:
        sent: dict[str, Any] = {"name": email.partition("@")[0], "emails": [{"value": email}]}
        if owner_id:
            sent["owner_id"] = int(owner_id)
        if lifecycle_stage:
            stage = STAGES.get(lifecycle_stage, lifecycle_stage)
            sent["custom_fields"] = self.chosen(LIFECYCLE, stage)
        return self.made(PERSONS, sent)

    def merge(self, kept: str, gone: str) -> str:
        self.ask("PUT", f"/v1/persons/{gone}/merge", {"merge_with_id": int(kept)})
        return kept

    def archive(self, record_id: str) -> None:
        self.ask("DELETE", f"{PERSONS}/{record_id}")

    def erase(self, record_id: str) -> None:
        """What Pipedrive does by itself thirty days after a person was deleted."""
        with self.sandbox.state.lock:
            store = self.sandbox.store
            store.erase(store.records["persons"][int(record_id)])

    def restore(self, record_id: str, kind: str = "persons") -> None:
        """People restore records in the web app; there is no call for it."""
        with self.sandbox.state.lock:
            record = self.sandbox.store.records[kind][int(record_id)]
            self.sandbox.store.restore(record, datetime.now(UTC))

    def forbid_opting_out(self) -> None:
        self.forbid("persons write")

    def opt_out(self, record_id: str) -> None:
        if self.sandbox.settings.campaigns:
            self.change(record_id, marketing_status="unsubscribed")
        else:
            self.change(record_id, custom_fields=self.chosen(OPT_OUT, OPTED_OUT))

    def change(self, record_id: str, **values: Any) -> None:
        self.ask("PATCH", f"{PERSONS}/{record_id}", values)

    def value(self, record_id: str, name: str) -> str:
        value = self.ask("GET", f"{PERSONS}/{record_id}")["data"]["custom_fields"][name]
        if isinstance(value, float):
            return f"{value:g}"
        return "" if value is None else str(value)

    def contacts(self) -> int:
        return len(self.ask("GET", f"{PERSONS}?limit=500")["data"])

    def add_deal(self, name: str, stage: tuple[str, str], *record_ids: str) -> str:
        deal: dict[str, Any] = {"title": name, **_staged(stage)}
        if record_ids:
            deal["person_id"] = int(record_ids[0])
        deal_id = self.made(DEALS, deal)
        for record_id in record_ids[1:]:
            self.associate_deal(deal_id, record_id)
        return deal_id

    def move_deal(self, deal_id: str, stage: tuple[str, str]) -> None:
        """In a second of its own: times have no fractions there."""
        time.sleep(1.01 - time.time() % 1)
        self.ask("PATCH", f"{DEALS}/{deal_id}", _staged(stage))

    def archive_deal(self, deal_id: str) -> None:
        self.ask("DELETE", f"{DEALS}/{deal_id}")

    def restore_deal(self, deal_id: str) -> None:
        self.restore(deal_id, "deals")

    def associate_deal(self, deal_id: str, record_id: str) -> None:
        self.ask("POST", f"/v1/deals/{deal_id}/participants", {"person_id": int(record_id)})

    def unhang_deal(self, deal_id: str, record_id: str) -> None:
        rows = self.ask("GET", f"/v1/deals/{deal_id}/participants")["data"]
        row = next(each["id"] for each in rows if each["person_id"]["value"] == int(record_id))
        self.ask("DELETE", f"/v1/deals/{deal_id}/participants/{row}")

    def merge_deals(self, kept: str, gone: str) -> None:
        self.ask("PUT", f"/v1/deals/{gone}/merge", {"merge_with_id": int(kept)})

    def import_many(self, kind: str, many: int) -> list[str]:
        """Imports are Pipedrive's own work; what they leave behind is one time on many records."""
        at, store = datetime.now(UTC), self.sandbox.store
        person = {"name": "Imported"}
        deal = {"title": "Imported", "pipeline_id": 1, "stage_id": 11}
        kept, values = {
            "contacts": ("persons", persons.fresh(KIM) | person),
            "deals": ("deals", deals.fresh(KIM) | deal),
        }[kind]
        with self.sandbox.state.lock:
            return [str(store.create(kept, values, at).id) for _ in range(many)]

    def explain_loss(self, deal_id: str, reason: str) -> None:
        self.ask("PATCH", f"{DEALS}/{deal_id}", {"lost_reason": reason})

    def add_tasks(self, record_id: str, many: int) -> None:
        made = self.ask("POST", ACTIVITIES, _task("Call", record_id))["data"]
        at, store = datetime.now(UTC), self.sandbox.store
        with self.sandbox.state.lock:
            first = store.records["activities"][made["id"]].values
            fields = {name: first[name] for name in first.keys() - {"id", "add_time"}}
            for _ in range(many - 1):
                store.create("activities", fields, at)

    def finish(self, task_id: str) -> None:
        self.ask("PATCH", f"{ACTIVITIES}/{task_id}", {"done": True})

    def begin(self, task_id: str) -> None:
        """Nothing there says that a rep has begun."""

    def delete_task(self, task_id: str) -> None:
        self.ask("DELETE", f"{ACTIVITIES}/{task_id}")

    def associate(self, task_id: str, record_ids: list[str]) -> None:
        first = self.ask("GET", f"{ACTIVITIES}/{task_id}")["data"]["person_id"]
        rows = [
            {"person_id": int(each), "primary": int(each) == first} for each in [first, *record_ids]
        ]
        self.ask("PATCH", f"{ACTIVITIES}/{task_id}", {"participants": rows})

    def tasks(self) -> list[str]:
        return [each["subject"] for each in self.ask("GET", f"{ACTIVITIES}?limit=500")["data"]]

    def employ(self, record_id: str, owner_id: str) -> None:
        """A company that nobody owns is the user's whose token made it."""
        owner = {"owner_id": int(owner_id)} if owner_id else {}
        company = self.made("/api/v2/organizations", {"name": "Acme", **owner})
        self.change(record_id, org_id=int(company))

    def touch(self, record_id: str, at: datetime) -> None:
        """Mail is written in Pipedrive's own pages; what shows of it is a time."""
        with self.sandbox.state.lock:
            person = self.sandbox.store.records["persons"][int(record_id)]
            self.sandbox.store.write(person, {"last_outgoing_mail_time": stamp(at)}, at)

    def remove_property(self, name: str) -> None:
        self.ask("DELETE", f"{FIELDS}/{name}")

    def hide_companies(self) -> None:
        self.forbid("organizations")

    def forbid_writing(self) -> None:
        self.forbid("persons write", "activities write", admin=False)

    def forbid(self, *what: str, admin: bool = True) -> None:
        token = {"forbidden": list(what), "admin": admin}
        self.ask("POST", "/sandbox/settings", {"tokens": {TOKEN: token}})

    def refuse(self, *, times: int) -> None:
        self.trouble("status", ACTIVITIES, status=400, body={"success": False}, times=times)

    def requests(self) -> int:
        return len(self.seen())

    def be_busy(self, seconds: int) -> None:
        body = {"success": False, "error": "Request over limit", "errorCode": 429}
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(seconds)}
        self.trouble("status", status=429, body=body, headers=headers)

    def go_silent(self) -> None:
        self.trouble("drop_after")

    def revoke(self) -> None:
        self.ask("POST", "/sandbox/settings", {"tokens": {}})


def _staged(stage: tuple[str, str]) -> dict[str, Any]:
    """A deal that is won or lost keeps the stage that it was in."""
    pipeline, name = stage
    if name in ("won", "lost"):
        return {"pipeline_id": int(pipeline), "status": name}
    return {"pipeline_id": int(pipeline), "stage_id": int(name), "status": "open"}


def _task(subject: str, record_id: str) -> dict[str, Any]:
    participants = [{"person_id": int(record_id), "primary": True}]
    return {"subject": subject, "type": "task", "participants": participants}

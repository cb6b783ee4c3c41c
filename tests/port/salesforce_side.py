"""The other side of Salesforce's adapter: the stand-in, asked over HTTP as an administrator, without our own client."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from redis import Redis

from sandbox.salesforce.org.store import Record
from sandbox.salesforce.server import Sandbox
from sandbox.salesforce.writing import recycle_bin

CLIENT_ID, CLIENT_SECRET = "3MVG9.made-up", "made-up-secret"
VERSION = "67.0"
DATA = f"/services/data/v{VERSION}"
SOBJECTS, COLLECTION = f"{DATA}/sobjects", f"{DATA}/composite/sobjects"
STAGES = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "mql": "Marketing Qualified",
    "sql": "Sales Qualified",
    "opportunity": "Opportunity",
    "customer": "Customer",
}
LOSS_REASON = {"FullName": "Opportunity.Loss_Reason__c",
               "Metadata": {"label": "Loss reason", "type": "Text", "length": 255}}  # fmt: skip
QUIET = {
    "Sforce-Auto-Assign": "FALSE",
    "Sforce-Duplicate-Rule-Header": "allowSave=true",
    "Content-Type": "application/json",
}


def forget_salesforce(redis_url: str) -> None:
    """Forget what was learned of the org: its token, limits, fields."""
    redis = Redis.from_url(redis_url)
    learned = [*redis.scan_iter("salesforce:*"), *redis.scan_iter("*crm-properties:*")]
    if learned:
        redis.delete(*learned)
    redis.close()


class SalesforceSide:
    """`kind`: what is added as a contact. Leads have neither deals nor companies: they are converted for them,
    which gives them another id."""

    abilities = frozenset(["guard", "batch_of_100", "started", "lost_reason", "end_of_support"])
    token = CLIENT_ID
    secret = CLIENT_SECRET
    text_property = "Title"
    number_property = "Lead_Score__c"
    lifecycle_property = "Lifecycle_Stage__c"
    stage_of_their_own = "Evangelist"

    def __init__(self, sandbox: Sandbox, kind: str = "Contact") -> None:
        self.sandbox = sandbox
        self.kind = kind
        self.url = sandbox.url
        self.own: list[tuple[str, str]] = []  # requests that are ours, not the adapter's
        people, self._session = sandbox.people, sandbox.session_of(sandbox.people.administrator)
        self.active_owner, self.other_owner = people.kim, people.ana
        self.archived_owner = people.tom
        pipeline = next(each.id for each in sandbox.store.all("RecordType"))
        self.open_stage = (pipeline, "Proposal/Price Quote")
        self.won_stage = (pipeline, "Closed Won")
        self.lost_stage = (pipeline, "Closed Lost")
        self.have_loss_reason()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.own.append((method, path.partition("?")[0]))
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._session}"} | QUIET,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")

    def query(self, text: str) -> list[dict[str, Any]]:
        found = self.ask("GET", f"{DATA}/query?q={quote(text)}")
        rows: list[dict[str, Any]] = found["records"]
        while not found["done"]:
            found = self.ask("GET", found["nextRecordsUrl"])
            rows += found["records"]
        return rows

    def add(self, kind: str, **values: Any) -> str:
        return self.ask("POST", f"{SOBJECTS}/{kind}", values)["id"]

    def set(self, record_id: str, **values: Any) -> None:
        self.see_fields()
        self.ask("PATCH", f"{SOBJECTS}/{self.record(record_id).object}/{record_id}", values)

    def record(self, record_id: str) -> Record:
        found = self.sandbox.store.find(record_id)
        assert found, record_id
        return found

    def see_fields(self) -> None:
        """Give the administrator every permission set: else nobody but the adapter sees its fields."""
        store, user = self.sandbox.store, self.sandbox.people.administrator
        with self.sandbox.state.lock:
            held = store.live_holding("PermissionSetAssignment", "AssigneeId", user)
            for missing in store.records["PermissionSet"].keys() - {
                each.get("PermissionSetId") for each in held
            }:
                both = {"PermissionSetId": missing, "AssigneeId": user}
                store.add("PermissionSetAssignment", both, datetime.now(UTC), user)

    def trouble(self, kind: str, path: str = DATA, **more: Any) -> None:
        match = {"path_prefix": path} | more.pop("match", {})
        self.ask("POST", "/sandbox/faults", {"kind": kind, "match": match, **more})

    def turn(self, name: str, target: str = "") -> None:
        """Turn a switch of the account."""
        self.ask("POST", "/sandbox/faults", {"name": name, "target": target})

    def seen(self) -> list[dict[str, Any]]:
        """Every API request so far: method, path, status."""
        return self.ask("GET", "/sandbox/requests")

    def later(self) -> None:
        """Times are whole seconds: let the next change come in another one."""
        self.sandbox.settings.clock_ahead += 1

    @property
    def now(self) -> datetime:
        return self.sandbox.state.clock(datetime.now(UTC))

    # Contacts

    def add_contact(self, email: str, *, owner_id: str = "", lifecycle_stage: str = "") -> str:
        owner = owner_id or self.sandbox.people.integration
        values = {"LastName": email.partition("@")[0], "Email": email, "OwnerId": owner}
        company = {"Company": "Acme"} if self.kind == "Lead" else {}
        id_ = self.add(self.kind, **values, **company)
        if lifecycle_stage:
            stage = STAGES.get(lifecycle_stage, lifecycle_stage)
            self.set(id_, **{self.lifecycle_property: stage})
        return id_

    def merge(self, kept: str, gone: str) -> str:
        """REST has no call for it."""
        store, by = self.sandbox.store, self.sandbox.people.administrator
        with self.sandbox.state.lock:
            recycle_bin.merge(store, self.record(kept), self.record(gone), self.now, by)
        return kept

    def convert(self, lead_id: str, deal: str = "") -> str:
        """A rep converts a lead; answers its contact. REST has no call for it."""
        store, by = self.sandbox.store, self.sandbox.people.administrator
        with self.sandbox.state.lock:
            return recycle_bin.convert(store, self.record(lead_id), self.now, by, deal=deal).id

    def converted(self, record_id: str) -> str:
        """The contact that a lead is, or becomes now."""
        record = self.record(record_id)
        if record.object == "Contact":
            return record_id
        return record.get("ConvertedContactId") or self.convert(record_id)

    def archive(self, record_id: str) -> None:
        self.ask("DELETE", f"{SOBJECTS}/{self.record(record_id).object}/{record_id}")

    def erase(self, record_id: str) -> None:
        self.archive(record_id)
        with self.sandbox.state.lock:
            recycle_bin.erase(self.sandbox.store, self.record(record_id))

    def restore(self, record_id: str) -> None:
        """People restore records in the recycle bin; REST has no call for it."""
        with self.sandbox.state.lock:
            recycle_bin.undelete(self.sandbox.store, self.record(record_id), self.now)

    def opt_out(self, record_id: str) -> None:
        self.set(record_id, HasOptedOutOfEmail=True)

    def forbid_opting_out(self) -> None:
        for kind in ("Lead", "Contact"):
            self.turn("field_read_only", f"{kind}.HasOptedOutOfEmail")

    def value(self, record_id: str, name: str) -> str:
        """A number that is whole as people write it."""
        held = self.record(record_id).get(name)
        return "" if held is None else str(held).removesuffix(".0")

    def contacts(self) -> int:
        store = self.sandbox.store
        return sum(len(list(store.live(kind))) for kind in ("Lead", "Contact"))

    def employ(self, record_id: str, owner_id: str) -> None:
        """Every company has an owner; nobody's are those of whoever imported them."""
        owner = owner_id or self.sandbox.people.integration
        account = self.add("Account", Name="Acme", OwnerId=owner)
        self.set(self.converted(record_id), AccountId=account)

    def touch(self, record_id: str, at: datetime) -> None:
        """A call that was logged then; when a task was closed is Salesforce's own to write."""
        closed = {"Subject": "Call", "Status": "Completed", "ActivityDate": at.date().isoformat()}
        task = self.record(self.add("Task", WhoId=record_id, **closed))
        with self.sandbox.state.lock:
            self.sandbox.store.set(task, {"CompletedDateTime": at}, self.now)

    def import_many(self, kind: str, many: int) -> list[str]:
        """Imports are Salesforce's own work; what they leave behind is one time on many records."""
        store, by, at = self.sandbox.store, self.sandbox.people.administrator, self.now
        name, values = (
            (self.kind, {"LastName": "x", "Name": "x"})
            if kind == "contacts"
            else ("Opportunity", {"Name": "x", "StageName": self.open_stage[1]})
        )
        with self.sandbox.state.lock:
            return [store.add(name, values | {"OwnerId": by}, at, by).id for _ in range(many)]

    # Deals

    def add_deal(self, name: str, stage: tuple[str, str], *record_ids: str) -> str:
        closes = (self.now + timedelta(days=30)).date().isoformat()
        deal_id = self.add(
            "Opportunity", Name=name, RecordTypeId=stage[0], StageName=stage[1], CloseDate=closes
        )
        for record_id in record_ids:
            self.associate_deal(deal_id, record_id)
        return deal_id

    def associate_deal(self, deal_id: str, record_id: str) -> str:
        contact = self.converted(record_id)
        return self.add("OpportunityContactRole", OpportunityId=deal_id, ContactId=contact)

    def move_deal(self, deal_id: str, stage: tuple[str, str]) -> None:
        self.later()
        self.set(deal_id, RecordTypeId=stage[0], StageName=stage[1])

    def archive_deal(self, deal_id: str) -> None:
        self.archive(deal_id)

    def restore_deal(self, deal_id: str) -> None:
        self.restore(deal_id)

    def have_loss_reason(self) -> None:
        """An org has such a field when somebody makes it, and lets the adapter see it."""
        self.ask("POST", f"{DATA}/tooling/sobjects/CustomField", LOSS_REASON)
        user = self.sandbox.people.integration
        (held,) = self.query(
            f"SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '{user}'"
        )
        self.add(
            "FieldPermissions",
            ParentId=held["PermissionSetId"],
            SobjectType="Opportunity",
            Field=LOSS_REASON["FullName"],
            PermissionsRead=True,
        )

    def explain_loss(self, deal_id: str, reason: str) -> None:
        with self.sandbox.state.lock:
            by = self.sandbox.people.administrator
            self.sandbox.store.write(self.record(deal_id), {"Loss_Reason__c": reason}, self.now, by)

    # Tasks

    def add_tasks(self, record_id: str, many: int) -> None:
        task = {"attributes": {"type": "Task"}, "WhoId": record_id, "Subject": "Theirs"}
        for start in range(0, many, 200):
            self.ask("POST", COLLECTION, {"records": [task] * min(200, many - start)})

    def finish(self, task_id: str) -> None:
        self.set(task_id, Status="Completed")

    def begin(self, task_id: str) -> None:
        self.set(task_id, Status="In Progress")

    def delete_task(self, task_id: str) -> None:
        self.archive(task_id)

    def associate(self, task_id: str, record_ids: list[str]) -> None:
        """A task is for one person."""
        (record_id,) = record_ids
        self.set(task_id, WhoId=record_id)

    def tasks(self) -> list[str]:
        return [each["Subject"] for each in self.query("SELECT Subject FROM Task ORDER BY Id")]

    # The account

    def remove_property(self, name: str) -> None:
        where = f"DeveloperName = '{name.removesuffix('__c')}'"
        path = f"{DATA}/tooling/query?q={quote(f'SELECT Id FROM CustomField WHERE {where}')}"
        for each in self.ask("GET", path)["records"]:
            self.ask("DELETE", f"{DATA}/tooling/sobjects/CustomField/{each['Id']}")

    def hide_companies(self) -> None:
        self.turn("object_hidden", "Account")

    def forbid_writing(self) -> None:
        for kind in ("Lead", "Contact"):
            self.turn("object_read_only", kind)
        self.turn("tasks_read_only")

    def be_busy(self, seconds: int) -> None:
        """No word on when to come back."""
        said = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        self.trouble(
            "status", status=403, body=[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": said}]
        )

    def go_silent(self) -> None:
        self.trouble("drop_after")

    def refuse(self, *, times: int) -> None:
        body = [{"errorCode": "JSON_PARSER_ERROR", "message": "no"}]
        match = {"method": "POST", "path": COLLECTION}
        self.trouble("status", status=400, body=body, times=times, match=match)

    def requests(self) -> int:
        """Those for data; how often it logs in is its own affair."""
        return sum(each["path"].startswith(DATA) for each in self.seen())

    def revoke(self) -> None:
        self.ask("POST", "/sandbox/settings", {"client_secret": "another"})
        self.turn("sessions_ended")

"""Salesforce's org as the pages show and change it, under the same rules as through the API."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from html import escape

from ..server.desk import (
    Choice,
    Contact,
    ContactPage,
    Deal,
    DealFields,
    Group,
    Owner,
    Pipeline,
    Stage,
    Task,
)
from ..server.pages.words import day
from .org.access import Access
from .org.fields import Field
from .org.first import People
from .org.moments import as_json
from .org.store import Record, Store, Values
from .refusals import bad, not_found
from .settings import Settings
from .writing import recycle_bin
from .writing.rows import Writer
from .writing.rules import PEOPLE, Headers

OWNER, OPTED_OUT = "OwnerId", "HasOptedOutOfEmail"
MASTER = "012000000000000AAA"
SEARCHED = ("Name", "Email", "Company")
LINK = re.compile(r"https?://[^\s<]+")
CLOSES_IN = timedelta(days=30)
YES_NO = {"true": "Yes", "false": "No"}


class SalesforceDesk:
    """What is done here is done by the administrator, whom no assignment rule and no alert stops."""

    deal_fields = DealFields("Name", "Amount", "StageName", OWNER)

    def __init__(self, store: Store, people: People, settings: Settings, at: datetime) -> None:
        self._store = store
        self._at = at
        self._by = people.administrator
        headers = Headers(assign="FALSE", allow_save=True)
        self._writer = Writer(store, Access(store, self._by), settings, headers, at)
        self.account = str(store.organization.get("Name"))

    # Owners

    def owners(self) -> Sequence[Owner]:
        """Queues too: a lead in one is nobody's yet."""
        held = Counter(each.get(OWNER) for name in PEOPLE for each in self._store.live(name))
        users = [
            Owner(
                each.id,
                self._owner_name(each.id),
                each.get("Email"),
                bool(each.get("IsActive")),
                held[each.id],
            )
            for each in self._store.all("User")
            if each.get("UserType") == "Standard"
        ]
        queues = [
            Owner(each.id, each.get("Name"), "", True, held[each.id])
            for each in self._store.all("Group")
            if each.get("Type") == "Queue"
        ]
        return [*users, *queues]

    def archive_owner(self, owner_id: str, archived: bool) -> None:
        """Users are never deleted, they are deactivated."""
        user = self._store.find(owner_id, "User")
        if user is None:
            raise not_found("There is no such user.")
        self._store.write(user, {"IsActive": not archived}, self._at, self._by)

    def _owner_name(self, owner_id: str) -> str:
        owner = self._store.find(owner_id, "User", "Group")
        if owner is None:
            return owner_id or "nobody"
        gone = "" if owner.object == "Group" or owner.get("IsActive") else " (inactive)"
        return f"{owner.get('Name')}{gone}"

    def _owner_choice(self, record: Record) -> Choice:
        queues = record.object in ("Lead", "Task")
        names = {
            each.id: each.name
            for each in self.owners()
            if each.active and (queues or each.id.startswith("005"))
        }
        return Choice(OWNER, "Owner", names, record.get(OWNER) or "")

    # Leads and contacts

    def contacts(self, words: str, most: int) -> tuple[int, Sequence[Contact]]:
        found = [
            each
            for name in PEOPLE
            for each in self._store.live(name)
            if not each.get("IsConverted") and words in _text(each)
        ]
        found.sort(key=lambda each: (each.get("CreatedDate"), each.id), reverse=True)
        return len(found), [self._contact(each) for each in found[:most]]

    def contact(self, record_id: str) -> ContactPage:
        """Of a converted lead its contact, of a merged record the one that is left."""
        record = self._followed(self._record(record_id, *PEOPLE))
        owner = self._owner_choice(record)
        opted_out = Choice(
            OPTED_OUT, "Email opt out", YES_NO, str(bool(record.get(OPTED_OUT))).lower()
        )
        choices = [owner, opted_out]
        if record.object == "Lead":
            choices.insert(1, self._choice(record, "Status"))
        tasks = self._store.live_holding("Task", "WhoId", record.id)
        roles = self._store.live_holding("OpportunityContactRole", "ContactId", record.id)
        deals = [self._store.records["Opportunity"][each.get("OpportunityId")] for each in roles]
        return ContactPage(
            self._contact(record), choices, owner, self._groups(record),
            [self._task(each) for each in reversed(tasks)], [self._deal(each) for each in reversed(deals)],
        )  # fmt: skip

    def _followed(self, record: Record) -> Record:
        next_id = record.get("ConvertedContactId") or record.get("MasterRecordId")
        following = self._store.find(next_id, *PEOPLE)
        return self._followed(following) if following else record

    def change_contact(self, record_id: str, form: Mapping[str, str]) -> None:
        record = self._record(record_id, *PEOPLE)
        names = (OWNER, "Status") if record.object == "Lead" else (OWNER,)
        wanted: Values = {name: form[name] for name in names if name in form}
        if OPTED_OUT in form:
            wanted[OPTED_OUT] = form[OPTED_OUT] == "true"
        self._writer.update(record, wanted)

    def archive_contact(self, record_id: str, archived: bool) -> None:
        record = self._record(record_id, *PEOPLE)
        if archived:
            recycle_bin.delete(self._store, record, self._at)
        elif record.get("MasterRecordId"):
            raise bad("UNDELETE_FAILED", "A merged record cannot be restored.")
        else:
            recycle_bin.undelete(self._store, record, self._at)

    def make_deal(self, record_id: str, form: Mapping[str, str]) -> None:
        """A lead is converted for it: leads have no deals."""
        record, name = self._record(record_id, *PEOPLE), form.get("Name", "").strip() or "New deal"
        values: Values = {
            "Name": name,
            "StageName": form.get("StageName", ""),
            "CloseDate": self._at.date() + CLOSES_IN,
            "Amount": _amount(form.get("Amount", "")),
            OWNER: form.get(OWNER) or self._by,
        }
        if record.object == "Lead":
            record = recycle_bin.convert(self._store, record, self._at, self._by)
        deal = self._writer.create(
            self._store.objects["Opportunity"], values | {"AccountId": record.get("AccountId")}
        )
        role = {"OpportunityId": deal.id, "ContactId": record.id, "IsPrimary": True}
        self._writer.create(self._store.objects["OpportunityContactRole"], role)

    def _contact(self, record: Record) -> Contact:
        account = self._store.find(record.get("AccountId"), "Account")
        company = record.get("Company") or (account.get("Name") if account else "") or ""
        kind = record.get("Status") if record.object == "Lead" else "Contact"
        return Contact(
            record.id, record.get("Name") or record.id, record.get("Email") or "", company, record.get("Title") or "",
            kind or "", _plain(record.get("Lead_Score__c")), self._owner_name(record.get(OWNER) or ""), record.is_deleted,
        )  # fmt: skip

    def _groups(self, record: Record) -> Sequence[Group]:
        """All fields with a value: what the product made stands first."""
        fields = [
            each
            for each in self._store.objects[record.object].fields.values()
            if record.get(each.name) is not None
        ]
        parts = {
            "Fields of this org": [each for each in fields if each.custom],
            record.object: [each for each in fields if not each.custom],
        }
        return [
            Group(
                label,
                [(each.label, each.name, self._shown(each, record)) for each in members],
            )
            for label, members in parts.items()
            if members
        ]

    def _shown(self, field: Field, record: Record) -> str:
        value = record.get(field.name)
        if isinstance(value, datetime):
            return day(value)
        if field.lookup:
            target = self._store.find(value, *field.lookup)
            return str(target.get("Name") or value) if target else str(value)
        return _plain(value)

    def _choice(self, record: Record, name: str) -> Choice:
        field = self._store.objects[record.object].fields[name]
        options = {each.value: each.label or each.value for each in field.options if each.active}
        return Choice(name, field.label or name, options, record.get(name) or "")

    # Tasks

    def tasks(self) -> Sequence[Task]:
        return [self._task(each) for each in self._store.live("Task")]

    def task(self, record_id: str) -> Task:
        return self._task(self._record(record_id, "Task"))

    def set_task(self, record_id: str, status: str) -> None:
        self._writer.update(self._record(record_id, "Task"), {"Status": status})

    def log_contact(self, record_id: str) -> None:
        """A call with the lead, as reps log it: a task of its own that is closed already."""
        task = self._record(record_id, "Task")
        values = {
            "Subject": "Call",
            "TaskSubtype": "Call",
            "Status": self._status(closed=True),
            "ActivityDate": self._at.date(),
            "WhoId": task.get("WhoId"),
            OWNER: task.get(OWNER),
        }
        self._writer.create(self._store.objects["Task"], values)

    def _status(self, *, closed: bool) -> str:
        return next(
            str(each.get("ApiName"))
            for each in self._store.all("TaskStatus")
            if bool(each.get("IsClosed")) == closed
        )

    def _task(self, record: Record) -> Task:
        person = self._store.find(record.get("WhoId"), *PEOPLE)
        due = record.get("ReminderDateTime") or datetime.combine(
            record.get("ActivityDate") or self._at.date(), time(17), UTC
        )
        done = bool(record.get("IsClosed"))
        return Task(
            record.id, record.get("Subject") or record.id, _html(record.get("Description") or ""),
            [f"{record.get('Priority')} priority", str(record.get("TaskSubtype")), str(record.get("Status"))],
            "high" if record.get("IsHighPriority") else "medium", due, done, self._status(closed=not done),
            record.get(OWNER), self._owner_name(record.get(OWNER)), [self._contact(person)] if person else [],
        )  # fmt: skip

    # Deals

    def pipelines(self) -> Sequence[Pipeline]:
        types = [each for each in self._store.all("RecordType") if each.get("IsActive")]
        stages = sorted(
            self._store.all("OpportunityStage"), key=lambda each: float(each.get("SortOrder"))
        )
        if not types:
            return [Pipeline(MASTER, "Opportunity", [_stage(each) for each in stages])]
        offered = self._store.rules.stages_of
        return [
            Pipeline(
                type_.id,
                type_.get("Name"),
                [_stage(each) for each in stages if each.get("ApiName") in offered[type_.id]],
            )
            for type_ in types
        ]

    def deals(self, pipeline_id: str) -> Sequence[Deal]:
        found = [self._deal(each) for each in self._store.live("Opportunity")]
        return [each for each in found if each.pipeline.id == pipeline_id]

    def deal(self, record_id: str) -> Deal:
        return self._deal(self._record(record_id, "Opportunity"))

    def change_deal(self, record_id: str, form: Mapping[str, str]) -> None:
        """Another stage, owner or amount."""
        wanted: Values = {name: form[name] for name in ("StageName", OWNER) if form.get(name)}
        if "Amount" in form:
            wanted["Amount"] = _amount(form["Amount"])
        self._writer.update(self._record(record_id, "Opportunity"), wanted)

    def _deal(self, record: Record) -> Deal:
        pipelines = self.pipelines()
        pipeline = next(
            (each for each in pipelines if each.id == record.get("RecordTypeId")), pipelines[0]
        )
        people = [
            self._store.records["Contact"][each.get("ContactId")]
            for each in self._store.live_holding(
                "OpportunityContactRole", "OpportunityId", record.id
            )
        ]
        return Deal(
            record.id, record.get("Name"), _plain(record.get("Amount")), pipeline, record.get("StageName"),
            self._owner_choice(record), [self._contact(each) for each in people],
        )  # fmt: skip

    def _record(self, record_id: str, *objects: str) -> Record:
        """The record of that id, deleted ones too."""
        found = self._store.find(record_id, *objects)
        if found is None:
            raise not_found("There is no such record.")
        return found


def _stage(record: Record) -> Stage:
    kind = ("won" if record.get("IsWon") else "lost") if record.get("IsClosed") else "open"
    odds = float(record.get("DefaultProbability") or 0) / 100
    return Stage(
        record.get("ApiName"), record.get("MasterLabel"), kind, odds, not record.get("IsActive")
    )


def _amount(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise bad("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{text[:40]} is no amount.") from None


def _plain(value: object) -> str:
    """A value as text, without a decimal point that says nothing."""
    if isinstance(value, bool):
        return YES_NO[str(value).lower()]
    return "" if value is None else str(as_json(value)).removesuffix(".0")


def _text(record: Record) -> str:
    return " ".join(str(record.get(name) or "") for name in SEARCHED).lower()


def _html(text: str) -> str:
    """Plain text as the pages show it: its lines, and its addresses as links."""
    linked = LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', escape(text))
    return linked.replace("\n", "<br>")

"""Pipedrive's account as the pages show and change it, under the same rules as through the API."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

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
from ..server.moments import instant
from ..server.pages.words import day
from . import activities, deals, persons
from .call import SINGULAR, Call
from .moments import stamp
from .refusals import bad_request, not_found
from .state import PipedriveState
from .store import Item, Record

OWNER, LABELS, STATUS, STAGE = "owner_id", "label_ids", "marketing_status", "stage_id"
STATUSES = {each: each.replace("_", " ") for each in ("no_consent", "subscribed", "unsubscribed")}
# Won and lost are columns of the board, and not stages.
CLOSED = (Stage("won", "Won", "won", 1.0), Stage("lost", "Lost", "lost", 0.0))
DETAILS = {"first_name": "First name", "last_name": "Last name", "add_time": "Person created",
           "update_time": "Update time", "last_outgoing_mail_time": "Last email sent"}  # fmt: skip


class PipedriveDesk:
    deal_fields = DealFields("title", "value", STAGE, OWNER)

    def __init__(self, state: PipedriveState, at: datetime) -> None:
        self._state = state
        self._store = state.store
        self._at = at
        self.account = state.account_name

    # Owners

    def owners(self) -> Sequence[Owner]:
        held = Counter(each.values[OWNER] for each in self._store.live("persons"))
        return [
            Owner(str(id_), self._owner_name(id_), each["email"], each["active_flag"], held[id_])
            for id_, each in self._store.users.items()
        ]

    def archive_owner(self, owner_id: str, archived: bool) -> None:
        if not owner_id.isdigit() or int(owner_id) not in self._store.users:
            raise not_found("User")
        self._store.let_go(int(owner_id), archived)

    def _owner_name(self, id_: int | None) -> str:
        user = self._store.users.get(id_ or 0)
        if user is None:
            return "nobody"
        gone = "" if user["active_flag"] else " (deactivated)"
        return f"{user['name']}{gone}"

    def _owner_choice(self, chosen: int | None) -> Choice:
        """Active users, and the present one in any case."""
        names = {
            str(id_): self._owner_name(id_)
            for id_, each in self._store.users.items()
            if each["active_flag"] or id_ == chosen
        }
        return Choice(OWNER, "Owner", names, str(chosen or ""))

    # Contacts

    def contacts(self, words: str, most: int) -> tuple[int, Sequence[Contact]]:
        found = [each for each in self._store.live("persons") if words in self._text(each)]
        return len(found), [self._contact(each) for each in found[: -most - 1 : -1]]

    def _text(self, person: Record) -> str:
        addresses = [each["value"] for each in person.values["emails"]]
        return " ".join([person.values["name"], *addresses, self._company(person)]).lower()

    def contact(self, record_id: str) -> ContactPage:
        record = self._record("persons", record_id)
        while record.id in self._store.merged["persons"]:
            record = self._record("persons", str(self._store.merged["persons"][record.id]))
        owner = self._owner_choice(record.values[OWNER])
        held = [*self._store.deals_of(record.id), *self._store.deals_as_participant(record.id)]
        tasks = list(self._store.linked("activities", "person_id", record.id))
        return ContactPage(
            self._contact(record), [owner, *self._choices(record)], owner, self._groups(record),
            [self._task(each) for each in reversed(tasks)],
            [self._deal(each) for each in reversed(held)],
        )  # fmt: skip

    def _choices(self, record: Record) -> list[Choice]:
        held = record.values
        labels = [str(each) for each in held[LABELS]]
        found = [Choice(LABELS, "Label", self._labels(LABELS), labels[0] if labels else "", "none")]
        if self._state.settings.campaigns:
            status = held.get(STATUS) or ""
            found.append(Choice(STATUS, "Marketing status", STATUSES, status, "none"))
        own = [each for each in self._own_fields() if each["field_type"] == "enum"]
        return found + [
            Choice(
                each["field_code"],
                each["field_name"],
                self._labels(each["field_code"]),
                str(held["custom_fields"].get(each["field_code"]) or ""),
                "not set",
            )
            for each in own
        ]

    def change_contact(self, record_id: str, form: Mapping[str, str]) -> None:
        record = self._record("persons", record_id)
        codes = [each["field_code"] for each in self._own_fields() if each["field_type"] == "enum"]
        body: Item = {"custom_fields": {code: _whole(form[code]) for code in codes if code in form}}
        if OWNER in form:
            body[OWNER] = _whole(form[OWNER])
        if LABELS in form:
            body[LABELS] = [_whole(form[LABELS])] if form[LABELS] else []
        if form.get(STATUS):
            body[STATUS] = form[STATUS]
        if body.get(OWNER) == record.values[OWNER]:
            del body[OWNER]  # who has left may stay the owner
        persons.update(self._call(record, body))

    def archive_contact(self, record_id: str, archived: bool) -> None:
        record = self._record("persons", record_id)
        self._call(record)
        if archived:
            self._store.delete(record, self._at)
        else:
            self._store.restore(record, self._at)

    def make_deal(self, record_id: str, form: Mapping[str, str]) -> None:
        record, stage = self._record("persons", record_id), form.get(STAGE, "")
        if not stage:
            raise bad_request("Choose a stage.")
        body = {"title": form.get("title", "").strip(), "person_id": record.id}
        body |= self._staged(stage) | self._amount(form)
        if form.get(OWNER):
            body[OWNER] = _whole(form[OWNER])
        deals.create(self._call(record, body))

    def _contact(self, record: Record) -> Contact:
        held = record.values
        address = next((each["value"] for each in held["emails"] if each["primary"]), "")
        labels = [self._labels(LABELS).get(str(each), "") for each in held[LABELS]]
        own = {each["field_name"]: held["custom_fields"].get(each["field_code"])
               for each in self._own_fields()}  # fmt: skip
        score = own.get("Lead score")
        return Contact(
            str(record.id), held["name"], address, self._company(record),
            str(own.get("Job title") or ""), ", ".join(labels),
            "" if score is None else f"{score:g}", self._owner_name(held[OWNER]), record.is_deleted,
        )  # fmt: skip

    def _company(self, record: Record) -> str:
        company = self._store.records["organizations"].get(record.values["org_id"] or 0)
        return company.values["name"] if company else ""

    def _groups(self, record: Record) -> Sequence[Group]:
        """The account's own fields with a value first, for there is what the product sent."""
        held = record.values
        own = [
            (each["field_name"], each["field_code"], self._shown(each, value))
            for each in self._own_fields()
            for value in [held["custom_fields"].get(each["field_code"])]
            if value is not None
        ]
        lines = [("Email", "emails"), ("Phone", "phones")]
        texts = [
            (label, name, ", ".join(each["value"] for each in held[name])) for label, name in lines
        ]
        more = [
            (label, name, day(instant(held[name])) if name.endswith("_time") else held[name])
            for name, label in DETAILS.items()
            if held.get(name)
        ]
        return [Group("Custom fields", own), Group("Details", [*texts, *more])]

    def _shown(self, field: Item, value: Any) -> str:
        labels = self._labels(field["field_code"])
        if isinstance(value, list):
            return ", ".join(labels.get(str(each), str(each)) for each in value)
        return labels.get(str(value), str(value))

    def _own_fields(self) -> list[Item]:
        return [each for each in self._store.fields["persons"].values() if each["is_custom_field"]]

    def _labels(self, code: str) -> Mapping[str, str]:
        options = self._store.fields["persons"][code]["options"] or []
        return {str(each["id"]): each["label"] for each in options}

    # Tasks

    def tasks(self) -> Sequence[Task]:
        return [self._task(each) for each in self._store.live("activities")]

    def task(self, record_id: str) -> Task:
        return self._task(self._record("activities", record_id))

    def set_task(self, record_id: str, status: str) -> None:
        record = self._record("activities", record_id)
        activities.update(self._call(record, {"done": status == "done"}))
        if status == "done":
            self.log_contact(record_id)

    def log_contact(self, record_id: str) -> None:
        """As a mail that was sent, which the API tells and nobody can write over it."""
        for id_ in self._people_of(self._record("activities", record_id)):
            person = self._store.alive("persons", id_)
            if person:
                when = {"last_outgoing_mail_time": stamp(self._at)}
                self._store.write(person, when, self._at)

    def _task(self, record: Record) -> Task:
        held = record.values
        kinds = {each["key_string"]: each["name"] for each in self._store.activity_types}
        return Task(
            str(record.id), held["subject"], held["note"] or "", [kinds[held["type"]]], "none",
            _due(held), held["done"], "open" if held["done"] else "done", str(held[OWNER] or ""),
            self._owner_name(held[OWNER]), self._people(self._people_of(record)),
        )  # fmt: skip

    def _people_of(self, activity: Record) -> list[int]:
        return [each["person_id"] for each in activity.values["participants"]]

    # Deals

    def pipelines(self) -> Sequence[Pipeline]:
        return [self._pipeline(id_) for id_ in self._store.pipelines]

    def _pipeline(self, id_: int) -> Pipeline:
        line = self._store.pipelines[id_]
        stages = [
            _stage(each, line["is_deal_probability_enabled"])
            for each in self._store.stages.values()
            if each["pipeline_id"] == id_
        ]
        return Pipeline(str(id_), line["name"], [*stages, *CLOSED])

    def deals(self, pipeline_id: str) -> Sequence[Deal]:
        return [
            self._deal(each)
            for each in self._store.live("deals")
            if str(each.values["pipeline_id"]) == pipeline_id
        ]

    def deal(self, record_id: str) -> Deal:
        return self._deal(self._record("deals", record_id))

    def change_deal(self, record_id: str, form: Mapping[str, str]) -> None:
        """Another stage, owner or amount."""
        record = self._record("deals", record_id)
        body = self._amount(form) | (self._staged(form[STAGE]) if form.get(STAGE) else {})
        if form.get(OWNER) and _whole(form[OWNER]) != record.values[OWNER]:
            body[OWNER] = _whole(form[OWNER])
        deals.update(self._call(record, body))

    def _staged(self, stage: str) -> Item:
        if stage in deals.CLOSED:
            return {"status": stage}
        return {"status": "open", STAGE: _whole(stage)}

    def _amount(self, form: Mapping[str, str]) -> Item:
        try:
            return {"value": float(form["value"])} if form.get("value") else {}
        except ValueError:
            raise bad_request("The amount must be a number.") from None

    def _deal(self, record: Record) -> Deal:
        held = record.values
        stage = held["status"] if held["status"] in deals.CLOSED else str(held[STAGE])
        amount = f"{held['value']:g}" if held["value"] else ""
        return Deal(
            str(record.id), held["title"], amount, self._pipeline(held["pipeline_id"]), stage,
            self._owner_choice(held[OWNER]), self._people(self._store.persons_of(record)),
        )  # fmt: skip

    # All of them

    def _record(self, kind: str, record_id: str) -> Record:
        """The record of that id, deleted ones too."""
        found = self._store.records[kind].get(int(record_id)) if record_id.isdigit() else None
        if found is None:
            raise not_found(SINGULAR[kind])
        return found

    def _people(self, ids: Sequence[int]) -> Sequence[Contact]:
        known = self._store.records["persons"]
        return [self._contact(known[id_]) for id_ in ids if id_ in known]

    def _call(self, record: Record, body: Item | None = None) -> Call:
        """A change as its owner makes it in the web app."""
        user = record.values[OWNER] or next(iter(self._store.users))
        self._store.actor = (user, "app")
        settings = self._state.settings
        return Call(self._store, settings, self._at, user, args={"id": record.id}, body=body)


def _stage(found: Item, counts: bool) -> Stage:
    odds = found["deal_probability"] / 100 if counts else 1.0
    return Stage(str(found["id"]), found["name"], "open", odds, found["is_deleted"])


def _due(held: Item) -> datetime:
    """The end of its day where no time is said."""
    if not held["due_date"]:
        return instant(held["add_time"])
    at = datetime.fromisoformat(f"{held['due_date']}T{held['due_time'] or '23:59'}")
    return at.replace(tzinfo=UTC)


def _whole(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit()):
        raise bad_request("Choose one of the list.")
    return int(text) if text else None

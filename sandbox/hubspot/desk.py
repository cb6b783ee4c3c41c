"""HubSpot's account as the pages show and change it, under the same rules as through the API."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
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
from ..server.moments import instant, iso
from ..server.pages.words import day
from .definitions import LIFECYCLE
from .refusals import bad_request, not_found
from .store import Record, Store
from .values import choices
from .writes import STAGE_ORDER, Claims, commit, plan_create, plan_update

OWNER = "hubspot_owner_id"
# What a rep may change, and what the form calls it.
CONTACT_FIELDS = {
    OWNER: "Owner",
    "lifecyclestage": "Lifecycle stage",
    "hs_lead_status": "Lead status",
    "hs_email_optout": "Unsubscribed from all email",
}
SEARCHED = ("firstname", "lastname", "email", "company")


class HubSpotDesk:
    deal_fields = DealFields("dealname", "amount", "dealstage", OWNER)

    def __init__(self, store: Store, at: datetime) -> None:
        self._store = store
        self._at = at
        self.account = str(store.portal_id)
        self._pipelines = {id_: _pipeline(each) for id_, each in store.pipelines.items()}

    # Owners

    def owners(self) -> Sequence[Owner]:
        held = Counter(each.properties.get(OWNER, "") for each in self._store.live("contacts"))
        return [
            Owner(
                id_, self._owner_name(id_), each["email"], not each["archived"], held[id_],
                str(each["userId"]),
            )
            for id_, each in self._store.owners.items()
        ]  # fmt: skip

    def archive_owner(self, owner_id: str, archived: bool) -> None:
        if owner_id not in self._store.owners:
            raise not_found("There is no such owner.")
        self._store.archive_owner(owner_id, archived, self._at)

    def _owner_name(self, owner_id: str) -> str:
        owner = self._store.owners.get(owner_id)
        if owner is None:
            return owner_id or "nobody"
        gone = " (archived)" if owner["archived"] else ""
        return f"{owner['firstName']} {owner['lastName']}{gone}"

    def _owner_choice(self, chosen: str) -> Choice:
        """Active reps, and the present one even when archived."""
        names = {
            id_: self._owner_name(id_)
            for id_, each in self._store.owners.items()
            if not each["archived"] or id_ == chosen
        }
        return Choice(OWNER, CONTACT_FIELDS[OWNER], names, chosen, "nobody")

    # Contacts

    def contacts(self, words: str, most: int) -> tuple[int, Sequence[Contact]]:
        found = [each for each in self._store.live("contacts") if words in _text(each)]
        return len(found), [self._contact(each) for each in found[: -most - 1 : -1]]

    def contact(self, record_id: str) -> ContactPage:
        record, store = self._record("contacts", record_id), self._store
        owner = self._owner_choice(record.properties.get(OWNER, ""))
        selects = [
            Choice(
                name,
                label,
                self._labels("contacts", name),
                record.properties.get(name, ""),
                "not set",
            )
            for name, label in CONTACT_FIELDS.items()
            if name != OWNER
        ]
        tasks = [store.records["tasks"][id_] for id_ in store.linked(record, "tasks")]
        deals = [store.records["deals"][id_] for id_ in store.linked(record, "deals")]
        return ContactPage(
            self._contact(record), [owner, *selects], owner, self._groups(record),
            [self._task(each) for each in reversed(tasks)],
            [self._deal(each) for each in reversed(deals)],
        )  # fmt: skip

    def change_contact(self, record_id: str, form: Mapping[str, str]) -> None:
        """A lifecycle stage back included: it is cleared first, as documented."""
        record = self._record("contacts", record_id)
        wanted = {name: form[name] for name in CONTACT_FIELDS if name in form}
        held, new = record.properties.get("lifecyclestage", ""), wanted.get("lifecyclestage", "")
        if STAGE_ORDER.get(new, 99) < STAGE_ORDER.get(held, 0):
            self._change(record, {"lifecyclestage": ""})
        self._change(record, wanted)

    def archive_contact(self, record_id: str, archived: bool) -> None:
        record = self._record("contacts", record_id)
        address = record.properties.get("email", "")
        if archived:
            self._store.archive(record, self._at)
        elif self._store.by_unique("contacts", "email", address):
            raise bad_request(f"Another contact has {address} now.")
        else:
            self._store.restore(record, self._at)

    def make_deal(self, record_id: str, form: Mapping[str, str]) -> None:
        record, stage = self._record("contacts", record_id), form.get("dealstage", "")
        pipelines = [
            pipeline.id
            for pipeline in self._pipelines.values()
            if any(each.id == stage for each in pipeline.stages)
        ]
        if not pipelines:
            raise bad_request("Choose a stage.")
        values = {
            name: form.get(name, "").strip() for name in ("dealname", "amount", OWNER, "dealstage")
        }
        values["pipeline"] = pipelines[0]
        deal = commit(
            self._store, plan_create(self._store, "deals", values, None, Claims()), self._at
        )
        self._store.links.add(("deals", deal.id), ("contacts", record.id), [3])

    def _contact(self, record: Record) -> Contact:
        held = record.properties
        stage = held.get("lifecyclestage", "")
        return Contact(
            record.id, _name(record), held.get("email", ""), held.get("company", ""),
            held.get("jobtitle", ""), LIFECYCLE.get(stage, stage), held.get("lead_score", ""),
            self._owner_name(held.get(OWNER, "")), record.archived_at is not None,
        )  # fmt: skip

    def _groups(self, record: Record) -> Sequence[Group]:
        """All properties with a value by group: what the product sent stands first."""
        known = self._store.definitions["contacts"].values()
        held = [each for each in known if record.properties.get(each["name"])]
        held.sort(key=lambda each: (each["hubspotDefined"], each["groupName"]))
        return [
            Group(
                self._store.groups["contacts"][name]["label"],
                [(each["label"], each["name"], self._shown(record, each)) for each in members],
            )
            for name, members in groupby(held, key=lambda each: str(each["groupName"]))
        ]

    def _shown(self, record: Record, definition: dict[str, Any]) -> str:
        text = record.properties[definition["name"]]
        if definition["type"] == "datetime":
            return day(instant(text))
        if definition.get("referencedObjectType") == "OWNER":
            return self._owner_name(text)
        if definition["type"] in ("enumeration", "bool"):
            return choices(self._store, definition).get(text, text)
        return text

    # Tasks

    def tasks(self) -> Sequence[Task]:
        return [self._task(each) for each in self._store.live("tasks")]

    def task(self, record_id: str) -> Task:
        return self._task(self._record("tasks", record_id))

    def set_task(self, record_id: str, status: str) -> None:
        record = self._record("tasks", record_id)
        self._change(record, {"hs_task_status": status})
        if status == "COMPLETED":
            self.log_contact(record_id)

    def log_contact(self, record_id: str) -> None:
        """Past the checks: through the API nobody may set it."""
        for id_ in self._store.linked(self._record("tasks", record_id), "contacts"):
            contact = self._store.records["contacts"][id_]
            self._store.write(contact, {"notes_last_contacted": iso(self._at)}, self._at)

    def _task(self, record: Record) -> Task:
        held = record.properties
        names = ("hs_task_priority", "hs_task_type", "hs_task_status")
        done = held.get("hs_task_status") == "COMPLETED"
        return Task(
            record.id, _name(record), held.get("hs_task_body", ""),
            [self._labels("tasks", name).get(held.get(name, ""), "") for name in names],
            held.get("hs_task_priority", "NONE").lower(), instant(held["hs_timestamp"]), done,
            "NOT_STARTED" if done else "COMPLETED", held.get(OWNER, ""),
            self._owner_name(held.get(OWNER, "")), self._people(record),
        )  # fmt: skip

    # Deals

    def pipelines(self) -> Sequence[Pipeline]:
        return list(self._pipelines.values())

    def deals(self, pipeline_id: str) -> Sequence[Deal]:
        return [
            self._deal(each)
            for each in self._store.live("deals")
            if each.properties.get("pipeline") == pipeline_id
        ]

    def deal(self, record_id: str) -> Deal:
        return self._deal(self._record("deals", record_id))

    def change_deal(self, record_id: str, form: Mapping[str, str]) -> None:
        """Another stage, owner or amount."""
        names = ("dealstage", OWNER, "amount")
        changes = {name: form[name] for name in names if name in form}
        self._change(self._record("deals", record_id), changes)

    def _deal(self, record: Record) -> Deal:
        held = record.properties
        return Deal(
            record.id, _name(record), held.get("amount", ""), self._pipelines[held["pipeline"]],
            held["dealstage"], self._owner_choice(held.get(OWNER, "")), self._people(record),
        )  # fmt: skip

    # All of them

    def _record(self, kind: str, record_id: str) -> Record:
        """The record of that id, archived ones too."""
        found = self._store.find(kind, record_id)
        if found is None:
            raise not_found(f"There is no such record in {kind}.")
        return found

    def _change(self, record: Record, changes: Mapping[str, str]) -> None:
        commit(self._store, plan_update(self._store, record, changes, Claims()), self._at)

    def _people(self, record: Record) -> Sequence[Contact]:
        return [
            self._contact(self._store.records["contacts"][id_])
            for id_ in self._store.linked(record, "contacts")
        ]

    def _labels(self, kind: str, name: str) -> Mapping[str, str]:
        return choices(self._store, self._store.definitions[kind][name])


def _pipeline(found: dict[str, Any]) -> Pipeline:
    return Pipeline(found["id"], found["label"], [_stage(each) for each in found["stages"]])


def _stage(found: dict[str, Any]) -> Stage:
    """Won, lost or open: by the metadata, never by the label."""
    odds = float(found["metadata"].get("probability", 0))
    closed = found["metadata"].get("isClosed", "").lower() == "true"
    kind = ("won" if odds == 1 else "lost") if closed else "open"
    return Stage(found["id"], found["label"], kind, odds, found["archived"])


def _text(contact: Record) -> str:
    return " ".join(contact.properties.get(name, "") for name in SEARCHED).lower()


def _name(record: Record) -> str:
    """What a person calls the record."""
    held = record.properties
    if record.kind == "contacts":
        full = f"{held.get('firstname', '')} {held.get('lastname', '')}".strip()
        return full or held.get("email", record.id)
    return held.get({"deals": "dealname", "tasks": "hs_task_subject"}[record.kind]) or record.id

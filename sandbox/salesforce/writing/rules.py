"""What stands in the way of a write besides its values: other records, and the org's own rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..org import ids
from ..org.access import Access
from ..org.fields import Field
from ..org.objects import SObject
from ..org.store import Record, Store, Values
from ..refusals import Refusal, bad
from ..settings import Settings

PEOPLE = ("Lead", "Contact")
LOCKED_BY = ("Id", "AccountId", "WhoId", "WhatId", "OpportunityId", "ContactId")


@dataclass(frozen=True, slots=True)
class Headers:
    """`assign`: FALSE, TRUE or the id of a rule. `allow_save`: what an alert of a duplicate rule lets pass."""

    assign: str = "TRUE"
    allow_save: bool = False
    duplicate_details: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A write that is to be checked. `record`: None for a new one. `values`: all that it would have."""

    object: SObject
    record: Record | None
    changes: Values
    values: Values


class Rules:
    def __init__(self, store: Store, access: Access, settings: Settings, headers: Headers) -> None:
        self._store = store
        self._access = access
        self._settings = settings
        self._headers = headers

    def check(self, plan: Plan) -> None:
        self._references(plan)
        self._person_of_task(plan)
        self._locks(plan)
        self._countries(plan)
        self._validations(plan)
        self._unique(plan)
        self._duplicates(plan)

    def _references(self, plan: Plan) -> None:
        for name, value in plan.changes.items():
            field = plan.object.fields[name]
            if field.lookup and value is not None:
                self._reference(plan, field, value)

    def _reference(self, plan: Plan, field: Field, value: str) -> None:
        whole = ids.full(value)
        prefixes = {self._store.objects[each].prefix for each in field.lookup}
        if whole is None or whole[:3] not in prefixes:
            message = f"{field.label}: id value of incorrect type: {value[:80]}"
            raise bad("MALFORMED_ID", message, [field.name])
        target = self._store.find(whole, *field.lookup)
        if target is None or not self._access.sees(target):
            raise bad("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        if target.is_deleted:
            raise bad("ENTITY_IS_DELETED", "entity is deleted", [])
        if field.name == "OwnerId":
            self._owner(plan, target)

    def _owner(self, plan: Plan, owner: Record) -> None:
        if owner.object == "Group":
            queues = self._store.live_holding("QueueSobject", "QueueId", owner.id)
            if all(each.get("SobjectType") != plan.object.name for each in queues):
                message = f"Queue not associated with this SObject type: {owner.id}"
                raise bad("INVALID_CROSS_REFERENCE_KEY", message, ["OwnerId"])
        elif not owner.get("IsActive"):
            message = f"operation performed with inactive user [{owner.id[:15]}] as owner of {plan.object.name.lower()}"
            raise bad("INACTIVE_OWNER_OR_USER", message, ["OwnerId"])

    def _person_of_task(self, plan: Plan) -> None:
        if plan.object.name != "Task" or not plan.changes.keys() & {"WhoId", "WhatId"}:
            return
        lead = self._store.find(plan.values.get("WhoId"), "Lead")
        if lead and lead.get("IsConverted"):
            raise converted(["WhoId"])
        if lead and plan.values.get("WhatId"):
            message = "If the Name field is a lead, the Related To field must be blank"
            raise bad("FIELD_INTEGRITY_EXCEPTION", message, ["WhatId"])

    def _locks(self, plan: Plan) -> None:
        held = {str(plan.values.get(name)) for name in LOCKED_BY} & self._store.rules.locked
        if held:
            raise locked(sorted(held)[0])

    def _countries(self, plan: Plan) -> None:
        known = self._store.rules.countries
        for name, value in plan.changes.items():
            if known and name.endswith("Country") and value is not None and value not in known:
                message = (
                    "There's a problem with this country, even though it may appear correct. "
                    "Please select a country/territory from the list of valid countries."
                )
                raise bad("FIELD_INTEGRITY_EXCEPTION", message, [name])

    def _validations(self, plan: Plan) -> None:
        for rule in sorted(self._store.rules.validations):
            object_, _, name = rule.partition(".")
            if object_ == plan.object.name and plan.values.get(name) is None:
                label = plan.object.fields[name].label or name
                message = f"Please fill in {label} before you save."
                raise bad("FIELD_CUSTOM_VALIDATION_EXCEPTION", message, [name])

    def _unique(self, plan: Plan) -> None:
        for name, value in plan.changes.items():
            field = plan.object.fields[name]
            if not field.unique or value is None:
                continue
            for holder in self._store.holding(plan.object.name, name, value):
                if holder is not plan.record and (
                    not holder.is_deleted or self._settings.bin_holds_values
                ):
                    raise taken(name, holder.id)

    def _duplicates(self, plan: Plan) -> None:
        """The standard rules, of which the address alone is looked at: leads and contacts of the same."""
        rule, address = self._store.rules.duplicates, plan.changes.get("Email")
        if not rule or plan.object.name not in PEOPLE or address is None:
            return
        if plan.record and str(plan.record.get("Email")).lower() == address.lower():
            return
        found = [
            each
            for object_ in PEOPLE
            for each in self._store.live_holding(object_, "Email", address)
            if each is not plan.record and not each.get("IsConverted")
        ]
        if found and (rule == "block" or not self._headers.allow_save):
            raise self._duplicate(plan, found)

    def _duplicate(self, plan: Plan, found: list[Record]) -> Refusal:
        details = list(self._matches(found)) if self._headers.duplicate_details else []
        result = {
            "allowSave": self._store.rules.duplicates == "alert",
            "duplicateRule": f"Standard_{plan.object.name}_Duplicate_Rule",
            "duplicateRuleEntityType": plan.object.name,
            "errorMessage": "Use one of these records?",
            "matchResults": details,
        }
        return Refusal(
            400,
            "DUPLICATES_DETECTED",
            "Use one of these records?",
            None,
            {"duplicateResut": result},
        )

    def _matches(self, found: list[Record]) -> Iterator[dict[str, Any]]:
        for object_ in PEOPLE:
            records = [each for each in found if each.object == object_]
            if records:
                yield {
                    "entityType": object_,
                    "rule": f"Standard_{object_}_Match_Rule",
                    "matchEngine": "FuzzyMatchEngine",
                    "size": len(records),
                    "success": True,
                    "errors": [],
                    "matchRecords": [
                        {
                            "record": {"attributes": {"type": object_}, "Id": each.id},
                            "matchConfidence": 100.0,
                        }
                        for each in records
                    ],
                }

    def owner_by_assignment(self, object_: str) -> str:
        """Whom the active assignment rule of leads gives it to; "" where none is applied."""
        applies = object_ == "Lead" and self._headers.assign.upper() != "FALSE"
        return self._store.rules.assigns_to if applies else ""


def locked(id_: str) -> Refusal:
    message = f"unable to obtain exclusive access to this record or 1 records: {id_[:15]}"
    return bad("UNABLE_TO_LOCK_ROW", message, [])


def converted(fields: list[str]) -> Refusal:
    return bad("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", fields)


def taken(name: str, id_: str) -> Refusal:
    message = f"duplicate value found: {name} duplicates value on record with id: {id_[:15]}"
    return bad("DUPLICATE_VALUE", message, [])

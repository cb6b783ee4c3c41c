"""What one user may see and do: rights of objects, field-level security, sharing."""

from __future__ import annotations

from functools import cached_property

from .fields import Field
from .objects import SObject
from .store import Record, Store

# Only the integration user's view of standard fields is ever cut; see Rules.fls.
FULL = (True, True)


class Access:
    """For the length of one request: what it grants is looked up once."""

    def __init__(self, store: Store, user_id: str) -> None:
        self.user_id = user_id
        self._store = store
        self._fields: dict[str, dict[str, tuple[bool, bool]]] = {}

    @cached_property
    def _sets(self) -> list[Record]:
        assigned = self._store.live_holding("PermissionSetAssignment", "AssigneeId", self.user_id)
        sets = self._store.records["PermissionSet"]
        return [sets[each.get("PermissionSetId")] for each in assigned]

    @cached_property
    def _objects(self) -> dict[str, set[str]]:
        rights: dict[str, set[str]] = {}
        for each in self._granted("ObjectPermissions"):
            held = rights.setdefault(each.get("SobjectType"), set())
            held |= {name for name, value in each.values.items() if value is True}
        return rights

    def _granted(self, object_: str) -> list[Record]:
        return [
            each
            for parent in self._sets
            for each in self._store.live_holding(object_, "ParentId", parent.id)
        ]

    def has(self, permission: str) -> bool:
        """A permission of the user, such as CustomizeApplication."""
        return any(each.get(f"Permissions{permission}") for each in self._sets)

    def may(self, right: str, object_: SObject) -> bool:
        """Read, Create, Edit or Delete records of an object."""
        match object_.rights:
            case "setup":
                return right == "Read"
            case "sets":
                return right == "Read" or self.has("ManageProfilesPermissionsets")
            case "fields":
                return self.has("CustomizeApplication") or right == "Read"
            case "task":
                return right == "Read" or self.has("EditTask")
        return f"Permissions{right}" in self._objects.get(object_.rights, ())

    def reads(self, object_: SObject, field: Field) -> bool:
        return self._field(object_, field)[0]

    def edits(self, object_: SObject, field: Field) -> bool:
        return self._field(object_, field)[1]

    def _field(self, object_: SObject, field: Field) -> tuple[bool, bool]:
        """A custom field that is not required is seen by nobody until a permission set grants it."""
        granted = FULL
        if field.custom and not field.required:
            granted = self._granted_fields(object_.name).get(field.name, (False, False))
        cut = self._store.rules.fls.get(f"{object_.name}.{field.name}", "")
        if not cut or self.has("ModifyAllData"):
            return granted
        return granted[0] and cut == "read", False

    def _granted_fields(self, object_: str) -> dict[str, tuple[bool, bool]]:
        if object_ not in self._fields:
            found: dict[str, tuple[bool, bool]] = {}
            for each in self._granted("FieldPermissions"):
                if each.get("SobjectType") == object_:
                    name = each.get("Field").partition(".")[2]
                    before = found.get(name, (False, False))
                    found[name] = (
                        before[0] or bool(each.get("PermissionsRead")),
                        before[1] or bool(each.get("PermissionsEdit")),
                    )
            self._fields[object_] = found
        return self._fields[object_]

    def sees(self, record: Record) -> bool:
        """Whether the record is shared with the user at all; setup objects are with everybody."""
        object_ = self._store.objects[record.object]
        if record.id in self._store.rules.uncommitted:
            return False
        if object_.rights in ("setup", "sets", "fields"):
            return True
        if object_.rights == "task":
            return self._sees_task(record)
        return self._all("ViewAllRecords", object_) or self._is_own(record)

    def changes(self, record: Record) -> bool:
        object_ = self._store.objects[record.object]
        if object_.rights in ("setup", "sets", "fields", "task"):
            return self.sees(record)
        return self._all("ModifyAllRecords", object_) or self._is_own(record)

    def _all(self, right: str, object_: SObject) -> bool:
        held = self._objects.get(object_.rights, ())
        return f"Permissions{right}" in held or "PermissionsModifyAllRecords" in held

    def _is_own(self, record: Record) -> bool:
        if record.object == "OpportunityContactRole":
            deal = self._store.find(record.get("OpportunityId"), "Opportunity")
            return deal is not None and self._is_own(deal)
        return bool(record.get("OwnerId") == self.user_id)

    def _sees_task(self, record: Record) -> bool:
        """With the person or deal it is for, or as its owner."""
        if record.get("OwnerId") == self.user_id:
            return True
        parents = [self._store.find(record.get(name)) for name in ("WhoId", "WhatId")]
        return any(parent and self.sees(parent) for parent in parents) or (
            parents == [None, None] and self.has("ViewAllData")
        )

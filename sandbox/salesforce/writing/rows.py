"""One record created, changed or deleted: everything is checked first, and then it is done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..org import ids
from ..org.access import Access
from ..org.fields import Field
from ..org.objects import SObject
from ..org.store import Record, Store, Values
from ..refusals import Refusal, bad, no_column, no_object
from ..settings import Settings
from . import recycle_bin, setup
from .consequences import derived, follow
from .rules import Headers, Plan, Rules, converted
from .values import fitted, read


class Writer:
    """`at`: by the org's clock."""

    def __init__(
        self, store: Store, access: Access, settings: Settings, headers: Headers, at: datetime
    ) -> None:
        self.store = store
        self._access = access
        self._settings = settings
        self._rules = Rules(store, access, settings, headers)
        self._at = at

    def object(self, name: object) -> SObject:
        found = self.store.object_named(name) if isinstance(name, str) else None
        if found is None or found.tooling or not self._access.may("Read", found):
            raise no_object(str(name)[:80])
        return found

    def columns(self, object_: SObject, sent: Mapping[str, Any]) -> dict[str, Field]:
        """The fields of what was sent, by the names that were sent; INVALID_FIELD for one that is not there."""
        found = {}
        for name in sent:
            field = object_.find(name)
            if field is None or not self._access.reads(object_, field):
                raise no_column(name, object_.name, written=True)
            found[name] = field
        return found

    def read(self, object_: SObject, sent: Mapping[str, Any]) -> Values:
        """Values by the fields' own names, of the right types."""
        columns = self.columns(object_, sent)
        return {columns[name].name: read(columns[name], value) for name, value in sent.items()}

    def create(self, object_: SObject, sent: Values) -> Record:
        if not self._access.may("Create", object_):
            message = f"entity type cannot be inserted: {object_.name}"
            raise bad("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])
        self._check_writable(object_, sent, new=True)
        values = self._with_defaults(object_, self._fitted(object_, sent))
        missing = [
            each.name
            for each in object_.fields.values()
            if each.required and values.get(each.name) is None
        ]
        if missing:
            raise _required(missing)
        self._rules.check(Plan(object_, None, values, values))
        setup.check(self.store, object_, values)
        owner = self._rules.owner_by_assignment(object_.name)
        values |= {"OwnerId": owner} if owner else {}
        values |= derived(self.store, object_.name, values, values, self._at)
        record = self.store.add(object_.name, values, self._at, self._access.user_id)
        follow(self.store, self._settings, record, self._at)
        return record

    def update(self, record: Record, sent: Values) -> Record:
        object_ = self.store.objects[record.object]
        self._check_changeable(object_, record, "Edit")
        self._check_writable(object_, sent, new=False)
        self._check_person(record, sent)
        changes = self._fitted(object_, sent)
        emptied = [
            name
            for name, value in changes.items()
            if value is None and object_.fields[name].required
        ]
        if emptied:
            raise _required(emptied)
        values = {**record.values, **changes}
        self._rules.check(Plan(object_, record, changes, values))
        owner = self._rules.owner_by_assignment(object_.name)
        changes |= {"OwnerId": owner} if owner else {}
        changes |= derived(self.store, object_.name, values | changes, changes, self._at)
        same = all(record.get(name) == value for name, value in changes.items())
        if not same or self._settings.same_values_stamp:
            self.store.write(record, changes, self._at, self._access.user_id)
            follow(self.store, self._settings, record, self._at)
        return record

    def delete(self, record: Record) -> None:
        self._check_changeable(self.store.objects[record.object], record, "Delete")
        if record.id in self.store.rules.locked:
            raise bad("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", [])
        recycle_bin.delete(self.store, record, self._at)
        follow(self.store, self._settings, record, self._at)

    def record(self, id_: Any, object_: SObject | None = None) -> Record:
        """The record to be changed or deleted; those that are not, or not for this user, are refused."""
        whole = ids.full(id_)
        if whole is None:
            raise bad("MALFORMED_ID", f"malformed id {str(id_)[:80]}", ["Id"])
        found = self.store.find(whole, *([object_.name] if object_ else []))
        if found is None or not self._access.sees(found):
            raise bad("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        if found.is_deleted:
            raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", [])
        return found

    def _check_changeable(self, object_: SObject, record: Record, right: str) -> None:
        if not self._access.may(right, object_) or not self._access.changes(record):
            message = "insufficient access rights on object id"
            raise Refusal(403, "INSUFFICIENT_ACCESS_OR_READONLY", message, [])
        if record.object == "Lead" and record.get("IsConverted") and right == "Edit":
            raise converted([])

    def _check_writable(self, object_: SObject, sent: Values, *, new: bool) -> None:
        fields = [object_.fields[name] for name in sent]
        wrong = [
            each.name
            for each in fields
            if not (each.createable if new else each.updateable)
            or not self._access.edits(object_, each)
        ]
        if wrong:
            message = (
                f"Unable to create/update fields: {', '.join(wrong)}. Please check the security settings of "
                "this field and verify that it is read/write for your profile or permission set."
            )
            raise bad("INVALID_FIELD_FOR_INSERT_UPDATE", message, wrong)

    def _check_person(self, record: Record, sent: Values) -> None:
        """The standard fields of a person account are written on the account."""
        if record.id not in self.store.rules.persons:
            return
        fields = self.store.objects[record.object].fields
        wrong = [name for name in sent if not fields[name].custom]
        if wrong:
            message = f"Unable to create/update fields: {', '.join(wrong)}"
            raise bad("INVALID_FIELD_FOR_INSERT_UPDATE", message, wrong)

    def _fitted(self, object_: SObject, sent: Values) -> Values:
        found = {}
        for name, value in sent.items():
            field = object_.fields[name]
            kept = fitted(field, value, self._settings)
            found[name] = (ids.full(kept) or kept) if field.lookup else kept
        return found

    def _with_defaults(self, object_: SObject, values: Values) -> Values:
        found = {
            each.name: each.default for each in object_.fields.values() if each.default is not None
        }
        if "OwnerId" in object_.fields:
            found["OwnerId"] = self._access.user_id
        if object_.name == "Opportunity":
            found["RecordTypeId"] = next(iter(self.store.rules.stages_of), None)
        given = {name: value for name, value in values.items() if value is not None}
        return {name: value for name, value in (found | given).items() if value is not None}


def _required(names: list[str]) -> Refusal:
    return bad(
        "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(names)}]", names
    )

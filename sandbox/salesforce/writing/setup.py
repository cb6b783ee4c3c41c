"""Permission sets and what they grant: rules of their own for new records."""

import re
from collections.abc import Callable

from ..org.objects import SObject
from ..org.store import Store, Values
from ..refusals import Refusal, bad

NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")


def check(store: Store, object_: SObject, values: Values) -> None:
    """Raise Refusal for a setup record that cannot be."""
    if object_.name in CHECKS:
        CHECKS[object_.name](store, values)


def _permission_set(store: Store, values: Values) -> None:
    if not NAME.fullmatch(values["Name"]):
        message = (
            "The Permission Set API Name can only contain underscores and alphanumeric characters."
        )
        raise bad("INVALID_FIELD", message, ["Name"])
    if any(each.get("Name") == values["Name"] for each in store.all("PermissionSet")):
        raise _there_already()


def _object_permissions(store: Store, values: Values) -> None:
    object_ = store.objects.get(values["SobjectType"])
    if object_ is None or object_.rights != object_.name:
        raise _no_such("SobjectType", values["SobjectType"])
    _only_one(store, "ObjectPermissions", values, "SobjectType")


def _field_permissions(store: Store, values: Values) -> None:
    """Required fields need no permission and cannot have one."""
    name, object_ = values["Field"], store.objects.get(values["SobjectType"])
    owner, _, field_name = name.partition(".")
    field = object_.fields.get(field_name) if object_ and owner == object_.name else None
    if object_ is None or field is None or field.required or field_name in ("Id", "IsDeleted"):
        raise _no_such("Field", name)
    if values.get("PermissionsEdit") and not values.get("PermissionsRead"):
        message = "Field permission edit needs field permission read"
        raise bad("FIELD_INTEGRITY_EXCEPTION", message, ["PermissionsEdit"])
    _only_one(store, "FieldPermissions", values, "Field")


def _assignment(store: Store, values: Values) -> None:
    held = store.live_holding("PermissionSetAssignment", "AssigneeId", values["AssigneeId"])
    if any(each.get("PermissionSetId") == values["PermissionSetId"] for each in held):
        raise _there_already()


def _only_one(store: Store, object_: str, values: Values, name: str) -> None:
    held = store.live_holding(object_, "ParentId", values["ParentId"])
    if any(each.get(name) == values[name] for each in held):
        raise _there_already()


def _no_such(name: str, value: str) -> Refusal:
    message = f"{name}: bad value for restricted picklist field: {value[:80]}"
    return bad("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [name])


def _there_already() -> Refusal:
    message = "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
    return bad("DUPLICATE_VALUE", message, [])


CHECKS: dict[str, Callable[[Store, Values], None]] = {
    "PermissionSet": _permission_set,
    "ObjectPermissions": _object_permissions,
    "FieldPermissions": _field_permissions,
    "PermissionSetAssignment": _assignment,
}

"""What can be made to go wrong with Salesforce."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ..server.trouble import NETWORK, Dial, Switch, Trouble, server_errors
from .org.fields import choice
from .org.store import Record
from .pace import CONCURRENT, TOTAL
from .refusals import Refusal
from .state import SalesforceState

PAGE = (
    "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1><p>{1}</p></body></html>"
)
MAINTENANCE = PAGE.format("We are down for maintenance", "Sorry for the inconvenience.")
BAD_GATEWAY = PAGE.format("502 Bad Gateway", "upstream")
UNKNOWN = Refusal(
    500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. ErrorId: 1-2 (-3)"
).body()
AWAY = Refusal(503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable.").body()
LATE = Refusal(400, "QUERY_TIMEOUT", "Your query request was running for too long.").body()
EXPIRED = Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid").body()
LOCATOR = Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator").body()
LOCKED = Refusal(
    400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records"
).row()
TRIGGER = Refusal(
    400,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "LeadTrigger: System.LimitException: Apex CPU time limit exceeded",
).row()
DATA = {"path_prefix": "/services/data/"}


def _refused(status: int, body: Any, path: str = DATA["path_prefix"]) -> dict[str, Any]:
    return {"kind": "status", "status": status, "body": body, "match": {"path_prefix": path}}


def dials() -> Iterator[Dial]:
    yield from NETWORK
    yield from server_errors(
        "Salesforce",
        ("server_error", 500, "500 unknown exception", UNKNOWN),
        ("bad_gateway", 502, "502 bad gateway", BAD_GATEWAY),
        ("unavailable", 503, "503 server unavailable", AWAY),
        ("maintenance", 503, "503 maintenance page", MAINTENANCE),
        ("gateway_timeout", 504, "504 gateway timeout", BAD_GATEWAY),
    )
    yield Dial("concurrent", "Limits", "403: too many at once",
               "Refused as too many long calls at once; no word on when to come back.",
               _refused(403, CONCURRENT.body()))  # fmt: skip
    # Not in a storm: a day that is used up does not come back with the next request.
    yield Dial("daily", "Limits", "403: too many today",
               "Refused as too many calls in 24 hours, now and then. A day that is over has a switch of its own.",
               _refused(403, TOTAL.body()), in_storm=False)  # fmt: skip
    yield Dial("query_timeout", "Limits", "400: a query took too long",
               "Queries are refused with QUERY_TIMEOUT.",
               _refused(400, LATE) | {"match": {"path_contains": "/query"}}, in_storm=False)  # fmt: skip
    yield Dial("cursor_gone", "Limits", "400: a query's further pages are gone",
               "Further pages are refused with INVALID_QUERY_LOCATOR.",
               _refused(400, LOCATOR) | {"match": {"path_contains": "/query/01g"}}, in_storm=False)  # fmt: skip
    yield Dial("session_lost", "Account", "401: the session is over",
               "Refused as expired, and nothing was done. The token is as good as before.",
               _refused(401, EXPIRED), in_storm=False)  # fmt: skip
    yield Dial("rows_locked", "Records", "Some rows are locked",
               "Every third row of a collection fails with UNABLE_TO_LOCK_ROW; the others are really done.",
               {"kind": "partial", "body": LOCKED})  # fmt: skip
    # Not in a storm: the customer's trigger fails again and again, not by chance.
    yield Dial("trigger_fails", "Records", "A trigger of the org fails",
               "Every third row of a collection fails in the org's own code; the others are really done.",
               {"kind": "partial", "body": TRIGGER}, in_storm=False)  # fmt: skip


IsOn = Callable[[SalesforceState, str], bool]
Turn = Callable[[SalesforceState, str, bool, datetime], None]


def _setting(name: str, value: Any = True, usual: Any = False) -> tuple[IsOn, Turn]:
    """A dial of the settings that has two positions."""

    def is_on(state: SalesforceState, target: str) -> bool:
        return bool(getattr(state.settings, name) == value)

    def turn(state: SalesforceState, target: str, on: bool, at: datetime) -> None:
        setattr(state.settings, name, value if on else usual)

    return is_on, turn


def _are_over(state: SalesforceState, target: str) -> bool:
    return not state.sessions.open_ones


def _end_sessions(state: SalesforceState, target: str, on: bool, at: datetime) -> None:
    if on:
        state.sessions.end_all()


Granted = Callable[[SalesforceState, str], list[Record]]


def _of_set(permission: str) -> tuple[IsOn, Turn]:
    """A permission of the integration user that is taken away."""
    return _taken(_sets, permission)


def _of_objects(*permissions: str) -> tuple[IsOn, Turn]:
    """Rights of one object, or of all, that are taken from the integration user."""

    def rows(state: SalesforceState, target: str) -> list[Record]:
        return [
            each
            for parent in _sets(state, "")
            for each in state.store.live_holding("ObjectPermissions", "ParentId", parent.id)
            if target in ("", each.get("SobjectType"))
        ]

    return _taken(rows, *permissions)


def _sets(state: SalesforceState, target: str) -> list[Record]:
    user = state.people.integration
    assigned = state.store.live_holding("PermissionSetAssignment", "AssigneeId", user)
    return [state.store.records["PermissionSet"][each.get("PermissionSetId")] for each in assigned]


def _taken(rows: Granted, *permissions: str) -> tuple[IsOn, Turn]:
    """What was taken is given back, and no more."""

    def is_on(state: SalesforceState, target: str) -> bool:
        return not any(each.get(name) for each in rows(state, target) for name in permissions)

    def turn(state: SalesforceState, target: str, on: bool, at: datetime) -> None:
        taken = state.store.rules.taken
        for each in rows(state, target):
            for name in permissions:
                key = f"{each.id}.{name}"
                if on and each.get(name):
                    taken.add(key)
                    state.store.set(each, {name: False}, at)
                elif not on and key in taken:
                    taken.remove(key)
                    state.store.set(each, {name: True}, at)

    return is_on, turn


def _fields(state: SalesforceState) -> Mapping[str, str]:
    """Fields that field-level security may take away: those of the org, and a few more."""
    custom = [
        f"{object_.name}.{each.name}"
        for object_ in state.store.objects.values()
        for each in object_.fields.values()
        if each.custom
    ]
    standard = [f"{name}.HasOptedOutOfEmail" for name in ("Lead", "Contact")]
    return {each: each for each in [*custom, *standard, "Lead.Email", "Contact.Email"]}


def _of_field(level: str) -> tuple[IsOn, Turn]:
    def is_on(state: SalesforceState, target: str) -> bool:
        return state.store.rules.fls.get(target) == level

    def turn(state: SalesforceState, target: str, on: bool, at: datetime) -> None:
        if on:
            state.store.rules.fls[target] = level
        else:
            state.store.rules.fls.pop(target, None)

    return is_on, turn


def _of_rule(name: str) -> tuple[IsOn, Turn]:
    """Whether the target is in a set of the org's rules."""

    def is_on(state: SalesforceState, target: str) -> bool:
        return target in getattr(state.store.rules, name)

    def turn(state: SalesforceState, target: str, on: bool, at: datetime) -> None:
        members = getattr(state.store.rules, name)
        (members.add if on else members.discard)(target)

    return is_on, turn


def _contacts(state: SalesforceState) -> Mapping[str, str]:
    return {each.id: str(each.get("Name")) for each in state.store.live("Contact")}


def _record_types(state: SalesforceState) -> Mapping[str, str]:
    return {each.id: str(each.get("Name")) for each in state.store.all("RecordType")}


def _users(state: SalesforceState) -> Mapping[str, str]:
    return {
        each.id: each.get("Name")
        for each in state.store.all("User")
        if each.get("UserType") == "Standard"
    }


def _has_left(state: SalesforceState, target: str) -> bool:
    return not state.store.records["User"][target].get("IsActive")


def _let_go(state: SalesforceState, target: str, on: bool, at: datetime) -> None:
    state.store.set(state.store.records["User"][target], {"IsActive": not on}, at)


def _blocks(state: SalesforceState, target: str) -> bool:
    return state.store.rules.duplicates == "block"


def _block(state: SalesforceState, target: str, on: bool, at: datetime) -> None:
    state.store.rules.duplicates = "block" if on else "alert"


COUNTRIES = {"Germany", "United States"}


def _are_chosen(state: SalesforceState, target: str) -> bool:
    return bool(state.store.rules.countries)


def _choose_countries(state: SalesforceState, target: str, on: bool, at: datetime) -> None:
    state.store.rules.countries = set(COUNTRIES) if on else set()


VALIDATED = ("Lead.Phone", "Contact.Phone", "Task.Type")
REQUIRED = "Region__c"


def _requires(state: SalesforceState, target: str) -> bool:
    return REQUIRED in state.store.objects[target].fields


def _require(state: SalesforceState, target: str, on: bool, at: datetime) -> None:
    """A required field of the org's own, which a client that does not know it cannot fill."""
    if on:
        field = choice(REQUIRED, ("North", "South"), "Region", custom=True, required=True)
        state.store.define(target, field, at)
    elif _requires(state, target):
        state.store.undefine(target, REQUIRED, at)


def _same(*names: str) -> Callable[[SalesforceState], Mapping[str, str]]:
    return lambda state: {each: each for each in names}


def switches() -> Iterator[Switch]:
    yield from _account_switches()
    yield from _permission_switches()
    yield from _record_switches()


def _account_switches() -> Iterator[Switch]:
    yield Switch("day_used_up", "Limits", "The day's calls are used up",
                 "Every call is refused with 403, as too many in 24 hours.", *_setting("day_used_up"))  # fmt: skip
    yield Switch("sessions_ended", "Account", "All sessions are ended",
                 "Every token is refused with 401. One that is asked for now is good.",
                 _are_over, _end_sessions, strikes=False)  # fmt: skip
    yield Switch("app_without_user", "Account", "The app has no execution user",
                 "No token is given any more; those that are out go on.",
                 *_setting("flow_has_user", False, True), strikes=False)  # fmt: skip
    yield Switch("api_disabled", "Account", "The API is disabled",
                 "Every call is refused with 403.", *_setting("api_enabled", False, True), strikes=False)  # fmt: skip


def _permission_switches() -> Iterator[Switch]:
    yield Switch("no_view_all", "Permissions", "View All is taken away",
                 "Records of others are missing from every answer, as if they were deleted.",
                 *_of_objects("PermissionsViewAllRecords", "PermissionsModifyAllRecords"), strikes=False)  # fmt: skip
    yield Switch("no_modify_all", "Permissions", "Modify All is taken away",
                 "Records of others can be read and not changed.",
                 *_of_objects("PermissionsModifyAllRecords"), strikes=False)  # fmt: skip
    yield Switch("object_hidden", "Permissions", "An object may not be read",
                 "Queries of it are refused, and relationships to it are not understood.",
                 *_of_objects("PermissionsRead"), _same("Lead", "Contact", "Account", "Opportunity"), strikes=False)  # fmt: skip
    yield Switch("object_read_only", "Permissions", "An object may only be read",
                 "Records of it can be neither made nor changed.",
                 *_of_objects("PermissionsCreate", "PermissionsEdit", "PermissionsDelete"),
                 _same("Lead", "Contact"), strikes=False)  # fmt: skip
    yield Switch("tasks_read_only", "Permissions", "Tasks may not be edited",
                 "The permission Edit Tasks is taken away.", *_of_set("PermissionsEditTask"), strikes=False)  # fmt: skip
    yield Switch("no_customizing", "Permissions", "Customize Application is taken away",
                 "No field can be made.", *_of_set("PermissionsCustomizeApplication"), strikes=False)  # fmt: skip
    yield Switch("field_hidden", "Permissions", "A field is hidden",
                 "Field-level security hides it: whoever names it is told that there is no such column.",
                 *_of_field("none"), _fields, strikes=False)  # fmt: skip
    yield Switch("field_read_only", "Permissions", "A field may only be read",
                 "Writes that name it are refused.", *_of_field("read"), _fields, strikes=False)  # fmt: skip


def _record_switches() -> Iterator[Switch]:
    yield Switch("email_encrypted", "Records", "Addresses are encrypted",
                 "They can be read and not searched for.", *_of_rule("encrypted"),
                 _same("Lead.Email", "Contact.Email"), strikes=False)  # fmt: skip
    yield Switch("person_account", "Records", "A contact is a person account",
                 "Its standard fields are written on its account, and refused on the contact.",
                 *_of_rule("persons"), _contacts, strikes=False)  # fmt: skip
    yield Switch("record_type_unassigned", "Permissions", "A record type of deals is not assigned",
                 "Which stages it offers is told to nobody.",
                 *_of_rule("unassigned"), _record_types, strikes=False)  # fmt: skip
    yield Switch("owner_inactive", "Records", "A user has left",
                 "Deactivated: still the owner of records, and refused as the owner of new ones.",
                 _has_left, _let_go, _users, strikes=False)  # fmt: skip
    yield Switch("duplicates_blocked", "Records", "Duplicates are blocked",
                 "A second lead or contact of an address is refused, whatever the header says.",
                 _blocks, _block, strikes=False)  # fmt: skip
    yield Switch("country_picklists", "Records", "Countries are chosen from a list",
                 f"Any other than {' and '.join(sorted(COUNTRIES))} is refused.",
                 _are_chosen, _choose_countries, strikes=False)  # fmt: skip
    yield Switch("validation_rule", "Records", "A validation rule of the org",
                 "Writes that leave this field empty are refused, in the org's own words.",
                 *_of_rule("validations"), _same(*VALIDATED), strikes=False)  # fmt: skip
    yield Switch("required_field", "Records", "A required field of the org",
                 f"{REQUIRED} must be filled in new records, and nobody told us.",
                 _requires, _require, _same("Lead", "Contact", "Task"), strikes=False)  # fmt: skip


TROUBLE = Trouble(dials(), switches())

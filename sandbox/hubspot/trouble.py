"""What can be made to go wrong with HubSpot. Source of the answers: its page on errors and its usage
guidelines (docs/hubspot-facts.md)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ..server.moments import iso
from ..server.trouble import NETWORK, Dial, Switch, Trouble, server_errors
from .pace import limit_body
from .refusals import Refusal
from .settings import ALL_SCOPES
from .state import HubSpotState

PAGE = (
    "<!doctype html><html><head><title>{0}</title></head><body><h1>{1}</h1><p>{2}</p></body></html>"
)
BAD_GATEWAY = PAGE.format("502 Bad Gateway", "502 Bad Gateway", "cloudflare")
TIMED_OUT = PAGE.format("524: A timeout occurred", "Error 524", "The origin web server timed out.")
BUSY = Refusal(503, "SERVICE_UNAVAILABLE", "The service is temporarily unavailable.").body()
LATE = Refusal(504, "GATEWAY_TIMEOUT", "The request took too long to be processed.").body()
INTERNAL = Refusal(500, "INTERNAL_ERROR", "There was a problem with the request.").body()
MOVING = Refusal(477, "MIGRATION_IN_PROGRESS", "This account is being moved.").body()
LOCKED = Refusal(423, "LOCKED", "The resource is locked; try again in two seconds.").body()
FAILED = {"category": "INTERNAL_ERROR", "message": "There was a problem with this input."}
REFUSED = {"category": "VALIDATION_ERROR", "message": "This input is not valid."}

# name, policy, label, seconds of Retry-After
LIMITS = (
    ("ten_secondly", "TEN_SECONDLY_ROLLING", "429: too many in ten seconds", 10),
    ("secondly", "SECONDLY", "429: too many in a second", 1),
)


def _refused(status: int, body: Any, wait: int = 0) -> dict[str, Any]:
    headers = {"headers": {"Retry-After": str(wait)}} if wait else {}
    return {"kind": "status", "status": status, "body": body} | headers


def dials() -> Iterator[Dial]:
    yield from NETWORK
    yield from server_errors(
        "HubSpot",
        ("server_error", 500, "500 internal error", INTERNAL),
        ("bad_gateway", 502, "502 bad gateway", BAD_GATEWAY),
        ("unavailable", 503, "503 unavailable", BUSY),
        ("gateway_timeout", 504, "504 gateway timeout", LATE),
        ("origin_timeout", 524, "524 timed out", TIMED_OUT),
    )
    for name, policy, label, wait in LIMITS:
        sentence, body = f"Refused as {policy}, whatever the pace was", limit_body(policy)
        yield Dial(name, "Limits", label, f"{sentence}; no word on when to come back.",
                   _refused(429, body))  # fmt: skip
        yield Dial(f"{name}_retry_after", "Limits", f"{label}, with Retry-After",
                   f"{sentence}; Retry-After says {wait} s.", _refused(429, body, wait))  # fmt: skip
    # Not in a storm: a day that is used up does not come back with the next request.
    yield Dial("daily", "Limits", "429: too many today",
               "Refused as DAILY, now and then. A day that is really over has a switch of its own.",
               _refused(429, limit_body("DAILY")), in_storm=False)  # fmt: skip
    yield Dial("migrating", "Account", "477: account on the move",
               "Refused while the account moves to another data centre; Retry-After says 3 s.",
               _refused(477, MOVING, 3))  # fmt: skip
    yield Dial("locked", "Records", "423: locked",
               "The records are being changed by something else for the next two seconds.",
               _refused(423, LOCKED))  # fmt: skip
    yield Dial("partial", "Records", "207: some inputs fail",
               "Every third input of a batch fails this time; the others are really done.",
               {"kind": "partial", "body": FAILED})  # fmt: skip
    # Not in a storm: HubSpot refuses a value again and again, not by chance.
    yield Dial("partial_refused", "Records", "207: some inputs are refused",
               "Every third input of a batch is called invalid; the others are really done.",
               {"kind": "partial", "body": REFUSED}, in_storm=False)  # fmt: skip


IsOn = Callable[[HubSpotState, str], bool]
Turn = Callable[[HubSpotState, str, bool, datetime], None]


def _of_tokens(name: str) -> tuple[IsOn, Turn]:
    """A flag of all tokens of this moment; one that is given later is good."""

    def is_on(state: HubSpotState, target: str) -> bool:
        return any(getattr(token, name) for token in state.settings.tokens.values())

    def turn(state: HubSpotState, target: str, on: bool, at: datetime) -> None:
        for token in state.settings.tokens.values():
            setattr(token, name, on)

    return is_on, turn


def _is_removed(state: HubSpotState, scope: str) -> bool:
    return any(scope in token.removed for token in state.settings.tokens.values())


def _remove(state: HubSpotState, scope: str, on: bool, at: datetime) -> None:
    for token in state.settings.tokens.values():
        others = [each for each in token.removed if each != scope]
        token.removed = [*others, scope] if on else others


def _is_day_over(state: HubSpotState, target: str) -> bool:
    return state.settings.day_used_up


def _use_up_day(state: HubSpotState, target: str, on: bool, at: datetime) -> None:
    state.settings.day_used_up = on


def _properties(state: HubSpotState) -> Mapping[str, str]:
    """The account's own properties of contacts and tasks; HubSpot's cannot be deleted."""
    return {
        f"{kind} {each['name']}": f"{each['label']} ({kind})"
        for kind in ("contacts", "tasks")
        for each in state.store.definitions[kind].values()
        if not each["hubspotDefined"]
    }


def _is_deleted(state: HubSpotState, target: str) -> bool:
    kind, name = target.split(" ")
    found = state.store.definitions[kind].get(name)
    return bool(found and found["archived"])


def _delete(state: HubSpotState, target: str, on: bool, at: datetime) -> None:
    """The values stay in the records and are there again when the property is restored."""
    kind, name = target.split(" ")
    held = dict(state.store.definitions[kind][name], archived=on)
    held.pop("archivedAt", None)
    state.store.define(kind, held | ({"archivedAt": iso(at)} if on else {}))


def _owners(state: HubSpotState) -> Mapping[str, str]:
    return {
        id_: f"{each['firstName']} {each['lastName']}" for id_, each in state.store.owners.items()
    }


def _has_left(state: HubSpotState, target: str) -> bool:
    return bool(state.store.owners[target]["archived"])


def _let_go(state: HubSpotState, target: str, on: bool, at: datetime) -> None:
    state.store.archive_owner(target, on, at)


def switches() -> Iterator[Switch]:
    yield Switch("day_used_up", "Limits", "The day's limit is reached",
                 "Every request is refused as DAILY.", _is_day_over, _use_up_day)  # fmt: skip
    yield Switch("token_revoked", "Account", "The token is revoked",
                 "Every request is refused with 401. A token given later is good.",
                 *_of_tokens("revoked"))  # fmt: skip
    yield Switch("token_expired", "Account", "The token has expired",
                 "Every request is refused with 401, as expired.", *_of_tokens("expired"))  # fmt: skip
    yield Switch("scope_removed", "Account", "A scope is removed",
                 "Requests that need the scope are refused with 403.", _is_removed, _remove,
                 lambda state: dict(zip(ALL_SCOPES, ALL_SCOPES, strict=True)))  # fmt: skip
    yield Switch("property_deleted", "Records", "A property is deleted",
                 "Writes that name it are refused, reads leave it out.", _is_deleted, _delete,
                 _properties, strikes=False)  # fmt: skip
    yield Switch("owner_archived", "Records", "An owner has left",
                 "Archived: no longer among the owners, but still on contacts and tasks.",
                 _has_left, _let_go, _owners, strikes=False)  # fmt: skip


TROUBLE = Trouble(dials(), switches())

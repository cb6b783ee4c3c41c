"""What can be made to go wrong with Pipedrive. Source of the answers: its pages on status codes and rate
limits (docs/pipedrive-facts.md)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ..server.trouble import NETWORK, Dial, Switch, Trouble, server_errors
from .pace import BLOCK_PAGE, too_fast
from .refusals import Refusal
from .state import PipedriveState

PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><p>cloudflare</p></body></html>"
INTERNAL = Refusal(500, "Internal server error", "ERR_INTERNAL").body()
MAINTENANCE = Refusal(503, "Scheduled maintenance").body()
RENAMED = " (renamed)"
NO_DATA = {"success": True, "data": None}
JSON = {"Content-Type": "application/json"}


def _refused(status: int, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"kind": "status", "status": status, "body": body, "headers": dict(headers or {})}


def dials() -> Iterator[Dial]:
    yield from NETWORK
    yield Dial("null", "Network", "An answer that is null",
               "The work is done; the answer says 200 and its whole body is null.",
               {"kind": "status_after", "status": 200, "body": "null", "headers": JSON})  # fmt: skip
    yield Dial("no_data", "Network", "An answer without data",
               "The work is done; the answer says success, and its data is null.",
               {"kind": "status_after", "status": 200, "body": NO_DATA})  # fmt: skip
    yield from server_errors(
        "Pipedrive",
        ("server_error", 500, "500 internal error", INTERNAL),
        ("bad_gateway", 502, "502 bad gateway", PAGE.format("502 Bad Gateway")),
        ("maintenance", 503, "503 scheduled maintenance", MAINTENANCE),
        ("gateway_timeout", 504, "504 gateway timeout", PAGE.format("504 Gateway Time-out")),
    )
    burst = {"x-ratelimit-limit": "40", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}
    yield Dial("burst", "Limits", "429: too many in two seconds",
               "Refused whatever the pace was; x-ratelimit-reset says 2 s.",
               _refused(429, too_fast().body(), burst))  # fmt: skip
    yield Dial("burst_bare", "Limits", "429: too many, no headers",
               "Refused whatever the pace was; nothing says for how long.",
               _refused(429, too_fast().body()))  # fmt: skip
    day = {"x-daily-ratelimit-token-limit": "30000", "x-daily-ratelimit-token-remaining": "0"}
    # Not in a storm: a day that is used up does not come back with the next request.
    yield Dial("daily", "Limits", "429: the day's tokens",
               "Refused as used up, now and then. A day that is really over has a switch of its own.",
               _refused(429, too_fast().body(), day), in_storm=False)  # fmt: skip
    yield Dial("blocked_once", "Limits", "403: a page of Cloudflare",
               "Refused with an HTML page, as after too many 429.",
               _refused(403, BLOCK_PAGE), in_storm=False)  # fmt: skip
    yield Dial("unpaid", "Account", "402: account closed or unpaid",
               "Refused until somebody pays.",
               _refused(402, Refusal(402, "Company account is not open").body()),
               in_storm=False)  # fmt: skip


IsOn = Callable[[PipedriveState, str], bool]
Turn = Callable[[PipedriveState, str, bool, datetime], None]


def _setting(name: str) -> tuple[IsOn, Turn]:
    """A dial of the settings that is on or off."""

    def is_on(state: PipedriveState, target: str) -> bool:
        return bool(getattr(state.settings, name))

    def turn(state: PipedriveState, target: str, on: bool, at: datetime) -> None:
        setattr(state.settings, name, on)

    return is_on, turn


def _is_revoked(state: PipedriveState, target: str) -> bool:
    return any(token.revoked for token in state.settings.tokens.values())


def _revoke(state: PipedriveState, target: str, on: bool, at: datetime) -> None:
    for token in state.settings.tokens.values():
        token.revoked = on


def _kinds(state: PipedriveState) -> Mapping[str, str]:
    kinds = ("persons", "activities", "deals", "organizations")
    return {each: each for kind in kinds for each in (kind, f"{kind} write")}


def _is_forbidden(state: PipedriveState, target: str) -> bool:
    return any(target in token.forbidden for token in state.settings.tokens.values())


def _forbid(state: PipedriveState, target: str, on: bool, at: datetime) -> None:
    for token in state.settings.tokens.values():
        others = [each for each in token.forbidden if each != target]
        token.forbidden = [*others, target] if on else others


def _fields(state: PipedriveState) -> Mapping[str, str]:
    """The account's own fields of persons; Pipedrive's cannot be deleted."""
    known = state.store.fields["persons"] | state.store.hidden_fields
    return {code: each["field_name"] for code, each in known.items() if each["is_custom_field"]}


def _is_hidden(state: PipedriveState, target: str) -> bool:
    return target in state.store.hidden_fields


def _hide(state: PipedriveState, target: str, on: bool, at: datetime) -> None:
    if on != _is_hidden(state, target):
        state.store.hide_field(target, on)


def _is_renamed(state: PipedriveState, target: str) -> bool:
    return _fields(state).get(target, "").endswith(RENAMED)


def _rename(state: PipedriveState, target: str, on: bool, at: datetime) -> None:
    known = state.store.fields["persons"] | state.store.hidden_fields
    name = known[target]["field_name"].removesuffix(RENAMED)
    known[target]["field_name"] = name + RENAMED if on else name


def _users(state: PipedriveState) -> Mapping[str, str]:
    return {str(id_): each["name"] for id_, each in state.store.users.items()}


def _has_left(state: PipedriveState, target: str) -> bool:
    return not state.store.users[int(target)]["active_flag"]


def _let_go(state: PipedriveState, target: str, on: bool, at: datetime) -> None:
    state.store.let_go(int(target), on)


def switches() -> Iterator[Switch]:
    yield Switch("day_used_up", "Limits", "The day's tokens are used up",
                 "Every request is refused with 429.", *_setting("day_used_up"))  # fmt: skip
    yield Switch("blocked", "Limits", "Blocked",
                 "Every request is answered by a page of Cloudflare with 403.",
                 *_setting("blocked"))  # fmt: skip
    yield Switch("token_revoked", "Account", "The token is revoked",
                 "Every request is refused with 401. A token given later is good.",
                 _is_revoked, _revoke)  # fmt: skip
    yield Switch("permission_removed", "Account", "A permission is removed",
                 "Requests that need it are refused with 403.", _is_forbidden, _forbid,
                 _kinds)  # fmt: skip
    yield Switch("field_deleted", "Records", "A field is deleted",
                 "Writes that name it are refused, reads leave it out.", _is_hidden, _hide, _fields,
                 strikes=False)  # fmt: skip
    yield Switch("field_renamed", "Records", "A field is renamed",
                 "Somebody gave it another label; its key stays.", _is_renamed, _rename, _fields,
                 strikes=False)  # fmt: skip
    yield Switch("owner_archived", "Records", "A user has left",
                 "Deactivated: still on persons and activities, and takes no new ones.",
                 _has_left, _let_go, _users, strikes=False)  # fmt: skip


TROUBLE = Trouble(dials(), switches())

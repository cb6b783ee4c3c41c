"""What is wrong with the account or its records until somebody turns it off again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from .moments import iso
from .settings import ALL_SCOPES
from .state import State

NO_TARGET = {"": ""}


@dataclass(frozen=True, slots=True)
class Switch:
    """`targets`: what it can be turned for, and their names for people; one "" where there is no
    choice. `is_on` and `turn` take one of them."""

    name: str
    group: str
    label: str
    sentence: str
    targets: Callable[[State], dict[str, str]]
    is_on: Callable[[State, str], bool]
    turn: Callable[[State, str, bool, datetime], None]


def turn(state: State, name: str, target: str, on: bool, at: datetime) -> None:
    """ValueError for a target that does not exist."""
    switch = SWITCHES[name]
    if target not in switch.targets(state):
        raise ValueError(f"{name} needs a target that exists")
    switch.turn(state, target, on, at)
    (state.switched.add if on else state.switched.discard)((name, target))


def turned(state: State) -> list[tuple[str, str]]:
    """Names and targets of what was turned on and was not mended in another way since."""
    return [
        (name, target)
        for name, target in sorted(state.switched)
        if SWITCHES[name].is_on(state, target)
    ]


def mend(state: State, at: datetime, name: str = "") -> None:
    """Turn off all of them, or those of one name."""
    for each, target in turned(state):
        if name in ("", each):
            turn(state, each, target, False, at)


def _no_target(state: State) -> dict[str, str]:
    return NO_TARGET


def _is_revoked(state: State, target: str) -> bool:
    return any(token.revoked for token in state.settings.tokens.values())


def _revoke(state: State, target: str, on: bool, at: datetime) -> None:
    """The tokens of this moment; one that is given later is good."""
    for token in state.settings.tokens.values():
        token.revoked = on


def _is_expired(state: State, target: str) -> bool:
    return any(token.expired for token in state.settings.tokens.values())


def _expire(state: State, target: str, on: bool, at: datetime) -> None:
    for token in state.settings.tokens.values():
        token.expired = on


def _scopes(state: State) -> dict[str, str]:
    return {scope: scope for scope in ALL_SCOPES}


def _is_removed(state: State, scope: str) -> bool:
    return any(scope in token.removed for token in state.settings.tokens.values())


def _remove(state: State, scope: str, on: bool, at: datetime) -> None:
    for token in state.settings.tokens.values():
        others = [each for each in token.removed if each != scope]
        token.removed = [*others, scope] if on else others


def _is_day_over(state: State, target: str) -> bool:
    return state.settings.day_used_up


def _use_up_day(state: State, target: str, on: bool, at: datetime) -> None:
    state.settings.day_used_up = on


def _properties(state: State) -> dict[str, str]:
    """The account's own properties of contacts and tasks; HubSpot's cannot be deleted."""
    return {
        f"{kind} {each['name']}": f"{each['label']} ({kind})"
        for kind in ("contacts", "tasks")
        for each in state.store.definitions[kind].values()
        if not each["hubspotDefined"]
    }


def _is_deleted(state: State, target: str) -> bool:
    kind, name = target.split(" ")
    found = state.store.definitions[kind].get(name)
    return bool(found and found["archived"])


def _delete(state: State, target: str, on: bool, at: datetime) -> None:
    """The values stay in the records and are there again when the property is restored."""
    kind, name = target.split(" ")
    held = {
        key: value
        for key, value in state.store.definitions[kind][name].items()
        if key != "archivedAt"
    }
    gone = {"archivedAt": iso(at)} if on else {}
    state.store.define(kind, held | {"archived": on} | gone)


def _owners(state: State) -> dict[str, str]:
    return {
        id_: f"{each['firstName']} {each['lastName']}" for id_, each in state.store.owners.items()
    }


def _is_archived(state: State, target: str) -> bool:
    return bool(state.store.owners[target]["archived"])


def _archive(state: State, target: str, on: bool, at: datetime) -> None:
    state.store.owners[target] |= {"archived": on, "updatedAt": iso(at)}


def _all() -> Iterator[Switch]:
    yield Switch(
        "day_used_up",
        "Limits",
        "The day's limit is reached",
        "Every request is refused as DAILY.",
        _no_target,
        _is_day_over,
        _use_up_day,
    )
    yield Switch(
        "token_revoked",
        "Account",
        "The token is revoked",
        "Every request is refused with 401. A token given later is good.",
        _no_target,
        _is_revoked,
        _revoke,
    )
    yield Switch(
        "token_expired",
        "Account",
        "The token has expired",
        "Every request is refused with 401, as expired.",
        _no_target,
        _is_expired,
        _expire,
    )
    yield Switch(
        "scope_removed",
        "Account",
        "A scope is removed",
        "Requests that need the scope are refused with 403.",
        _scopes,
        _is_removed,
        _remove,
    )
    yield Switch(
        "property_deleted",
        "Records",
        "A property is deleted",
        "Writes that name it are refused, reads leave it out.",
        _properties,
        _is_deleted,
        _delete,
    )
    yield Switch(
        "owner_archived",
        "Records",
        "An owner has left",
        "Archived: no longer among the owners, but still on contacts and tasks.",
        _owners,
        _is_archived,
        _archive,
    )


SWITCHES = {switch.name: switch for switch in _all()}

"""Making trouble and ending it: faults that strike requests, and switches of the account.

A `Dial` is a fault with a name and a sentence, a `Switch` a state of the account or its records until
somebody turns it off again. Each CRM lists its own; NETWORK is what happens to any of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .faults import Fault, Storm
from .state import State

# What a POST may say besides the name.
OWN = {"share", "match", "times", "seconds"}
NO_TARGET = {"": ""}
AnyState = State[Any, Any]


@dataclass(frozen=True, slots=True)
class Dial:
    """`fault`: the fields of the Fault it makes. `in_storm`: whether a storm may strike with it."""

    name: str
    group: str
    label: str
    sentence: str
    fault: Mapping[str, Any] = field(default_factory=dict)
    in_storm: bool = True

    @property
    def has_seconds(self) -> bool:
        return "seconds" in self.fault

    def made(self, **more: Any) -> Fault:
        """Strikes until it is turned off, unless `times` says how often."""
        unknown = more.keys() - OWN
        if unknown:
            raise ValueError(f"{unknown.pop()} cannot be set for a fault with a name")
        return Fault(**{**self.fault, "times": None, **more, "name": self.name})


def _no_target(state: AnyState) -> dict[str, str]:
    return NO_TARGET


@dataclass(frozen=True, slots=True)
class Switch:
    """`targets`: what it can be turned for, and their names for people; one "" where there is no
    choice. `is_on` and `turn` take one of them. `strikes`: it refuses requests, which are counted."""

    name: str
    group: str
    label: str
    sentence: str
    is_on: Callable[[Any, str], bool]
    turn: Callable[[Any, str, bool, datetime], None]
    targets: Callable[[Any], Mapping[str, str]] = _no_target
    strikes: bool = True


NETWORK = (
    Dial("drop_before", "Network", "Cut before the work",
         "The connection ends and nothing was done.", {"kind": "drop_before"}),
    Dial("drop_after", "Network", "Cut after the work",
         "The work is done, and the connection ends without an answer.", {"kind": "drop_after"}),
    Dial("slow", "Network", "Slow",
         "The work is done late, and so comes the answer.", {"kind": "slow", "seconds": 12.0}),
    Dial("dripping", "Network", "Dripping",
         "The work is done at once; the end of the answer comes byte by byte.",
         {"kind": "dripping", "seconds": 30.0}),
    Dial("garbage", "Network", "Garbage",
         "The work is done; the answer says so in what is no JSON.", {"kind": "garbage"}),
)  # fmt: skip


def server_errors(crm: str, *errors: tuple[str, int, str, Any]) -> Iterator[Dial]:
    """Dials for (name, status, label, body). A 5xx leaves open whether the work was done: each both ways."""
    for name, status, label, body in errors:
        how = "an HTML page" if isinstance(body, str) else f"{crm}'s error"
        answer = {"status": status, "body": body}
        yield Dial(name, "Servers", label, f"Answered with {how}, and nothing was done.",
                   {"kind": "status"} | answer)  # fmt: skip
        yield Dial(f"{name}_after", "Servers", f"{label}, but done",
                   f"Answered with {how}, although the work is done.",
                   {"kind": "status_after"} | answer)  # fmt: skip


class Trouble:
    """All that can be made to go wrong with one kind of CRM."""

    def __init__(self, dials: Iterator[Dial], switches: Iterator[Switch]) -> None:
        self.dials = {each.name: each for each in dials}
        self.switches = {each.name: each for each in switches}

    def groups(self) -> list[str]:
        """Those who come to a group look for the network first; the account's own are rarer."""
        groups = [each.group for each in self.dials.values()]
        return list(dict.fromkeys([*groups, *(each.group for each in self.switches.values())]))

    def add(self, state: AnyState, sent: dict[str, Any], at: datetime) -> None:
        """By `name` (of a dial or a switch, which may need a `target`), or a fault of one's own by
        `kind`. Raise ValueError or TypeError for what does not exist."""
        name = sent.get("name", "")
        if name in self.switches:
            if sent.keys() - {"name", "target"}:
                raise ValueError(f"{name} takes a target and nothing else")
            self.turn(state, name, sent.get("target", ""), True, at)
        elif name:
            if name not in self.dials:
                known = ", ".join([*self.dials, *self.switches])
                raise ValueError(f"name must be one of {known}")
            more = {key: value for key, value in sent.items() if key != "name"}
            state.faults.add(self.dials[name].made(**more))
        else:
            state.faults.add(Fault(**sent))

    def end(self, state: AnyState, name: str, at: datetime) -> None:
        """End what goes by that name; without one everything, the storm too."""
        if name:
            state.faults.end(name)
        else:
            state.faults.clear()
        for each, target in self.turned(state):
            if name in ("", each):
                self.turn(state, each, target, False, at)

    def turn(self, state: AnyState, name: str, target: str, on: bool, at: datetime) -> None:
        """Turn a switch. Raise ValueError for a target that does not exist."""
        switch = self.switches[name]
        if target not in switch.targets(state):
            raise ValueError(f"{name} needs a target that exists")
        switch.turn(state, target, on, at)
        (state.switched.add if on else state.switched.discard)((name, target))

    def turned(self, state: AnyState) -> list[tuple[str, str]]:
        """Names and targets of what was turned on and was not mended in another way since."""
        return [
            (name, target)
            for name, target in sorted(state.switched)
            if self.switches[name].is_on(state, target)
        ]

    def stormy(self) -> list[Fault]:
        """What a storm strikes with."""
        return [dial.made() for dial in self.dials.values() if dial.in_storm]

    def storm(self, state: AnyState, *, share: float, seed: int = 1) -> None:
        """Strike any request with that chance, evenly by any of the faults that may."""
        state.faults.storm = Storm(share, seed, self.stormy())

    def count(self, state: AnyState) -> int:
        """How many kinds of trouble there are now."""
        names = {each["name"] or each["kind"] for each in state.faults.shown()}
        return len(names) + len(self.turned(state)) + (state.faults.storm is not None)

    def shown(self, state: AnyState) -> dict[str, Any]:
        """All names, what is on, and how often each fault struck."""
        storm = state.faults.storm
        dials = [
            {"name": each.name, "group": each.group, "sentence": each.sentence, "in_storm": each.in_storm}
            for each in self.dials.values()
        ]  # fmt: skip
        switches = [
            {"name": each.name, "group": each.group, "sentence": each.sentence,
             "targets": [target for target in each.targets(state) if target]}
            for each in self.switches.values()
        ]  # fmt: skip
        return {
            "names": dials + switches,
            "on": state.faults.shown(),
            "switched": [{"name": name, "target": target} for name, target in self.turned(state)],
            "storm": storm.shown() if storm else None,
            "struck": dict(state.faults.struck),
        }

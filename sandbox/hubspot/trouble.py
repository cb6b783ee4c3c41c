"""Making trouble and ending it: what HTTP and the page both do."""

from datetime import datetime
from typing import Any

from . import switches
from .dials import DIALS, Dial, stormy
from .faults import Fault, Storm
from .state import State
from .switches import SWITCHES


def add(state: State, sent: dict[str, Any], at: datetime) -> None:
    """By `name` (of a dial or a switch, which may need a `target`), or a fault of one's own by
    `kind`. ValueError or TypeError for what does not exist."""
    name = sent.get("name", "")
    if name in SWITCHES:
        if sent.keys() - {"name", "target"}:
            raise ValueError(f"{name} takes a target and nothing else")
        switches.turn(state, name, sent.get("target", ""), True, at)
    elif name:
        if name not in DIALS:
            raise ValueError(f"name must be one of {', '.join([*DIALS, *SWITCHES])}")
        state.faults.add(DIALS[name].made(**{key: sent[key] for key in sent if key != "name"}))
    else:
        state.faults.add(Fault(**sent))


def end(state: State, name: str, at: datetime) -> None:
    """End what goes by that name; without one everything, the storm too."""
    if name:
        state.faults.end(name)
    else:
        state.faults.clear()
    switches.mend(state, at, name)


def storm(state: State, *, share: float, seed: int = 1) -> None:
    """Strike any request with that chance, evenly by any of the faults that may."""
    state.faults.storm = Storm(share, seed, stormy())


def count(state: State) -> int:
    """How many kinds of trouble there are now."""
    names = {each["name"] or each["kind"] for each in state.faults.shown()}
    return len(names) + len(switches.turned(state)) + (state.faults.storm is not None)


def shown(state: State) -> dict[str, Any]:
    """All names, what is on, and how often each fault struck."""
    return {
        "names": [_dial(each) for each in DIALS.values()] + _switches(state),
        "on": state.faults.shown(),
        "switched": [{"name": name, "target": target} for name, target in switches.turned(state)],
        "storm": state.faults.storm.shown() if state.faults.storm else None,
        "struck": dict(state.faults.struck),
    }


def _dial(dial: Dial) -> dict[str, Any]:
    return {
        "name": dial.name,
        "group": dial.group,
        "sentence": dial.sentence,
        "in_storm": dial.in_storm,
    }


def _switches(state: State) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "group": each.group,
            "sentence": each.sentence,
            "targets": [target for target in each.targets(state) if target],
        }
        for each in SWITCHES.values()
    ]

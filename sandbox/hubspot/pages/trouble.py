"""The page where things are made to go wrong: each way with a switch, and what it did so far."""

from itertools import groupby

from .. import switches, trouble
from ..dials import DIALS, Dial
from ..refusals import bad_request
from ..switches import SWITCHES, Switch
from .markup import Safe, choices, fill, join
from .visit import Moved, Page, Visit

# Those who come to a group look for the network first; the account's own are rarer.
GROUPS = ("Network", "Servers", "Limits", "Account", "Records")
USUAL_PERCENT = 5
HERE = Moved("/trouble")


def page(visit: Visit) -> Page:
    on = trouble.count(visit.state)
    body = fill(
        "trouble",
        on=f"{on} switched on now." if on else "Nothing is switched on.",
        idle="" if on else "disabled",
        storm=_storm(visit),
        groups=join(_group(visit, name) for name in GROUPS),
        others=join(_others(visit)),
    )
    return Page("Trouble", body)


def _storm(visit: Visit) -> Safe:
    storm, struck = visit.state.faults.storm, visit.state.faults.struck
    return fill(
        "trouble_storm",
        percent=_percent(storm.share) if storm else USUAL_PERCENT,
        seed=storm.seed if storm else 1,
        struck=_times(sum(struck[name] for name in DIALS)),
        **_state(storm is not None),
    )


def _group(visit: Visit, name: str) -> Safe:
    dials = [_dial(visit, each) for each in DIALS.values() if each.group == name]
    switches = [_switch(visit, each) for each in SWITCHES.values() if each.group == name]
    return fill("trouble_group", name=name, cards=join(dials + switches))


def _dial(visit: Visit, dial: Dial) -> Safe:
    faults = visit.state.faults
    now = faults.on(dial.name)
    shown = now or dial.made()
    seconds = fill("trouble_seconds", seconds=f"{shown.seconds:g}") if dial.has_seconds else ""
    return fill(
        "trouble_dial",
        name=dial.name,
        label=dial.label,
        sentence=dial.sentence,
        percent=_percent(now.share) if now else USUAL_PERCENT,
        seconds=seconds,
        struck=fill("trouble_struck", text=_times(faults.struck[dial.name])),
        **_state(now is not None),
    )


def _percent(share: float) -> int:
    """As the slider has it; whatever is on at all shows as at least one."""
    return max(1, round(share * 100))


def _state(on: bool) -> dict[str, str]:
    return {
        "checked": str(on).lower(),
        "turn": "off" if on else "on",
        "word": "On" if on else "Off",
    }


def _times(count: int) -> str:
    if not count:
        return "never struck so far"
    return "struck once" if count == 1 else f"struck {count:,} times"


def _switch(visit: Visit, switch: Switch) -> Safe:
    targets = switch.targets(visit.state)
    on = [target for name, target in switches.turned(visit.state) if name == switch.name]
    said = {"name": switch.name, "label": switch.label, "sentence": switch.sentence}
    # What is wrong with records is a state; whatever refuses requests strikes.
    struck = _times(visit.state.faults.struck[switch.name])
    said["struck"] = "" if switch.group == "Records" else fill("trouble_struck", text=struck)
    if targets == switches.NO_TARGET:
        return fill("trouble_toggle", **said, **_state(bool(on)))
    free = {
        value: label for value, label in targets.items() if not switch.is_on(visit.state, value)
    }
    ends = [
        fill("trouble_target", name=switch.name, target=each, label=targets[each]) for each in on
    ]
    return fill(
        "trouble_choice",
        **said,
        checked=str(bool(on)).lower(),
        targets=choices(free, next(iter(free), ""), empty=None if free else "nothing here"),
        idle="" if free else "disabled",
        ends=join(ends),
    )


def _others(visit: Visit) -> list[Safe]:
    """What was set over HTTP by kind, and has no switch here."""
    kinds = sorted(each["kind"] for each in visit.state.faults.shown() if not each["name"])
    lines = [f"{kind}: {len(list(group))}" for kind, group in groupby(kinds)]
    return [fill("trouble_others", text=", ".join(lines))] if lines else []


def turn_dial(visit: Visit) -> Moved:
    """On with the share of the slider, or off. A slider that is moved means on."""
    name = visit.form.get("name", "")
    if name not in DIALS:
        raise bad_request("There is no such fault.")
    visit.state.faults.end(name)
    if visit.form.get("turn", "on") == "on":
        more = {"share": _number(visit, "percent", 100) / 100}
        if DIALS[name].has_seconds:
            more["seconds"] = _number(visit, "seconds", 600)
        trouble.add(visit.state, {"name": name} | more, visit.at)
    return Moved(f"/trouble#{name}")


def turn_storm(visit: Visit) -> Moved:
    visit.state.faults.storm = None
    if visit.form.get("turn", "on") == "on":
        share, seed = _number(visit, "percent", 100) / 100, int(_number(visit, "seed", 10**9))
        trouble.storm(visit.state, share=share, seed=seed)
    return HERE


def turn_switch(visit: Visit) -> Moved:
    name = visit.args["name"]
    if name not in SWITCHES:
        raise bad_request("There is no such switch.")
    on = visit.form.get("turn", "on") == "on"
    try:
        switches.turn(visit.state, name, visit.form.get("target", ""), on, visit.at)
    except ValueError as error:
        raise bad_request(str(error)) from None
    return HERE


def end_all(visit: Visit) -> Moved:
    trouble.end(visit.state, "", visit.at)
    return HERE


def _number(visit: Visit, name: str, highest: int) -> float:
    text = visit.form.get(name, "")
    try:
        number = float(text[:20])
    except ValueError:
        number = -1.0
    if not 0 <= number <= highest:
        raise bad_request(f"{name} must be a number from 0 to {highest:,}.")
    return number

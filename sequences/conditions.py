"""Conditions on entering a sequence: `{score__gte: 20, lifecycle__in: [lead], activity: webinar}`.

All of them must hold. `activity` asks whether one of these types has just been stored and is
no history (`leadscoring.intake.activities.NEWS`); the others ask what holds now.
"""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from leadscoring.common.activity_type import spell_activity_type
from leadscoring.engine.lookups import ORDER_LOOKUPS, build_matcher
from leadscoring.models import Lifecycle

NUMBERS = ("score", "fit", "engagement")
WORDS = {"grade": [f + e for f in "ABCD" for e in "1234"], "lifecycle": list(Lifecycle.values)}
KNOWN = ("score__gte", "fit__gte", "engagement__gte", "grade__in", "lifecycle__in", "activity")
LARGEST = 1_000_000
_NAME = re.compile(r"[^\s].{0,98}[^\s]|[^\s]")


class ConditionError(Exception):
    """A condition that cannot be: its name, and the reason."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}" if name else reason)
        self.name = name
        self.reason = reason


def check_conditions(enter_when: object) -> None:
    """Raise ConditionError at the first condition that cannot be."""
    if not isinstance(enter_when, dict):
        raise ConditionError("", "must be a mapping such as {score__gte: 20}")
    for name, value in enter_when.items():
        if reason := _wrong(str(name), value):
            raise ConditionError(str(name), reason)


def _wrong(name: str, value: object) -> str:
    """Return what is wrong with one condition; empty when nothing is."""
    fact, _, lookup = name.partition("__")
    if name == "activity":
        return _wrong_types(_as_list(value))
    if fact in NUMBERS and lookup in ORDER_LOOKUPS:
        return "" if _is_figure(value) else "wants a number"
    if fact in WORDS and lookup == "in":
        return _wrong_words(value, WORDS[fact])
    close = get_close_matches(name, KNOWN, n=1, cutoff=0.75)
    return (
        f"unknown condition; {close[0]} is meant?"
        if close
        else f"unknown condition; known: {', '.join(KNOWN)}"
    )


def _is_figure(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= LARGEST


def _wrong_types(types: list[object]) -> str:
    named = all(
        isinstance(type_, str) and type_.isprintable() and _NAME.fullmatch(type_) for type_ in types
    )
    return "" if types and named else "wants the type of an activity, or a list of types"


def _wrong_words(value: object, known: Collection[str]) -> str:
    if not isinstance(value, list) or not value:
        return "wants a list"
    unknown = [word for word in value if word not in known]
    return f"{unknown[0]!r} is none of {', '.join(known)}" if unknown else ""


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def awaited_types(enter_when: Mapping[str, object]) -> list[str]:
    """Return the types of activities that let people in, in their one spelling."""
    types = _as_list(enter_when["activity"]) if "activity" in enter_when else []
    return [spell_activity_type(str(type_)) for type_ in types]


def conditions_hold(
    enter_when: Mapping[str, object], facts: Mapping[str, object], did: Collection[str]
) -> bool:
    """Return whether a contact of these facts (score, fit, engagement, grade, lifecycle) enters.

    Customers are not nurtured by accident: they enter by rules that name the lifecycle.
    """
    customer = facts.get("lifecycle") == Lifecycle.CUSTOMER
    if not enter_when or (customer and "lifecycle__in" not in enter_when):
        return False
    return all(_one_holds(name, value, facts, did) for name, value in enter_when.items())


def _one_holds(name: str, value: object, facts: Mapping[str, object], did: Collection[str]) -> bool:
    if name == "activity":
        return any(type_ in did for type_ in awaited_types({name: value}))
    fact, _, lookup = name.partition("__")
    return build_matcher(lookup, _as_list(value))(facts.get(fact))  # type: ignore[arg-type]

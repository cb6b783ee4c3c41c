"""The engine once more, read straight off its rules: slow, uncompiled, and easy to believe.

The bench compares with it, and the properties of tests/engine hold the real engine against it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from leadscoring.engine import RECENT_PER_TYPE, ActivityFact, Profile, Rule, ScoringModel
from leadscoring.engine.lookups import is_missing, number_of, text_of, truth_of
from leadscoring.engine.rules import ActivityIs, All, AnyOf, FactIs, Not, ProfileIs

Figures = tuple[float, float, float, dict[str, tuple[float, int]], bool]


def plain_score(
    profile: Profile, log: Iterable[ActivityFact], model: ScoringModel, at: datetime
) -> Figures:
    """Total, fit, engagement, points and count by rule, disqualified."""
    log = counting([activity for activity in log if activity.at <= at], model)
    found = {rule.key: points(rule, profile, log, at) for rule in model.rules}
    for rule in model.rules:
        if rule.disqualify and found[rule.key][1]:
            return 0.0, 0.0, 0.0, {rule.key: (0.0, found[rule.key][1])}, True
    spoken = {key: part for key, part in found.items() if part[0]}
    groups = {rule.key: rule.group for rule in model.rules}
    for group, cap in (("fit", model.caps.fit), ("engagement", model.caps.engagement)):
        cut([key for key in spoken if groups[key] == group], spoken, cap)
    cut(list(spoken), spoken, model.caps.total)
    fit = sum(part[0] for key, part in spoken.items() if groups[key] == "fit")
    engagement = sum(part[0] for key, part in spoken.items() if groups[key] == "engagement")
    return round(fit + engagement, 2), round(fit, 2), round(engagement, 2), spoken, False


def counting(log: list[ActivityFact], model: ScoringModel) -> list[ActivityFact]:
    """One of each identity, and of each type the most recent."""
    wanted = model.activity_types
    log = sorted(log, key=lambda activity: (activity.at, activity.source, activity.event_id))
    once: list[ActivityFact] = []
    seen: set[tuple[str, str]] = set()
    for activity in log:
        identity = (activity.source, activity.event_id)
        known = identity in seen if activity.event_id else activity in once
        if not known and (wanted is None or activity.type in wanted):
            once.append(activity)
            seen.add(identity)
    by_type: dict[str, list[ActivityFact]] = {}
    for activity in once:
        by_type.setdefault(activity.type, []).append(activity)
    return [one for some in by_type.values() for one in some[-RECENT_PER_TYPE:]]


def points(
    rule: Rule, profile: Profile, log: list[ActivityFact], at: datetime
) -> tuple[float, int]:
    if not rule.speaks_of_activities:
        spoke = holds(rule.when, profile.values, None)
        return (bounded(rule, rule.points), 1) if spoke else (0.0, 0)
    ages = sorted(at - one.at for one in log if holds(rule.when, profile.values, one))
    if rule.window_days is not None:
        ages = [age for age in ages if age < timedelta(days=rule.window_days)]
    if rule.at_most is not None:
        ages = thinned(ages, rule.at_most.count, timedelta(days=rule.at_most.per_days))
    worth = sum(Fraction(decay(age, rule)) for age in ages) * Fraction(rule.points)
    return bounded(rule, float(worth)), len(ages)


def thinned(ages: list[timedelta], count: int, per: timedelta) -> list[timedelta]:
    chosen: list[timedelta] = []
    for age in ages:
        if sum(age - newer < per for newer in chosen) < count:
            chosen.append(age)
    return chosen


def decay(age: timedelta, rule: Rule) -> float:
    if rule.half_life_days is None:
        return 1.0
    return float(0.5 ** (age / timedelta(days=rule.half_life_days)))


def bounded(rule: Rule, worth: float) -> float:
    if rule.cap is not None:
        worth = max(-rule.cap, min(rule.cap, worth))
    return round(worth, 2)


def cut(keys: list[str], spoken: dict[str, tuple[float, int]], cap: float | None) -> None:
    if cap is None:
        return
    excess = round(sum(spoken[key][0] for key in keys) - cap, 2)
    for key in sorted(reversed(keys), key=lambda key: spoken[key][0]):  # noqa: C414  (ties: the later first)
        taken = min(max(spoken[key][0], 0), max(excess, 0))
        spoken[key] = (round(spoken[key][0] - taken, 2), spoken[key][1])
        excess = round(excess - taken, 2)


def holds(condition: Any, values: Mapping[str, object], activity: ActivityFact | None) -> bool:
    match condition:
        case ProfileIs(tests):
            return all(passes(test, values) for test in tests)
        case ActivityIs(types, tests):
            of_type = activity is not None and activity.type in types
            return of_type and all(passes(test, activity.properties) for test in tests)
        case All(parts):
            return all(holds(part, values, activity) for part in parts)
        case AnyOf(parts):
            return any(holds(part, values, activity) for part in parts)
        case Not(part):
            return not holds(part, values, activity)
    raise TypeError(condition)


def passes(test: FactIs, facts: Mapping[str, object]) -> bool:
    fact: object = facts
    for name in test.path:
        fact = fact.get(name) if isinstance(fact, Mapping) else None
    if test.lookup == "isnull":
        return is_missing(fact) is test.values[0]
    items = fact if isinstance(fact, list) else [fact]
    return any(
        relates(test.lookup, item, value)
        for item in items
        if not is_missing(item)
        for value in test.values
    )


def relates(lookup: str, fact: Any, value: Any) -> bool:
    if lookup in ("gt", "gte", "lt", "lte"):
        known = fact if isinstance(value, str) else number_of(fact)
        if known is None or isinstance(known, str) is not isinstance(value, str):
            return False
        return bool(
            {
                "gt": known > value,
                "gte": known >= value,
                "lt": known < value,
                "lte": known <= value,
            }[lookup]
        )
    text = text_of(fact)
    if text is None:
        return False
    if lookup in ("exact", "in"):
        if isinstance(value, bool):
            return truth_of(fact) is value
        return text == value if isinstance(value, str) else number_of(fact) == value
    wanted = str(value)
    if lookup.startswith("i"):
        text, wanted = text.casefold(), wanted.casefold()
    match lookup:
        case "iexact":
            return text == wanted
        case "contains" | "icontains":
            return wanted in text
        case "startswith":
            return text.startswith(wanted)
    return text.endswith(wanted)

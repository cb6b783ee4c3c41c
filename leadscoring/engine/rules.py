"""Conditions and rules: does a rule speak of this person, or of this thing they did?

A condition is asked of a profile and one activity. A rule that names an activity anywhere
speaks once for each activity its condition holds for; a rule that names none is a profile rule
and speaks once, without decay.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

from leadscoring.engine.facts import Facts
from leadscoring.engine.lookups import Scalar, build_matcher

Holds = Callable[[Facts, Facts], bool]
"""Of the profile's values and of one activity's properties."""
Check = Callable[[Facts], bool]
Pick = Callable[[Facts, Iterable[tuple[timedelta, Facts]]], list[timedelta]]
"""Of activities -- how long ago, and the properties -- the ages of those that are meant."""
Evidence = dict[tuple[str, ...], object]
"""Facts by the path that leads to them, each once."""


@dataclass(frozen=True, slots=True)
class FactIs:
    """One look-up on one fact. `path` leads into nested properties: a__b is ("a", "b")."""

    path: tuple[str, ...]
    lookup: str
    values: tuple[Scalar, ...]

    def fact(self, facts: Facts) -> object:
        found: object = facts
        for name in self.path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


@dataclass(frozen=True, slots=True)
class ProfileIs:
    """All the tests hold for the person."""

    tests: tuple[FactIs, ...]


@dataclass(frozen=True, slots=True)
class ActivityIs:
    """The activity is of one of the types, and all the tests hold for its properties."""

    types: tuple[str, ...]
    tests: tuple[FactIs, ...] = ()


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


Condition = ProfileIs | ActivityIs | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class AtMost:
    """No more than `count` activities count in any `per_days` days."""

    count: int
    per_days: float


@dataclass(frozen=True, slots=True)
class Rule:
    """Points for what a condition finds.

    `points` may be negative. `cap` bounds how far the rule alone can move a score, either way.
    A rule that disqualifies has no points.
    """

    key: str
    label: str
    group: str
    when: Condition
    points: float = 0.0
    half_life_days: float | None = None
    window_days: float | None = None
    at_most: AtMost | None = None
    cap: float | None = None
    disqualify: bool = False

    @property
    def speaks_of_activities(self) -> bool:
        return any(isinstance(leaf, ActivityIs) for leaf in iter_leaves(self.when))

    @property
    def activity_types(self) -> frozenset[str] | None:
        """Return the types the rule can speak of; None: any type. A profile rule speaks of none."""
        return _condition_types(self.when) if self.speaks_of_activities else frozenset()


def iter_leaves(condition: Condition) -> Iterator[ProfileIs | ActivityIs]:
    if isinstance(condition, (All, AnyOf)):
        for part in condition.parts:
            yield from iter_leaves(part)
    elif isinstance(condition, Not):
        yield from iter_leaves(condition.part)
    else:
        yield condition


def _condition_types(condition: Condition) -> frozenset[str] | None:
    """Return types of activities that the condition can hold for; None: any type."""
    if isinstance(condition, ActivityIs):
        return frozenset(condition.types)
    if isinstance(condition, All):
        return reduce(_intersect_types, map(_condition_types, condition.parts))
    if isinstance(condition, AnyOf):
        return reduce(union_types, map(_condition_types, condition.parts))
    return None


def _intersect_types(a: frozenset[str] | None, b: frozenset[str] | None) -> frozenset[str] | None:
    return b if a is None else a if b is None else a & b


def union_types(a: frozenset[str] | None, b: frozenset[str] | None) -> frozenset[str] | None:
    return None if a is None or b is None else a | b


def _compile_condition(condition: Condition, type: str | None) -> Holds | bool:
    """Return the condition as a function, for activities of one type; None: a type no rule names.

    Decide here, once, what the type alone decides: a result that is the same for every such activity
    comes back as True or False.
    """
    if isinstance(condition, ProfileIs):
        return _of_profile(condition.tests)
    if isinstance(condition, ActivityIs):
        of_type = type in condition.types
        return _of_activity(condition.tests) if of_type and condition.tests else of_type
    if isinstance(condition, Not):
        return _negated(_compile_condition(condition.part, type))
    parts = [_compile_condition(part, type) for part in condition.parts]
    return _joined(parts, decisive=isinstance(condition, AnyOf))


def compile_selection(condition: Condition, type: str | None) -> Pick | None:
    """Return a function that selects the ages of the activities of one type for which a condition holds.

    None: it holds for none of that type.
    """
    holds = _compile_condition(condition, type)
    if isinstance(holds, bool):
        return (lambda _values, some: [age for age, _ in some]) if holds else None
    if isinstance(condition, ActivityIs) and len(condition.tests) == 1:
        test = condition.tests[0]
        match, name = build_matcher(test.lookup, test.values), test.path[0]
        if len(test.path) == 1:
            # By far the most often asked kind of condition, without a call in between.
            return lambda _values, some: [age for age, facts in some if match(facts.get(name))]
    return lambda values, some: [age for age, facts in some if holds(values, facts)]


def compile_profile_condition(condition: Condition) -> Check:
    """Return a profile rule's condition as a function of the profile's values alone."""
    if isinstance(condition, ProfileIs):
        return _check(condition.tests)
    holds = _compile_condition(condition, None)
    return lambda values: holds if isinstance(holds, bool) else holds(values, {})


def _of_profile(tests: tuple[FactIs, ...]) -> Holds:
    check = _check(tests)
    return lambda values, _properties: check(values)


def _of_activity(tests: tuple[FactIs, ...]) -> Holds:
    check = _check(tests)
    return lambda _values, properties: check(properties)


def _negated(part: Holds | bool) -> Holds | bool:
    if isinstance(part, bool):
        return not part
    return lambda values, properties: not part(values, properties)


def _joined(parts: list[Holds | bool], decisive: bool) -> Holds | bool:
    """Return the first part that says `decisive` decides: True for any, False for all."""
    if decisive in parts:
        return decisive
    open_parts = [part for part in parts if not isinstance(part, bool)]
    if len(open_parts) < 2:
        return open_parts[0] if open_parts else not decisive

    def joined(values: Facts, properties: Facts) -> bool:
        for part in open_parts:
            if part(values, properties) is decisive:
                return decisive
        return not decisive

    return joined


def _check(tests: tuple[FactIs, ...]) -> Check:
    checks = [_check_one(test) for test in tests]
    return checks[0] if len(checks) == 1 else lambda facts: all(check(facts) for check in checks)


def _check_one(test: FactIs) -> Check:
    match, name = build_matcher(test.lookup, test.values), test.path[0]
    if len(test.path) > 1:
        return lambda facts: match(test.fact(facts))
    return lambda facts: match(facts.get(name))


def compile_evidence(condition: Condition) -> Callable[[Facts], Evidence]:
    """Return a function that gives the facts of the profile that a holding condition rests on.

    Of `any`, the facts of the parts that hold; of `not`, all that it looks at.
    """
    if isinstance(condition, AnyOf):
        parts = [
            (compile_profile_condition(part), compile_evidence(part)) for part in condition.parts
        ]
        return lambda values: _merged(facts(values) for holds, facts in parts if holds(values))
    if isinstance(condition, All):
        facts_of = [compile_evidence(part) for part in condition.parts]
        return lambda values: _merged(facts(values) for facts in facts_of)
    tests = [
        test
        for leaf in iter_leaves(condition)
        if isinstance(leaf, ProfileIs)
        for test in leaf.tests
    ]
    paths = {test.path: test for test in tests}
    if all(len(path) == 1 for path in paths):
        return lambda values: {path: values.get(path[0]) for path in paths}
    return lambda values: {path: test.fact(values) for path, test in paths.items()}


def _merged(found: Iterable[Evidence]) -> Evidence:
    return {path: fact for facts in found for path, fact in facts.items()}

"""Contributions and rules as sentences: for the rep and for the marketer.

What people typed comes back bounded and without control characters, but not escaped: the page
that shows it escapes it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from leadscoring.common.text import bounded_line
from leadscoring.engine.lookups import Scalar, is_missing, text_of
from leadscoring.engine.rules import (
    ActivityIs,
    All,
    AnyOf,
    AtMost,
    Condition,
    FactIs,
    Not,
    ProfileIs,
    Rule,
)

LONGEST = 80
MONTHS = (
    "",
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
RELATIONS = {
    "exact": "is",
    "in": "is",
    "iexact": "is",
    "contains": "contains",
    "icontains": "contains",
    "startswith": "starts with",
    "endswith": "ends with",
    "gt": "is above",
    "gte": "is at least",
    "lt": "is below",
    "lte": "is at most",
}


def activities_sentence(label: str, count: int, last_at: datetime, at: datetime) -> str:
    """Return "Visited pricing 3 times, last on 4 May", read at an instant."""
    if count == 1:
        return f"{label} on {format_day(last_at, at)}"
    return f"{label} {count} times, last on {format_day(last_at, at)}"


def profile_sentence(label: str, facts: Iterable[object]) -> str:
    """Return "Senior job title: VP Marketing"; the label alone when nothing is known."""
    evidence = ", ".join([shown for fact in facts if (shown := format_fact(fact))])
    return f"{label}: {evidence}" if evidence else label


def disqualified_sentence(reason: str) -> str:
    return f"{reason} (disqualified)"


def capped_note(points: float, cap: float) -> str:
    """Return the words behind a contribution that a cap has cut."""
    return f", {format_count(points, 'point')} above the limit of {format_figure(cap)} not counted"


def format_day(moment: datetime, at: datetime) -> str:
    """Return the day of a moment, with its year when that is not the year it is read in."""
    year = "" if moment.year == at.year else f" {moment.year}"
    return f"{moment.day} {MONTHS[moment.month]}{year}"


def format_fact(fact: object) -> str:
    """Return a fact in one short printable line; a list by its first three items."""
    if isinstance(fact, str) and len(fact) <= LONGEST and fact.isprintable():
        return fact.strip()
    if isinstance(fact, list):
        return ", ".join(shown for item in fact[:3] if (shown := format_fact(item)))
    text = "" if is_missing(fact) else text_of(fact) or ""
    return bounded_line(text, LONGEST)


def format_figure(number: float) -> str:
    """Return a figure with at most two decimals and no empty ones: 12, 12.5, 1,250."""
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def format_count(number: float, noun: str) -> str:
    return (
        f"{format_figure(number)} {noun}"
        if abs(number) == 1
        else f"{format_figure(number)} {noun}s"
    )


def describe_rule(rule: Rule) -> str:
    """Return a rule as one sentence for its editor, without its label."""
    parts = [f"{_effect(rule)} {_occasion(rule)}", *_bounds(rule)]
    return ", ".join(parts)


def describe_condition(condition: Condition) -> str:
    """Return "country is DE or AT", as the end of a sentence."""
    return _clause(condition)


def _effect(rule: Rule) -> str:
    return (
        "disqualifies" if rule.disqualify else format_count(rule.points, "point").replace("-", "−")
    )


def _occasion(rule: Rule) -> str:
    if not rule.speaks_of_activities:
        return f"when {_clause(rule.when)}"
    each = "on any" if rule.disqualify else "for each"
    if isinstance(rule.when, ActivityIs):
        return f"{each} {_activity(rule.when)}"
    return f"{each} activity, when {_clause(rule.when)}"


def _bounds(rule: Rule) -> list[str]:
    said = []
    if rule.half_life_days is not None:
        said.append(f"halved every {_days(rule.half_life_days)}")
    if rule.window_days is not None:
        said.append(f"only in the last {_days(rule.window_days)}")
    if rule.at_most is not None:
        said.append(_at_most(rule.at_most))
    if rule.cap is not None:
        said.append(f"at most {format_figure(rule.cap)} in all")
    return said


def _at_most(bound: AtMost) -> str:
    days = "a day" if bound.per_days == 1 else _days(bound.per_days)
    return f"at most {bound.count} in {days}"


def _days(number: float) -> str:
    return "day" if number == 1 else f"{format_figure(number)} days"


def _clause(condition: Condition) -> str:
    if isinstance(condition, All):
        return " and ".join(map(_inner, condition.parts))
    if isinstance(condition, AnyOf):
        return ", or ".join(map(_inner, condition.parts))
    if isinstance(condition, Not):
        return f"it is not so that {_inner(condition.part)}"
    if isinstance(condition, ProfileIs):
        return _tests(condition.tests)
    return f"it is a {_activity(condition)}"


def _inner(condition: Condition) -> str:
    several = isinstance(condition, (All, AnyOf)) and len(condition.parts) > 1
    return f"({_clause(condition)})" if several else _clause(condition)


def _activity(condition: ActivityIs) -> str:
    noun = _join_or([type.replace("_", " ") for type in condition.types])
    return f"{noun} whose {_tests(condition.tests)}" if condition.tests else noun


def _tests(tests: Sequence[FactIs]) -> str:
    return " and ".join(map(_test, tests))


def _test(test: FactIs) -> str:
    name = " ".join(test.path).replace("_", " ")
    if test.lookup == "isnull":
        return f"{name} is {'not known' if test.values[0] else 'known'}"
    case = " (in any case)" if test.lookup in ("iexact", "icontains") else ""
    return f"{name} {RELATIONS[test.lookup]} {_join_or(list(map(_value, test.values)))}{case}"


def _value(value: Scalar) -> str:
    return format_fact(value) if isinstance(value, (str, bool)) else format_figure(value)


def join_and(words: Sequence[str]) -> str:
    """Return "one, two and three"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _join_or(words: Sequence[str]) -> str:
    """Return "vp, head or chief"; of a long list the first twelve and how many more."""
    if len(words) > 12:
        words = [*words[:12], f"{len(words) - 12} more"]
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]

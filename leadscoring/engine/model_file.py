"""YAML text ↔ model. Invalid files are refused with the line and the reason."""

import re
from collections.abc import Callable, Collection
from dataclasses import asdict
from functools import lru_cache
from typing import Any, TypeVar

import yaml

from leadscoring.common.activity_type import spell_activity_type
from leadscoring.engine.lookups import LOOKUPS, ORDER_LOOKUPS, TEXT_LOOKUPS, Scalar
from leadscoring.engine.model import GROUPS, Bounds, Caps, Grades, ScoringModel, Thresholds
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
from leadscoring.engine.yaml_nodes import (
    MOST_VALUES,
    Fields,
    ModelFileError,
    YamlNode,
    load_document,
    suggest_names,
)

__all__ = ["ModelFileError", "dump_model", "parse_condition", "parse_model", "rule_content"]

MOST_RULES = 500
MOST_POINTS = 10_000
MOST_DAYS = 3_650


@lru_cache(maxsize=32)
def parse_model(text: str) -> ScoringModel:
    """Return the model a file describes. Remembered by the text, so asking again costs nothing."""
    return _model(load_document(text))


def parse_condition(text: str) -> Condition:
    """Return the condition that a text is, written as `when` of a rule."""
    return _condition(load_document(text))


def _points(place: YamlNode) -> float:
    return place.number(-MOST_POINTS, MOST_POINTS)


def _amount(place: YamlNode) -> float:
    return place.number(0, MOST_POINTS)


def _days(place: YamlNode) -> float:
    return place.number(0.01, MOST_DAYS)


def _count(place: YamlNode) -> int:
    count = place.number(1, 1_000)
    if not count.is_integer():
        place.refuse(f"{place.name} must be a whole number")
    return int(count)


# --- The model

T = TypeVar("T")
LONGEST_NAME = 100


def _given(fields: Fields, name: str, read: Callable[[YamlNode], T], otherwise: T) -> T:
    return read(fields[name]) if name in fields else otherwise


def _model(file: YamlNode) -> ScoringModel:
    fields = file.fields(
        ("name", "thresholds", "caps", "grades", "rules"), ("name", "thresholds", "rules")
    )
    return ScoringModel(
        name=_name(fields["name"]),
        thresholds=_thresholds(fields["thresholds"]),
        caps=_given(fields, "caps", _caps, Caps()),
        grades=_given(fields, "grades", _grades, Grades()),
        rules=_rules(fields["rules"]),
    )


def _name(place: YamlNode) -> str:
    name = place.text()
    if len(name) > LONGEST_NAME or not name.isprintable():
        place.refuse(f"name must be one line of at most {LONGEST_NAME} characters")
    return name


def _thresholds(place: YamlNode) -> Thresholds:
    """Read the thresholds. Re-arming is from the handoff threshold down and at once, where not said."""
    names = ("mql", "handoff", "rearm_below", "cooldown_days")
    fields = place.fields(names, required=("mql", "handoff"))
    handoff = _points(fields["handoff"])
    thresholds = Thresholds(
        mql=_points(fields["mql"]),
        handoff=handoff,
        rearm_below=_given(fields, "rearm_below", _points, handoff),
        cooldown_days=_given(fields, "cooldown_days", _cooldown, 0.0),
    )
    if thresholds.rearm_below > handoff:
        fields["rearm_below"].refuse("rearm_below is above the handoff threshold")
    if thresholds.mql > handoff:
        fields["mql"].refuse("mql is above the handoff threshold")
    return thresholds


def _cooldown(place: YamlNode) -> float:
    return place.number(0, MOST_DAYS)


def _caps(place: YamlNode) -> Caps:
    fields = place.fields((*GROUPS, "total"))
    return Caps(**{name: _amount(cap) for name, cap in fields.items()})


def _grades(place: YamlNode) -> Grades:
    return Grades(**{name: _grade_bounds(bounds) for name, bounds in place.fields(GROUPS).items()})


def _grade_bounds(place: YamlNode) -> Bounds:
    bounds = [_points(item) for item in place.items(3)]
    if len(bounds) != 3 or not bounds[0] > bounds[1] > bounds[2]:
        place.refuse(f"{place.name} must be three falling numbers")
    return bounds[0], bounds[1], bounds[2]


def _rules(place: YamlNode) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for item in place.items(MOST_RULES):
        rule = _rule(item)
        if rule.key in rules:
            item.refuse(f"two rules have the key {rule.key}")
        rules[rule.key] = rule
    return tuple(rules.values())


_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_IDENTITY = ("key", "label", "group", "when")
_OF_POINTS = ("points", "half_life_days", "window_days", "at_most", "cap")


def _rule(item: YamlNode) -> Rule:
    fields = item.called("the rule").fields((*_IDENTITY, *_OF_POINTS, "disqualify"), ("key",))
    key = _key(fields["key"])
    named = item.called(f"the rule {key}")
    disqualify = _given(fields, "disqualify", YamlNode.truth, False)
    # A disqualifier is about who a person is, unless it says otherwise.
    required = ("when",) if disqualify else ("group", "when", "points")
    fields = named.fields(fields, required)
    rule = Rule(
        key=key,
        label=_given(
            fields, "label", YamlNode.text, key.replace("-", " ").replace("_", " ").capitalize()
        ),
        group=_given(fields, "group", _group, GROUPS[0]),
        when=_condition(fields["when"]),
        points=_given(fields, "points", _points, 0.0),
        half_life_days=_given(fields, "half_life_days", _days, None),
        window_days=_given(fields, "window_days", _days, None),
        at_most=_given(fields, "at_most", _at_most, None),
        cap=_given(fields, "cap", _amount, None),
        disqualify=disqualify,
    )
    _check_sense(rule, fields)
    return rule


def _key(place: YamlNode) -> str:
    key = place.text()
    if not _KEY.fullmatch(key):
        place.refuse("key must be letters, digits, - _ and . only, and at most 64 of them")
    return key


def _group(place: YamlNode) -> str:
    group = place.text()
    if group not in GROUPS:
        place.refuse(f"unknown group {group!r}{suggest_names(group, GROUPS)}")
    return group


def _at_most(place: YamlNode) -> AtMost:
    fields = place.fields(("count", "per_days"), required=("count", "per_days"))
    return AtMost(_count(fields["count"]), _days(fields["per_days"]))


def _check_sense(rule: Rule, fields: Fields) -> None:
    """Refuse what a rule of its kind can't use: it would be silently without effect."""
    if rule.disqualify:
        useless: tuple[str, ...] = ("points", "half_life_days", "at_most", "cap")
        _refuse_any(useless, "that disqualifies", fields)
    if not rule.speaks_of_activities:
        useless = ("half_life_days", "window_days", "at_most")
        _refuse_any(useless, "without an activity", fields)
    if rule.speaks_of_activities and rule.activity_types == frozenset():
        fields["when"].refuse("no activity is of two types at once: the rule can never speak")


def _refuse_any(names: Collection[str], kind: str, fields: Fields) -> None:
    for name in names:
        if name in fields:
            fields[name].refuse(f"a rule {kind} has no {name}")


# --- Conditions

_PARTS = ("activity", "where", "profile", "all", "any", "not")


def _condition(place: YamlNode) -> Condition:
    """Read a mapping; several entries in one must all hold."""
    fields = place.called("the condition").fields(_PARTS)
    if not fields:
        place.refuse("the condition is empty")
    if "where" in fields and "activity" not in fields:
        fields["where"].refuse("where stands beside an activity only")
    parts = tuple(_part(name, fields) for name in fields if name != "where")
    return parts[0] if len(parts) == 1 else All(parts)


def _part(name: str, fields: Fields) -> Condition:
    place = fields[name]
    if name == "profile":
        return ProfileIs(_tests(place))
    if name == "activity":
        types = tuple(dict.fromkeys(map(_activity_type, place.some())))
        return ActivityIs(types, _given(fields, "where", _tests, ()))
    if name == "not":
        return Not(_condition(place))
    parts = tuple(map(_condition, place.items(MOST_VALUES)))
    return All(parts) if name == "all" else AnyOf(parts)


def _activity_type(place: YamlNode) -> str:
    """Read a type in the spelling in which activities have it."""
    written = place.text()
    return spell_activity_type(written) or written


def _tests(place: YamlNode) -> tuple[FactIs, ...]:
    fields = place.fields(None)
    if not fields:
        place.refuse(f"{place.name} is empty")
    return tuple(_test(name, value) for name, value in fields.items())


def _test(name: str, place: YamlNode) -> FactIs:
    """Read fact, fact__lookup or fact__inner__lookup: behind a __ the last word is always a look-up."""
    *path, lookup = name.split("__") if "__" in name else (name, "exact")
    if lookup not in LOOKUPS:
        place.refuse(f"unknown look-up {lookup!r} in {name}{suggest_names(lookup, LOOKUPS)}")
    if not all(path):
        place.refuse(f"{name} names no fact")
    return FactIs(tuple(path), lookup, _values(lookup, place))


def _values(lookup: str, place: YamlNode) -> tuple[Scalar, ...]:
    if lookup == "isnull":
        return (place.truth(),)
    if lookup == "in" and not place.is_list:
        place.refuse(f"{place.name} wants a list")
    return tuple(map(_reader(lookup), place.some()))


def _reader(lookup: str) -> Callable[[YamlNode], Scalar]:
    if lookup in TEXT_LOOKUPS:
        return YamlNode.written
    return _ordered if lookup in ORDER_LOOKUPS else YamlNode.scalar


def _ordered(place: YamlNode) -> Scalar:
    value = place.scalar()
    if isinstance(value, bool):
        place.refuse(f"{place.name} wants a number or a text")
    return value


# --- Back to text


def dump_model(model: ScoringModel) -> str:
    """Return the model as a file; parse() of it gives the same model."""
    thresholds = model.thresholds
    content = {
        "name": model.name,
        "thresholds": _plain(asdict(thresholds)),
        "caps": _plain(asdict(model.caps)),
        "grades": {group: list(map(_figure, getattr(model.grades, group))) for group in GROUPS},
        "rules": [rule_content(rule) for rule in model.rules],
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _figure(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _plain(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not set, and the empty decimals of whole figures."""
    return {name: _figure(value) for name, value in content.items() if value is not None}


def rule_content(rule: Rule) -> dict[str, Any]:
    """Return a rule as it stands in a file."""
    head = {"key": rule.key, "label": rule.label, "group": rule.group}
    when = {"when": _condition_content(rule.when)}
    if rule.disqualify:
        return head | when | _plain({"disqualify": True, "window_days": rule.window_days})
    figures = _plain({name: getattr(rule, name) for name in _OF_POINTS if name != "at_most"})
    at_most = {"at_most": _plain(asdict(rule.at_most))} if rule.at_most else {}
    return head | when | figures | at_most


def _condition_content(condition: Condition) -> dict[str, Any]:
    if isinstance(condition, Not):
        return {"not": _condition_content(condition.part)}
    if isinstance(condition, All):
        return {"all": [_condition_content(part) for part in condition.parts]}
    if isinstance(condition, AnyOf):
        return {"any": [_condition_content(part) for part in condition.parts]}
    tests = {_test_name(test): _test_value(test) for test in condition.tests}
    if isinstance(condition, ProfileIs):
        return {"profile": tests}
    return {"activity": _one_or_list(condition.types)} | ({"where": tests} if tests else {})


def _test_name(test: FactIs) -> str:
    if len(test.path) == 1 and test.lookup == "exact":
        return test.path[0]
    return "__".join((*test.path, test.lookup))


def _test_value(test: FactIs) -> Any:
    return list(test.values) if test.lookup == "in" else _one_or_list(test.values)


def _one_or_list(values: tuple[Scalar, ...]) -> Any:
    return values[0] if len(values) == 1 else list(values)

"""YAML text ↔ model. What can't be right is refused with the line and the reason.

A model file comes from outside: its size, nesting, counts and figures are bounded, and of YAML
only plain maps, lists and values are read (no tags, anchors, aliases or second documents).
Plain values are read as YAML 1.2 does: only true and false are truth values, so that NO is
Norway; what is not a plain decimal number is a text, dates too.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

import yaml

from .lookups import LOOKUPS, ORDER_LOOKUPS, TEXT_LOOKUPS, Scalar
from .model import GROUPS, Bounds, Caps, Grades, Model, Thresholds
from .rules import ActivityIs, All, AnyOf, AtMost, Condition, FactIs, Not, ProfileIs, Rule

MOST_BYTES = 256 * 1024
MOST_NESTED = 20
MOST_RULES = 500
MOST_VALUES = 1_000
MOST_POINTS = 10_000
MOST_DAYS = 3_650
LONGEST_TEXT = 200

# PyYAML's loader in C where its wheel has it (20 times faster); the same events either way.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ModelFileError(Exception):
    """A model file that can't be right: the reason, and its line (from 1) where one is to blame."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line


@lru_cache(maxsize=32)
def parse(text: str) -> Model:
    """The model a file describes. Remembered by the text, so asking again costs nothing."""
    return _model(_document(text))


# --- YAML


@dataclass(frozen=True, slots=True)
class Place:
    """One value of the file, and what it is called, to speak of it."""

    node: yaml.Node
    name: str

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    def refuse(self, reason: str) -> NoReturn:
        raise ModelFileError(reason, self.line)


def _document(text: str) -> Place:
    _check_signs(text)
    try:
        _check_events(text)
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise ModelFileError(f"not YAML: {error.problem}", line) from None
    if node is None:
        raise ModelFileError("the file is empty")
    return Place(node, "the file")


def _check_signs(text: str) -> None:
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise ModelFileError(f"larger than {MOST_BYTES // 1024} KiB")
    if found := _FORBIDDEN.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ModelFileError("a control character or half of a character", line)


_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _check_events(text: str) -> None:
    """Refuse what a model file has no use for, before anything is built from it."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ModelFileError("anchors and aliases are not read", line)
        if getattr(event, "tag", None):
            raise ModelFileError("tags are not read", line)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_NESTED:
            raise ModelFileError(f"nested more than {MOST_NESTED} deep", line)


Fields = dict[str, Place]


def _fields(
    place: Place, allowed: Collection[str] | None, required: Collection[str] = ()
) -> Fields:
    """The entries of a mapping by name: each known and there once, the required ones present."""
    if not isinstance(place.node, yaml.MappingNode):
        place.refuse(f"{place.name} must be a mapping")
    fields: Fields = {}
    for key, value in place.node.value:
        name = _text(Place(key, f"a name in {place.name}"))
        if allowed is not None and name not in allowed:
            Place(key, name).refuse(f"unknown key {name!r} in {place.name}{_meant(name, allowed)}")
        if name in fields:
            Place(key, name).refuse(f"{name} is there twice in {place.name}")
        fields[name] = Place(value, name)
    for name in required:
        if name not in fields:
            place.refuse(f"{place.name} has no {name}")
    return fields


def _meant(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; {close[0]} is meant?" if close else f"; known: {', '.join(known)}"


def _items(place: Place, most: int) -> list[Place]:
    if not isinstance(place.node, yaml.SequenceNode):
        place.refuse(f"{place.name} must be a list")
    if not place.node.value:
        place.refuse(f"{place.name} is empty")
    if len(place.node.value) > most:
        place.refuse(f"{place.name} has more than {most} items")
    return [Place(node, place.name) for node in place.node.value]


def _some(place: Place, most: int = MOST_VALUES) -> list[Place]:
    """A list, or one value as a list of one."""
    return _items(place, most) if isinstance(place.node, yaml.SequenceNode) else [place]


_INT = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_FLOAT = re.compile(r"-?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")


def _scalar(place: Place) -> Scalar:
    """A single value: truth value, number or text."""
    kind, text = _written(place)
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "int" and _INT.fullmatch(text):
        return int(text)
    if kind == "float" and _FLOAT.fullmatch(text):
        return _within(place, float(text), -1e15, 1e15)
    if kind == "float" and text.lstrip("+-.").lower() in ("inf", "nan"):
        place.refuse(f"{place.name} must be a finite number")
    return text


def _written(place: Place) -> tuple[str, str]:
    """What kind of value YAML takes it for, and the value as it is written."""
    node = place.node
    if not isinstance(node, yaml.ScalarNode):
        place.refuse(f"{place.name} must be a single value")
    kind = node.tag.rpartition(":")[2]
    if kind == "null" or node.value == "":
        place.refuse(f"{place.name} has no value")
    return kind, node.value


def _text(place: Place) -> str:
    """One short printable line, as it is written."""
    _, text = _written(place)
    if len(text) > LONGEST_TEXT:
        place.refuse(f"{place.name} is longer than {LONGEST_TEXT} characters")
    if not text.isprintable() or text != text.strip():
        place.refuse(
            f"{place.name} must be one line of printable characters, without blanks around"
        )
    return text


def _number(place: Place, least: float, most: float) -> float:
    number = _scalar(place)
    if isinstance(number, (bool, str)):
        place.refuse(f"{place.name} must be a number")
    return round(_within(place, float(number), least, most), 2)


def _within(place: Place, number: float, least: float, most: float) -> float:
    if not least <= number <= most:
        place.refuse(f"{place.name} must be from {least:,.4g} to {most:,.4g}")
    return number


def _points(place: Place) -> float:
    return _number(place, -MOST_POINTS, MOST_POINTS)


def _amount(place: Place) -> float:
    return _number(place, 0, MOST_POINTS)


def _days(place: Place) -> float:
    return _number(place, 0.01, MOST_DAYS)


def _count(place: Place) -> int:
    count = _number(place, 1, 1_000)
    if not count.is_integer():
        place.refuse(f"{place.name} must be a whole number")
    return int(count)


def _truth(place: Place) -> bool:
    truth = _scalar(place)
    if not isinstance(truth, bool):
        place.refuse(f"{place.name} must be true or false")
    return truth


# --- The model

T = TypeVar("T")


def _given(fields: Fields, name: str, read: Callable[[Place], T], otherwise: T) -> T:
    return read(fields[name]) if name in fields else otherwise


def _model(file: Place) -> Model:
    fields = _fields(
        file, ("name", "thresholds", "caps", "grades", "rules"), ("name", "thresholds", "rules")
    )
    return Model(
        name=_text(fields["name"]),
        thresholds=_thresholds(fields["thresholds"]),
        caps=_given(fields, "caps", _caps, Caps()),
        grades=_given(fields, "grades", _grades, Grades()),
        rules=_rules(fields["rules"]),
    )


def _thresholds(place: Place) -> Thresholds:
    """Re-arming is from the handoff threshold down, and at once, where the file doesn't say."""
    names = ("mql", "handoff", "rearm_below", "cooldown_days")
    fields = _fields(place, names, required=("mql", "handoff"))
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


def _cooldown(place: Place) -> float:
    return _number(place, 0, MOST_DAYS)


def _caps(place: Place) -> Caps:
    fields = _fields(place, (*GROUPS, "total"))
    return Caps(**{name: _amount(cap) for name, cap in fields.items()})


def _grades(place: Place) -> Grades:
    return Grades(
        **{name: _grade_bounds(bounds) for name, bounds in _fields(place, GROUPS).items()}
    )


def _grade_bounds(place: Place) -> Bounds:
    bounds = [_points(item) for item in _items(place, 3)]
    if len(bounds) != 3 or not bounds[0] > bounds[1] > bounds[2]:
        place.refuse(f"{place.name} must be three falling numbers")
    return bounds[0], bounds[1], bounds[2]


def _rules(place: Place) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for item in _items(place, MOST_RULES):
        rule = _rule(item)
        if rule.key in rules:
            item.refuse(f"two rules have the key {rule.key}")
        rules[rule.key] = rule
    return tuple(rules.values())


_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_IDENTITY = ("key", "label", "group", "when")
_OF_POINTS = ("points", "half_life_days", "window_days", "at_most", "cap")


def _rule(item: Place) -> Rule:
    fields = _fields(
        Place(item.node, "the rule"), (*_IDENTITY, *_OF_POINTS, "disqualify"), ("key",)
    )
    key = _key(fields["key"])
    named = Place(item.node, f"the rule {key}")
    disqualify = _given(fields, "disqualify", _truth, False)
    # A disqualifier is about who a person is, unless it says otherwise.
    required = ("when",) if disqualify else ("group", "when", "points")
    fields = _fields(named, fields, required)
    rule = Rule(
        key=key,
        label=_given(fields, "label", _text, key.replace("-", " ").replace("_", " ").capitalize()),
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


def _key(place: Place) -> str:
    key = _text(place)
    if not _KEY.fullmatch(key):
        place.refuse("key must be letters, digits, - _ and . only, and at most 64 of them")
    return key


def _group(place: Place) -> str:
    group = _text(place)
    if group not in GROUPS:
        place.refuse(f"unknown group {group!r}{_meant(group, GROUPS)}")
    return group


def _at_most(place: Place) -> AtMost:
    fields = _fields(place, ("count", "per_days"), required=("count", "per_days"))
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


def _condition(place: Place) -> Condition:
    """A mapping; several entries in one must all hold."""
    fields = _fields(Place(place.node, "the condition"), _PARTS)
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
        types = tuple(dict.fromkeys(map(_text, _some(place))))
        return ActivityIs(types, _given(fields, "where", _tests, ()))
    if name == "not":
        return Not(_condition(place))
    parts = tuple(map(_condition, _items(place, MOST_VALUES)))
    return All(parts) if name == "all" else AnyOf(parts)


def _tests(place: Place) -> tuple[FactIs, ...]:
    fields = _fields(place, None)
    if not fields:
        place.refuse(f"{place.name} is empty")
    return tuple(_test(name, value) for name, value in fields.items())


def _test(name: str, place: Place) -> FactIs:
    """fact, fact__lookup or fact__inner__lookup: behind a __ the last word is always a look-up."""
    *path, lookup = name.split("__") if "__" in name else (name, "exact")
    if lookup not in LOOKUPS:
        place.refuse(f"unknown look-up {lookup!r} in {name}{_meant(lookup, LOOKUPS)}")
    if not all(path):
        place.refuse(f"{name} names no fact")
    return FactIs(tuple(path), lookup, _values(lookup, place))


def _values(lookup: str, place: Place) -> tuple[Scalar, ...]:
    if lookup == "isnull":
        return (_truth(place),)
    if lookup == "in" and not isinstance(place.node, yaml.SequenceNode):
        place.refuse(f"{place.name} wants a list")
    read = (
        _as_written if lookup in TEXT_LOOKUPS else _ordered if lookup in ORDER_LOOKUPS else _scalar
    )
    return tuple(map(read, _some(place)))


def _as_written(place: Place) -> str:
    return _written(place)[1]


def _ordered(place: Place) -> Scalar:
    value = _scalar(place)
    if isinstance(value, bool):
        place.refuse(f"{place.name} wants a number or a text")
    return value


# --- Back to text


def dump(model: Model) -> str:
    """The model as a file; parse() of it gives the same model."""
    thresholds = model.thresholds
    content = {
        "name": model.name,
        "thresholds": _plain(asdict(thresholds)),
        "caps": _plain(asdict(model.caps)),
        "grades": {group: list(map(_figure, getattr(model.grades, group))) for group in GROUPS},
        "rules": [_rule_content(rule) for rule in model.rules],
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _figure(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _plain(content: dict[str, Any]) -> dict[str, Any]:
    """Without what isn't set, and whole figures without their empty decimals."""
    return {name: _figure(value) for name, value in content.items() if value is not None}


def _rule_content(rule: Rule) -> dict[str, Any]:
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

from dataclasses import replace

import pytest
from hypothesis import assume, given

from leadscoring.engine import Caps, Grades, ModelFileError, Thresholds, dump_model, parse_model
from leadscoring.engine.rules import ActivityIs, All, AnyOf, AtMost, FactIs, Not, ProfileIs
from tests.engine.strategies import models

HEAD = "name: x\nthresholds: {mql: 40, handoff: 70, rearm_below: 55, cooldown_days: 30}\nrules:\n"
FULL = """
name: default
thresholds: {mql: 40, handoff: 70, rearm_below: 55, cooldown_days: 30}
caps: {fit: 50, engagement: 50}
grades: {fit: [40, 25, 10], engagement: [40, 25, 10]}
rules:
  - key: pricing-page
    label: Visited pricing
    group: engagement
    when: {activity: page_view, where: {url__contains: /pricing}}
    points: 15
    half_life_days: 14
    window_days: 90
    at_most: {count: 3, per_days: 7}
    cap: 30
  - key: senior-title
    group: fit
    when: {profile: {job_title__icontains: [vp, head, chief]}}
    points: 20
  - key: competitor
    disqualify: true
    when: {profile: {email_domain__in: [rival.example]}}
"""


def a_file(rule: str) -> str:
    """A file whose only rule is this one, on line 4."""
    return f"{HEAD}- {{key: k, {rule}}}\n"


def when(condition: str) -> object:
    return parse_model(a_file(f"group: fit, points: 1, when: {condition}")).rules[0].when


def test_a_name_fits_where_it_is_kept() -> None:
    wrong = refusal(FULL.replace("name: default", f"name: {'x' * 101}"))

    assert (wrong.line, "at most 100" in wrong.reason) == (2, True)


def refusal(text: str) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        parse_model(text)
    return caught.value


def test_a_whole_file_is_read():
    model = parse_model(FULL)

    assert model.name == "default"
    assert model.thresholds == Thresholds(40, 70, 55, 30)
    assert model.caps == Caps(50, 50, None)
    assert model.activity_types == {"page_view"}
    assert [rule.label for rule in model.rules] == ["Visited pricing", "Senior title", "Competitor"]
    assert model.rules[0].at_most == AtMost(3, 7)
    assert model.rules[2].disqualify


def test_what_may_be_left_out_has_a_plain_meaning():
    model = parse_model(
        "name: x\nthresholds: {mql: 4, handoff: 7}\nrules: [{key: k, group: fit, points: 1, when: {activity: a}}]"
    )

    assert model.thresholds == Thresholds(4, 7, rearm_below=7, cooldown_days=0)
    assert (model.caps, model.grades) == (Caps(), Grades())


@given(models())
def test_a_model_survives_the_way_to_text_and_back(model):
    assume(
        all(
            rule.activity_types or not rule.speaks_of_activities or rule.activity_types is None
            for rule in model.rules
        )
    )

    assert parse_model(dump_model(model)) == model


@pytest.mark.parametrize(
    "value",
    ["NO", "on", "0123", "1:30", "1e5", "~", "2026-01-01", "a: b", "'", "+49", "é", "true", "x\ty"],
)
def test_texts_that_look_like_something_else_come_back_as_texts(value):
    model = parse_model(FULL)
    rule = replace(model.rules[1], when=ProfileIs((FactIs(("country",), "exact", (value,)),)))

    assert parse_model(dump_model(replace(model, rules=(rule,)))).rules == (rule,)


def facts(lookup: str, *values: object, path: tuple[str, ...] = ("a",)) -> ProfileIs:
    return ProfileIs((FactIs(path, lookup, values),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("condition", "read"),
    [
        ("{profile: {a: NO}}", facts("exact", "NO")),
        ("{profile: {a: yes}}", facts("exact", "yes")),
        ("{profile: {a: True}}", facts("exact", True)),
        ("{profile: {a: 012}}", facts("exact", "012")),
        ("{profile: {a: 1:30}}", facts("exact", "1:30")),
        ("{profile: {a: '5'}}", facts("exact", "5")),
        ("{profile: {a: [5, 2.5, -1]}}", facts("exact", 5, 2.5, -1)),
        ("{profile: {a__gte: 2026-01-01}}", facts("gte", "2026-01-01")),
        ("{profile: {a__startswith: +49}}", facts("startswith", "+49")),
        ("{profile: {a__contains: 1.10}}", facts("contains", "1.10")),
        ("{profile: {a__b__exact: x}}", facts("exact", "x", path=("a", "b"))),
        ("{profile: {in: x}}", facts("exact", "x", path=("in",))),
        ("{activity: [a, b, a]}", ActivityIs(("a", "b"))),
        (
            "{all: [{activity: a}, {not: {activity: b}}]}",
            All((ActivityIs(("a",)), Not(ActivityIs(("b",))))),
        ),
        ("{any: [{activity: a}]}", AnyOf((ActivityIs(("a",)),))),
        ("{activity: a, profile: {a: x}}", All((ActivityIs(("a",)), facts("exact", "x")))),
    ],
)
def test_a_condition_is_read_as_it_stands(condition, read):
    assert when(condition) == read


OK = "group: fit, points: 1, when: {activity: a}"
PERSON = "group: fit, points: 1, when: {profile: {a: x}}"
REFUSED_RULES = [
    ("group: fit, when: {activity: a}", "the rule k has no points"),
    ("points: 1, when: {activity: a}", "the rule k has no group"),
    ("group: fit, points: 1", "the rule k has no when"),
    (f"{OK}, colour: red", "unknown key 'colour' in the rule; known"),
    (
        f"{OK}, half_live_days: 3",
        "unknown key 'half_live_days' in the rule; half_life_days is meant?",
    ),
    ("group: fitt, points: 1, when: {activity: a}", "unknown group 'fitt'; fit is meant?"),
    ("group: fit, points: many, when: {activity: a}", "points must be a number"),
    ("group: fit, points: true, when: {activity: a}", "points must be a number"),
    ("group: fit, points: [1], when: {activity: a}", "points must be a single value"),
    ("group: fit, points: , when: {activity: a}", "points has no value"),
    ("group: fit, points: .nan, when: {activity: a}", "points must be a finite number"),
    ("group: fit, points: -.inf, when: {activity: a}", "points must be a finite number"),
    ("group: fit, points: 10001, when: {activity: a}", "points must be from"),
    (f"group: fit, points: {'9' * 5000}, when: {{activity: a}}", "points must be a number"),
    ("group: fit, points: 1, points: 2, when: {activity: a}", "points is there twice in the rule"),
    (f"{OK}, half_life_days: 0", "half_life_days must be from"),
    (f"{OK}, half_life_days: -7", "half_life_days must be from"),
    (f"{OK}, window_days: 100000", "window_days must be from"),
    (f"{OK}, cap: -1", "cap must be from"),
    (f"{OK}, at_most: 3", "at_most must be a mapping"),
    (f"{OK}, at_most: {{count: 3}}", "at_most has no per_days"),
    (f"{OK}, at_most: {{count: 1.5, per_days: 1}}", "count must be a whole number"),
    (f"{OK}, at_most: {{count: 0, per_days: 1}}", "count must be from"),
    (f"{OK}, disqualify: maybe", "disqualify must be true or false"),
    (f"{OK}, disqualify: true", "a rule that disqualifies has no points"),
    (f"{PERSON}, half_life_days: 3", "a rule without an activity has no half_life_days"),
    (f"{PERSON}, window_days: 3", "a rule without an activity has no window_days"),
    (f"{PERSON}, at_most: {{count: 1, per_days: 1}}", "a rule without an activity has no at_most"),
    (f"{OK}, label: ''", "label has no value"),
    (f"{OK}, label: {'x' * 201}", "label is longer than 200 characters"),
    (f'{OK}, label: "a\\u202eb"', "label must be one line of printable characters"),
]
REFUSED_CONDITIONS = [
    ("x", "the condition must be a mapping"),
    ("{}", "the condition is empty"),
    ("{activty: a}", "unknown key 'activty' in the condition; activity is meant?"),
    ("{where: {a: x}}", "where stands beside an activity only"),
    ("{activity: []}", "activity is empty"),
    ("{activity: {a: b}}", "activity must be a single value"),
    ("{all: {activity: a}}", "all must be a list"),
    ("{any: []}", "any is empty"),
    ("{not: [{activity: a}]}", "the condition must be a mapping"),
    ("{profile: {}}", "profile is empty"),
    ("{profile: [a]}", "profile must be a mapping"),
    (
        "{profile: {a__icontain: x}}",
        "unknown look-up 'icontain' in a__icontain; icontains is meant?",
    ),
    ("{profile: {a__regex: x}}", "unknown look-up 'regex' in a__regex"),
    ("{profile: {a__b: x}}", "unknown look-up 'b' in a__b"),
    ("{profile: {__gte: 1}}", "__gte names no fact"),
    ("{profile: {a: }}", "a has no value"),
    ("{profile: {a: null}}", "a has no value"),
    ("{profile: {a__contains: ''}}", "a__contains has no value"),
    ("{profile: {a: {b: c}}}", "a must be a single value"),
    ("{profile: {a: .inf}}", "a must be a finite number"),
    ("{profile: {a: []}}", "a is empty"),
    ("{profile: {a__in: x}}", "a__in wants a list"),
    ("{profile: {a__isnull: 1}}", "a__isnull must be true or false"),
    ("{profile: {a__isnull: [true]}}", "a__isnull must be a single value"),
    ("{profile: {a__gt: true}}", "a__gt wants a number or a text"),
    ("{profile: {a: x, a: y}}", "a is there twice in profile"),
    (f"{{profile: {{a: [{'x, ' * 1001}]}}}}", "a has more than 1000 items"),
    ("{all: [{activity: a}, {activity: b}]}", "no activity is of two types at once"),
]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        *REFUSED_RULES,
        *((f"group: fit, points: 1, when: {when}", why) for when, why in REFUSED_CONDITIONS),
    ],
)
def test_a_rule_that_cannot_be_right_is_refused_with_its_line(rule, reason):
    error = refusal(a_file(rule))

    assert error.reason.startswith(reason)
    assert str(error) == f"line 4: {error.reason}"


RULES = f"rules: [{{key: k, {OK}}}]\n"
LIMITS = "thresholds: {mql: 40, handoff: 70}\n"
REFUSED_FILES = [
    ("", None, "the file is empty"),
    ("# nothing\n", None, "the file is empty"),
    ("- a\n", 1, "the file must be a mapping"),
    ("just text\n", 1, "the file must be a mapping"),
    (f"{LIMITS}{RULES}", 1, "the file has no name"),
    (f"name: x\n{RULES}", 1, "the file has no thresholds"),
    (f"name: x\n{LIMITS}", 1, "the file has no rules"),
    (f"name:\n{LIMITS}{RULES}", 1, "name has no value"),
    (f"name: [x]\n{LIMITS}{RULES}", 1, "name must be a single value"),
    (f"name: x\n{LIMITS}rules: []\n", 3, "rules is empty"),
    (f"name: x\n{LIMITS}rules: {{}}\n", 3, "rules must be a list"),
    (f"name: x\nname: y\n{LIMITS}{RULES}", 2, "name is there twice"),
    (f"name: x\n{LIMITS}{RULES}weights: 3\n", 4, "unknown key 'weights' in the file"),
    (f"name: x\n{LIMITS}{RULES}[a]: 3\n", 4, "a name in the file must be a single value"),
    (f"name: x\nthresholds: {{mql: 40}}\n{RULES}", 2, "thresholds has no handoff"),
    (
        f"name: x\nthresholds:\n  mql: 4\n  handoff: 7\n  rearm_below: 8\n{RULES}",
        5,
        "rearm_below is above",
    ),
    (
        f"name: x\nthresholds:\n  mql: 8\n  handoff: 7\n{RULES}",
        3,
        "mql is above the handoff threshold",
    ),
    (
        f"name: x\nthresholds:\n  mql: 1\n  handoff: 7\n  cooldown_days: -1\n{RULES}",
        5,
        "cooldown_days must be from",
    ),
    (f"name: x\n{LIMITS}caps: {{fit: -5}}\n{RULES}", 3, "fit must be from"),
    (
        f"name: x\n{LIMITS}caps: {{fits: 5}}\n{RULES}",
        3,
        "unknown key 'fits' in caps; fit is meant?",
    ),
    (
        f"name: x\n{LIMITS}grades: {{fit: [1, 2, 3]}}\n{RULES}",
        3,
        "fit must be three falling numbers",
    ),
    (f"name: x\n{LIMITS}grades: {{fit: [3, 2]}}\n{RULES}", 3, "fit must be three falling numbers"),
    (f"{HEAD}- {{key: k, {OK}}}\n- {{key: k, {OK}}}\n", 5, "two rules have the key k"),
    (f"{HEAD}- {{{OK}}}\n", 4, "the rule has no key"),
    (f"{HEAD}- {{key: a b, {OK}}}\n", 4, "key must be letters, digits"),
    (f"{HEAD}- x\n", 4, "the rule must be a mapping"),
    (
        HEAD + "".join(f"- {{key: k{n}, {OK}}}\n" for n in range(501)),
        4,
        "rules has more than 500 items",
    ),
]
HOSTILE = [
    ("name: !!python/object/apply:os.system [ls]\n", 1, "tags are not read"),
    ("name: x\nrules: !!set {a}\n", 2, "tags are not read"),
    ("name: !x y\n", 1, "tags are not read"),
    ("name: &a x\nrules: *a\n", 1, "anchors and aliases are not read"),
    ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 1, "anchors and aliases are not read"),
    ("name: x\nrules:\n  <<: {a: b}\n", 1, "the file has no thresholds"),
    ("name: x\nrules: " + "[" * 21 + "]" * 21, 2, "nested more than 20 deep"),
    ("[" * 200_000, 1, "nested more than 20 deep"),
    ("name: [x\nrules: y\n", 2, "not YAML: "),
    ("name: x\n\tbad: y\n", 2, "not YAML: "),
    ("name: 'x\n", 2, "not YAML: "),
    ("%YAML 9.9\n---\nname: x\n", 1, "not YAML: "),
    ("name: x\n---\nname: y\n", 2, "not YAML: "),
    ("name: x\nrules: \x00\n", 2, "a control character"),
    ("name: x\nrules: \x1b[0m\n", 2, "a control character"),
    ("name: x\n\nrules: \ud800\n", 3, "a control character or half of a character"),
    ("x" * (256 * 1024 + 1), None, "larger than 256 KiB"),
    ("é" * (128 * 1024 + 1), None, "larger than 256 KiB"),
]


@pytest.mark.parametrize(("text", "line", "reason"), [*REFUSED_FILES, *HOSTILE])
def test_a_file_that_cannot_be_right_is_refused_with_its_line(text, line, reason):
    error = refusal(text)

    assert error.reason.startswith(reason)
    assert error.line == line


@pytest.mark.parametrize("text", [text for text, _, _ in HOSTILE])
def test_it_is_the_same_without_the_loader_in_c(text, monkeypatch):
    slow = __import__("yaml").SafeLoader
    monkeypatch.setattr("leadscoring.engine.yaml_nodes.LOADER", slow)

    refusal(text)

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscoring.engine import ModelFileError
from sequences.sequence_file import (
    SequenceDefinition,
    StepDefinition,
    dump_sequence,
    format_wait,
    parse_sequence,
)

CONTRACT = """\
name: nurture
enter_when: {score__gte: 20}        # also lifecycle__in, activity; none: only by hand
steps:
  - {wait: 0 days, subject: "Welcome, {{ first_name|default:'there' }}", body: "Hello {{ first_name|default:'there' }}, …"}
  - {wait: 3 days, subject: "Three ways to start", body: "…"}      # body: Markdown with merge fields
"""


def test_the_contracts_example_is_read() -> None:
    sequence = parse_sequence(CONTRACT)

    assert (sequence.name, sequence.enter_when) == ("nurture", {"score__gte": 20})
    assert [step.wait.days for step in sequence.steps] == [0, 3]
    assert sequence.steps[0].subject == "Welcome, {{ first_name|default:'there' }}"


def test_the_example_that_ships_is_right() -> None:
    example = Path(__file__).parents[2] / "docs" / "examples" / "nurture.yaml"

    assert len(parse_sequence(example.read_text()).steps) == 3


@pytest.mark.parametrize("nothing", ["", "enter_when:\n", "enter_when: none\n", "enter_when: {}\n"])
def test_without_conditions_people_enter_by_hand(nothing: str) -> None:
    text = f"name: x\n{nothing}steps:\n  - {{wait: 1 day, subject: s, body: b}}\n"

    assert parse_sequence(text).enter_when == {}


@pytest.mark.parametrize(
    ("written", "wait"),
    [
        ("0 days", timedelta(0)),
        ("1 day", timedelta(days=1)),
        ("2 weeks", timedelta(days=14)),
        ("4 hours", timedelta(hours=4)),
        ("30 minutes", timedelta(minutes=30)),
        ("5 seconds", timedelta(seconds=5)),
    ],
)
def test_a_wait_is_a_number_and_a_unit(written: str, wait: timedelta) -> None:
    text = f"name: x\nsteps: [{{wait: {written}, subject: s, body: b}}]"

    assert parse_sequence(text).steps[0].wait == wait


STEP = "{wait: 1 day, subject: s, body: b}"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "empty"),
        ("[1, 2]", 1, "must be a mapping"),
        ("name: x\nsteps: [\n", 3, "not YAML"),
        (f"name: x\nname: y\nsteps: [{STEP}]", 2, "name is there twice"),
        (f"name: x\nstep: [{STEP}]", 2, "unknown key 'step' in the file; steps is meant?"),
        ("name: x", 1, "has no steps"),
        ("name: x\nsteps: []", 2, "steps is empty"),
        (f"name: {'x' * 101}\nsteps: [{STEP}]", 1, "at most 100"),
        (f'name: "a\\vb"\nsteps: [{STEP}]', 1, "one line"),
        (f"name: !!python/object:os.system x\nsteps: [{STEP}]", 1, "tags are not read"),
        (f"name: &a x\nsteps: [{STEP}]", 1, "anchors and aliases are not read"),
        (f"name: x\nsteps: {'[' * 30}{']' * 30}", 2, "nested"),
        (f"name: x\nsteps: [{STEP}]\n# {'x' * 300_000}", None, "larger than"),
        (f"name: x\x00\nsteps: [{STEP}]", 1, "control character"),
        ("name: x\nsteps:\n  - {wait: soon, subject: s, body: b}", 3, "wait must be a number"),
        ("name: x\nsteps:\n  - {wait: 3, subject: s, body: b}", 3, "wait must be a number"),
        ("name: x\nsteps:\n  - {wait: -1 days, subject: s, body: b}", 3, "wait must be a number"),
        ("name: x\nsteps:\n  - {wait: 9999 days, subject: s, body: b}", 3, "longer than 10 years"),
        ("name: x\nsteps:\n  - {wait: 999999999 weeks, subject: s, body: b}", 3, "longer than 10 years"),
        ('name: x\nsteps:\n  - {wait: 1 day, subject: "a\\vb", body: b}', 3, "U+000B"),
        ('name: x\nsteps:\n  - {wait: 1 day, subject: "a\\rBcc: b", body: b}', 3, "one line"),
        ('name: x\nsteps:\n  - {wait: 1 day, subject: s, body: "a\\0b"}', 3, "U+0000"),
        (f'name: x\nenter_when: {{activity: "a\\0b"}}\nsteps: [{STEP}]', 2, "type of an activity"),
        ("name: x\nsteps:\n  - {wait: 1 day, subject: s}", 3, "the step has no body"),
        ("name: x\nsteps:\n  - {wait: 1 day, subject: s, body: ''}", 3, "body has no value"),
        ('name: x\nsteps:\n  - {wait: 1 day, subject: "a\\nb", body: b}', 3, "one line"),
        (f"name: x\nsteps:\n  - {{wait: 1 day, subject: {'s' * 201}, body: b}}", 3, "at most 200"),
        ("name: x\nsteps:\n  - wait: 1 day\n    subject: '{{ nam }}'\n    body: b", 4, "'nam'"),
        ("name: x\nsteps:\n  - wait: 1 day\n    subject: s\n    body: |\n      Hi\n\n      {{ x }}", 8, "'x'"),
        (f"name: x\nenter_when: {{scor: 1}}\nsteps: [{STEP}]", 2, "scor: unknown condition"),
        (f"name: x\nenter_when:\n  score__gte: lots\nsteps: [{STEP}]", 3, "wants a number"),
        (f"name: x\nenter_when: [1]\nsteps: [{STEP}]", 2, "must be a mapping"),
        (f"name: x\nsteps: [{', '.join([STEP] * 101)}]", 2, "more than 100"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_right_is_refused_with_line_and_reason(
    text: str, line: int | None, reason: str
) -> None:
    with pytest.raises(ModelFileError) as refusal:
        parse_sequence(text)

    assert refusal.value.line == line
    assert reason in refusal.value.reason


words = st.text(st.characters(codec="utf-8", exclude_characters="{", exclude_categories=["C", "Z"]), min_size=1, max_size=50)  # fmt: skip
steps = st.builds(
    StepDefinition,
    wait=st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds)),
    subject=words,
    body=st.lists(words, min_size=1, max_size=5).map("\n".join),
)


@given(
    st.builds(
        SequenceDefinition,
        name=words,
        enter_when=st.sampled_from([{}, {"score__gte": 20}, {"activity": ["a", "b"]}, {"grade__in": ["A1"]}]),
        steps=st.lists(steps, min_size=1, max_size=4).map(tuple),
        tracks=st.booleans(),
        pause_when_with_sales=st.booleans(),
    )
)  # fmt: skip
def test_what_is_exported_is_read_back_the_same(sequence: SequenceDefinition) -> None:
    assert parse_sequence(dump_sequence(sequence)) == sequence


def test_a_wait_is_written_in_its_largest_unit() -> None:
    assert format_wait(timedelta(days=3)) == "3 days"
    assert format_wait(timedelta(hours=25)) == "25 hours"
    assert format_wait(timedelta(0)) == "0 days"


@pytest.mark.parametrize(("written", "tracks"), [("", True), ("tracks: false\n", False)])
def test_opens_and_clicks_count_unless_the_file_says_otherwise(written: str, tracks: bool) -> None:
    sequence = parse_sequence(f"name: x\n{written}steps: [{STEP}]\n")

    assert sequence.tracks is tracks
    assert ("tracks: false" in dump_sequence(sequence)) is not tracks


@pytest.mark.parametrize(
    ("written", "pauses"), [("", False), ("pause_when_with_sales: true\n", True)]
)
def test_who_is_with_sales_gets_mail_unless_the_file_says_otherwise(
    written: str, pauses: bool
) -> None:
    sequence = parse_sequence(f"name: x\n{written}steps: [{STEP}]\n")

    assert sequence.pause_when_with_sales is pauses
    assert ("pause_when_with_sales: true" in dump_sequence(sequence)) is pauses


@pytest.mark.parametrize("switch", ["tracks", "pause_when_with_sales"])
def test_a_switch_is_true_or_false(switch: str) -> None:
    with pytest.raises(ModelFileError, match=f"line 2: {switch} must be true or false"):
        parse_sequence(f"name: x\n{switch}: maybe\nsteps: [{STEP}]\n")


def test_a_body_of_several_lines_is_exported_as_a_block() -> None:
    text = dump_sequence(
        SequenceDefinition("x", {}, (StepDefinition(timedelta(1), "s", "Hello\n\nBye\n"),))
    )

    assert "body: |\n    Hello\n\n    Bye\n" in text

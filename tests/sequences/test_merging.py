import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequences.merge_fields import FIELDS, MergeError, fill_template, parse_template


def test_a_field_gives_way_to_its_value() -> None:
    text = "Hello {{ first_name }} of {{company}}"

    merged = fill_template(text, {"first_name": "Ada", "company": "Engines"}, str)

    assert merged == "Hello Ada of Engines"


@pytest.mark.parametrize(
    "field",
    [
        "{{ first_name|default:'there' }}",
        '{{ first_name | default: "there" }}',
        "{{first_name|default:'there'}}",
    ],
)
@pytest.mark.parametrize("values", [{}, {"first_name": ""}, {"first_name": " \n"}])
def test_a_value_that_is_not_known_gives_way_to_the_default(
    field: str, values: dict[str, str]
) -> None:
    assert fill_template(f"Hello {field}!", values, str) == "Hello there!"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("Hi {{ first_nam }}", 1, "unknown merge field 'first_nam'; first_name is meant?"),
        ("Hi\n\n{{ password }}", 3, "unknown merge field 'password'; known: first_name"),
        ("{{ first_name", 1, "is no merge field"),
        ("{{ }}", 1, "is no merge field"),
        ("{{ contact.email }}", 1, "is no merge field"),
        ("{{ first_name|upper }}", 1, "is no merge field"),
        ("{{ first_name|default:there }}", 1, "is no merge field"),
        ("{{ first_name\n}}", 1, "is no merge field"),
        ("a\n{% load x %}", 2, "is no merge field"),
        ("{# note #}", 1, "is no merge field"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_line_and_reason(
    text: str, line: int, reason: str
) -> None:
    with pytest.raises(MergeError) as refusal:
        parse_template(text)

    assert refusal.value.line == line
    assert reason in refusal.value.reason


def test_a_value_is_never_read_as_a_field() -> None:
    merged = fill_template(
        "{{ first_name }}", {"first_name": "{{ email }}", "email": "a@b.example"}, str
    )

    assert merged == "{{ email }}"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("Ada\r\nBcc: all@example.com", "Ada Bcc: all@example.com"),
        ("  Ada\t Lovelace ", "Ada Lovelace"),
        ("Ada\x00\x1b[31m", "Ada[31m"),
        ("\u202eadA", "adA"),
        ("\ue0000\ue001", "0"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("a" * 200, "a" * 99 + "…"),
    ],
)
def test_a_value_is_one_short_visible_line(value: str, line: str) -> None:
    assert fill_template("{{ first_name }}", {"first_name": value}, str) == line


@given(st.sampled_from(FIELDS), st.text())
def test_whatever_a_name_holds_the_text_around_it_stays(name: str, value: str) -> None:
    merged = fill_template(f"<{{{{ {name} }}}}>", {name: value}, str)

    assert merged[0] == "<"
    assert merged[-1] == ">"
    assert merged[1:-1].replace("\u200c", "").replace("\u200d", "").isprintable()
    assert len(merged) <= 102

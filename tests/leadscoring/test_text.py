"""What others wrote, in one line and in the database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscoring.common.text import bounded_line, storable_text
from leadscoring.models import Company

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Ada", "Ada"),
        ("Ada\r\nByron\tKing\u2028II", "Ada Byron King II"),
        ("  Ada \r\n\t Byron\u2028\u00a0", "Ada Byron"),
        ("Ada\x00\x1b[31m", "Ada[31m"),
        ("\u202eadA", "adA"),
        ("Donau\u00addampf", "Donaudampf"),
        (550, "550"),
        (None, "None"),
        ("", ""),
    ],
)
def test_a_line_is_printable_and_has_single_spaces(text, line):
    assert bounded_line(text, 20) == line


def test_a_line_that_is_too_long_says_that_it_was_cut():
    assert bounded_line("12345", 5) == "12345"
    assert bounded_line("123456", 5) == "1234…"
    assert bounded_line("123 56", 5) == "123…"


def test_what_a_script_needs_inside_words_can_be_kept():
    assert bounded_line("علی\u200cرضا\u202e", 20, keep="\u200c") == "علی\u200cرضا"


@given(ANY_TEXT, st.integers(1, 40))
def test_any_text_becomes_a_bounded_printable_line(text, longest):
    line = bounded_line(text, longest)

    assert line.isprintable()
    assert len(line) <= longest
    assert bounded_line(line, longest) == line


@pytest.mark.django_db
def test_storable_text_is_what_the_database_takes():
    name = storable_text("\0A\ud800\nB" + "x" * 5000, 200)

    Company.objects.create(name=name)

    assert Company.objects.get().name == name == "A?\nB" + "x" * 196


def test_storable_text_is_cut_only_for_a_column():
    assert storable_text("x" * 5000) == "x" * 5000

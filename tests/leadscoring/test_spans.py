"""Spans of time in words."""

from datetime import UTC, datetime, timedelta

import pytest

from leadscoring.common.spans import (
    format_age,
    format_duration,
    format_span,
    format_upper_bound,
    spell_span,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("seconds", "short", "spelled"),
    [
        (0.5, "0 s", "less than a second"),
        (1, "1 s", "1 second"),
        (59.9, "59 s", "59 seconds"),
        (119, "1 min", "1 minute"),
        (7_200, "2 h", "2 hours"),
        (86_400, "1 day", "1 day"),
        (259_200, "3 days", "3 days"),
    ],
)
def test_a_span_is_told_in_its_largest_unit(seconds, short, spelled):
    span = timedelta(seconds=seconds)

    assert (format_span(span), spell_span(span)) == (short, spelled)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5 s ago"), (240, "4 min ago"), (7_300, "2 h ago"), (90_000, "1 day ago"), (5e6, "57 days ago"),
     (6e6, "24 February"), (4e7, "26 January 2025"), (-300, "in 5 min"), (-259_100, "in 3 days"),
     (0.4, "just now"), (-0.4, "just now")],
)  # fmt: skip
def test_ages_are_said_in_their_largest_unit(seconds, words):
    assert format_age(NOON - timedelta(seconds=seconds), NOON) == words


@pytest.mark.parametrize(
    ("took", "words"),
    [(None, "–"), (0.42 * SECOND, "0.4 s"), (-1 * SECOND, "0.0 s"), (90 * SECOND, "1 min"), (50 * HOUR, "2 days")],
)  # fmt: skip
def test_what_something_took_is_exact_while_it_is_short(took, words):
    assert format_duration(took) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 min"), (3_541, "1 h 0 min"), (9_901, "2 h 46 min")]
)
def test_an_upper_bound_is_rounded_up(seconds, words):
    assert format_upper_bound(timedelta(seconds=seconds)) == words

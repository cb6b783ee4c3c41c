"""The clock that all workers share, and how a long run reads it without asking again."""

import time
from datetime import timedelta

import pytest

from leadscoring.common.clock import AnchoredClock
from tests.makers import NOON


@pytest.fixture
def seconds(monkeypatch):
    """The readings of the monotonic clock."""
    reading = {"now": 1_000.0}
    monkeypatch.setattr(time, "monotonic", lambda: reading["now"])
    return reading


def test_a_run_begins_at_the_instant_it_was_told(seconds):
    anchored = AnchoredClock(NOON)

    assert (anchored.now(), anchored.elapsed()) == (NOON, 0.0)


def test_time_goes_on_from_there_by_the_monotonic_clock(seconds):
    anchored = AnchoredClock(NOON)

    seconds["now"] += 90.5

    assert anchored.now() == NOON + timedelta(seconds=90.5)
    assert anchored.elapsed() == 90.5

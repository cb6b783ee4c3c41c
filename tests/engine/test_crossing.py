from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscoring.engine import Qualification, Thresholds, advance_qualification

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
THRESHOLDS = Thresholds(mql=40, handoff=70, rearm_below=55, cooldown_days=30)
CROSSED = Qualification(armed=False, cycle=1, crossed_at=NOON)
MICROSECOND = timedelta(microseconds=1)
COOLED = NOON + timedelta(days=30)


@pytest.mark.parametrize(
    ("total", "disqualified", "crosses"),
    [(69.99, False, False), (70, False, True), (100, False, True), (70, True, False)],
)
def test_an_armed_contact_crosses_at_the_threshold_unless_disqualified(
    total, disqualified, crosses
):
    after = advance_qualification(Qualification(), total, disqualified, THRESHOLDS, NOON)

    assert after == (CROSSED if crosses else Qualification())


@pytest.mark.parametrize(
    ("total", "at", "armed"),
    [
        (54.99, COOLED, True),
        (55, COOLED, False),
        (54.99, COOLED - MICROSECOND, False),
        (0, NOON, False),
        (100, COOLED, False),
        (0, NOON - timedelta(days=1), False),
    ],
)
def test_a_contact_is_armed_again_when_low_and_cooled(total, at, armed):
    assert advance_qualification(CROSSED, total, False, THRESHOLDS, at).armed is armed


def test_re_arming_keeps_the_cycle_and_when_it_crossed():
    after = advance_qualification(CROSSED, 10, False, THRESHOLDS, COOLED)

    assert after == Qualification(armed=True, cycle=1, crossed_at=NOON)


@pytest.mark.parametrize(
    ("qualification", "at", "state"),
    [
        (Qualification(), NOON, "armed"),
        (CROSSED, COOLED - MICROSECOND, "cooling"),
        (CROSSED, COOLED, "crossed"),
        (Qualification(True, 1, NOON), COOLED, "re-armed"),
    ],
)
def test_a_state_has_a_word(qualification, at, state):
    assert qualification.state(THRESHOLDS, at) == state


story = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from((0, 54.99, 55, 69.99, 70, 90)), st.booleans()),
    max_size=30,
)


@given(story)
def test_any_story_goes_as_a_naive_reading_says(story):
    at, waiting = NOON, False
    crossings: list[Any] = []
    now = Qualification()

    for days, total, disqualified in story:
        at += timedelta(days=days)
        now = advance_qualification(now, total, disqualified, THRESHOLDS, at)
        if waiting and total < 55 and (at - crossings[-1]).days >= 30:
            waiting = False
        elif not waiting and total >= 70 and not disqualified:
            waiting = True
            crossings.append(at)

        assert (now.cycle, now.armed) == (len(crossings), not waiting)
        assert now.crossed_at == (crossings[-1] if crossings else None)


@given(story)
def test_crossings_are_a_cool_down_apart_and_asking_twice_changes_nothing(story):
    now, at = Qualification(), NOON

    for days, total, disqualified in story:
        at += timedelta(days=days)
        before, now = now, advance_qualification(now, total, disqualified, THRESHOLDS, at)

        assert advance_qualification(now, total, disqualified, THRESHOLDS, at) == now
        assert now.cycle == before.cycle or before.cooled(THRESHOLDS, at)


# --- refused by sales


def test_a_refusal_takes_the_arm_away_until_its_cool_down_is_over():
    armed = Qualification(True, 1, NOON - timedelta(days=90), refused_at=NOON)

    refused = advance_qualification(armed, 90, False, THRESHOLDS, NOON)

    assert (refused.armed, refused.cycle) == (False, 1)
    assert (
        advance_qualification(refused, 10, False, THRESHOLDS, COOLED - MICROSECOND).armed is False
    )
    assert advance_qualification(refused, 10, False, THRESHOLDS, COOLED).armed is True


def test_a_refusal_whose_cool_down_is_over_changes_nothing():
    armed = Qualification(True, 1, NOON - timedelta(days=90), refused_at=NOON)

    assert advance_qualification(armed, 90, False, THRESHOLDS, COOLED).cycle == 2


@given(story, st.lists(st.integers(0, 100), max_size=4))
def test_nobody_crosses_within_a_cool_down_of_a_refusal(story, refusals):
    now, at = Qualification(), NOON
    refused = sorted(NOON + timedelta(days=days) for days in refusals)

    for days, total, disqualified in story:
        at += timedelta(days=days)
        last = max((one for one in refused if one <= at), default=None)
        before = replace(now, refused_at=last)
        now = advance_qualification(before, total, disqualified, THRESHOLDS, at)

        assert advance_qualification(now, total, disqualified, THRESHOLDS, at) == now
        assert now.cycle == before.cycle or last is None or (at - last).days >= 30
        assert not (now.armed and last and (at - last).days < 30)

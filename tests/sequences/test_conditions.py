from typing import Any

import pytest

from sequences.conditions import ConditionError, check_conditions, conditions_hold

WARM = {"score": 25.0, "fit": 10.0, "engagement": 15.0, "grade": "B2", "lifecycle": "lead"}


@pytest.mark.parametrize(
    ("enter_when", "did", "enters"),
    [
        ({"score__gte": 20}, set(), True),
        ({"score__gte": 25.01}, set(), False),
        ({"score__lt": 30, "fit__gt": 5}, set(), True),
        ({"score__lt": 30, "fit__gt": 10}, set(), False),
        ({"grade__in": ["A1", "B2"]}, set(), True),
        ({"grade__in": ["A1"]}, set(), False),
        ({"lifecycle__in": ["lead", "mql"]}, set(), True),
        ({"lifecycle__in": ["customer"]}, set(), False),
        ({"activity": "webinar"}, {"webinar", "page_view"}, True),
        ({"activity": "webinar"}, {"page_view"}, False),
        ({"activity": ["webinar", "demo"]}, {"demo"}, True),
        ({"activity": "webinar", "score__gte": 30}, {"webinar"}, False),
        ({}, {"webinar"}, False),
    ],
)
def test_all_conditions_must_hold(enter_when: dict[str, Any], did: set[str], enters: bool) -> None:
    assert conditions_hold(enter_when, WARM, did) is enters


def test_somebody_who_was_never_scored_enters_by_no_score() -> None:
    assert not conditions_hold({"score__lte": 100}, {"score": None, "lifecycle": "lead"}, set())


def test_a_customer_enters_only_by_a_rule_that_speaks_of_the_lifecycle() -> None:
    customer = WARM | {"lifecycle": "customer"}

    assert not conditions_hold({"score__gte": 20}, customer, set())
    assert conditions_hold({"score__gte": 20, "lifecycle__in": ["customer"]}, customer, set())


@pytest.mark.parametrize(
    ("enter_when", "reason"),
    [
        ([], "must be a mapping"),
        ("score", "must be a mapping"),
        ({"scor__gte": 20}, "scor__gte: unknown condition; score__gte is meant?"),
        ({"score": 20}, "score: unknown condition"),
        ({"score__in": [1]}, "score__in: unknown condition"),
        ({"score__gte": "20"}, "score__gte: wants a number"),
        ({"score__gte": True}, "score__gte: wants a number"),
        ({"score__gte": float("inf")}, "score__gte: wants a number"),
        ({"score__gte": float("nan")}, "score__gte: wants a number"),
        ({"grade__in": "A1"}, "grade__in: wants a list"),
        ({"grade__in": ["E5"]}, "'E5' is none of"),
        ({"lifecycle__in": ["boss"]}, "'boss' is none of"),
        ({"activity": []}, "activity: wants the type"),
        ({"activity": 7}, "activity: wants the type"),
        ({"password__gte": 1}, "unknown condition; known:"),
    ],
)
def test_a_condition_that_cannot_be_is_refused_by_name(enter_when: object, reason: str) -> None:
    with pytest.raises(ConditionError) as refusal:
        check_conditions(enter_when)

    assert reason in str(refusal.value)

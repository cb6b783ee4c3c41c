"""When something that failed is tried again."""

import pytest

from leadscoring.common.backoff import backoff_delay


def seconds(*args):
    return backoff_delay(*args).total_seconds()


@pytest.mark.parametrize(
    ("attempts", "least"), [(0, 10), (1, 10), (2, 20), (3, 40), (6, 300), (10_000, 300)]
)
def test_waits_double_up_to_five_minutes(attempts, least):
    assert least <= seconds(attempts, "LS-1") <= least * 1.25


def test_what_the_crm_asked_for_is_kept_up_to_an_hour():
    assert seconds(1, "LS-1", 60) >= 60
    assert seconds(1, "LS-1", 86_400) <= 3600 * 1.25


def test_the_same_question_has_the_same_answer_and_another_row_another():
    assert seconds(3, "LS-1") == seconds(3, "LS-1")
    assert len({seconds(3, f"LS-{number}") for number in range(20)}) > 15

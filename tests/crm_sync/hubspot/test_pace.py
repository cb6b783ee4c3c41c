"""Real Redis. Limits are small, so that what is admitted does not hang on the machine's speed."""

from uuid import uuid4

import pytest

from crm_sync.hubspot.pace import Pace
from crm_sync.hubspot.shared import Shared
from crm_sync.port import CrmBusy


@pytest.fixture
def process(settings):
    """A process's view of one budget: call it again for another process's."""
    token = uuid4().hex

    def one(most=None, token=token):
        return Pace(Shared(settings.REDIS_URL, "https://crm.example", token), most)

    return one


def admitted(pace, limit="burst", tries=10):
    return sum(pace._seconds(limit) <= 0 for _ in range(tries))


def headers(most, window="10000"):
    return {
        "x-hubspot-ratelimit-max": str(most),
        "x-hubspot-ratelimit-interval-milliseconds": window,
    }


def test_two_processes_share_one_budget(process):
    first, second = process(most=4), process(most=4)

    assert admitted(first) + admitted(second) == 1


def test_a_window_never_admits_more_than_the_limit(process):
    """The burst and ten seconds at the even pace; the pace is what the wait says."""
    pace = process(most=100)
    burst = admitted(pace, tries=40)
    even = pace._seconds("burst")

    # The wait is at most one step: 10 s / 80.
    assert 15 <= burst < 40
    assert 0 < even <= 0.125


def test_another_token_has_its_own_budget(process):
    admitted(process(most=4))

    assert admitted(process(most=4, token="another " + uuid4().hex)) == 1


def test_the_limit_is_learned_from_an_answer_by_all_processes(process):
    first, second = process(), process()

    first.learn(headers(4))

    assert admitted(second) == 1


@pytest.mark.parametrize(
    ("told", "burst"),
    [(headers(8, "20000"), 1), (headers("many"), 15), (headers("0"), 15), ({}, 15)],
)
def test_headers_are_taken_for_ten_seconds_or_not_at_all(process, told, burst):
    pace = process()

    pace.learn(told)

    assert burst <= admitted(pace, tries=20) <= burst + 4


def test_the_setting_bounds_what_was_learned(process):
    pace = process(most=4)

    pace.learn(headers(190))

    assert admitted(pace) == 1


def test_a_short_wait_is_slept(process):
    pace = process(most=10)
    pace.wait("burst")

    pace.wait("burst")  # a step of 10 s / 8.5: admitted after sleeping

    assert pace._seconds("burst") > 0


def test_a_long_wait_is_the_callers(process):
    pace = process(most=1)
    pace.wait("burst")

    with pytest.raises(CrmBusy) as busy:
        pace.wait("burst")

    assert 2 < busy.value.retry_after <= 20


def test_being_told_to_slow_down_holds_every_process(process):
    first, second = process(), process()

    first.hold("burst", 30)

    with pytest.raises(CrmBusy) as busy:
        second.wait("burst")
    assert 25 < busy.value.retry_after <= 30


def test_searches_have_five_a_second_of_their_own(process):
    pace = process()
    pace.hold("burst", 30)

    assert admitted(pace, "search", tries=1) == 1
    assert 0 < process()._seconds("search") <= 1 / 3.75


def test_associations_count_against_both_limits(process):
    pace = process(most=1)
    pace.wait("associations")

    assert pace._seconds("burst") > 2
    assert pace._seconds("associations") > 2


def test_without_redis_a_process_asks_once_a_second(caplog):
    pace = Pace(Shared("redis://127.0.0.1:1/0", "token"), 1_000)

    assert admitted(pace, tries=5) == 1
    assert 0 < pace._seconds("burst") <= 1
    assert caplog.text.count("Redis is away") == 1

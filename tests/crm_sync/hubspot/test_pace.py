"""Real Redis. Limits are small, so that what is admitted does not hang on the machine's speed."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.transport import rate_limit as pace_module
from crm_sync.hubspot.transport.buckets import BUCKETS
from crm_sync.hubspot.transport.calls import (
    CREATE_TASKS,
    DEALS_OF_CONTACTS,
    OWNERS,
    READ_CONTACTS,
    UPDATE_CONTACTS,
    ApiCall,
)
from crm_sync.hubspot.transport.errors import DailyLimitReached, error_from_answer
from crm_sync.hubspot.transport.rate_limit import RateLimiter, seconds_until_midnight
from crm_sync.port import CrmBudget, CrmBusy, CrmDenied, CrmPaced
from crm_sync.transport import redis_state
from crm_sync.transport.http import RawAnswer
from crm_sync.transport.redis_state import RedisState
from leadscoring import devservers
from sandbox.hubspot.server import Sandbox
from tests.port.hubspot_side import TOKEN, HubSpotSide

SEARCH = ApiCall("POST", "/crm/v3/objects/contacts/search", "search", retry=True, limit="search")


@pytest.fixture
def process(settings):
    """A process's view of one budget: call it again for another process's."""
    token = uuid4().hex

    def one(most=None, token=token):
        return RateLimiter(
            RedisState(settings.REDIS_URL, "test", "https://crm.example", token), most
        )

    return one


def wait_of(pace, call=OWNERS, priority="live"):
    """Seconds until the call may be made; 0 when it was let through."""
    blocks = pace_module._blocks_of(call)
    return pace._turn(BUCKETS[call.limit], blocks, priority, waited=0, take=True).seconds


def admitted(pace, call=OWNERS, tries=10, priority="live"):
    return sum(wait_of(pace, call, priority) <= 0 for _ in range(tries))


def headers(most, window="10000", **more):
    return {
        "x-hubspot-ratelimit-max": str(most),
        "x-hubspot-ratelimit-interval-milliseconds": window,
        **{f"x-hubspot-ratelimit-{name}": str(value) for name, value in more.items()},
    }


def told(pace, call, status, body=None, **headers):
    """What HubSpot answers, as the client hands it on."""
    error = error_from_answer(call, RawAnswer(status, headers, json.dumps(body or {}).encode()))
    pace.obey(call, status, error)


# --- one budget


def test_two_processes_share_one_budget(process):
    first, second = process(most=4), process(most=4)

    assert admitted(first) + admitted(second) == 1


def test_a_window_never_admits_more_than_the_limit(process):
    """The burst and ten seconds at the even pace; the pace is what the wait says."""
    pace = process(most=100)
    burst = admitted(pace, tries=40)
    even = wait_of(pace)

    # The wait is at most one step: 10 s / 89.
    assert 6 <= burst < 40
    assert 0 < even <= 0.113


def test_another_token_has_its_own_budget(process):
    admitted(process(most=4))

    assert admitted(process(most=4, token="another " + uuid4().hex)) == 1


def test_the_limit_is_learned_from_an_answer_by_all_processes(process):
    first, second = process(), process()

    first.learn(headers(4))

    assert admitted(second) == 1


@pytest.mark.parametrize(
    ("told", "burst"),
    [(headers(8, "20000"), 1), (headers("many"), 6), (headers("0"), 6), ({}, 6)],
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
    admitted(pace)

    pace.wait(OWNERS)  # a step of 10 s / 7.5: admitted after sleeping

    assert wait_of(pace) > 0


def test_a_long_wait_is_the_callers(process):
    pace = process(most=1)
    pace.wait(OWNERS)

    with pytest.raises(CrmPaced) as paced:
        pace.wait(OWNERS)

    assert 2 < paced.value.retry_after <= 20


def test_searches_have_five_a_second_of_their_own(process):
    pace = process()
    pace.block("burst", 30)

    assert admitted(pace, SEARCH, tries=1) == 1
    assert 0 < wait_of(process(), SEARCH) <= 1 / 3.75


def test_associations_count_against_both_limits(process):
    pace = process(most=1)
    pace.wait(DEALS_OF_CONTACTS)

    assert wait_of(pace, OWNERS) > 2
    assert wait_of(pace, DEALS_OF_CONTACTS) > 2


# --- lanes


@pytest.mark.parametrize("most", [10, 100, 190])
@pytest.mark.parametrize("other", ["backlog", "polling"])
def test_a_live_request_finds_room_at_once_however_much_else_asks(process, most, other):
    pace = process(most)
    admitted(pace, priority=other, tries=most)

    assert wait_of(pace, priority=other) > 0
    assert wait_of(pace, priority="live") == 0


def test_a_live_request_goes_before_those_that_wait(process):
    """Six threads of backlog take whatever there is; each live request waits less than a step."""
    pace = process(most=100)
    ended: list[Any] = []
    threads = [Thread(target=ask_until, args=[process(100), ended]) for _ in range(6)]
    for thread in threads:
        thread.start()

    waits = [wait_of(pace) for _ in range(5)]

    ended.append(True)
    for thread in threads:
        thread.join()
    assert max(waits) < 0.125


def ask_until(pace, ended):
    while not ended:
        with suppress(CrmPaced):
            pace.wait(OWNERS, "backlog")


def test_a_backlog_alone_has_the_whole_pace(process):
    """Both ask without pause for the same time, by Redis's clock."""
    made = {
        priority: made_in(process(1_000, uuid4().hex), priority, seconds=2)
        for priority in ("live", "backlog")
    }
    burst, backlogs_burst = 60, 36

    assert made["backlog"] - backlogs_burst >= 0.95 * (made["live"] - burst) > 100


def made_in(pace, priority, seconds):
    ends = redis_time(pace) + seconds
    made = 0
    while redis_time(pace) < ends:
        made += admitted(pace, priority=priority, tries=5)
    return made


def redis_time(pace):
    seconds, micros = pace._shared.ask(lambda redis: redis.time())
    return seconds + micros / 1e6


def test_reading_never_starves_beside_a_backlog(process):
    pace = process(most=100)
    admitted(pace, priority="backlog", tries=40)

    assert admitted(pace, priority="polling", tries=5) == 1


def test_looking_for_room_takes_none(process):
    pace = process(most=4)

    assert [pace.room("live") for _ in range(3)] == [0, 0, 0]
    assert admitted(pace) == 1
    assert pace.room("live") > 0


@pytest.mark.processes
def test_against_a_rolling_window_no_request_is_one_too_many(settings):
    """Twelve seconds of real requests, as fast as they are let, by two processes' worth of each lane."""
    with Sandbox(TOKEN, rate=60) as sandbox:
        there, ends = HubSpotSide(sandbox), monotonic() + 12
        lanes = ("live", "backlog", "polling") * 2
        threads = [
            Thread(
                target=list_owners,
                args=[HubSpot(TOKEN, sandbox.url, settings.REDIS_URL), priority, ends],
            )
            for priority in lanes
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = [each["status"] for each in there.seen()]

    assert set(statuses) == {200}
    assert len(statuses) > 50


def list_owners(crm, priority, ends):
    crm = crm.with_priority(priority)
    while monotonic() < ends:
        with suppress(CrmPaced):
            crm.owners()


# --- what HubSpot says to all


def test_being_told_to_slow_down_holds_every_process(process):
    first, second = process(), process()

    told(first, OWNERS, 429, {"policyName": "TEN_SECONDLY_ROLLING"}, **{"retry-after": "30"})

    with pytest.raises(CrmPaced) as paced:
        second.wait(READ_CONTACTS)
    assert 25 < paced.value.retry_after <= 30
    assert "slow down" in str(paced.value)


def test_a_locked_record_holds_its_kind_for_two_seconds(process):
    first, second = process(), process()

    told(first, UPDATE_CONTACTS, 423)

    assert 1 < wait_of(second, READ_CONTACTS) <= 2
    assert wait_of(second, CREATE_TASKS) == 0


def test_an_account_on_the_move_holds_everything(process):
    first, second = process(), process()

    told(first, UPDATE_CONTACTS, 477, **{"retry-after": "1800"})

    with pytest.raises(CrmBusy) as busy:
        second.wait(SEARCH)
    assert 1790 < busy.value.retry_after <= 1800
    assert busy.value.shared


def test_a_day_that_is_used_up_asks_nothing_more(process):
    first, second = process(), process()

    told(first, OWNERS, 429, {"policyName": "DAILY"})

    with pytest.raises(CrmDenied, match="today"):
        second.wait(SEARCH)
    assert second.room("live") > 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 502, 503, 504, 524])
def test_other_refusals_hold_nobody(process, status):
    first, second = process(), process()

    told(first, OWNERS, status)

    assert wait_of(second) == 0


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("UTC", 13), ("Europe/Berlin", 11), ("US/Eastern", 17), ("nowhere", 13), ("", 13)],
)
def test_a_day_ends_at_midnight_where_the_account_is(zone, hours):
    assert seconds_until_midnight(datetime(2026, 5, 4, 11, tzinfo=UTC), zone) == hours * 3600


def test_a_day_may_have_twenty_five_hours():
    at = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight in Berlin; summer time ends that night

    assert seconds_until_midnight(at, "Europe/Berlin") == 25 * 3600


# --- the figures


def test_the_budget_is_known_without_asking_hubspot(process):
    pace = process()
    admitted(pace, tries=3)

    pace.learn(headers(190, daily=1_000, **{"daily-remaining": 400}))

    assert process().budget() == CrmBudget(3, 190, 600, 1_000, 10)


def test_a_budget_of_which_nothing_is_known_says_so(process):
    assert process().budget() == CrmBudget(0, None, None, None, 10)


# --- without Redis


def without_redis(most=1_000):
    return RateLimiter(RedisState("redis://127.0.0.1:1/0", "test", "token"), most)


def test_without_redis_a_process_asks_once_a_second(caplog):
    pace = without_redis()

    assert admitted(pace, tries=5) == 1
    assert 0 < wait_of(pace) <= 1
    assert caplog.text.count("Redis is away") == 1


def test_without_redis_the_setting_still_bounds(process):
    pace = without_redis(most=2)
    admitted(pace)

    assert 4 < wait_of(pace) <= 5


def test_without_redis_a_process_still_does_as_it_is_told():
    pace = without_redis()

    told(pace, OWNERS, 429, {"policyName": "DAILY"})

    with pytest.raises(DailyLimitReached):
        pace.wait(OWNERS)


@pytest.mark.processes
def test_redis_that_goes_and_comes_back_is_said_once_each(caplog, monkeypatch):
    monkeypatch.setattr(redis_state, "AWAY_SECONDS", 0)  # or it would be left alone for a while
    with devservers.run_server(devservers.Redis) as redis:
        pace = RateLimiter(RedisState(redis.url, "test", "token"), 1_000)
        pace.wait(OWNERS)
        redis.stop()
        alone = [wait_of(pace) for _ in range(3)]
        redis.start()
        together = admitted(pace, tries=3)

    assert alone[0] == 0 < alone[1]
    assert together == 3
    assert caplog.text.count("Redis is away") == 1
    assert caplog.text.count("Redis is back") == 1

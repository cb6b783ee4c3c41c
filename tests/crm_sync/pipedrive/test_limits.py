"""Bursts of two seconds, ten searches in them, and the tokens of a day that others use up too."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.pipedrive.transport.errors import DayUsedUp, PipedriveBlocked
from crm_sync.port import CrmBusy, CrmContactWrite, CrmDenied, CrmPaced
from tests.crm_sync.pipedrive.test_errors import EMPTY, http, refusal
from tests.port.pipedrive_side import TOKEN


def statuses(there):
    return {each["status"] for each in there.seen()}


def test_the_smallest_plans_burst_is_never_overrun_by_many_workers(there, dials, settings):
    dials.rate, dials.search_rate = 20, 10
    workers = [Pipedrive(TOKEN, there.url, settings.REDIS_URL) for _ in range(4)]

    def work(crm):
        for _ in range(15):
            with suppress(CrmPaced):
                crm.stages()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, workers))

    assert statuses(there) <= {200, 201}


def test_searches_have_a_limit_of_their_own(pipedrive, there, dials, settings):
    from tests.crm_sync.pipedrive.test_people import big

    big(there, settings)
    dials.rate, dials.search_rate = 40, 10
    emails = [f"p{number}@x.example" for number in range(15)]

    pipedrive.contacts_by_email(emails, [])

    assert statuses(there) <= {200, 201}
    assert sum(each["path"].startswith("/api/v2/persons/search") for each in there.seen()) == 15


def test_a_hundred_fresh_leads_cost_less_than_three_thousand_tokens(pipedrive, there):
    before = there.sandbox.state.pace.used_today
    writes = [CrmContactWrite(f"LS-{n}", "", f"p{n}@x.example", {}) for n in range(100)]
    pipedrive.contacts_by_email([write.email for write in writes], [])

    assert len(pipedrive.save_contacts(writes)) == 100
    assert there.sandbox.state.pace.used_today - before < 2_400  # an activity costs five more


def test_the_budget_is_counted_without_the_headers(pipedrive, there, dials):
    dials.daily_headers = False
    before = pipedrive.budget().used_today

    pipedrive.stages()

    assert pipedrive.budget().used_today - before == 10
    assert pipedrive.budget().unit == "tokens"


def test_the_budget_is_the_companys_with_the_headers(pipedrive, there, dials):
    """Somebody else's integration has used most of it."""
    dials.daily, there.sandbox.state.pace.used_today = 30_000, 20_000

    Pipedrive(TOKEN, there.url, settings_of(pipedrive)).stages()

    budget = pipedrive.budget()
    assert budget.allowed_today == 30_000
    assert 20_000 <= budget.used_today <= 20_100


def settings_of(pipedrive):
    from django.conf import settings

    return settings.REDIS_URL


@pytest.mark.parametrize(
    ("used", "admitted"),
    [
        (20_000, {"live", "backlog", "polling"}),
        (27_500, {"live", "backlog"}),
        (29_500, {"live"}),
    ],
)
def test_what_is_left_of_a_day_is_kept_for_what_cannot_wait(
    pipedrive, there, dials, settings, used, admitted
):
    dials.daily, there.sandbox.state.pace.used_today = 30_000, used
    Pipedrive(TOKEN, there.url, settings.REDIS_URL).account()

    found = set()
    for priority in ("live", "backlog", "polling"):
        crm = pipedrive.with_priority(priority)
        with suppress(CrmPaced):
            crm.stages()
            found.add(priority)
        assert (crm.room() > 60) == (priority not in found)

    assert found == admitted


def test_a_day_that_is_used_up_stops_all_until_later(pipedrive, there, dials, settings):
    dials.day_used_up = True
    with pytest.raises(CrmDenied):
        pipedrive.stages()
    before = there.requests()

    with pytest.raises(DayUsedUp):
        Pipedrive(TOKEN, there.url, settings.REDIS_URL).stages()

    assert there.requests() == before


def test_who_is_blocked_asks_nothing_for_a_while(pipedrive, there, dials, settings):
    dials.blocked = True
    with pytest.raises(PipedriveBlocked) as blocked:
        pipedrive.stages()
    before = there.requests()

    with pytest.raises(PipedriveBlocked):
        Pipedrive(TOKEN, there.url, settings.REDIS_URL).account()

    assert (blocked.value.shared, blocked.value.retry_after >= 60) == (True, True)
    assert there.requests() == before


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 2),
        ({"x_ratelimit_reset": "7"}, 7),
        ({"x_ratelimit_reset": "0"}, 1),
        ({"x_ratelimit_reset": "1796000000"}, 2),
        ({"x_ratelimit_reset": "soon"}, 2),
        ({"Retry_After": "5", "x_ratelimit_reset": "2"}, 5),
    ],
)
def test_a_request_too_many_says_when_to_ask_again(pipedrive_at, headers, seconds):
    with pytest.raises(CrmBusy) as busy:
        pipedrive_at(refusal(429, **headers)).stages()

    assert (busy.value.retry_after, busy.value.shared) == (seconds, True)


def test_refusals_in_a_row_make_us_wait_longer_each_time(pipedrive_at, monkeypatch):
    """A day that is used up looks like a burst where its headers are missing."""
    crm = pipedrive_at(refusal(429))
    waits = []
    for _ in range(3):
        crm._limiter._shared.ask(lambda redis: redis.delete(crm._limiter._shared.key("burst:held")))
        with pytest.raises(CrmBusy):
            crm.stages()
        waits.append(round(crm.room() / 2))

    assert waits == [1, 2, 4]


def test_an_answer_ends_the_row(pipedrive_at):
    crm = pipedrive_at(http(200, EMPTY))
    crm._limiter._patience()

    crm.stages()

    assert crm._limiter._patience() == 1


@pytest.mark.parametrize("value", ["", "x", "-1", "1e3", "9" * 40])
def test_strange_limits_are_not_learned(pipedrive_at, value):
    crm = pipedrive_at(
        http(200, EMPTY, x_ratelimit_limit=value, x_daily_ratelimit_token_limit=value)
    )

    crm.stages()

    assert crm.budget().used_today == 10

import pytest

from crm_sync.port import CrmBusy, CrmPaced
from crm_sync.salesforce.transport.rate_limit import SalesforceLimiter
from crm_sync.transport.redis_state import RedisState

AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture
def limiter(settings, there):
    return lambda url="": SalesforceLimiter(
        RedisState(url or settings.REDIS_URL, "salesforce", "x")
    )


def use(used, allowed=1000):
    return {"sforce-limit-info": f"api-bursts=1/2, api-usage={used}/{allowed}; per-app-api-usage=7/9(appName=x)"}  # fmt: skip


def test_the_days_use_is_read_by_name_and_shared(limiter):
    limiter().learn(use(18))

    budget = limiter().budget()

    assert (budget.used_today, budget.allowed_today, budget.unit) == (18, 1000, "calls")
    assert budget.window_seconds is None


@pytest.mark.parametrize("said", ["", "api-usage=", "api-usage=1/0", "xapi-usage=1/2", "api-usage=x/y"])  # fmt: skip
def test_what_is_no_use_is_left_out(limiter, said):
    one = limiter()
    one.learn({"sforce-limit-info": said})

    assert one.budget().used_today is None


@pytest.mark.parametrize("url", ["", AWAY], ids=["redis", "alone"])
def test_the_last_calls_of_a_day_are_for_fresh_leads(limiter, url):
    one = limiter(url)
    one.learn(use(930))

    with pytest.raises(CrmPaced):
        one.wait("polling")
    one.wait("backlog")
    one.learn(use(990))
    one._noted_at = -9.0  # or the second figure would not be shared yet
    one.learn(use(990))

    with pytest.raises(CrmPaced):
        one.wait("backlog")
    one.wait("live")
    assert one.room("polling") > 0 == one.room("live")


@pytest.mark.parametrize("url", ["", AWAY], ids=["redis", "alone"])
def test_a_limit_that_one_process_met_stops_all(limiter, url):
    one = limiter(url)
    one.obey(CrmBusy("used up", 900.0, shared=True))

    with pytest.raises(CrmBusy) as busy:
        (limiter(url) if not url else one).wait("live")

    assert busy.value.shared
    assert 890 < busy.value.retry_after <= 900


def test_a_used_up_day_is_busy_for_all_and_asked_no_more(salesforce, connect, there):
    there.turn("day_used_up")
    with pytest.raises(CrmBusy, match="24 hours"):
        salesforce.owners()
    before = there.requests()

    with pytest.raises(CrmBusy, match="24 hours"):
        connect().owners()

    assert there.requests() == before


def test_a_read_with_time_waits_for_a_busy_org(salesforce, there, monkeypatch):
    from time import monotonic

    from crm_sync.salesforce.transport import errors

    monkeypatch.setattr(errors, "AFTER_TOO_MANY_AT_ONCE", 0.2)
    there.be_busy(seconds=0)

    assert salesforce.with_priority("polling", monotonic() + 30).owners()

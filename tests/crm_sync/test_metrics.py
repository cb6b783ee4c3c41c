"""The ledger on /metrics, and the alert rules that are written against it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now

from crm_sync.circuit_breaker import record_failure
from crm_sync.connect import connect
from crm_sync.metrics import request_metrics
from crm_sync.models import Breaker
from crm_sync.port import CrmBudget, CrmDenied
from leadscoring.models import CrmFreshness
from leadscoring.operations import heartbeat
from tests.crm_sync.makers import a_delivered, a_handoff

pytestmark = pytest.mark.django_db

RULES = Path(__file__).parents[2] / "docs" / "alerts.yml"
ALERTS = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
SECOND = timedelta(seconds=1)


def metrics():
    return Client().get("/metrics").content.decode()


def delivered(took=2 * SECOND, crossed=None, **task):
    return a_delivered(crossed or now() - 10 * SECOND, took, **task)


def test_what_is_on_its_way_is_counted_by_state():
    a_handoff(crossed_at=now() - 90 * SECOND)
    a_handoff(status="needs_attention", reason="No rep takes leads.")

    told = metrics()

    assert 'leadscoring_handoffs{status="waiting"} 1.0' in told
    assert 'leadscoring_handoffs{status="needs_attention"} 1.0' in told
    assert re.search(r"oldest_waiting_seconds 9\d\.", told)


def test_both_clocks_are_told_as_quantiles():
    crossed = now() - 10 * SECOND
    for took in (1, 2, 3):
        touched = crossed + (took + 4) * SECOND
        delivered(took * SECOND, crossed, touched_at=touched)

    told = metrics()

    assert 'leadscoring_handoff_seconds{quantile="0.5"} 2.0' in told
    assert 'leadscoring_handoff_seconds{quantile="1"} 3.0' in told
    assert 'leadscoring_first_touch_seconds{quantile="0.95"} 4.0' in told
    assert "leadscoring_handoffs_last_hour 3.0" in told


def test_tasks_are_counted_by_what_reps_did():
    delivered(due_at=now() - SECOND)
    delivered(SECOND, state="started", touched_at=now())

    told = metrics()

    assert 'leadscoring_tasks{state="untouched"} 1.0' in told
    assert 'leadscoring_tasks{state="started"} 1.0' in told
    assert "leadscoring_tasks_overdue 1.0" in told


def test_what_is_held_back_is_one_and_by_whom():
    record_failure(connect(), Breaker.Work.HANDOFFS, CrmDenied("The token was revoked."), now())

    told = metrics()

    assert 'leadscoring_crm_held{kind="denied",work="handoffs"} 1.0' in told
    assert 'leadscoring_crm_held{kind="unavailable",work="handoffs"} 0.0' in told
    assert 'leadscoring_crm_held{kind="denied",work="pull"} 0.0' in told


def test_of_the_budget_only_what_is_known_is_told():
    used, allowed = request_metrics(CrmBudget(12, 190, 5000, None, 10))

    assert [(each.labels["window"], each.value) for each in used.samples] == [
        ("10s", 12),
        ("day", 5000),
    ]
    assert [(each.labels["window"], each.value) for each in allowed.samples] == [("10s", 190)]


def test_a_budget_of_tokens_for_a_day_alone_is_told_as_that():
    used, _ = request_metrics(CrmBudget(None, None, 5000, 15_000, unit="tokens"))

    assert used.documentation == "Tokens used."
    assert [(each.labels["window"], each.value) for each in used.samples] == [("day", 5000)]


def test_the_figures_cost_the_same_however_many_leads(django_assert_num_queries):
    metrics()
    for _ in range(3):
        a_handoff()
    delivered()

    with django_assert_num_queries(13):
        metrics()


# --- alerts


@pytest.fixture
def everything():
    """Something of each figure that an alert may speak of."""
    cache.clear()
    for process in heartbeat.PROCESSES:
        heartbeat.record_heartbeat(process, now())
    for kind in CrmFreshness.Kind:
        CrmFreshness.objects.create(kind=kind, as_of=now())
    delivered(touched_at=now())
    yield
    cache.clear()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_speaks_of_figures_that_are_there(alert, everything):
    told = set(re.findall(r"^# TYPE (\w+)", metrics(), re.MULTILINE))

    named = set(re.findall(r"leadscoring_\w+", alert["expr"]))

    assert named
    assert named <= told


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_labels_that_are_there(alert, everything):
    told = metrics() + "".join(
        f'{name}{{window="day"}}'
        for name in ("leadscoring_crm_requests_used", "leadscoring_crm_requests_allowed")
    )

    for name, label in re.findall(r'(leadscoring_\w+)\{(\w+="[^"]+")\}', alert["expr"]):
        assert re.search(rf"{name}\{{[^}}]*{re.escape(label)}", told), (name, label)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_is_whole_and_says_what_to_do(alert):
    left = re.sub(r'"[^"]*"', "", alert["expr"])
    for pair in ("()", "{}", "[]"):
        assert left.count(pair[0]) == left.count(pair[1])

    assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[smh]", alert["for"])
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"].endswith((".", "?"))
    assert alert["annotations"]["action"].endswith(".")


def test_each_alert_is_explained_to_those_it_rings():
    page = (RULES.parent / "ops.md").read_text()

    assert [alert["alert"] for alert in ALERTS if f"`{alert['alert']}`" not in page] == []

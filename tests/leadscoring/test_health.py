"""Alive, ready or why not, figures for Prometheus, and what needs a person."""

import re
import socket
import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from crm_sync.circuit_breaker import record_failure
from crm_sync.connect import connect
from crm_sync.models import Breaker
from crm_sync.port import CrmDenied
from leadscoring.celery import QUEUES
from leadscoring.extensions import problem_sources
from leadscoring.models import CrmFreshness
from leadscoring.operations import health, heartbeat
from leadscoring.operations.health import Problem
from tests.makers import NOON, a_contact, an_activity

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_heartbeats():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def all_well(settings):
    settings.HUBSPOT_ACCESS_TOKEN = "made-up"
    read(now())
    for process in heartbeat.PROCESSES:
        heartbeat.record_heartbeat(process, now())


@pytest.fixture
def no_redis(settings):
    """Nobody listens there."""
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}
    }


def read(at):
    for kind in CrmFreshness.Kind:
        CrmFreshness.objects.update_or_create(kind=kind, defaults={"as_of": at})


def ready():
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


def test_a_process_that_lives_says_so_and_touches_nothing(django_assert_num_queries, no_redis):
    with django_assert_num_queries(0):
        assert Client().get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_machines_are_answered_whatever_name_they_ask_for(path, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["leads.example.com"], True

    answer = Client().get(path, headers={"host": "10.1.2.3:8000"})

    assert answer.status_code in (200, 503)


def test_a_database_that_hangs_is_a_reason_within_two_seconds(all_well, monkeypatch):
    with socket.socket() as silent:  # it takes what is sent, and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        host, port = silent.getsockname()
        monkeypatch.setitem(connection.settings_dict, "HOST", host)
        monkeypatch.setitem(connection.settings_dict, "PORT", str(port))
        began = time.monotonic()

        status, answer = ready()

    assert time.monotonic() - began < 2
    assert (status, answer["reasons"]) == (503, ["the database does not answer"])
    assert answer["checks"]["redis"]


def test_all_well_is_ready(all_well):
    status, answer = ready()

    assert (status, answer["ready"], answer["reasons"]) == (200, True, [])
    assert set(answer["checks"]) == {
        "database",
        "redis",
        "queue",
        "migrations",
        "restore",
        "worker",
        "beat",
        "crm_state",
        "crm_access",
    }


def test_processes_never_seen_and_processes_silent_are_reasons(all_well):
    cache.delete("heartbeat:beat")
    for queue in QUEUES:
        heartbeat.record_heartbeat(heartbeat.worker(queue), now() - timedelta(minutes=5))

    status, answer = ready()

    assert (status, answer["checks"]["worker"], answer["checks"]["beat"]) == (503, False, False)
    assert answer["reasons"] == ["worker was last seen 300 s ago", "beat was never seen"]


@pytest.mark.parametrize("missing", [("live", "mail"), ("sync", "slow")])
def test_a_worker_that_is_missing_is_a_reason_that_names_its_queues(all_well, missing):
    for queue in missing:
        cache.delete(f"heartbeat:worker-{queue}")

    status, answer = ready()

    assert (status, answer["checks"]["worker"]) == (503, False)
    assert answer["reasons"] == [f"the worker for {' and '.join(missing)} was never seen"]


@pytest.mark.parametrize(("queue", "status"), [("live", 503), ("slow", 200)])
def test_a_queue_of_long_turns_may_be_silent_for_longer(all_well, queue, status):
    heartbeat.record_heartbeat(heartbeat.worker(queue), now() - timedelta(seconds=90))

    assert ready()[0] == status


def test_an_old_state_of_the_crm_is_a_reason_only_with_a_crm(all_well, settings):
    read(now() - timedelta(seconds=901))

    (reason,) = ready()[1]["reasons"]
    assert re.fullmatch(r"the CRM's state is 9\d\d s old", reason)
    settings.HUBSPOT_ACCESS_TOKEN = ""
    assert ready()[0] == 200


def test_a_crm_never_read_is_a_reason(all_well):
    CrmFreshness.objects.first().delete()

    assert ready()[1]["reasons"] == ["the CRM's state was never read"]


def test_a_site_without_a_crm_is_ready_also_after_it_tried_to_read_one(all_well, settings):
    settings.HUBSPOT_ACCESS_TOKEN = ""
    denied = CrmDenied("No CRM is connected.")
    record_failure(connect(), Breaker.Work.PULL, denied, now())

    assert ready()[1]["reasons"] == []


def test_a_migration_that_is_not_applied_is_a_reason(all_well):
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="crm_sync").delete()

    assert "not applied" in ready()[1]["reasons"][0]


def test_without_redis_it_is_not_ready_and_says_so_once(all_well, no_redis):
    status, answer = ready()

    assert (status, answer["reasons"]) == (503, ["Redis does not answer"])
    assert answer["checks"]["database"]


def test_figures_are_those_of_the_database():
    an_activity(a_contact())
    heartbeat.record_heartbeat("worker-live", now())

    text = Client().get("/metrics").content.decode()

    assert "leadscoring_contacts 1.0" in text
    assert "leadscoring_activities 1.0" in text
    assert 'leadscoring_heartbeat_age_seconds{process="worker-live"} 0.' in text


def test_figures_take_as_many_queries_however_many_people(django_assert_max_num_queries):
    for _ in range(20):
        an_activity(a_contact())

    with django_assert_max_num_queries(20):
        Client().get("/metrics")


def test_figures_without_redis_are_still_figures(no_redis):
    assert "leadscoring_contacts 0.0" in Client().get("/metrics").content.decode()


def test_problems_are_gathered_from_all_apps_the_worst_first(monkeypatch):
    added = [Problem("warning", "A", "a"), Problem("error", "B", "b")]
    monkeypatch.setitem(problem_sources, "another", lambda at: added)

    found = health.collect_problems(NOON)

    assert [one.severity for one in found] == sorted(one.severity for one in found)
    assert {"A", "B", "Worker was never seen: leads and mails wait."} <= {one.what for one in found}


def test_without_redis_the_problem_is_redis(no_redis):
    assert "Redis does not answer" in health.collect_problems(NOON)[0].what

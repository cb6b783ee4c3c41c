"""Waking a worker never fails whoever stored something: the cause is shown, the rows wait."""

import json
import os
import socket
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now
from kombu.exceptions import OperationalError
from kombu.messaging import Producer
from redis import RedisError

from crm_sync import hint_wakeup, receivers
from crm_sync import tasks as crm_tasks
from crm_sync.models import Handoff, Hint
from crm_sync.port import CrmHint
from crm_sync.webhooks import store_hints
from leadscoring import tasks
from leadscoring.common import wakeup
from leadscoring.common.clock import database_time
from leadscoring.common.outage import OutageMemory
from leadscoring.models import CrmFreshness
from leadscoring.operations import heartbeat
from tests.makers import an_api_key

pytestmark = pytest.mark.django_db

BROKEN = [
    ImportError("No module named 'packaging'", name="packaging"),
    AttributeError("'NoneType' object has no attribute 'send'"),
    OperationalError("Error 111 connecting to redis:6379. Connection refused."),
    TimeoutError("timed out"),
    RuntimeError("Acquire on closed pool"),
]
each_way_to_break = pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(wakeup, "broker", OutageMemory(wakeup.KNOWN_FOR))
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def all_else_well(settings):
    settings.HUBSPOT_ACCESS_TOKEN = "made-up"
    for kind in CrmFreshness.Kind:
        CrmFreshness.objects.update_or_create(kind=kind, defaults={"as_of": now()})
    for process in heartbeat.PROCESSES:
        heartbeat.record_heartbeat(process, now())


@pytest.fixture
def broken(monkeypatch, error):
    """The client of the broker, as it was seen to break. Answers how often it was tried."""
    tries = []

    def publish(*args, **kwargs):
        tries.append(1)
        raise error

    monkeypatch.setattr(Producer, "publish", publish)
    return tries


def a_hot_lead():
    """An activity of somebody whom it takes over the threshold, through the API."""
    person = {"email": "ada@engines.example", "job_title": "VP", "country": "DE"}
    acts = [
        {"email": person["email"], "type": "demo_request", "event_id": str(number)}
        for number in range(8)
    ]
    key = an_api_key()[1]
    client = Client(headers={"Authorization": f"Bearer {key}"})
    client.post("/api/v1/contacts", json.dumps(person), content_type="application/json")
    return client.post("/api/v1/activities", json.dumps(acts), content_type="application/json")


def home():
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client.get("/admin/").content.decode()


def ready():
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()["reasons"]


@each_way_to_break
def test_a_lead_is_taken_and_the_cause_is_shown_everywhere(
    error, broken, all_else_well, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True) as rings:
        answer = a_hot_lead()

    assert (answer.status_code, answer.json()["accepted"]) == (200, 8)
    assert rings.count(receivers.wake_delivery) == 1
    assert Handoff.objects.get().status == "waiting"
    assert broken == [1]
    cause = wakeup.failure()
    assert type(error).__name__ in cause
    assert ready() == (503, [f"workers cannot be woken: {cause}"])
    assert f"The web process cannot wake the workers ({cause})" in home()


@each_way_to_break
def test_a_hint_is_kept_and_its_sender_is_not_told(
    error, broken, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        store_hints([CrmHint("deal", "7", "changed", database_time())], database_time())

    assert (broken, Hint.objects.count()) == ([1], 1)
    assert wakeup.failure()


@pytest.mark.parametrize("error", [RedisError("away"), AttributeError("closed"), ImportError("x")])
def test_a_cache_that_breaks_fails_neither_the_ring_nor_the_answer(monkeypatch, error):
    class Broken:
        def add(self, *args, **kwargs):
            raise error

        delete = add

    monkeypatch.setattr(wakeup, "cache", Broken())

    hint_wakeup.wake_for_hints()
    wakeup.acknowledge(hint_wakeup.TASK)

    assert wakeup.failure() == type(error).__name__


@pytest.mark.parametrize("error", BROKEN[:1])
def test_a_web_process_that_rang_for_nothing_shows_what_another_one_met(
    error, broken, all_else_well
):
    assert ready() == (503, ["workers cannot be woken: ImportError of packaging"])


@pytest.mark.parametrize("error", BROKEN[1:2])
def test_after_a_failure_requests_are_spared_the_next_tries_for_some_seconds(
    error, broken, monkeypatch
):
    for _ in range(3):
        receivers.wake_delivery()
        hint_wakeup.wake_for_hints()
    assert broken == [1]

    monkeypatch.setattr(wakeup.broker, "_seconds", 0.0)
    receivers.wake_delivery()

    assert broken == [1, 1]


def test_the_cause_goes_when_a_worker_can_be_woken_again(monkeypatch, all_else_well):
    with monkeypatch.context() as patch:
        patch.setattr(Producer, "publish", None)
        receivers.wake_delivery()
    assert ready()[0] == 503

    monkeypatch.setattr(wakeup.broker, "_seconds", 0.0)

    assert ready() == (200, [])
    assert "cannot wake" not in home()


def test_what_is_published_to_find_out_is_a_task_that_there_is():
    assert (tasks.probe.name, crm_tasks.look_at_hints.name) == (wakeup.PROBE, hint_wakeup.TASK)


TRY_TWICE = """
import sys
if sys.argv[1:]:
    sys.modules[sys.argv[1]] = None  # as if it was not installed
import django
django.setup()
from crm_sync import receivers
from leadscoring.common import wakeup
receivers.wake_delivery()
first = wakeup.broker._last
receivers.wake_delivery()
print(wakeup.broker._last is first, wakeup.failure())
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("answers", "missing", "cause"),
    [
        ("with a refusal", "", "ConnectionError"),
        ("never", "", "TimeoutError"),
        ("", "packaging", "ModuleNotFoundError of packaging"),
    ],
)
def test_the_real_client_fails_in_silence_to_the_caller_and_spares_the_next(
    answers, missing, cause
):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1] if answers == "never" else 9
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "leadscoring.settings"}
        if not missing:  # with Redis away that would be the cause
            environment["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
        command = [sys.executable, "-c", TRY_TWICE, *filter(None, [missing])]
        tried = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    assert tried.stdout.startswith("True "), tried.stderr
    assert cause in tried.stdout

"""Which queue a task waits in, who takes it out again, and what can be seen of it."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from celery import current_app
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now
from redis import Redis

from leadscoring.admin import dashboard
from leadscoring.celery import FORMER_QUEUE, HEARTBEAT, QUEUES, app
from leadscoring.common.turns import only_turn, send_next_turn
from leadscoring.common.wakeup import acknowledge
from leadscoring.operations import heartbeat
from leadscoring.operations.queue_stats import queue_stats

DELIVER, AUDIT = "crm_sync.tasks.deliver_handoffs", "crm_sync.tasks.audit_crm"
TASKS = [task for tasks in QUEUES.values() for task in tasks]
PATIENCE = 60.0
NO_REDIS = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def broker(settings):
    broker = Redis.from_url(settings.REDIS_URL)
    broker.flushdb()
    yield broker
    broker.flushdb()


# --- the table ----------------------------------------------------------------------------------
def test_every_task_waits_in_one_queue_and_every_queue_holds_tasks_that_there_are():
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if not name.startswith(("celery.", "tests."))}

    assert sorted([*TASKS, HEARTBEAT]) == sorted(ours)


def test_every_task_that_beat_rings_for_is_in_the_table():
    rung = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert rung <= {*TASKS, HEARTBEAT}


def test_beat_rings_a_heartbeat_in_each_queue():
    rings = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == HEARTBEAT]

    assert [entry["options"]["queue"] for entry in rings] == list(QUEUES)


@pytest.mark.parametrize(
    ("task", "queue"), [(task, queue) for queue, tasks in QUEUES.items() for task in tasks]
)
def test_a_task_goes_into_its_queue_and_no_other(broker, task, queue):
    current_app.send_task(task)

    assert {name: broker.llen(name) for name in QUEUES if broker.llen(name)} == {queue: 1}


def test_a_task_that_nobody_knows_goes_where_a_worker_says_so(broker):
    current_app.send_task("crm_sync.tasks.misspelt")

    assert broker.llen("slow") == 1


def test_a_queue_that_nobody_serves_is_refused():
    with pytest.raises(Exception, match="nobodys"):
        current_app.send_task(AUDIT, queue="nobodys")


# --- workers ------------------------------------------------------------------------------------
@contextmanager
def a_worker(*arguments):
    command = (sys.executable, "-m", "celery", "-A", "leadscoring", "worker", "-P", "solo",
               "--without-mingle", "--without-gossip", *arguments)  # fmt: skip
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "leadscoring.settings"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def ring_heartbeats(*queues):
    for queue in queues:
        current_app.send_task(HEARTBEAT, queue=queue)


def seen():
    return {process for process, age in heartbeat.read_ages(now()).items() if age is not None}


def wait_for(what):
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


@pytest.mark.processes
def test_a_worker_without_queues_serves_all_and_what_the_release_before_has_left(broker):
    as_the_release_before_sends(broker, HEARTBEAT)
    ring_heartbeats(*QUEUES)

    with a_worker():
        wait_for(lambda: len(seen() - {"beat"}) == len(QUEUES))
        wait_for(lambda: not broker.llen(FORMER_QUEUE))


@pytest.mark.processes
def test_the_worker_of_two_queues_leaves_the_others_and_is_not_seen_there(broker):
    ring_heartbeats(*QUEUES)

    with a_worker("-Q", "live,mail"):
        wait_for(lambda: len(seen() - {"beat"}) == 2)

    assert seen() == {"beat", "worker-live", "worker-mail"}
    assert [broker.llen(name) for name in QUEUES] == [0, 0, 1, 1]


@pytest.mark.processes
def test_the_worker_of_slow_work_drains_what_the_release_before_has_left(broker):
    as_the_release_before_sends(broker, HEARTBEAT)

    with a_worker("-Q", "sync,slow"):
        wait_for(lambda: not broker.llen(FORMER_QUEUE))


def as_the_release_before_sends(broker, task):
    """One queue for all, and no time of sending in the message."""
    current_app.send_task(task, queue="slow")
    message = json.loads(broker.lpop("slow"))
    del message["headers"]["published_at"]
    message["properties"]["delivery_info"]["routing_key"] = FORMER_QUEUE
    broker.lpush(FORMER_QUEUE, json.dumps(message))


# --- figures ------------------------------------------------------------------------------------
def test_a_queue_shows_its_length_and_the_age_of_its_oldest_task(broker):
    for _ in range(3):
        current_app.send_task(AUDIT)

    slow = {each.name: each for each in queue_stats(now() + timedelta(minutes=5))}["slow"]

    assert (slow.waiting, slow.taken, round(slow.oldest_seconds)) == (3, 0, 300)


def test_what_a_worker_has_taken_and_not_begun_is_counted_by_its_queue(broker):
    with current_app.connection_for_read() as connection:
        current_app.send_task(DELIVER)
        connection.SimpleQueue(current_app.amqp.queues["live"]).get(timeout=5)  # not acknowledged

        live = queue_stats(now())[0]

    assert (live.name, live.waiting, live.taken, live.oldest_seconds) == ("live", 0, 1, None)


def test_what_the_release_before_has_left_is_shown_until_it_is_gone(broker):
    as_the_release_before_sends(broker, AUDIT)

    *_, former = queue_stats(now())
    broker.delete(FORMER_QUEUE)

    assert (former.name, former.waiting, former.oldest_seconds) == (FORMER_QUEUE, 1, None)
    assert [each.name for each in queue_stats(now())] == list(QUEUES)


@pytest.mark.django_db
def test_the_figures_are_told_to_prometheus():
    current_app.send_task(DELIVER)

    text = Client().get("/metrics").content.decode()

    assert 'leadscoring_queue_waiting{queue="live"} 1.0' in text
    assert 'leadscoring_queue_taken{queue="live"} 0.0' in text
    assert 'leadscoring_queue_oldest_seconds{queue="live"} 0.' in text
    assert 'leadscoring_queue_oldest_seconds{queue="slow"} 0.0' in text


@pytest.mark.django_db
def test_without_redis_there_is_no_figure_and_no_failure(settings):
    settings.CELERY_BROKER_URL = NO_REDIS

    answer = Client().get("/metrics")

    assert answer.status_code == 200
    assert "leadscoring_queue" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("permitted", "sections"), [(True, 1), (False, 0)])
def test_the_home_page_shows_queues_to_those_who_look_after_processes(permitted, sections):
    class User:
        def has_perm(self, name):
            return permitted

    found = list(dashboard.queues(User(), now()))

    assert len(found) == sections
    assert all(row["oldest"] == "–" for each in found for row in each.shows["queues"])


# --- turns --------------------------------------------------------------------------------------
def test_many_who_send_for_a_turn_send_one_task_until_a_worker_begins_it(broker):
    for _ in range(5):
        send_next_turn(DELIVER)
    waiting = broker.llen("live")

    acknowledge(DELIVER)
    send_next_turn(DELIVER)

    assert (waiting, broker.llen("live")) == (1, 2)


def test_a_turn_that_was_lost_is_sent_for_again_soon(broker):
    send_next_turn(DELIVER)

    assert 0 < broker.ttl(cache.make_key(f"wakeup:{DELIVER}")) <= 5


def test_a_turn_is_one_callers_alone_until_it_is_over():
    with only_turn("mail", 30) as first, only_turn("mail", 30) as second:
        both = first, second
    with only_turn("mail", 30) as third:
        pass

    assert (both, third) == ((True, False), True)

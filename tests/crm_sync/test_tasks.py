"""Turns: a task works for some seconds, never sleeps, and rings for the next turn when more is to be done."""

import time
from typing import Any

import pytest

from crm_sync import tasks
from crm_sync.tasks import LIVE_TURN, deliver_handoffs, take_turn
from leadscoring.celery import QUEUES

pytestmark = pytest.mark.django_db


class Room:
    """A CRM that has room to ask after so many seconds."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds

    def room(self):
        return self.seconds


def a_crm(seconds: float = 0.0) -> Any:
    return Room(seconds)


@pytest.fixture
def rings(monkeypatch):
    heard = []
    monkeypatch.setattr(tasks, "send_next_turn", lambda *call: heard.append(call))
    return heard


@pytest.fixture
def no_sleep(monkeypatch):
    def sleep(seconds):
        raise AssertionError("a task sleeps in its slot")

    monkeypatch.setattr(time, "sleep", sleep)


@pytest.mark.parametrize(
    ("room", "worked", "rung"),
    [
        (0.0, 1, []),  # nothing was left
        (0.9, 1, []),  # a call waits so long for its own turn
        (1.1, 0, [(deliver_handoffs.name, 1.0)]),
        (4.9, 0, [(deliver_handoffs.name, 1.0)]),
        (5.0, 0, []),  # the sweep comes before
        (60.0, 0, []),
        (61.0, 1, []),  # nobody may ask: who asks all the same is told why
        (3_000.0, 1, []),
    ],
)
def test_without_room_a_turn_ends_and_another_is_sent_for(rings, no_sleep, room, worked, rung):
    asked = []

    def work(at):
        asked.append(at)
        return 0

    take_turn(deliver_handoffs, a_crm(room), LIVE_TURN, work)

    assert (len(asked), rings) == (worked, rung)


def test_a_turn_goes_on_while_there_is_work_and_ends_without_a_ring_when_there_is_none(rings):
    left = iter([100, 100, 0])

    take_turn(deliver_handoffs, a_crm(), LIVE_TURN, lambda at: next(left))

    assert (list(left), rings) == ([], [])


def test_a_backlog_gives_its_slot_back_and_rings_for_the_next_turn(rings):
    began = time.monotonic()

    take_turn(deliver_handoffs, a_crm(), 0.2, lambda at: 100)

    assert 0.2 <= time.monotonic() - began < 1.0
    assert rings == [(deliver_handoffs.name,)]


@pytest.mark.parametrize(
    "task", [*QUEUES["live"], *QUEUES["sync"], "crm_sync.tasks.reconcile_handoffs"]
)
def test_without_a_crm_a_task_ends_at_once(task):
    from leadscoring.celery import app

    began = time.monotonic()
    app.tasks[task]()

    assert time.monotonic() - began < 5.0

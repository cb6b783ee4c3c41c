"""Unmodified clients deliver to us what they deliver to their makers: each event once, at its own time."""

import threading
import time
from collections import Counter

import pytest
from django.db import OperationalError

from leadscoring.api import auth
from leadscoring.common import attempts
from leadscoring.common.outage import OutageMemory
from leadscoring.intake import events
from leadscoring.models import Activity, Contact, NotTaken, WaitingActivity

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60.0  # seconds without anything new


def wait_for(count, enough):
    """Wait until enough has come; fail when nothing more comes."""
    seen, since = -1, time.monotonic()
    while (come := count()) < enough:
        if come != seen:
            seen, since = come, time.monotonic()
        assert time.monotonic() - since < PATIENCE, f"{come} of {enough} came"
        threading.Event().wait(0.1)


def stored():
    return Activity.objects.filter(type="item_viewed").count()


def numbers():
    rows = Activity.objects.filter(type="item_viewed").values_list("properties__n", flat=True)
    return sorted(rows)


class FirstAnswerLost:
    """What comes is stored, and the first answer about each event is lost on its way to the client."""

    def __init__(self):
        self.came: Counter[str] = Counter()

    def __call__(self, raw, *rest):
        ids = [one["messageId"] for one in raw]
        is_new = any(not self.came[one] for one in ids)
        taken = TAKE(raw, *rest)
        self.came.update(ids)
        if is_new:
            raise OperationalError("The answer is lost.")
        return taken

    def twice(self):
        return sum(times > 1 for times in self.came.values())


TAKE = events.take_events


def test_all_arrives_and_a_clock_a_day_ahead_is_put_right(client_of):
    with client_of.sending(client_of.many, clock_is_wrong=True):
        wait_for(stored, client_of.many)
        wait_for(lambda: Contact.objects.filter(company__name="Initech").count(), 1)
        wait_for(lambda: Activity.objects.filter(type="page_view").count(), 1)

    assert numbers() == [*range(client_of.many)]
    ada = Contact.objects.get()
    assert (ada.email, ada.external_id, ada.properties["plan"]) == ("ada@example.com", "u1", "pro")
    assert not WaitingActivity.objects.exists()
    assert not NotTaken.objects.exists()
    rows = Activity.objects.filter(type="item_viewed").values_list("occurred_at", "properties__at")
    wrong = [abs(moment.timestamp() - at / 1_000) for moment, at in rows]
    # Besides the clock it is wrong by how long the request was on its way.
    assert min(wrong) < 1
    assert max(wrong) < PATIENCE


def test_refusals_and_lost_answers_lose_and_double_nothing(client_of, monkeypatch):
    some = client_of.many // 4
    lost = FirstAnswerLost()
    monkeypatch.setattr(events, "take_events", lost)
    monkeypatch.setattr(attempts, "redis_outage", OutageMemory(seconds=5))
    monkeypatch.setattr(auth, "EVENTS_PER_MINUTE", some + 10)
    monkeypatch.setattr(auth, "WINDOW", 2)

    with client_of.sending(some):
        wait_for(lost.twice, some)
        wait_for(stored, some)

    assert numbers() == [*range(some)]

"""Whatever sales does and whatever happens to the pull: at the end what we know is what the CRM has.

The sweep of records is off, which would mend what searches and associations missed; at the very end it
is what finds deletions. The index lags, pages are short, and searches overlap by little, so that seconds
are as good as hours.
"""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from redis import Redis

from crm_sync.hubspot import search
from crm_sync.hubspot.client import Client
from crm_sync.models import cursors as cursor_models
from crm_sync.pull import cursors, sweeping
from tests.crm_sync.pull.histories import LAG, History, Killed

pytestmark = pytest.mark.django_db

EXAMPLES, STEPS = 15, 30
ask = Client.ask


@pytest.fixture
def world(crm, there, no_pace, monkeypatch, settings):
    fate = {}

    def reach(place):
        if fate.get("place") == place:
            raise Killed

    def mortal(client, *args, **more):
        if "calls" in fate:
            if fate["calls"] == 0:
                raise Killed
            fate["calls"] -= 1
        return ask(client, *args, **more)

    redis = Redis.from_url(settings.REDIS_URL)
    monkeypatch.setattr(Client, "ask", mortal)
    monkeypatch.setattr(cursors, "reach", reach)
    monkeypatch.setattr(search.changes, "__defaults__", (3,))
    monkeypatch.setattr(cursors, "GROUP", 4)
    monkeypatch.setattr(cursor_models, "OVERLAP", timedelta(seconds=3 * LAG))
    monkeypatch.setattr(sweeping, "RECORDS_SHARE", 0.0)
    monkeypatch.setattr(sweeping, "FEWEST", 0)
    yield SimpleNamespace(crm=crm, there=there, fate=fate, forget_pace=redis.flushdb)
    redis.close()


def test_at_the_end_of_any_history_our_picture_is_the_crms(world):
    machine = type("History", (History,), {"world": world})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            print_blob=True,
        ),
    )

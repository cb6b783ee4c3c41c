"""A worker killed while it gives tasks to other reps: the next one finishes, and nothing is there twice."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils.timezone import now

from crm_sync.handoff.deliver import deliver_due
from crm_sync.hubspot.adapter import HubSpot
from crm_sync.models import Handoff, Owner, Reassignment
from crm_sync.tasks import give_tasks
from tests.crm_sync.makers import a_handoff, a_score
from tests.loop.test_kill import a_worker, there, wait_for
from tests.port.hubspot_side import TOKEN, HubSpotSide

__all__ = ["there"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(there: HubSpotSide, settings) -> Handoff:
    """A lead whose task a rep has had for ten minutes."""
    made = a_handoff(crossed_at=now(), due_at=now())
    a_score(made.contact)
    crm = HubSpot(TOKEN, there.sandbox.url, settings.REDIS_URL, 10_000)
    deliver_due(crm, now() - timedelta(minutes=10))
    deliver_due(crm, now())
    made.refresh_from_db()
    assert made.status == "delivered"
    return made


@pytest.mark.parametrize("place", ["reassign.chosen", "reassign.changed"])
def test_a_worker_killed_while_it_gives_a_task_leaves_it_given_once(
    there: HubSpotSide, row: Handoff, tmp_path: Path, place: str
):
    paused, giver = tmp_path / "paused", row.owner_id
    Reassignment.objects.ask([giver], "", "anna", now())

    with a_worker(there, PAUSE_AT=place, PAUSE_FILE=str(paused)) as victim:
        give_tasks.delay()
        wait_for(paused.exists)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    chosen = Reassignment.objects.get(state="waiting").to_owner_id
    with a_worker(there):
        give_tasks.delay()
        wait_for(Reassignment.objects.filter(state="given").exists)

    row.refresh_from_db()
    assert row.owner_id == chosen != giver
    assert (row.task.state, row.task.touched_at) == ("open", None)
    assert Owner.objects.get(owner_id=chosen).leads_counted == 1
    assert (there.contacts(), len(there.tasks())) == (1, 1)

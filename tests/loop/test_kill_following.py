"""A worker killed while it looks after tasks: the next one goes on, and takes no rep for the author."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils.timezone import now

from crm_sync.handoff.deliver import deliver_due
from crm_sync.hubspot.adapter import HubSpot
from crm_sync.models import Handoff, HandoffTask
from crm_sync.tasks import follow_tasks
from leadscoring.models import Contact, Lifecycle, Score
from tests.crm_sync.makers import a_handoff, a_score
from tests.loop.test_kill import a_worker, there, wait_for
from tests.port.hubspot_side import TOKEN, HubSpotSide

__all__ = ["there"]

pytestmark = pytest.mark.django_db(transaction=True)

# Later than this a task that was made is looked at again.
EARLIER = timedelta(minutes=2)


@pytest.fixture
def row(there: HubSpotSide, settings) -> Handoff:
    """A lead with a rep, scored; its task was made two minutes ago."""
    made = a_handoff(crossed_at=now() - EARLIER, due_at=now() - EARLIER)
    a_score(made.contact)
    deliver_due(HubSpot(TOKEN, there.sandbox.url, settings.REDIS_URL, 10_000), now() - EARLIER)
    made.refresh_from_db()
    assert made.task.state == "open"
    return made


def killed_at(place: str, there: HubSpotSide, paused: Path) -> None:
    """A worker begins to look, and is killed there."""
    with a_worker(there, PAUSE_AT=place, PAUSE_FILE=str(paused)) as victim:
        follow_tasks.delay()
        wait_for(paused.exists)
        victim.send_signal(signal.SIGKILL)
        victim.wait()


@pytest.mark.parametrize("place", ["following.decided", "following.changed"])
def test_a_worker_killed_around_a_rise_leaves_it_told_once_and_untouched(
    there: HubSpotSide, row: Handoff, tmp_path: Path, place: str
):
    Score.objects.update(total=95.0)

    killed_at(place, there, tmp_path / "paused")
    with a_worker(there):
        follow_tasks.delay()
        wait_for(HandoffTask.objects.filter(text_total=95.0).exists)

    row.refresh_from_db()
    assert (row.task.state, row.task.touched_at) == ("open", None)
    assert ["score 95" in subject for subject in there.tasks()] == [True]


@pytest.mark.parametrize("place", ["following.decided", "following.changed"])
def test_a_worker_killed_around_a_close_leaves_it_closed_by_us(
    there: HubSpotSide, row: Handoff, tmp_path: Path, place: str
):
    Contact.objects.update(lifecycle_stage=Lifecycle.CUSTOMER)

    killed_at(place, there, tmp_path / "paused")
    with a_worker(there):
        follow_tasks.delay()
        wait_for(HandoffTask.objects.exclude(state="open").exists)

    row.refresh_from_db()
    assert (row.task.state, row.task.touched_at) == ("closed", None)

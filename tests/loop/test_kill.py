"""A worker killed between two steps of a handoff: another finishes, and nothing is there twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F

from crm_sync.models import Handoff, HandoffTask
from crm_sync.receivers import wake_delivery
from sandbox.hubspot.server import Sandbox
from tests.crm_sync.makers import a_handoff
from tests.port.hubspot_side import TOKEN, HubSpotSide

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 60.0  # seconds for a process to start and to come as far as it is meant to
COMMAND = ["-m", "celery", "-A", "leadscoring", "worker", "-P", "solo", "--without-mingle"]


@pytest.fixture
def there() -> Iterator[HubSpotSide]:
    with Sandbox(TOKEN, rate=0) as sandbox:
        yield HubSpotSide(sandbox)


@contextmanager
def a_worker(there: HubSpotSide, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker on the test's database, gone for sure at the end."""
    database = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{database['NAME']}",
        "HUBSPOT_ACCESS_TOKEN": TOKEN,
        "HUBSPOT_BASE_URL": there.sandbox.url,
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, *COMMAND],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def let_the_lease_run_out() -> None:
    """As if the time of lease and settling had gone by."""
    past = timedelta(minutes=10)
    Handoff.objects.update(due_at=F("due_at") - past, task_tried_at=F("task_tried_at") - past)


@pytest.mark.parametrize(
    "place", ["handoff.contact_saved", "handoff.before_task", "handoff.task_made"]
)
def test_a_worker_killed_between_two_steps_leaves_one_contact_and_one_task(
    there: HubSpotSide, tmp_path: Path, place: str
):
    row, paused = a_handoff(), tmp_path / "paused"

    with a_worker(there, PAUSE_AT=place, PAUSE_FILE=str(paused)) as victim:
        wake_delivery()
        wait_for(paused.exists)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    made, known = len(there.tasks()), HandoffTask.objects.count()
    let_the_lease_run_out()
    with a_worker(there):
        wake_delivery()
        wait_for(Handoff.objects.delivered().exists)

    row.refresh_from_db()
    # One that was looked for and is not there is weighed anew before it is made.
    assert row.attempts == (3 if place == "handoff.before_task" else 2)
    assert made == (1 if place == "handoff.task_made" else 0)
    assert (known, row.task.state, HandoffTask.objects.count()) == (0, "open", 1)
    assert (there.contacts(), len(there.tasks())) == (1, 1)

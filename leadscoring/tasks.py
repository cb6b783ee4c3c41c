"""The tasks that beat sends."""

import time

from celery import Task, shared_task
from django.utils.timezone import now

from leadscoring import access_log, scoring
from leadscoring.common.turns import only_turn, send_next_turn
from leadscoring.common.wakeup import acknowledge
from leadscoring.intake import activity_types, sources, visitors
from leadscoring.intake.uploads import store, work
from leadscoring.operations import heartbeat as heartbeats

# A score that time moves is looked at again when it is this old.
REFRESH_SECONDS = 1800
# A turn ends with the thousand people in hand.
TURN_SECONDS, TURN_LOST_AFTER = 45.0, 240


# Of Celery's own class: a worker that waits for migrations lives all the same.
@shared_task(bind=True, base=Task)
def heartbeat(self: Task) -> None:
    """Show that the queue in which this waited is served."""
    heartbeats.record_heartbeat(heartbeats.worker(self.request.delivery_info["routing_key"]), now())


@shared_task(bind=True)
def refresh_scores(self: Task) -> None:
    """Bring some scores up to date; send the next turn when others are left."""
    acknowledge(self.name)
    with only_turn(self.name, TURN_LOST_AFTER) as mine:
        left = mine and not _refresh_until(time.monotonic() + TURN_SECONDS)
    if left:
        send_next_turn(self.name)


def _refresh_until(end: float) -> bool:
    """Refresh up to a reading of the monotonic clock; return whether nothing is left."""
    chunks = scoring.refresh_chunks(now(), REFRESH_SECONDS)
    return all(time.monotonic() < end for _ in chunks)


@shared_task
def prune_access_log() -> None:
    access_log.prune_access_log(now())


@shared_task
def settle_visitors() -> None:
    """Join what waits for people who are known by now; forget what is too old."""
    visitors.join_late(now())
    visitors.prune_visitors(now())
    sources.prune_sources(now())
    activity_types.prune_types(now())


@shared_task(bind=True)
def run_imports(self: Task) -> None:
    """Go on with uploaded files; send the next turn when any is left."""
    acknowledge(self.name)
    store.prune_imports(now())
    if work.go_on():
        send_next_turn(self.name)


@shared_task
def probe() -> None:
    """Do nothing: that it could be sent is what `/readyz` and the home page ask."""

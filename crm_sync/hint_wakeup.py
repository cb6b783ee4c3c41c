"""Wake-up of a worker for hints: once for all that arrive before it begins."""

from datetime import timedelta

from leadscoring.common import wakeup

TASK = "crm_sync.tasks.look_at_hints"
# Hints within this time are applied together: a flood costs a record one read, not one per event.
GATHERING = timedelta(seconds=0.5)
# Seconds after which a wake-up whose task was lost no longer counts.
FORGOTTEN_AFTER = 5


def wake_for_hints() -> None:
    """Wake a worker for new hints. When that fails, the sweep finds them."""
    wakeup.wake_worker(TASK, GATHERING.total_seconds(), once_in=FORGOTTEN_AFTER)

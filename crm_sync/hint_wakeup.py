"""Wake a worker for hints: once for all that come until it begins."""

from datetime import timedelta

from leadscoring.common import wakeup

TASK = "crm_sync.tasks.look_at_hints"
# What comes within it is looked at together: a flood costs a record one look, not one for each event.
GATHERING = timedelta(seconds=0.5)
# Of a ring whose task was lost.
FORGOTTEN_AFTER = 5


def wake_for_hints() -> None:
    """Tell a worker that there are hints. When that fails, the sweep finds them."""
    wakeup.wake_worker(TASK, GATHERING.total_seconds(), once_in=FORGOTTEN_AFTER)

"""What workers do for uploaded files: the next one that waits for them, for a while."""

import time
from contextlib import suppress
from datetime import datetime

from django.utils.timezone import now

from leadscoring.common.advisory_lock import IMPORTS, advisory_lock
from leadscoring.common.wakeup import wake_worker
from leadscoring.intake.uploads.running import (
    GAVE_UP,
    MOST_TRIES,
    Overtaken,
    check_import,
    finish_import,
    take_in,
)
from leadscoring.intake.uploads.undo import take_back
from leadscoring.models import Import

TASK = "leadscoring.tasks.run_imports"
TURN_SECONDS = 20.0


def wake() -> None:
    """Have a worker look at what waits; the schedule does in a minute at the latest."""
    wake_worker(TASK, once_in=5)


def go_on(seconds: float = TURN_SECONDS) -> bool:
    """Work on the import that waited longest; return whether any waits still.

    One worker at a time; when it dies, PostgreSQL lets the next one.
    """
    with advisory_lock(IMPORTS) as mine:
        row = Import.objects.under_way().first() if mine else None
        if row is None:
            return False
        Import.objects.begin_turn(row.pk, now())
        end = time.monotonic() + seconds
        with suppress(Overtaken):  # somebody stopped it
            _work_on(row, end)
        return Import.objects.under_way().exists()


def _work_on(row: Import, end: float) -> None:
    def over() -> bool:
        return time.monotonic() >= end

    if row.tries >= MOST_TRIES:
        _give_up(row, now())
    elif row.state == Import.State.CHECKING:
        check_import(row, now)
    elif row.state == Import.State.RUNNING:
        take_in(row, now, over)
    else:
        take_back(row, now, over)


def _give_up(row: Import, at: datetime) -> None:
    """Stop an import that ends its worker, or fails, each time."""
    if row.state == Import.State.CHECKING:
        Import.objects.move(row.pk, (row.state,), Import.State.COLUMNS, at)
    elif row.state == Import.State.UNDOING:
        Import.objects.move(row.pk, (row.state,), Import.State.DONE, at)
    else:
        finish_import(row, at)
    Import.objects.filter(pk=row.pk).update(problem=GAVE_UP)

"""The ledger against the CRM, both ways: what does not agree is repaired where that is safe, and told."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from crm_sync.account import read_account
from crm_sync.handoff.backfill import replay_missing, scores_without_handoff
from crm_sync.handoff.batch import FAULT
from crm_sync.models import ComparisonRun, Handoff, Report, reports
from crm_sync.port import Crm, CrmBusy, CrmError
from crm_sync.reconcile.comparison import Comparison, Discrepancy
from crm_sync.reconcile.repairs import Repairs
from crm_sync.reconcile.steps import ComparisonSteps
from leadscoring.common.advisory_lock import advisory_lock
from leadscoring.operations import restore

Watch = Callable[[Iterator[int]], Iterable[int]]

# Any number that nobody else in this database locks.
LOCK = 0x1EAD_C0DE
ANOTHER = "Another comparison runs at this moment."
# In vain one after the other, with the CRM busy, before that is told.
TRIES, LONGEST_NAP = 5, 30.0
# Seconds; a task is not sent for later than that, the sweep comes instead.
LONGEST_COUNTDOWN = 5.0


def reconcile(crm: Crm, at: datetime, *, plan: bool = False, watch: Watch = iter) -> Comparison:
    """Compare from beginning to end, and without `plan` repair. `error`: why that was not possible.

    `watch` sees the number of tasks of each step go by. May be interrupted, and be run again.
    """
    run = ComparisonSteps(at, Comparison(plan))
    if not plan and (held := restore.reason_to_hold()):
        run.found.error, run.found.rows = held, Handoff.objects.by_status()
        return run.found
    with advisory_lock(LOCK) as mine:
        if not mine:
            run.found.error = ANOTHER
            run.found.rows = Handoff.objects.by_status()
            return run.found
        try:
            for _ in watch(_to_the_end(crm.with_priority("polling"), at, run)):
                pass
        except CrmError as error:
            _end(run, at, str(error))
        except Exception as fault:
            _end(run, at, FAULT.format(name=type(fault).__name__))
            raise
        else:
            _end(run, at)
    return run.found


def _to_the_end(crm: Crm, at: datetime, run: ComparisonSteps) -> Iterator[int]:
    replay_crossings(run.found)
    mender = Repairs(crm, read_account(crm, at), at, run.found.plan)
    while not run.is_over:
        try:
            yield run.step(mender)
        except CrmBusy as busy:
            run.tries += 1
            if run.tries == TRIES:
                raise
            time.sleep(min(busy.retry_after, LONGEST_NAP))


def reconcile_turn(crm: Crm, at: datetime, seconds: float) -> float | None:
    """Go on with the comparison under way, or begin one when it is time, for so many seconds.

    Return the seconds after which to go on; None when nothing more is to be done for now. How far it
    has come is in ComparisonRun between two turns.
    """
    if restore.reason_to_hold():
        return None
    until = time.monotonic() + seconds
    with advisory_lock(LOCK) as mine:
        kept = ComparisonRun.under_way(at) if mine else None
        if kept:
            run = ComparisonSteps.of_document(kept.started_at, kept.document)
        elif mine and reports.is_report_due(Report.Kind.COMPARISON, at):
            run = ComparisonSteps(at, Comparison(plan=False))
            replay_crossings(run.found)
        else:
            return None
        return _take_turn(crm.with_priority("polling"), at, run, until)


def _take_turn(crm: Crm, at: datetime, run: ComparisonSteps, until: float) -> float | None:
    """At least one step. With the CRM busy for long that is told, and the next sweep goes on."""
    try:
        mender = Repairs(crm, read_account(crm, at), at, plan=False)
        while not run.is_over:
            run.step(mender)
            if time.monotonic() >= until:
                break
    except CrmBusy as busy:
        run.tries += 1
        ComparisonRun.keep(run.started_at, run.as_document())
        if run.tries % TRIES:
            return min(busy.retry_after, LONGEST_COUNTDOWN)
        _tell(run.found, at, str(busy))
        return None
    except CrmError as error:
        _end(run, at, str(error))
        return None
    except Exception as fault:
        _end(run, at, FAULT.format(name=type(fault).__name__))
        raise
    if not run.is_over:
        ComparisonRun.keep(run.started_at, run.as_document())
        return 0.0
    _end(run, at)
    return None


def _end(run: ComparisonSteps, at: datetime, error: str = "") -> None:
    """It is over, done or not: the next one begins anew. A plan leaves no trace."""
    _tell(run.found, at, error)
    if not run.found.plan:
        ComparisonRun.forget()


def _tell(found: Comparison, at: datetime, error: str) -> None:
    found.error = error
    found.rows = Handoff.objects.by_status()
    if not found.plan:
        reports.store_report(
            Report.Kind.COMPARISON,
            at,
            found.as_dict(),
            wrong=sum(found.wrong_by_list.values()),
            repaired=sum(found.repaired.values()),
            error=error,
        )


def replay_crossings(found: Comparison) -> None:
    """Whoever crossed has a row. This needs no CRM, so it comes first."""
    ids = list(scores_without_handoff().values_list("contact_id", flat=True))
    reason = "Crossed the threshold and has no row in the ledger."
    told = [Discrepancy(reason, "ComparisonSteps handoff_reconcile.", contact=pk) for pk in ids]
    found.missing += told
    if not found.plan:
        last_written = {pk for some in replay_missing(ids) for pk in some}
        for each in told:
            each.repaired = "written into the ledger" if each.contact in last_written else ""

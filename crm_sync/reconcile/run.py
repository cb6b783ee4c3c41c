"""Compare the ledger with the CRM in both directions; repair what is safe, and report the rest."""

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

# An arbitrary advisory lock key, used for nothing else in this database.
LOCK = 0x1EAD_C0DE
ANOTHER = "Another comparison runs at this moment."
# Failed tries in a row, with the CRM busy, before that is reported; the most seconds between two.
TRIES, LONGEST_NAP = 5, 30.0
# Seconds; no task is scheduled further ahead: the periodic sweep covers longer waits.
LONGEST_COUNTDOWN = 5.0


def reconcile(crm: Crm, at: datetime, *, plan: bool = False, watch: Watch = iter) -> Comparison:
    """Compare from beginning to end, and without `plan` repair. `error`: why that was not possible.

    `watch` receives the number of tasks of each step. May be interrupted, and be run again.
    """
    run = ComparisonSteps(at, Comparison(plan))
    if not plan and (reason := restore.reason_to_hold()):
        run.found.error, run.found.rows = reason, Handoff.objects.by_status()
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
    repairs = Repairs(crm, read_account(crm, at), at, run.found.plan)
    while not run.is_over:
        try:
            yield run.step(repairs)
        except CrmBusy as busy:
            run.tries += 1
            if run.tries == TRIES:
                raise
            time.sleep(min(busy.retry_after, LONGEST_NAP))


def reconcile_turn(crm: Crm, at: datetime, seconds: float) -> float | None:
    """Continue the current comparison, or start one when it is due, for so many seconds.

    Return the seconds after which to continue; None when nothing more is to be done for now. The
    progress is kept in ComparisonRun between two turns.
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
    """Take at least one step. If the CRM stays busy, report it; the next sweep continues."""
    try:
        repairs = Repairs(crm, read_account(crm, at), at, plan=False)
        while not run.is_over:
            run.step(repairs)
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
    """Report the end, complete or not, so that the next one starts over. A plan stores nothing."""
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
    """Add a row for each crossing without one. This needs no CRM, so it comes first."""
    ids = list(scores_without_handoff().values_list("contact_id", flat=True))
    reason = "Became ready for sales and has no handoff."
    told = [Discrepancy(reason, "Run handoff_reconcile.", contact=pk) for pk in ids]
    found.missing += told
    if not found.plan:
        written = {pk for some in replay_missing(ids) for pk in some}
        for each in told:
            each.repaired = "written into the ledger" if each.contact in written else ""

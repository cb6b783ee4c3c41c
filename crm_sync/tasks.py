"""The bell, the sweep, the poll: what to do is decided by the rows."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from celery import shared_task

from crm_sync import hint_wakeup
from crm_sync.audit import run_audit
from crm_sync.circuit_breaker import BreakerState, breaker_state
from crm_sync.connect import connect
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Breaker, Report, reports
from crm_sync.outcomes.evaluate import evaluate_outcomes
from crm_sync.port import Crm
from crm_sync.pull import drift
from crm_sync.pull.hints import apply_due_hints
from crm_sync.pull.poll import pull_changes
from crm_sync.push import opt_outs
from crm_sync.push.batch import push_due
from crm_sync.reconcile.run import reconcile
from crm_sync.task_tracking.track import track_tasks
from leadscoring.common.clock import database_time

# Well below the time limit of tasks; what is left then is found by the next sweep.
LONGEST = timedelta(seconds=90)
# A turn to ask that is further away is not waited for: the slot is somebody else's meanwhile.
LONGEST_WAIT, LONGEST_NAP = 5.0, 1.0
LONG_HELD = 60.0


def rate_limited_instants(crm: Crm) -> Iterator[datetime]:
    """The instants, by the database's clock, at which there is room to ask; with no row in hand.

    When nobody may ask for long, one all the same: whoever asks then is told why, and says so.
    """
    start = at = database_time()
    if crm.room() > LONG_HELD:
        yield at
        return
    while at < start + LONGEST and (wait := crm.room()) < LONGEST_WAIT:
        if wait:
            time.sleep(min(wait, LONGEST_NAP))
        else:
            yield at
        at = database_time()


@shared_task
def deliver_handoffs() -> None:
    crm = connect()
    for at in rate_limited_instants(crm.with_priority("backlog")):
        if not deliver_due(crm, at):
            return


@shared_task
def pull_crm() -> None:
    crm, at = connect(), database_time()
    if breaker_state(crm, Breaker.Work.PULL, at) is not BreakerState.SHUT:
        pull_changes(crm, at, seconds=LONGEST.total_seconds())


@shared_task
def follow_tasks() -> None:
    track_tasks(connect(), database_time())


@shared_task
def look_at_hints() -> None:
    hint_wakeup.acknowledge_hints()
    crm, start = connect().with_priority("polling"), database_time()
    for at in rate_limited_instants(crm):
        if not apply_due_hints(crm, start, at):
            return


@shared_task
def tell_opt_outs() -> None:
    crm = connect().with_priority("polling")
    for at in rate_limited_instants(crm):
        if not opt_outs.push_opt_outs(crm, at):
            return


@shared_task
def push_changes() -> None:
    crm = connect().with_priority("polling")
    for at in rate_limited_instants(crm):
        if not push_due(crm, at):
            return


# Reads the CRM's whole list of tasks: longer than other tasks may take.
@shared_task(soft_time_limit=3000, time_limit=3300)
def reconcile_handoffs() -> None:
    at = database_time()
    if reports.is_report_due(Report.Kind.COMPARISON, at):
        reconcile(connect(), at)


@shared_task
def audit_crm() -> None:
    at = database_time()
    if reports.is_report_due(Report.Kind.AUDIT, at):
        run_audit(connect(), at)


@shared_task
def measure_drift() -> None:
    drift.measure_daily(connect(), database_time())


@shared_task
def weigh_outcomes() -> None:
    start = at = database_time()
    while evaluate_outcomes(at) and at < start + LONGEST:
        at = database_time()

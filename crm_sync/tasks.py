"""The Celery tasks: wake-up, sweep and poll. The rows decide what there is to do.

A task is a turn: it ends after some seconds, and sends the next one when more is left to do. No task
sleeps, so that its worker slot is free for others meanwhile.
"""

import time
from collections.abc import Callable
from datetime import datetime

from celery import Task, shared_task

from crm_sync.audit import run_audit
from crm_sync.circuit_breaker import BreakerState, admission
from crm_sync.connect import connect
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Breaker, Report, reports
from crm_sync.outcomes.evaluate import evaluate_outcomes
from crm_sync.port import Crm
from crm_sync.pull import drift, sweep
from crm_sync.pull.hints import apply_due_hints
from crm_sync.pull.poll import pull_changes
from crm_sync.push import opt_outs
from crm_sync.push.batch import push_due
from crm_sync.reconcile.run import reconcile_turn
from crm_sync.task_tracking.reassign import reassign_due
from crm_sync.task_tracking.track import track_tasks
from leadscoring.common.clock import database_time
from leadscoring.common.turns import send_next_turn
from leadscoring.common.wakeup import acknowledge

# Seconds. In the queue `live` another lead may come at any moment; the other queues have time.
LIVE_TURN, SYNC_TURN, SLOW_TURN, PULL_TURN = 4.0, 45.0, 45.0, 90.0
# Seconds until the budget has room: up to TURN_PATIENCE a call waits itself; below SWEEP the task ends and
# is sent again; above it the sweep comes first; above LONG_HELD the work runs once to record why.
TURN_PATIENCE, SWEEP, LONG_HELD = 1.0, 5.0, 60.0


def take_turn(task: Task, crm: Crm, seconds: float, work: Callable[[datetime], int]) -> None:
    """Work, each time by the database's clock, until nothing is left or the turn is over.

    Nothing is claimed when it ends. The task is sent again when more is left to do, or when the
    budget has no room for some seconds. `seconds`: the length of the turn.
    """
    acknowledge(task.name)
    until = time.monotonic() + seconds
    while (wait := crm.room()) <= TURN_PATIENCE:
        if not work(database_time()):
            return
        if time.monotonic() >= until:
            send_next_turn(task.name)
            return
    if wait > LONG_HELD:
        work(database_time())  # the work is refused with the reason, and records it
    elif wait < SWEEP:
        send_next_turn(task.name, TURN_PATIENCE)


@shared_task(bind=True)
def deliver_handoffs(self: Task) -> None:
    crm = connect()
    take_turn(self, crm.with_priority("backlog"), LIVE_TURN, lambda at: deliver_due(crm, at))


@shared_task
def pull_crm() -> None:
    crm, at = connect(), database_time()
    if crm.connected and not sweep.is_poll_due(crm, at):
        return
    with admission(crm, Breaker.Work.PULL, at) as state:
        if state is not BreakerState.OPEN:
            pull_changes(crm, at, seconds=PULL_TURN)


@shared_task
def follow_tasks() -> None:
    track_tasks(connect(), database_time())


@shared_task(bind=True)
def give_tasks(self: Task) -> None:
    crm = connect().with_priority("backlog")
    take_turn(self, crm, SYNC_TURN, lambda at: reassign_due(crm, at))


@shared_task(bind=True)
def look_at_hints(self: Task) -> None:
    crm, start = connect().with_priority("polling"), database_time()
    take_turn(self, crm, LIVE_TURN, lambda at: apply_due_hints(crm, start, at))


@shared_task(bind=True)
def tell_opt_outs(self: Task) -> None:
    crm = connect().with_priority("polling")
    take_turn(self, crm, SYNC_TURN, lambda at: opt_outs.push_opt_outs(crm, at))


@shared_task(bind=True)
def push_changes(self: Task) -> None:
    crm = connect().with_priority("polling")
    take_turn(self, crm, SYNC_TURN, lambda at: push_due(crm, at))


@shared_task(bind=True)
def reconcile_handoffs(self: Task) -> None:
    acknowledge(self.name)
    wait = reconcile_turn(connect(), database_time(), SLOW_TURN)
    if wait is not None:
        send_next_turn(self.name, wait)


@shared_task
def audit_crm() -> None:
    at = database_time()
    if reports.is_report_due(Report.Kind.AUDIT, at):
        run_audit(connect(), at)


@shared_task
def measure_drift() -> None:
    drift.measure_daily(connect(), database_time())


@shared_task(bind=True)
def weigh_outcomes(self: Task) -> None:
    acknowledge(self.name)
    until = time.monotonic() + SYNC_TURN
    while evaluate_outcomes(database_time()):
        if time.monotonic() >= until:
            send_next_turn(self.name)
            return

"""The bell, the sweep, the poll: what to do is decided by the rows."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from celery import shared_task

from crm_sync import bell
from crm_sync.audit import audit
from crm_sync.connect import connect
from crm_sync.handoff import deliver_due
from crm_sync.handoff.following import follow
from crm_sync.holding import Gate, gate
from crm_sync.models import Hold, Report, reports
from crm_sync.outcomes import weigh
from crm_sync.port import Crm
from crm_sync.pull import drift, pull
from crm_sync.pull.looking import look_again
from crm_sync.pushing import optouts, push
from crm_sync.reconcile import reconcile
from leadscoring.clock import database_time

# Well below the time limit of tasks; what is left then is found by the next sweep.
LONGEST = timedelta(seconds=90)
# A turn to ask that is further away is not waited for: the slot is somebody else's meanwhile.
LONGEST_WAIT, LONGEST_NAP = 5.0, 1.0
LONG_HELD = 60.0


def in_turn(crm: Crm) -> Iterator[datetime]:
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
    for at in in_turn(crm.in_lane("backlog")):
        if not deliver_due(crm, at):
            return


@shared_task
def pull_crm() -> None:
    crm, at = connect(), database_time()
    if gate(crm, Hold.Work.PULL, at) is not Gate.SHUT:
        pull(crm, at, seconds=LONGEST.total_seconds())


@shared_task
def follow_tasks() -> None:
    follow(connect(), database_time())


@shared_task
def look_at_hints() -> None:
    bell.answer()
    crm, start = connect().in_lane("polling"), database_time()
    for at in in_turn(crm):
        if not look_again(crm, start, at):
            return


@shared_task
def tell_opt_outs() -> None:
    crm = connect().in_lane("polling")
    for at in in_turn(crm):
        if not optouts.tell_opt_outs(crm, at):
            return


@shared_task
def push_changes() -> None:
    crm = connect().in_lane("polling")
    for at in in_turn(crm):
        if not push(crm, at):
            return


# Reads the CRM's whole list of tasks: longer than other tasks may take.
@shared_task(soft_time_limit=3000, time_limit=3300)
def reconcile_handoffs() -> None:
    at = database_time()
    if reports.is_due(Report.Kind.COMPARISON, at):
        reconcile(connect(), at)


@shared_task
def audit_crm() -> None:
    at = database_time()
    if reports.is_due(Report.Kind.AUDIT, at):
        audit(connect(), at)


@shared_task
def measure_drift() -> None:
    drift.daily(connect(), database_time())


@shared_task
def weigh_outcomes() -> None:
    start = at = database_time()
    while weigh(at) and at < start + LONGEST:
        at = database_time()

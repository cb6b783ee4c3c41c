"""The bell, the sweep, the poll: what to do is decided by the rows."""

import time
from datetime import timedelta

from celery import shared_task
from django.utils.timezone import now

from crm_sync import bell
from crm_sync.clock import database_time
from crm_sync.connect import connect
from crm_sync.following import follow
from crm_sync.handoff import deliver_due
from crm_sync.holding import Gate, gate
from crm_sync.looking import look_again
from crm_sync.models import Hold
from crm_sync.pull import pull

# Well below the time limit of tasks; what is left then is found by the next sweep.
LONGEST = timedelta(seconds=90)
LONGEST_NAP = 1.0


@shared_task
def deliver_handoffs() -> None:
    crm, start = connect(), database_time()
    at = start
    while at < start + LONGEST:
        # Waiting for our turn to ask is done here, with no row in hand.
        if wait := crm.in_lane("backlog").room():
            time.sleep(min(wait, LONGEST_NAP))
        elif not deliver_due(crm, at):
            return
        at = database_time()


@shared_task
def pull_crm() -> None:
    crm, at = connect(), now()
    if gate(crm, Hold.Work.PULL, at) is not Gate.SHUT:
        pull(crm, at)


@shared_task
def follow_tasks() -> None:
    follow(connect(), database_time())


@shared_task
def look_at_hints() -> None:
    bell.answer()
    crm, start = connect().in_lane("polling"), database_time()
    at = start
    while at < start + LONGEST:
        if wait := crm.room():
            time.sleep(min(wait, LONGEST_NAP))
        elif not look_again(crm, start, at):
            return
        at = database_time()

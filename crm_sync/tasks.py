"""The bell, the sweep, the poll: what to do is decided by the rows."""

from datetime import timedelta

from celery import shared_task
from django.utils.timezone import now

from crm_sync.connect import connect
from crm_sync.handoff import deliver_due
from crm_sync.pull import pull

# Well below the time limit of tasks; what is left then is found by the next sweep.
LONGEST = timedelta(seconds=90)


@shared_task
def deliver_handoffs() -> None:
    end = now() + LONGEST
    while deliver_due(connect(), now()) and now() < end:
        pass


@shared_task
def pull_crm() -> None:
    pull(connect(), now())

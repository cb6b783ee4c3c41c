"""What beat rings for."""

from celery import shared_task

from leadscoring.clock import database_time
from sequences.activities import catch_up
from sequences.sending import send_due


@shared_task
def send_due_steps() -> None:
    send_due(clock=database_time)
    catch_up(database_time())

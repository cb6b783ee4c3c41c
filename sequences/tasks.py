"""What beat rings for."""

from celery import shared_task

from leadscoring.common.clock import database_time
from sequences.mail_activities import store_missing_sent
from sequences.sending.send import send_due


@shared_task
def send_due_steps() -> None:
    send_due(clock=database_time)
    store_missing_sent(database_time())

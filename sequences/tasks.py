"""What beat rings for."""

from celery import shared_task
from django.utils.timezone import now

from sequences.activities import catch_up
from sequences.sending import send_due


@shared_task
def send_due_steps() -> None:
    send_due(clock=now)
    catch_up(now())

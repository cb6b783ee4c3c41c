"""What beat rings for."""

from celery import shared_task
from django.utils.timezone import now

from leadscoring import scoring
from leadscoring.operations import heartbeat as heartbeats

# A score that time moves is looked at again when it is this old.
REFRESH_SECONDS = 1800


@shared_task
def heartbeat() -> None:
    heartbeats.record_heartbeat("worker", now())


@shared_task
def refresh_scores() -> None:
    scoring.refresh_scores(now(), REFRESH_SECONDS)


@shared_task
def probe() -> None:
    """Do nothing: that it could be sent is what `/readyz` and the home page ask."""

"""The Celery application, and what beat rings for: a table."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadscoring.settings")

app = Celery("leadscoring", task_cls="leadscoring.operations.doorbell:Doorbell")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


# Seconds by which clocks of two machines may differ.
AHEAD = 600


def schedule(poll_seconds: int) -> dict[str, dict[str, Any]]:
    """Task by name -> seconds between two rings.

    A ring that finds the last ones still in the queue is worth nothing: it expires, though not so
    soon that a worker whose clock is minutes ahead of beat's would drop them all.
    """
    every = {
        "leadscoring.tasks.heartbeat": 10,
        "leadscoring.tasks.refresh_scores": 300,
        "crm_sync.tasks.deliver_handoffs": 10,
        "crm_sync.tasks.pull_crm": poll_seconds,
        "crm_sync.tasks.look_at_hints": 10,
        "crm_sync.tasks.follow_tasks": 60,
        "crm_sync.tasks.push_changes": 120,
        "crm_sync.tasks.tell_opt_outs": 60,
        "crm_sync.tasks.weigh_outcomes": 120,
        # Once a day; the row of the last look says when it is time.
        "crm_sync.tasks.audit_crm": 600,
        "crm_sync.tasks.reconcile_handoffs": 600,
        "crm_sync.tasks.measure_drift": 600,
        "sequences.tasks.send_due_steps": 10,
    }
    return {
        task: {"task": task, "schedule": seconds, "options": {"expires": seconds * 2 + AHEAD}}
        for task, seconds in every.items()
    }


@app.on_after_configure.connect
def install_schedule(sender: Celery, **kwargs: object) -> None:
    from django.conf import settings

    sender.conf.beat_schedule = schedule(settings.CRM_POLL_SECONDS)


@signals.setup_logging.connect
def configure_logging(**kwargs: object) -> None:
    """Celery would lay its own format over ours; having a receiver is what stops it."""
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING)


@signals.before_task_publish.connect(sender="leadscoring.tasks.heartbeat")
def record_beat_heartbeat(**kwargs: object) -> None:
    """Only beat sends this task, so its sending is beat's own sign of life."""
    from django.utils.timezone import now

    from leadscoring.operations import heartbeat

    heartbeat.record_heartbeat("beat", now())

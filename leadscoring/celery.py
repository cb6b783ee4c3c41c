"""The Celery application and its two tables: the queue of each task, and the schedule of beat."""

import os
import time
from collections.abc import Mapping
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadscoring.settings")
# Each worker would run Django's checks when it starts, load all pages for them, and ignore the result.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

app = Celery("leadscoring", task_cls="leadscoring.operations.doorbell:Doorbell")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


HEARTBEAT = "leadscoring.tasks.heartbeat"
# Queue -> the tasks that wait in it. A worker without `-Q` serves all queues. Nothing in `live`
# sleeps or takes over five seconds, and a turn of `mail`, which shares its workers, is as short.
QUEUES: Mapping[str, tuple[str, ...]] = {
    "live": ("crm_sync.tasks.deliver_handoffs", "crm_sync.tasks.look_at_hints"),
    "mail": ("sequences.tasks.send_due_steps", "sequences.tasks.let_early_fits_in"),
    "sync": (
        "crm_sync.tasks.pull_crm",
        "crm_sync.tasks.follow_tasks",
        "crm_sync.tasks.give_tasks",
        "crm_sync.tasks.push_changes",
        "crm_sync.tasks.tell_opt_outs",
        "crm_sync.tasks.weigh_outcomes",
    ),
    "slow": (
        "crm_sync.tasks.audit_crm",
        "crm_sync.tasks.reconcile_handoffs",
        "crm_sync.tasks.measure_drift",
        "leadscoring.tasks.refresh_scores",
        "leadscoring.tasks.prune_access_log",
        "leadscoring.tasks.settle_visitors",
        "leadscoring.tasks.run_imports",
        "leadscoring.tasks.probe",
    ),
}
DEFAULT_QUEUE = "slow"
# The one queue of releases before there were four: what they left in it is still done.
FORMER_QUEUE = "celery"
# Header of a message: when it was published, as seconds since the epoch.
PUBLISHED_AT = "published_at"

# Seconds by which clocks of two machines may differ.
AHEAD = 600


@app.on_after_configure.connect
def install_schedule(sender: Celery, **kwargs: object) -> None:
    from django.conf import settings

    sender.conf.beat_schedule = _schedule(settings.CRM_POLL_SECONDS)
    sender.conf.task_queues = {name: _of_its_own(name) for name in QUEUES}
    sender.conf.task_routes = {
        task: {"queue": queue} for queue, tasks in QUEUES.items() for task in tasks
    }
    # An unknown queue is refused, when a task is sent as at `-Q`, and not created.
    sender.conf.task_create_missing_queues = False
    sender.conf.task_default_queue = DEFAULT_QUEUE


def _schedule(poll_seconds: int) -> dict[str, dict[str, Any]]:
    """Return beat's schedule: task by name -> seconds between two wake-ups.

    A wake-up expires, since one that finds the last ones still in the queue is worth nothing. It
    expires late enough for a worker whose clock is minutes ahead of beat's.
    """
    every = {
        "leadscoring.tasks.refresh_scores": 300,
        "crm_sync.tasks.deliver_handoffs": 10,
        "crm_sync.tasks.pull_crm": poll_seconds,
        "crm_sync.tasks.look_at_hints": 10,
        "crm_sync.tasks.follow_tasks": 60,
        "crm_sync.tasks.give_tasks": 60,
        "crm_sync.tasks.push_changes": 120,
        "crm_sync.tasks.tell_opt_outs": 60,
        "crm_sync.tasks.weigh_outcomes": 120,
        "leadscoring.tasks.prune_access_log": 600,
        "leadscoring.tasks.settle_visitors": 600,
        "leadscoring.tasks.run_imports": 60,
        # Once a day; the row of the last look says when it is time.
        "crm_sync.tasks.audit_crm": 600,
        "crm_sync.tasks.reconcile_handoffs": 600,
        "crm_sync.tasks.measure_drift": 600,
        "sequences.tasks.send_due_steps": 10,
        "sequences.tasks.let_early_fits_in": 60,
    }
    rings = {task: _ring(task, seconds) for task, seconds in every.items()}
    # A worker that does one in a queue shows that it serves the queue.
    return rings | {f"{HEARTBEAT} {queue}": _ring(HEARTBEAT, 10, queue=queue) for queue in QUEUES}


def _ring(task: str, seconds: int, **options: str) -> dict[str, Any]:
    return {
        "task": task,
        "schedule": seconds,
        "options": {"expires": seconds * 2 + AHEAD, **options},
    }


def _of_its_own(queue: str) -> dict[str, str]:
    """Return the exchange and routing key of a queue; Celery would give all queues the same."""
    return {"exchange": queue, "routing_key": queue}


@signals.celeryd_after_setup.connect
def drain_former_queue(instance: Any, **kwargs: object) -> None:
    """Let a worker of the slow queue also take what a release with one queue has left."""
    queues = instance.app.amqp.queues
    if DEFAULT_QUEUE in queues.consume_from:
        queues.select_add(FORMER_QUEUE, **_of_its_own(FORMER_QUEUE))


@signals.setup_logging.connect
def configure_logging(**kwargs: object) -> None:
    """Keep our log format: having a receiver stops Celery from laying its own over it."""
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING)


@signals.before_task_publish.connect
def note_publishing(headers: dict[str, Any], **kwargs: object) -> None:
    """Stamp a message with its time, from which the age of what waits is read."""
    headers[PUBLISHED_AT] = time.time()


@signals.before_task_publish.connect(sender=HEARTBEAT)
def record_beat_heartbeat(**kwargs: object) -> None:
    """Record that beat is alive: only beat sends this task."""
    from django.utils.timezone import now

    from leadscoring.operations import heartbeat

    heartbeat.record_heartbeat("beat", now())

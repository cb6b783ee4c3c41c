"""Is it alive, is it ready, how much is in it, and what needs a person."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Count, Model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.timezone import now
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import RedisError

from leadscoring import extensions
from leadscoring.celery import QUEUES
from leadscoring.common import wakeup
from leadscoring.log_in import events
from leadscoring.models import Activity, Contact, CrmFreshness, Score
from leadscoring.operations import database_timeout, heartbeat, restore, schema
from leadscoring.operations.database_probe import database_answers
from leadscoring.operations.queue_stats import QueueStats, queue_stats

REGISTRY = CollectorRegistry(auto_describe=False)
COUNTED_UP_TO = 100_000  # beyond that PostgreSQL's own estimate is as good and costs nothing


@dataclass(frozen=True, slots=True)
class Problem:
    """What needs a person. `severity`: "error" or "warning"; `url`: where to solve it, if anywhere."""

    severity: str
    what: str
    fix: str
    url: str = ""


def collect_problems(at: datetime) -> list[Problem]:
    """All that needs a person now, the worst first."""
    added = [problem for source in extensions.problem_sources.values() for problem in source(at)]
    return sorted(
        [*_unconfirmed_restore(), *heartbeat_problems(at), *added],
        key=lambda problem: problem.severity != "error",
    )


def _unconfirmed_restore() -> Iterator[Problem]:
    if reason := restore.reason_to_hold():
        yield Problem("error", f"{reason}.", restore.CONFIRM)


def heartbeat_problems(at: datetime) -> Iterator[Problem]:
    try:
        ages = heartbeat.read_ages(at)
    except RedisError:
        yield Problem(
            "error",
            "Redis does not answer: leads and mails wait.",
            "Start Redis or mend REDIS_URL; nothing is lost meanwhile.",
        )
        return
    for reason, start in ((_silent_workers(ages), WORKERS), (_silent_beat(ages), BEAT)):
        if reason:
            yield Problem(
                "error",
                f"{reason[0].upper()}{reason[1:]}: leads and mails wait.",
                f"Start {start}.",
            )
    if why := wakeup.failure():
        yield Problem(
            "error",
            f"The web process cannot wake the workers ({why}): leads wait for the next sweep.",
            "Compare what is installed with requirements.txt and look at Redis and the web process's "
            "log; nothing is lost meanwhile.",
        )


WORKERS = "`celery -A leadscoring worker`, or its two processes: `-Q live,mail` and `-Q sync,slow`"
BEAT = "`celery -A leadscoring beat`"


def _silent_workers(ages: Mapping[str, float | None]) -> str:
    """Return which queues are not served, as far as can be seen; "" when all are."""
    found = {
        queue: ages[heartbeat.worker(queue)]
        for queue in QUEUES
        if heartbeat.is_silent(heartbeat.worker(queue), ages[heartbeat.worker(queue)])
    }
    who = "worker" if len(found) == len(QUEUES) else f"the worker for {' and '.join(found)}"
    return _heartbeat_reason(who, list(found.values())) if found else ""


def _silent_beat(ages: Mapping[str, float | None]) -> str:
    age = ages[heartbeat.BEAT]
    return _heartbeat_reason("beat", [age]) if heartbeat.is_silent(heartbeat.BEAT, age) else ""


def _heartbeat_reason(who: str, ages: Sequence[float | None]) -> str:
    known = [age for age in ages if age is not None]
    return f"{who} was last seen {max(known):.0f} s ago" if known else f"{who} was never seen"


# --- ready? -----------------------------------------------------------------------------------
def check_database(at: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def check_redis(at: datetime) -> str:
    heartbeat.read_ages(at)
    return ""


def check_queue(at: datetime) -> str:
    """Return why workers cannot be woken though Redis answers: its client, a full memory, no rights."""
    heartbeat.read_ages(at)  # with Redis away that is the reason, once
    why = wakeup.failure()
    return f"workers cannot be woken: {why}" if why else ""


def check_migrations(at: datetime) -> str:
    return schema.mismatch()


def check_restore(at: datetime) -> str:
    return restore.reason_to_hold()


def check_worker(at: datetime) -> str:
    return _silent_workers(heartbeat.read_ages(at))


def check_beat(at: datetime) -> str:
    return _silent_beat(heartbeat.read_ages(at))


# They ask Redis alone.
WITHOUT_DATABASE = {"redis", "queue", "worker", "beat"}
DATABASE_AWAY = "the database does not answer"
DATABASE_SECONDS = 0.5  # for each check; with what comes before and the first that fails, under 2 s
METRICS_SECONDS = 5.0  # for each query; who scrapes waits for ten
# Each returns why this is not ready, or "".
CHECKS: dict[str, Callable[[datetime], str]] = {
    "database": check_database,
    "redis": check_redis,
    "queue": check_queue,
    "migrations": check_migrations,
    "restore": check_restore,
    "worker": check_worker,
    "beat": check_beat,
}


def _run_check(check: Callable[[datetime], str], at: datetime) -> str:
    try:
        return check(at)
    except DatabaseError:
        return DATABASE_AWAY
    except RedisError:
        return "Redis does not answer"


# --- figures ----------------------------------------------------------------------------------
def _table_size(model: type[Model]) -> int:
    """How many rows a table has: counted when few, estimated by PostgreSQL when many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table]
        )
        estimate = int(cursor.fetchone()[0])
    return estimate if estimate > COUNTED_UP_TO else model._default_manager.count()


class AppMetrics(Collector):
    """What all apps tell Prometheus; read from the database when asked."""

    def collect(self) -> Iterator[Metric]:
        at = now()
        yield from self.own(at)
        for source in extensions.metric_sources.values():
            yield from source(at)

    def own(self, at: datetime) -> Iterator[Metric]:
        for name, model in (("contacts", Contact), ("activities", Activity)):
            yield gauge(f"leadscoring_{name}", f"{name.capitalize()} stored.", _table_size(model))
        grades = Score.objects.order_by().values_list("grade").annotate(Count("pk"))
        yield gauges("leadscoring_scores", "Scored contacts.", "grade", grades)
        known = CrmFreshness.objects.order_by("kind").values_list("kind", "as_of")
        of_kind = [(kind, (at - as_of).total_seconds()) for kind, as_of in known]
        name, help = "leadscoring_crm_state_age_seconds", "Age of what is known of the CRM."
        yield gauges(name, help, "kind", of_kind)
        ages = [(process, age) for process, age in _heartbeat_ages(at).items() if age is not None]
        yield gauges("leadscoring_heartbeat_age_seconds", "Since it was seen.", "process", ages)
        if found := queue_stats(at):  # left out while Redis is away
            yield from _of_queues(found)
        yield from events.metrics()


def _of_queues(found: Sequence[QueueStats]) -> Iterator[GaugeMetricFamily]:
    waiting = [(each.name, each.waiting) for each in found]
    taken = [(each.name, each.taken) for each in found]
    # Of an empty queue 0; an age that is not known is left out.
    oldest = [
        (each.name, each.oldest_seconds or 0.0)
        for each in found
        if each.oldest_seconds is not None or not each.waiting
    ]
    yield gauges("leadscoring_queue_waiting", "Tasks that wait.", "queue", waiting)
    yield gauges("leadscoring_queue_taken", "Taken by a worker, not begun.", "queue", taken)
    name, help = "leadscoring_queue_oldest_seconds", "Since the oldest waiting task was sent."
    yield gauges(name, help, "queue", oldest)


def _heartbeat_ages(at: datetime) -> dict[str, float | None]:
    try:
        return dict(heartbeat.read_ages(at))
    except RedisError:
        return {}


def gauge(name: str, help: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help, value=value)


def gauges(
    name: str, help: str, label: str, values: Iterable[tuple[str, float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help, labels=[label])
    for labelled, value in values:
        family.add_metric([labelled], value)
    return family


REGISTRY.register(AppMetrics())


# --- views ------------------------------------------------------------------------------------
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process lives; touch nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer what is not ready, within two seconds whatever hangs."""
    at, answers = now(), database_answers()
    reasons: dict[str, str] = {}
    with database_timeout.at_most(DATABASE_SECONDS):
        for name, check in (CHECKS | extensions.readiness_checks).items():
            asked = answers or name in WITHOUT_DATABASE
            reasons[name] = _run_check(check, at) if asked else DATABASE_AWAY
            answers = answers and reasons[name] != DATABASE_AWAY  # it is not waited for again
    answer: dict[str, Any] = {
        "ready": not any(reasons.values()),
        "checks": {name: not why for name, why in reasons.items()},
        "reasons": list(dict.fromkeys(filter(None, reasons.values()))),
    }
    return JsonResponse(answer, status=200 if answer["ready"] else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    try:
        with database_timeout.at_most(METRICS_SECONDS):
            if database_answers():
                return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        pass
    return HttpResponse(f"{DATABASE_AWAY}\n", status=503, content_type="text/plain")

"""The ledger's metrics for Prometheus; docs/alerts.yml relies on these names."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily

from crm_sync import ledger_stats
from crm_sync.circuit_breaker import open_breakers_now
from crm_sync.connect import connect
from crm_sync.models import Breaker, Handoff
from crm_sync.port import CrmBudget
from leadscoring.operations.health import gauge, gauges

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHARES = (0.5, 0.95)


def ledger_metrics(at: datetime) -> Iterator[GaugeMetricFamily]:
    """Yield all metrics from the database, without a request to the CRM."""
    yield from waiting_metrics(at)
    yield from clock_metrics(at)
    yield from task_metrics(at)
    yield breaker_metrics(at)
    yield from request_metrics(connect().budget())


def waiting_metrics(at: datetime) -> Iterator[GaugeMetricFamily]:
    found = ledger_stats.backlog_stats(at)
    waiting = [("waiting", found.waiting), ("needs_attention", found.attention)]
    age = max((at - found.oldest).total_seconds(), 0.0) if found.oldest else 0.0
    yield gauges("leadscoring_handoffs", "Leads that are not with sales yet.", "status", waiting)
    yield gauge(
        "leadscoring_handoff_oldest_waiting_seconds", "Since the oldest of those crossed.", age
    )
    yield gauge(
        "leadscoring_handoffs_per_minute", "Leads that reach sales, of late.", found.per_minute
    )


def clock_metrics(at: datetime) -> Iterator[GaugeMetricFamily]:
    """Yield the quantiles of a lead's two clocks, as a summary has them; none without samples."""
    made = Handoff.objects.delivered_since(at - ledger_stats.WEEK)
    told = made.filter(delivered_at__gt=at - HOUR)
    touched = made.filter(task__touched_at__gt=at - DAY)
    delivered, to_task = ledger_stats.quantiles(told, ledger_stats.TO_TASK, SHARES)
    _, to_touch = ledger_stats.quantiles(touched, ledger_stats.TO_TOUCH, SHARES)
    yield gauge(
        "leadscoring_handoffs_last_hour", "Leads that reached sales in the last hour.", delivered
    )
    yield summary_metric(
        "leadscoring_handoff_seconds", "Crossing to task, of the last hour.", to_task
    )
    yield summary_metric(
        "leadscoring_first_touch_seconds", "Task to the rep's first act, of a day.", to_touch
    )


def task_metrics(at: datetime) -> Iterator[GaugeMetricFamily]:
    found = ledger_stats.task_stats(at)
    states = [("untouched", found.untouched), ("started", found.started)]
    yield gauges("leadscoring_tasks", "Tasks that reps have.", "state", states)
    yield gauge("leadscoring_tasks_overdue", "Untouched tasks that were due.", found.overdue)


def breaker_metrics(at: datetime) -> GaugeMetricFamily:
    """Return 1 for each kind of work that is stopped, by whether a person must act; 0 for others."""
    family = GaugeMetricFamily(
        "leadscoring_crm_held", "Work with the CRM that is held back.", labels=["work", "kind"]
    )
    now_held = {
        (breaker.work, breaker_kind(breaker)) for breaker in open_breakers_now(connect(), at)
    }
    for work in Breaker.Work.values:
        for kind in ("denied", "unavailable"):
            family.add_metric([work, kind], float((work, kind) in now_held))
    return family


def breaker_kind(breaker: Breaker) -> str:
    """Return "denied" (a person must repair the account or the token) or "unavailable" (transient)."""
    return "denied" if breaker.denied else "unavailable"


def request_metrics(budget: CrmBudget) -> Iterator[GaugeMetricFamily]:
    """Yield the used and allowed requests; omit unknown figures."""
    window = f"{budget.window_seconds:g}s" if budget.window_seconds else "day"
    used = {window: budget.used, "day": budget.used_today}
    allowed = {window: budget.allowed, "day": budget.allowed_today}
    unit = budget.unit.capitalize()
    yield gauges("leadscoring_crm_requests_used", f"{unit} used.", "window", known_figures(used))
    yield gauges(
        "leadscoring_crm_requests_allowed", f"{unit} allowed.", "window", known_figures(allowed)
    )


def known_figures(figures: dict[str, int | None]) -> Iterable[tuple[str, float]]:
    return [(name, figure) for name, figure in figures.items() if figure is not None]


def summary_metric(name: str, help: str, found: dict[str, float]) -> GaugeMetricFamily:
    return gauges(name, help, "quantile", found.items())

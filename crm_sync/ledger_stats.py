"""Statistics of the ledger: what waits and why, how fast leads reach a rep, how fast reps act.

Each is one query over what waits, what is open, or a window of time: no cost grows with the table.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Aggregate,
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from crm_sync.models import Handoff, HandoffTask, Owner

DAY, WEEK = timedelta(days=1), timedelta(days=7)
# The window that the present pace is computed over, and the shortest that it is divided by.
PACE, SHORTEST = timedelta(minutes=5), timedelta(minutes=1)
AGES = (
    (timedelta(minutes=1), "under 1 min"),
    (timedelta(minutes=15), "1 to 15 min"),
    (timedelta(hours=1), "15 to 60 min"),
    (timedelta(days=1), "1 to 24 h"),
    (None, "over a day"),
)
MOST_CAUSES, MOST_SLOW, MOST_REPS = 8, 5, 20

TO_TASK = ExpressionWrapper(F("delivered_at") - F("crossed_at"), DurationField())
TO_TOUCH = ExpressionWrapper(F("task__touched_at") - F("delivered_at"), DurationField())
TOUCHED = Q(task__touched_at__isnull=False)
# For figures of a rep: since when the lead is with its present rep.
HAD_AT = Coalesce("task__given_at", "delivered_at")
REP_TO_TOUCH = ExpressionWrapper(F("task__touched_at") - HAD_AT, DurationField())
TOUCHED_BY_REP = Q(task__touched_at__gt=HAD_AT)
UNTOUCHED = Q(task__state=HandoffTask.State.OPEN, task__touched_at=None)


class Percentile(Aggregate):
    """PostgreSQL's continuous percentile over values that are not null. `share`: 0 to 1."""

    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: Any, share: float, **extra: Any) -> None:
        super().__init__(expression, share=share, output_field=DurationField(), **extra)


@dataclass(frozen=True, slots=True)
class ClockStats:
    """The number of leads, and the median and the longest of their times."""

    leads: int
    median: timedelta | None
    slowest: timedelta | None


@dataclass(frozen=True, slots=True)
class WindowStats:
    """The results of leads that crossed since some instant."""

    delivered: int
    withdrawn: int
    to_task: ClockStats
    to_touch: ClockStats


@dataclass(frozen=True, slots=True)
class BacklogStats:
    """`per_minute`: leads that reach sales at the present pace; 0 when none did recently."""

    waiting: int
    attention: int
    oldest: datetime | None
    per_minute: float

    @property
    def minutes(self) -> float | None:
        """Return the minutes until the backlog is empty at the present pace; None when unknown."""
        if not self.waiting:
            return 0.0
        return self.waiting / self.per_minute if self.per_minute else None


@dataclass(frozen=True, slots=True)
class TaskStats:
    """Numbers of open tasks: untouched, started, and untouched past their due time."""

    untouched: int
    started: int
    overdue: int


def backlog_stats(at: datetime) -> BacklogStats:
    waiting = Handoff.objects.waiting().aggregate(n=Count("pk"), oldest=Min("crossed_at"))
    attention = Handoff.objects.needing_attention().count()
    return BacklogStats(waiting["n"], attention, waiting["oldest"], deliveries_per_minute(at))


def deliveries_per_minute(at: datetime) -> float:
    """Return the leads a minute that reached sales recently. For single leads it is their spacing."""
    told = HandoffTask.objects.made_since(at - PACE).aggregate(
        n=Count("pk"), first=Min("handoff__delivered_at")
    )
    if not told["n"]:
        return 0.0
    return float(told["n"] / (max(at - told["first"], SHORTEST) / timedelta(minutes=1)))


def waiting_causes() -> list[dict[str, Any]]:
    """Return why leads are not with sales, the most frequent first: status, reason, n, oldest."""
    kept = Handoff.objects.on_the_way().values("status", "reason")
    rows = kept.annotate(n=Count("pk"), oldest=Min("crossed_at")).order_by("-n", "reason")
    return [dict(row) for row in rows[:MOST_CAUSES]]


def waiting_ages(at: datetime) -> list[tuple[str, int]]:
    """Return the ages of leads on the way: the label of an age, and the number of leads."""
    bounds = [
        When(crossed_at__gt=at - age, then=Value(place))
        for place, (age, _) in enumerate(AGES)
        if age
    ]
    place = Case(*bounds, default=Value(len(AGES) - 1), output_field=IntegerField())
    rows = Handoff.objects.on_the_way().values_list(place).annotate(n=Count("pk")).order_by()
    found = dict(rows)
    return [(words, found.get(place, 0)) for place, (_, words) in enumerate(AGES)]


def window_stats(at: datetime) -> tuple[WindowStats, WindowStats]:
    """Return the statistics of the last 24 hours and of the last seven days."""
    spans = {"day": DAY, "week": WEEK}
    wanted: dict[str, Any] = {}
    for name, span in spans.items():
        wanted |= clock_aggregates(name, "task", TO_TASK, Q(crossed_at__gt=at - span))
        wanted |= clock_aggregates(name, "touch", TO_TOUCH, Q(crossed_at__gt=at - span) & TOUCHED)
    told = Handoff.objects.delivered_since(at - WEEK).aggregate(**wanted)
    gone = (
        Handoff.objects.withdrawn()
        .crossed_since(at - WEEK)
        .aggregate(
            **{
                name: Count("pk", filter=Q(crossed_at__gt=at - span))
                for name, span in spans.items()
            }
        )
    )
    day, week = (
        WindowStats(
            told[f"{n}_task_n"], gone[n], read_clock(told, n, "task"), read_clock(told, n, "touch")
        )
        for n in spans
    )
    return day, week


def clock_aggregates(window: str, name: str, length: Any, those: Q) -> dict[str, Any]:
    """Return the aggregates that a ClockStats is built from."""
    return {
        f"{window}_{name}_n": Count("pk", filter=those),
        f"{window}_{name}_median": Percentile(length, 0.5, filter=those),
        f"{window}_{name}_slowest": Max(length, filter=those),
    }


def read_clock(told: dict[str, Any], window: str, name: str) -> ClockStats:
    return ClockStats(*(told[f"{window}_{name}_{part}"] for part in ("n", "median", "slowest")))


def slowest_to_task(at: datetime) -> list[Any]:
    """Return the handoffs of the last seven days that took longest to reach sales, as `took`."""
    rows = recent_handoffs(at).annotate(took=TO_TASK)
    return list(rows.order_by("-took", "pk")[:MOST_SLOW])


def slowest_to_touch(at: datetime) -> list[Any]:
    """Return those that took the rep longest, or still wait for the rep, as `took`. Skip tasks that
    were closed or deleted untouched: they are not a rep's delay."""
    until = Coalesce(F("task__touched_at"), Value(at))
    took = ExpressionWrapper(until - F("delivered_at"), DurationField())
    rows = recent_handoffs(at).filter(TOUCHED | UNTOUCHED).annotate(took=took)
    return list(rows.order_by("-took", "pk")[:MOST_SLOW])


def recent_handoffs(at: datetime) -> QuerySet[Handoff]:
    return Handoff.objects.delivered_since(at - WEEK).select_related("contact__company", "task")


def rep_stats(at: datetime) -> list[dict[str, Any]]:
    """Return the last seven days by rep, the most leads first: name, leads, touched, median, slowest, and
    since when the oldest untouched lead waits. A lead that was given to another rep counts for the
    present one, from then on."""
    names = {owner.owner_id: str(owner) for owner in Owner.objects.all()}
    rows = (
        Handoff.objects.delivered_since(at - WEEK)
        .values("owner_id")
        .annotate(
            leads=Count("pk"),
            touched=Count("pk", filter=TOUCHED_BY_REP),
            median=Percentile(REP_TO_TOUCH, 0.5, filter=TOUCHED_BY_REP),
            slowest=Max(REP_TO_TOUCH, filter=TOUCHED_BY_REP),
            untouched_since=Min(HAD_AT, filter=UNTOUCHED),
        )
        .order_by("-leads", "owner_id")[:MOST_REPS]
    )
    return [{**row, "name": names.get(row["owner_id"], row["owner_id"])} for row in rows]


def task_stats(at: datetime) -> TaskStats:
    untouched = Q(state=HandoffTask.State.OPEN, touched_at=None)
    told = HandoffTask.objects.open().aggregate(
        untouched=Count("pk", filter=untouched),
        started=Count("pk", filter=~untouched),
        overdue=Count("pk", filter=untouched & Q(due_at__lt=at)),
    )
    return TaskStats(**told)


def quantiles(
    rows: QuerySet[Handoff], length: Any, shares: Iterable[float]
) -> tuple[int, dict[str, float]]:
    """Return the number of rows, and seconds by share ("0.5"); share "1" is the longest."""
    wanted = {f"q{n}": Percentile(length, share) for n, share in enumerate(shares)}
    told = rows.aggregate(n=Count("pk"), longest=Max(length), **wanted)
    found = {str(share): told[f"q{n}"] for n, share in enumerate(shares)}
    return told["n"], {
        share: took.total_seconds()
        for share, took in {**found, "1": told["longest"]}.items()
        if took is not None
    }

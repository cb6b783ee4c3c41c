"""The figures above the ledger: what waits and why, the two clocks, the reps, the CRM."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from crm_sync import measuring
from crm_sync.connect import connect
from crm_sync.holding import holds, why
from crm_sync.measuring import Backlog, Clock
from crm_sync.models import Handoff, Hold
from crm_sync.models.reports import Report, last
from leadscoring import shown

WINDOWS = ("24 hours", "7 days")
HELD_BACK = "Held back: “The CRM” says why."


def figures(at: datetime) -> dict[str, Any]:
    """All that stands above the list. A fixed number of queries, none of which grows with the table."""
    day, week = measuring.windows(at)
    found = measuring.backlog(at)
    stopped = bool(why(connect(), Hold.Work.HANDOFFS, at))
    return {
        "backlog": found,
        "pace": pace(found, stopped=stopped),
        "ages": measuring.ages(at),
        "causes": [cause(row, stopped=stopped) for row in measuring.causes()],
        "clocks": [
            {"name": "Crossing to task", "windows": clocks(day.to_task, week.to_task)},
            {"name": "Task to first touch", "windows": clocks(day.to_touch, week.to_touch)},
        ],
        "withdrawn": week.withdrawn,
        "tasks": measuring.tasks(at),
        "reps": [rep(row, at) for row in measuring.reps(at)],
        "slowest": [
            {"name": "Slowest to a task", "rows": slow(measuring.slowest_to_task(at))},
            {"name": "Slowest first touch", "rows": slow(measuring.slowest_to_touch(at))},
        ],
        "held": held(at),
        "budget": budget(),
        "comparison": last(Report.Kind.COMPARISON),
    }


def pace(found: Backlog, *, stopped: bool = False) -> str:
    """What becomes of the backlog, in a sentence. `stopped`: something holds all handoffs."""
    if not found.waiting:
        return "Nothing waits."
    if stopped:
        return HELD_BACK
    if found.minutes is None:
        return "How long it takes is unknown: nothing has moved in the last minutes."
    return f"Gone in about {long(timedelta(minutes=found.minutes))}, at {found.per_minute:,.0f} a minute."


def cause(row: dict[str, Any], *, stopped: bool) -> dict[str, Any]:
    attention = row["status"] == Handoff.Status.NEEDS_ATTENTION
    return {
        "because": row["because"]
        or (HELD_BACK if stopped else "On its way; nothing has gone wrong."),
        "n": row["n"],
        "oldest": row["oldest"],
        "attention": attention,
        "url": shown.list_of(Handoff, ask="attention" if attention else "waiting"),
    }


def clocks(*windows: Clock) -> list[dict[str, Any]]:
    return [
        {"window": name, "leads": one.leads, "median": long(one.median), "p95": long(one.p95)}
        for name, one in zip(WINDOWS, windows, strict=True)
    ]


def rep(row: dict[str, Any], at: datetime) -> dict[str, Any]:
    since = row["untouched_since"]
    waits = long(at - since) if since else ""
    return {**row, "median": long(row["median"]), "p95": long(row["p95"]), "waits": waits}


def slow(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "url": shown.page_of(row),
            "took": long(row.took),
            "still": row.task_state == Handoff.TaskState.OPEN and not row.touched_at,
        }
        for row in rows
    ]


def held(at: datetime) -> list[dict[str, Any]]:
    """What is held back, by what, since and until when."""
    return [
        {
            "work": Hold.Work(hold.work).label,
            "because": hold.because,
            "denied": hold.denied,
            "since": hold.since,
            "until": hold.until if hold.until > at else None,
        }
        for hold in holds(connect(), at)
    ]


def budget() -> list[dict[str, Any]]:
    """Requests made and allowed; what is not known is left out."""
    found = connect().budget()
    pairs = (
        ("in the last 10 s", found.used_in_10s, found.allowed_in_10s),
        ("today", found.used_today, found.allowed_today),
    )
    return [
        {"words": words, "used": used, "allowed": allowed, "percent": share(used, allowed)}
        for words, used, allowed in pairs
        if used is not None
    ]


def share(used: int, allowed: int | None) -> int | None:
    return min(round(100 * used / allowed), 100) if allowed else None


def long(took: timedelta | None) -> str:
    """ "0.4 s", "3 min", "–": a clock that runs backwards by a little shows as nothing."""
    if took is None:
        return "–"
    if took < timedelta(seconds=10):
        return f"{max(took.total_seconds(), 0):.1f} s"
    return shown.span(took)

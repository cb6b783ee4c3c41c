"""The figures above the ledger: what waits and why, the two clocks, the reps, the CRM."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sync import ledger_stats
from crm_sync.circuit_breaker import breaker_reason, open_breakers_now
from crm_sync.connect import connect
from crm_sync.ledger_stats import BacklogStats, ClockStats
from crm_sync.models import Breaker, Handoff
from crm_sync.models.reports import Report, last_report
from leadscoring.access_log import note_people
from leadscoring.common import format
from leadscoring.common.spans import format_duration

WINDOWS = ("24 hours", "7 days")
HELD_BACK = "Held back: “The CRM” says why."


def ledger_figures(at: datetime) -> dict[str, Any]:
    """Return all figures above the list. A fixed number of queries, none of which grows with the table."""
    day, week = ledger_stats.window_stats(at)
    found = ledger_stats.backlog_stats(at)
    stopped = bool(breaker_reason(connect(), Breaker.Work.HANDOFFS, at))
    return {
        "backlog": found,
        "pace": backlog_sentence(found, stopped=stopped),
        "ages": ledger_stats.waiting_ages(at),
        "causes": [cause_row(row, stopped=stopped) for row in ledger_stats.waiting_causes()],
        "clocks": [
            {"name": "Ready for sales to task", "windows": clock_rows(day.to_task, week.to_task)},
            {"name": "Task to first touch", "windows": clock_rows(day.to_touch, week.to_touch)},
        ],
        "withdrawn": week.withdrawn,
        "tasks": ledger_stats.task_stats(at),
        "reps": [rep_row(row, at) for row in ledger_stats.rep_stats(at)],
        "slowest": [
            {"name": "Slowest to a task", "rows": slow_rows(ledger_stats.slowest_to_task(at))},
            {"name": "Slowest first touch", "rows": slow_rows(ledger_stats.slowest_to_touch(at))},
        ],
        "held": open_breakers(at),
        "budget": request_budget(),
        "comparison": last_report(Report.Kind.COMPARISON),
    }


def backlog_sentence(found: BacklogStats, *, stopped: bool = False) -> str:
    """Return a sentence on the state of the backlog. `stopped`: an open breaker holds all handoffs."""
    if not found.waiting:
        return "Nothing waits."
    if stopped:
        return HELD_BACK
    if found.minutes is None:
        return "How long it takes is unknown: nothing has moved in the last minutes."
    return f"Gone in about {format_duration(timedelta(minutes=found.minutes))}, at {found.per_minute:,.0f} a minute."


def cause_row(row: dict[str, Any], *, stopped: bool) -> dict[str, Any]:
    attention = row["status"] == Handoff.Status.NEEDS_ATTENTION
    return {
        "because": row["reason"]
        or (HELD_BACK if stopped else "On its way; nothing has gone wrong."),
        "n": row["n"],
        "oldest": row["oldest"],
        "attention": attention,
        "url": format.list_url(Handoff, ask="attention" if attention else "waiting"),
    }


def clock_rows(*windows: ClockStats) -> list[dict[str, Any]]:
    return [
        {
            "window": name,
            "leads": one.leads,
            "median": format_duration(one.median),
            "slowest": format_duration(one.slowest),
        }
        for name, one in zip(WINDOWS, windows, strict=True)
    ]


def rep_row(row: dict[str, Any], at: datetime) -> dict[str, Any]:
    since = row["untouched_since"]
    waits = format_duration(at - since) if since else ""
    return {
        **row,
        "median": format_duration(row["median"]),
        "slowest": format_duration(row["slowest"]),
        "waits": waits,
    }


def slow_rows(rows: Sequence[Any]) -> list[dict[str, Any]]:
    note_people(row.contact_id for row in rows)
    return [
        {
            "row": row,
            "url": format.change_url(row),
            "took": format_duration(row.took),
            "still": row.task.is_untouched,
        }
        for row in rows
    ]


def open_breakers(at: datetime) -> list[dict[str, Any]]:
    """Return what is held, by what, since and until when."""
    return [
        {
            "work": Breaker.Work(breaker.work).label,
            "because": breaker.reason,
            "denied": breaker.denied,
            "since": breaker.since,
            "until": breaker.until if breaker.until > at else None,
        }
        for breaker in open_breakers_now(connect(), at)
    ]


def request_budget() -> list[dict[str, Any]]:
    """Return what was used of the CRM's limits, and what is allowed; what is not known is left out."""
    found = connect().budget()
    window = found.window_seconds or 0
    pairs = (
        (f"in the last {window:g} s", found.used if window else None, found.allowed),
        ("today", found.used_today, found.allowed_today),
    )
    return [
        {
            "unit": found.unit if used != 1 else found.unit.removesuffix("s"),
            "words": words,
            "used": used,
            "allowed": allowed,
            "percent": percent_used(used, allowed),
        }
        for words, used, allowed in pairs
        if used is not None
    ]


def percent_used(used: int, allowed: int | None) -> int | None:
    return min(round(100 * used / allowed), 100) if allowed else None

"""Which types of activities come, from whom and how often, and how they were written first."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from leadscoring.common.bulk_sql import rows_as_json, run_statement
from leadscoring.models import TypeCount

KEPT = timedelta(days=30)
MOST_TYPES = 200  # that are counted of one source in a day: a sender may make them up

# The first way of writing it that differs from the type itself stays, and what a person calls it.
NAME = """
    INSERT INTO leadscoring_activitytype AS known (name, label)
    SELECT name, label FROM jsonb_populate_recordset(NULL::leadscoring_activitytype, %s)
    ORDER BY name COLLATE "C"
    ON CONFLICT (name) DO UPDATE SET label = EXCLUDED.label
    WHERE known.label = '' AND EXCLUDED.label <> ''
"""
COUNT = """
    INSERT INTO leadscoring_typecount AS known (source, type, day, times, last_at)
    SELECT source, type, day, times, last_at
    FROM jsonb_populate_recordset(NULL::leadscoring_typecount, %s) AS new
    WHERE (
        SELECT count(*) FROM leadscoring_typecount WHERE (source, day) = (new.source, new.day)
    ) < %s OR EXISTS (
        SELECT FROM leadscoring_typecount AS old
        WHERE (old.source, old.day, old.type) = (new.source, new.day, new.type)
    )
    ORDER BY type COLLATE "C"
    ON CONFLICT (source, day, type) DO UPDATE SET
        times = known.times + EXCLUDED.times, last_at = greatest(known.last_at, EXCLUDED.last_at)
"""
FOLD = """
    WITH old AS (
        DELETE FROM leadscoring_typecount WHERE day < %s RETURNING type, times, last_at
    ), summed AS (
        SELECT type, sum(times) AS times, max(last_at) AS last_at FROM old GROUP BY type
    )
    UPDATE leadscoring_activitytype AS known
    SET came_before = known.came_before + summed.times,
        came_last_at = greatest(known.came_last_at, summed.last_at)
    FROM summed WHERE known.name = summed.type
"""


def record_types(
    source: str, came: Mapping[str, int], written: Mapping[str, str], at: datetime
) -> None:
    """Count activities of a source by type, once what took them in is stored for good.

    `source`: who sent them; "" for what was counted when it came. `written`: a type as its sender
    wrote it. It is outside the batch: no batch waits for another because of it.
    """

    def record() -> None:
        _record(source, came, written, at)

    if came and source:
        transaction.on_commit(record, robust=True)


def _record(source: str, came: Mapping[str, int], written: Mapping[str, str], at: datetime) -> None:
    first = {type_: label for type_, label in written.items() if type_ in came and label != type_}
    names = [{"name": type_, "label": first.get(type_, "")[:100]} for type_ in came]
    counts = [
        {
            "source": source[:100],
            "type": type_,
            "day": str(at.date()),
            "times": times,
            "last_at": at,
        }
        for type_, times in came.items()
    ]
    with transaction.atomic():
        run_statement(NAME, [rows_as_json(names)])
        run_statement(COUNT, [rows_as_json(counts), MOST_TYPES])


def rename_sender(name: str, new: str) -> None:
    """Let what was counted of a source go over to its new name, unless something was counted there."""
    if not TypeCount.objects.filter(source=new).exists():
        TypeCount.objects.filter(source=name).update(source=new)


def prune_types(at: datetime) -> None:
    """Add counts older than 30 days up, by type."""
    run_statement(FOLD, [(at - KEPT).date()])

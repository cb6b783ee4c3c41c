"""Sources that used to send at this time of the week and have fallen silent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from leadscoring.common.bulk_sql import run_statement
from leadscoring.intake.sources import ALL_BEFORE
from leadscoring.models import Source

# So many hours, or days, in which it used to send have gone by without a word.
HOURS_MISSED, DAYS_MISSED = 6, 3
SHORTEST = timedelta(hours=1)
# The silence, or its first week, is compared with the same time of each of so many weeks before it, as far
# as the source was there. Counts are kept for 30 days: after some three weeks the silence is its habit.
WEEKS = 3
SILENT = """
    SELECT source.id, last.at, known.weeks, habit.hours
    FROM leadscoring_source AS source
    CROSS JOIN LATERAL (
        SELECT last_at AS at, date_trunc('hour', last_at) + interval '1 hour' AS next_hour
        FROM leadscoring_sourcecount
        WHERE source_id = source.id AND at > %(all)s ORDER BY at DESC LIMIT 1
    ) AS last
    CROSS JOIN LATERAL (
        SELECT at FROM leadscoring_sourcecount
        WHERE source_id = source.id AND at > %(all)s ORDER BY at LIMIT 1
    ) AS first
    CROSS JOIN LATERAL (
        SELECT least(%(weeks)s, floor(extract(epoch FROM last.at - first.at) / 604800)::int) AS weeks
    ) AS known
    CROSS JOIN LATERAL (
        SELECT min(week.hours) AS hours, min(week.days) AS days FROM (
            SELECT count(DISTINCT date_trunc('hour', counted.at)) AS hours,
                count(DISTINCT date_trunc('day', counted.at)) AS days
            FROM generate_series(1, known.weeks) AS ago
            LEFT JOIN leadscoring_sourcecount AS counted ON counted.source_id = source.id
                AND counted.at >= last.next_hour - ago * interval '7 days'
                AND counted.at < least(%(now)s, last.at + interval '7 days') - ago * interval '7 days'
            GROUP BY ago
        ) AS week
    ) AS habit
    WHERE source.ended_at IS NULL AND source.kind <> %(import)s
        AND last.at < %(now)s - %(shortest)s
        AND (habit.hours >= %(hours)s OR habit.days >= %(days)s)
    ORDER BY last.at
"""


@dataclass(frozen=True, slots=True)
class SilentSource:
    """`hours`: in at least how many it sent in the same time of each of the `weeks` before."""

    source_id: int
    last_at: datetime
    weeks: int
    hours: int


def silent_sources(at: datetime) -> list[SilentSource]:
    """Return the sources that are silent against their habit, the longest silent first. Files have none."""
    asked = {
        "all": ALL_BEFORE,
        "now": at,
        "weeks": WEEKS,
        "shortest": SHORTEST,
        "hours": HOURS_MISSED,
        "days": DAYS_MISSED,
        "import": Source.Kind.IMPORT,
    }
    return [SilentSource(*row) for row in run_statement(SILENT, asked)]

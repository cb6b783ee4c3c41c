"""Companies by their names, whatever the case they are written in."""

from collections.abc import Iterable
from datetime import datetime

from leadscoring.common.bulk_sql import run_statement
from leadscoring.models import Company

MAKE = """
    INSERT INTO leadscoring_company (name, created_at)
    SELECT DISTINCT ON (lower(asked.name)) asked.name, %s
    FROM unnest(%s::text[]) WITH ORDINALITY AS asked(name, place)
    WHERE NOT EXISTS (
        SELECT FROM leadscoring_company AS known WHERE lower(known.name) = lower(asked.name)
    )
    ORDER BY lower(asked.name), asked.place
    ON CONFLICT DO NOTHING
"""
FIND = """
    SELECT asked.name, known.id, known.name
    FROM unnest(%s::text[]) AS asked(name)
    JOIN leadscoring_company AS known ON lower(known.name) = lower(asked.name)
"""

FORGET = """
    DELETE FROM leadscoring_company AS made
    WHERE made.id = ANY(%s) AND made.created_at = %s
    AND NOT EXISTS (SELECT FROM leadscoring_contact WHERE company_id = made.id)
    RETURNING made.id
"""


def delete_unused_companies(companies: Iterable[Company], at: datetime) -> None:
    """Delete companies that were created at `at` for contacts that were rejected then."""
    run_statement(FORGET, [[company.pk for company in companies], at])


def companies_by_name(names: Iterable[str | None], at: datetime) -> dict[str, Company]:
    """Return the company of each name as it was written; create the new ones first.

    Before any contact is locked: two batches that create the same company wait for each other here.
    """
    asked = list(dict.fromkeys(name for name in names if name))
    if not asked:
        return {}
    run_statement(MAKE, [at, asked])
    return {
        written: Company(pk=pk, name=name) for written, pk, name in run_statement(FIND, [asked])
    }

"""A trial of intake that says exactly what the real thing would do and touches nothing that is real.

Temporary tables of the same names stand before the real ones for the length of a transaction that
is rolled back. What a batch speaks of is copied into them first, so no row of the real tables is
written or locked, however long the rehearsal takes, and no rule exists twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from psycopg import sql

from leadscoring.common.bulk_sql import run_statement
from leadscoring.models import Activity, Company, Contact, Identifier, ProfileChange

FIRST_ID = 2**62  # beyond every real one

STAND_IN = """
    CREATE TEMPORARY TABLE {table} (LIKE {schema}.{table} INCLUDING ALL) ON COMMIT DROP;
    ALTER TABLE pg_temp.{table} ALTER COLUMN id RESTART WITH {first}
"""
COMPANIES = "INSERT INTO pg_temp.{table} SELECT * FROM {schema}.{table}"
CONTACTS = """
    INSERT INTO pg_temp.{table} SELECT * FROM {schema}.{table}
    WHERE email = ANY(%s) OR external_id = ANY(%s)
    OR id IN (SELECT contact_id FROM pg_temp.leadscoring_identifier) ON CONFLICT DO NOTHING
"""
IDENTIFIERS = """
    INSERT INTO pg_temp.{table} SELECT real.* FROM {schema}.{table} AS real
    JOIN unnest(%s::text[], %s::text[]) AS asked(source, value) USING (source, value)
    ON CONFLICT DO NOTHING
"""
ACTIVITIES = """
    INSERT INTO pg_temp.{table} SELECT real.* FROM {schema}.{table} AS real
    JOIN unnest(%s::text[], %s::text[]) AS asked(source, event_id) USING (source, event_id)
    ON CONFLICT DO NOTHING
"""


class DryRun:
    def __init__(self) -> None:
        [(self.schema,)] = run_statement("SELECT current_schema()", [])
        for model in (Company, Contact, Identifier, ProfileChange, Activity):
            self.run(STAND_IN, model._meta.db_table)
        self.run(COMPANIES, Company._meta.db_table)

    def know(
        self,
        emails: Iterable[str | None],
        ids: Iterable[tuple[str, str] | None],
        events: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Copy the people and events of a batch, unless they were copied before."""
        named = [identifier for identifier in ids if identifier]
        parts: list[list[str]] = [[one[place] for one in named] for place in (0, 1)]
        self.run(IDENTIFIERS, Identifier._meta.db_table, *parts)
        own = [value for source, value in named if not source]
        self.run(CONTACTS, Contact._meta.db_table, list(emails), own)
        if events:
            sources, event_ids = zip(*events, strict=True)
            self.run(ACTIVITIES, Activity._meta.db_table, list(sources), list(event_ids))

    def run(self, statement: str, table: str, *parameters: list[Any]) -> None:
        run_statement(
            sql.SQL(statement).format(
                table=sql.Identifier(table),
                schema=sql.Identifier(self.schema),
                first=sql.Literal(FIRST_ID),
            ),
            parameters or None,
        )


@contextmanager
def start_dry_run() -> Iterator[DryRun]:
    with transaction.atomic():
        try:
            yield DryRun()
        finally:
            transaction.set_rollback(True)

"""Many rows in one statement. They travel as one JSON value, which is several times as fast as a
statement with a parameter for each field, and PostgreSQL takes the types from the table itself."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from django.db import connection
from django.db.models import Model
from psycopg import sql

Row = dict[str, Any]  # by column


def rows_as_json(rows: Iterable[Row]) -> str:
    """Return rows as one parameter for jsonb_populate_recordset and jsonb_to_recordset."""
    return json.dumps(list(rows), default=_scalar_as_text)


def _scalar_as_text(value: datetime | UUID) -> str:
    return str(value) if isinstance(value, UUID) else datetime.isoformat(value)


def column_values(row: Model, names: Iterable[str] = ()) -> Row:
    """Return a row's values by column: those named, or all without an id that it has not yet."""
    return {name: getattr(row, name) for name in names} or {
        str(field.column): getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not (field.primary_key and row.pk is None)
    }


def bulk_insert(
    model: type[Model], rows: Iterable[Row], order: LiteralString, answer: LiteralString
) -> list[Any]:
    """Insert the rows that conflict with nothing; return some columns of those.

    `order`: the same for all inserts into a table, or two of them could deadlock.
    """
    given = list(rows)
    if not given:
        return []
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {columns}"
        " FROM jsonb_populate_recordset(NULL::{table}, %s)"
        " ORDER BY {order} ON CONFLICT DO NOTHING RETURNING {answer}"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        columns=sql.SQL(", ").join(map(sql.Identifier, given[0])),
        order=sql.SQL(order),
        answer=sql.SQL(answer),
    )
    return run_statement(statement, [rows_as_json(given)])


def bulk_update(model: type[Model], rows: Iterable[Model], names: Sequence[str]) -> None:
    """Write some columns of rows that exist. `names`: of columns, such as "company_id"."""
    key = str(model._meta.pk.column)
    given = [column_values(row, (key, *names)) for row in rows]
    if not given:
        return
    changes = sql.SQL(", ").join(
        [sql.SQL("{name} = changed.{name}").format(name=sql.Identifier(name)) for name in names]
    )
    statement = sql.SQL(
        "UPDATE {table} AS old SET {changes}"
        " FROM jsonb_populate_recordset(NULL::{table}, %s) AS changed WHERE old.{key} = changed.{key}"
    ).format(table=sql.Identifier(model._meta.db_table), changes=changes, key=sql.Identifier(key))
    run_statement(statement, [rows_as_json(given)])


def run_statement(
    statement: Any, parameters: Sequence[Any] | Mapping[str, Any] | None = None
) -> list[Any]:
    """Return the rows of a statement, [] when it has none to answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

"""A bound on how long a web thread waits for PostgreSQL.

A server that hangs keeps its connections open and its kernel goes on answering, so neither TCP nor
`connect_timeout` ends the wait; each request would hold its thread until none is left.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import psycopg
from django.db.backends.signals import connection_created

# No page and no call of the API takes so long; a client's patience is mostly 30 s.
SECONDS = 15.0
CANCEL_SECONDS = 0.5
_seconds = ContextVar("seconds", default=SECONDS)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Wait less long for an answer, as who must say soon that there is none."""
    before = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(before)


def install() -> None:
    """Bound each wait of this process's connections; to be called before the first is made."""
    connection_created.connect(_on_connection, dispatch_uid="database_timeout")


def _on_connection(connection: Any, **kwargs: object) -> None:
    bound_waits(connection.connection)


def bound_waits(raw: psycopg.Connection[Any]) -> None:
    """Let a connection be closed, with an OperationalError, when an answer takes too long."""
    wait = raw.wait

    def bounded(gen: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return wait(gen, *args, **{"timeout": _seconds.get(), **kwargs})
        except psycopg.errors._WaitTimeout as late:
            _abandon(raw)
            raise psycopg.OperationalError("The database did not answer in time.") from late

    raw.wait = bounded  # type: ignore[method-assign]


def _abandon(raw: psycopg.Connection[Any]) -> None:
    """Close a connection in the midst of a query; a server that is only slow can stop the query."""
    with suppress(psycopg.Error):
        raw.cancel_safe(timeout=CANCEL_SECONDS)
    raw.pgconn.finish()

"""Whether PostgreSQL answers at all, found out in a bounded time.

A server that hangs (a frozen machine, a full disk) may take connections and still answer nothing, and a
library waits longer for a connection than readiness may. So a thread asks, and who wants to know does
not wait for it beyond a second.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
from django.db import connection

from leadscoring.operations.database_timeout import bound_waits

SECONDS = 1.0
CONNECT_SECONDS = 2  # psycopg's least
# One at a time: while the last one hangs, so does the server.
_pool = ThreadPoolExecutor(1, thread_name_prefix="database-probe")


def database_answers(seconds: float = SECONDS) -> bool:
    """Return whether the server (or the pooler before it) answers a new connection within some seconds."""
    asked = _pool.submit(_ask, connection.get_connection_params())
    try:
        return asked.result(seconds)
    except TimeoutError:
        asked.cancel()
        return False


def _ask(parameters: Mapping[str, Any]) -> bool:
    try:
        raw = psycopg.connect(**{**parameters, "connect_timeout": CONNECT_SECONDS})
    except psycopg.Error:
        return False
    with closing(raw):
        bound_waits(raw)
        try:
            return raw.execute("SELECT 1").fetchone() is not None
        except psycopg.Error:
            return False

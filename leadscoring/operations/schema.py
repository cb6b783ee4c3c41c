"""Whether the database's tables are those that this process was written for.

A web process of a new release may run before the migrations do, one of the old release may still
run after them. Neither fails then: it answers 503 with `Retry-After`, stores nothing, and the client
asks again (`schema_middleware`). Tasks are skipped (`doorbell`): the next wake-up finds what is due.
"""

from functools import cache

from django.db import ProgrammingError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


@cache
def known() -> frozenset[tuple[str, str]]:
    """Return (app, name) of all migrations that this code brings."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.disk_migrations or ())


def mismatch() -> str:
    """Return why this code and the database's tables do not fit each other, or "". One query."""
    try:
        applied = set(MigrationRecorder.Migration.objects.values_list("app", "name"))
    except ProgrammingError:  # not even the table that lists them is there
        applied = set()
    if missing := known() - applied:
        return f"{len(missing)} migrations are not applied"
    ours = {app for app, _ in known()}
    if any(app in ours for app, _ in applied - known()):
        return "the database was upgraded to a newer release than this process is"
    return ""

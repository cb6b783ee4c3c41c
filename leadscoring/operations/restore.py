"""Notice that the database was restored from a backup, and hold all that leaves this house.

What was sent after the backup was taken is not in it: tasks, mails and opt-outs would be sent again.
So handoffs, mails and changes for the CRM wait until a person has run `after_restore`; activities
are taken in and scored meanwhile. See docs/backup.md.

The identity is made of PostgreSQL's identifier of the cluster, the database's object id and that of
the table that keeps it: `pg_dump` and `pg_restore` give a new table a new id wherever they make it,
also in place. Copies of the cluster's files (snapshots of a volume, point-in-time recovery) keep all
three: after those `after_restore` is run by hand, before a worker starts.
https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CONTROLDATA
"""

from typing import cast

from django.db import connection

from leadscoring.models import DatabaseIdentity

IDENTITY = """
    SELECT (SELECT system_identifier FROM pg_control_system())
        || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
        || '/' || 'leadscoring_databaseidentity'::regclass::oid
"""
COMPARE = IDENTITY + ", (SELECT value FROM leadscoring_databaseidentity)"  # noqa: S608 -- constants

RESTORED = (
    "The database was restored from a backup: nothing is sent until somebody has confirmed it"
)
CONFIRM = "Run `manage.py after_restore`: docs/backup.md says what it does."


def reason_to_hold() -> str:
    """Return why nothing may be sent, or "". One query; the first call ever records the identity."""
    with connection.cursor() as cursor:
        cursor.execute(COMPARE)
        here, kept = cursor.fetchone() or ("", None)
    if kept is None:
        record_first()
        return ""
    return "" if kept == here else RESTORED


def record_first() -> None:
    """Record the identity of a database that has none yet; keep one that came with a dump."""
    DatabaseIdentity.objects.get_or_create(pk=1, defaults={"value": _identity()})


def hold() -> None:
    """Hold all sending until `confirm`, whether or not a restore was noticed."""
    DatabaseIdentity.objects.update_or_create(pk=1, defaults={"value": ""})


def confirm() -> None:
    """Record that this is the installation that sends from now on."""
    DatabaseIdentity.objects.update_or_create(pk=1, defaults={"value": _identity()})


def _identity() -> str:
    with connection.cursor() as cursor:
        cursor.execute(IDENTITY)
        return cast(tuple[str], cursor.fetchone())[0]

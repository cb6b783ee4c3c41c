"""A lock that one process holds at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Any numbers that nothing else in this database locks.
PULLS = 0x1EAD_5C0E
HINTS = 0x1EAD_1007
REASSIGNMENTS = 0x1EAD_617E
IMPORTS = 0x1EAD_10AD


@contextmanager
def advisory_lock(lock: int = PULLS) -> Iterator[bool]:
    """Try to hold a lock that PostgreSQL releases when this process dies; yield whether it is held.

    Do not wait for it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        (mine,) = cursor.fetchone() or (False,)
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])

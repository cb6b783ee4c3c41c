"""What only one process may do at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Any numbers that nobody else in this database locks.
PULLS = 0x1EAD_5C0E
HINTS = 0x1EAD_1007


@contextmanager
def advisory_lock(lock: int = PULLS) -> Iterator[bool]:
    """Hold one lock, that of pulls, which PostgreSQL gives back when this process dies.

    Yields whether it is ours; nobody waits for it.
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

"""The one clock that all workers share. Their own may be minutes apart, and a lease is a time."""

import time
from datetime import datetime, timedelta
from typing import cast

from django.db import connection


def database_time() -> datetime:
    """Return the database's time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast(tuple[datetime], cursor.fetchone())[0]


class AnchoredClock:
    """Read the time on from an instant of the database's clock, without asking it again.

    By the monotonic clock, so a change of this machine's time moves nothing.
    """

    def __init__(self, at: datetime) -> None:
        self._at, self._began = at, time.monotonic()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=self.elapsed())

    def elapsed(self) -> float:
        """Return the seconds since the instant."""
        return time.monotonic() - self._began

"""The one clock that all workers share. Their own may be minutes apart, and a lease is a time."""

from datetime import datetime
from typing import cast

from django.db import connection


def database_time() -> datetime:
    """Now, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast(tuple[datetime], cursor.fetchone())[0]

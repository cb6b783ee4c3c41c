"""The names of time zones, as the IANA database has them."""

from functools import cache
from zoneinfo import available_timezones


@cache
def known_time_zones() -> frozenset[str]:
    """Return all names. They are read from files, once a process."""
    return frozenset(available_timezones())

"""When to try again what failed: a pure decision."""

from datetime import timedelta
from zlib import crc32

FIRST_WAIT, LONGEST_WAIT = 10.0, 300.0
# What a CRM may ask for at most: an answer of "come back tomorrow" is asked again every hour.
LONGEST_ASKED = 3600.0


def backoff_delay(attempts: int, key: str, at_least: float = 0.0) -> timedelta:
    """Return the wait, doubled with each attempt from 10 seconds up to 5 minutes, at least `at_least` seconds.

    Spread it by up to a quarter, by the key, so that what failed together does not come back together.
    """
    doubled = min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 10), LONGEST_WAIT)
    seconds = max(doubled, min(at_least, LONGEST_ASKED))
    spread = crc32(f"{key} {attempts}".encode()) % 1000 / 4000
    return timedelta(seconds=seconds * (1 + spread))

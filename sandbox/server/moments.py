"""Instants as HubSpot writes and reads them: ISO 8601 in UTC, or milliseconds since 1970."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_MS = 253_402_300_799_999  # the last millisecond of year 9999


@lru_cache(maxsize=4096)  # all records of a batch are written, and shown, at one instant
def iso(at: datetime) -> str:
    """`2026-05-04T09:30:00.250Z`; no milliseconds when there are none."""
    precision = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(UTC).isoformat(timespec=precision).removesuffix("+00:00") + "Z"


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def instant(text: str) -> datetime:
    """Read milliseconds or ISO 8601 (a bare date is its midnight); ValueError for anything else."""
    if text.lstrip("-").isdigit() and text.isascii():
        return _from_milliseconds(int(text))
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _from_milliseconds(number: int) -> datetime:
    if abs(number) > LONGEST_MS:
        raise ValueError("out of range")
    return EPOCH + timedelta(milliseconds=number)

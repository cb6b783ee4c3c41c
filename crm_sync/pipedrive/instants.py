"""Parse and format times as Pipedrive writes them: RFC 3339 (v2), or without an offset (v1).

docs/pipedrive-facts.md#times
"""

from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_of(value: object) -> datetime | None:
    """Return the time in UTC, None for a value that is none: that must not lose the record it came
    with."""
    try:
        found = datetime.fromisoformat(str(value or ""))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def whole_seconds(at: datetime) -> str:
    """Return RFC 3339 in UTC without a fraction, which Pipedrive refuses."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

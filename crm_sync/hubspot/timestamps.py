"""Parse and format times as HubSpot writes them: milliseconds since 1970, or ISO 8601.

docs/hubspot-facts.md#task-properties, docs/hubspot-facts.md#modification-time
"""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant_value(text: str) -> datetime | None:
    """Return the time in UTC, None for text that is none: that must not lose the record it came
    with.
    """
    try:
        if text.isascii() and text.isdigit():
            return EPOCH + timedelta(milliseconds=int(text[:16]))
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def format_instant(at: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Instants as HubSpot writes them: milliseconds since 1970, or ISO 8601."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant_value(text: str) -> datetime | None:
    """None for what is no instant: it is no reason to lose the record that it came with."""
    try:
        if text.isascii() and text.isdigit():
            return EPOCH + timedelta(milliseconds=int(text[:16]))
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def format_instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Instants as Salesforce writes them: UTC, whole seconds, an offset without a colon."""

import re
from datetime import UTC, date, datetime

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:?\d{2})", re.ASCII
)


def shown(at: datetime) -> str:
    """`2026-11-29T10:00:00.000+0000`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def instant(text: str) -> datetime:
    """Read one that names its offset; ValueError for anything else."""
    if not INSTANT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def day(text: str) -> date:
    if not DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def as_json(value: object) -> object:
    """A stored value as answers have it."""
    if isinstance(value, datetime):
        return shown(value)
    return value.isoformat() if isinstance(value, date) else value

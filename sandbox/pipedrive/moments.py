"""Instants as Pipedrive writes and reads them: whole seconds, in UTC."""

import re
from datetime import UTC, datetime

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")


def stamp(at: datetime) -> str:
    """`2026-05-04T09:30:00Z`, as v2 has it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def old_stamp(text: str) -> str:
    """`2026-05-04 09:30:00`, as v1 has it, out of v2's form."""
    return text.replace("T", " ").removesuffix("Z")


def normal(text: str) -> str:
    """RFC 3339 in UTC; ValueError for anything else, fractions of a second too."""
    if not RFC3339.fullmatch(text):
        raise ValueError("not a valid datetime")
    return stamp(datetime.fromisoformat(text))

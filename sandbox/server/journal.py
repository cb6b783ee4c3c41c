"""What every API request was, asked, and came to: for whoever checks from outside."""

import re
from collections import Counter, deque
from datetime import datetime
from hashlib import sha256
from itertools import islice
from sys import intern
from typing import Any, NamedTuple

from .moments import iso

KEPT = 200_000
READ_LIMIT = 10_000
COUNTED = 5_000  # kinds of requests that are told apart; the paths of others count as "other"
# A record's id, or its e-mail address.
ID = re.compile(r"(?<=/)(?:\d{3,}|[^/]*(?:@|%40)[^/]*)(?=/|$)")


class Line(NamedTuple):
    """`status`: what the client got; None where the connection was cut. `done`: what the work
    itself came to, told or not; None where it was not done. `made`: ids of new tasks."""

    method: str
    path: str
    status: int | None
    done: int | None
    fault: str | None
    at: datetime
    token: str
    made: tuple[str, ...]


class Journal:
    """The last requests, numbered from 1 as they were finished, and counts of all of them."""

    def __init__(self) -> None:
        self.last = 0
        self._lines: deque[Line] = deque(maxlen=KEPT)
        self._counts: Counter[tuple[str, str, int | None, str | None]] = Counter()
        self._tokens: dict[str, str] = {}

    def add(self, line: Line) -> None:
        """`line.token` is the token itself; only the beginning of its hash is kept."""
        self.last += 1
        self._lines.append(line._replace(path=intern(line.path), token=self._hash(line.token)))
        key = line.method, intern(ID.sub("{id}", line.path)), line.status, line.fault
        if key not in self._counts and len(self._counts) >= COUNTED:
            key = line.method, "other", line.status, line.fault
        self._counts[key] += 1

    def _hash(self, token: str) -> str:
        if token not in self._tokens:
            if len(self._tokens) >= COUNTED:
                self._tokens.clear()
            self._tokens[token] = sha256(token.encode(errors="replace")).hexdigest()[:12]
        return self._tokens[token]

    def after(self, number: int) -> dict[str, Any]:
        """The oldest requests after that number. `first`: the oldest that is still kept; one who
        asked for older ones has missed some. `last`: the newest there is."""
        first = self.last - len(self._lines) + 1
        start = max(number + 1, first)
        lines = islice(self._lines, start - first, start - first + READ_LIMIT)
        return {
            "first": first,
            "last": self.last,
            "requests": [
                {"number": number} | _shown(line) for number, line in enumerate(lines, start)
            ],
        }

    def counted(self) -> list[dict[str, Any]]:
        names = ("method", "path", "status", "fault")
        return [
            dict(zip(names, key, strict=True)) | {"count": count}
            for key, count in self._counts.items()
        ]


def _shown(line: Line) -> dict[str, Any]:
    return line._asdict() | {"at": iso(line.at), "made": list(line.made)}

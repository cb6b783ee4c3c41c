"""Event ids for rows that have none, so that importing a file again finds them all known."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence


class RowEventIds:
    """Count equal rows of a file, on disk: a file may have more rows than fit in memory.

    In SQLite's private temporary database, which goes with the connection.
    """

    def __init__(self) -> None:
        self.seen = sqlite3.connect("", isolation_level=None)
        self.seen.execute("CREATE TABLE seen (row BLOB PRIMARY KEY, times INTEGER) WITHOUT ROWID")
        self.seen.execute("BEGIN")

    def event_id(self, header: Sequence[str], cells: Sequence[str]) -> str:
        """Return an id from the row's content and its place among equal rows."""
        said = json.dumps([(name, cell) for name, cell in zip(header, cells, strict=False) if cell])
        row = hashlib.sha256(said.encode()).digest()[:16]
        [(times,)] = self.seen.execute(
            "INSERT INTO seen VALUES (?, 1)"
            " ON CONFLICT (row) DO UPDATE SET times = times + 1 RETURNING times",
            [row],
        ).fetchall()
        return f"row-{row.hex()}-{times}"

    def close(self) -> None:
        self.seen.close()

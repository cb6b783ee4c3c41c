"""The file of rejected rows: the original columns, the line and the reason, to be corrected and imported.

A cell that a spreadsheet would run as a formula gets an apostrophe in front. Importing the
corrected file takes it off again.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from leadscoring.intake.csv_import.columns import OURS, escape_formula
from leadscoring.intake.csv_import.reader import CsvRow


class ErrorFile:
    """Made with its first row; without one there is no file."""

    def __init__(self, path: Path, delimiter: str, titles: Sequence[str]) -> None:
        self.path = path
        self.delimiter = delimiter
        self.titles = titles
        self.rows = 0
        self.file: TextIO | None = None
        self.writer: Any = None

    def write(self, row: CsvRow, reason: str) -> None:
        if self.file is None:
            self.begin()
        width = len(self.titles)
        cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
        self.writer.writerow([*map(escape_formula, cells), row.line, reason + self.beyond(row)])
        self.rows += 1

    def beyond(self, row: CsvRow) -> str:
        """Return the cells for which there is no column, as part of the reason."""
        more = row.cells[len(self.titles) :] if "cells" in row.wrong else []
        return f" (also: {', '.join(map(escape_formula, more))[:1000]})" if more else ""

    def begin(self) -> None:
        # With a mark, because spreadsheets take a file without one for Windows-1252.
        self.file = self.path.open("w", encoding="utf-8-sig", errors="surrogateescape", newline="")
        self.writer = csv.writer(self.file, delimiter=self.delimiter)
        self.writer.writerow([*map(escape_formula, self.titles), *OURS])

    def close(self) -> None:
        if self.file:
            self.file.close()

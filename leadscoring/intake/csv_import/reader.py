"""A messy CSV file as rows, in constant memory: encoding, delimiter, header, broken rows. A spreadsheet alike.

A row that cannot be right is one row lost, never the file: a quote that is not closed ends with
its own line, a line without an end is cut, and reading goes on behind it.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from leadscoring.intake.csv_import.encoding import (
    NOT_UTF8,
    UnreadableFile,
    decoding_errors,
    detect_encoding,
)
from leadscoring.intake.csv_import.spreadsheet import OpenSheet, is_spreadsheet, open_sheet

DELIMITERS = ",;\t|"
LONGEST_LINE = 1_048_576
MOST_LINES_OF_A_ROW = 100
EXCEL_HINT = re.compile(r"sep=(.)\s*$", re.IGNORECASE)


@dataclass(slots=True)
class CsvRow:
    """A row of the file: where it begins, its cells, and what is wrong with it, if anything."""

    line: int
    cells: list[str]
    wrong: str = ""


@dataclass(slots=True)
class CsvTable:
    """An open file behind its header. `lines`: how many it has, for the time that is left.

    Of a spreadsheet: the sheet that is read, the names of all, and no encoding.
    """

    header: list[str]
    delimiter: str
    encoding: str
    lines: int
    rows: Iterator[CsvRow] = field(repr=False)
    close: Callable[[], None] = field(repr=False)
    sheet: str = ""
    sheets: Sequence[str] = ()


def open_table(path: Path, encoding: str = "", *, delimiter: str = "", sheet: str = "") -> CsvTable:
    """Open a file; its rows are read one by one. What is not said is found out. Raise UnreadableFile."""
    if is_spreadsheet(path):
        return _table_of_sheet(open_sheet(path, sheet))
    if sheet:
        raise UnreadableFile("The file is no spreadsheet: it has no sheets.")
    encoding, lines = detect_encoding(path, encoding)
    source = NumberedLines(
        path.open(encoding=encoding, errors=decoding_errors(encoding), newline="")
    )
    delimiter = _detect_delimiter(source, delimiter)
    rows = _iter_rows(source, delimiter)
    names = _read_header(rows, source.file.close)
    whole = _iter_fitted_rows(rows, names, encoding)
    return CsvTable(names, delimiter, encoding, lines, whole, source.file.close)


def _table_of_sheet(sheet: OpenSheet) -> CsvTable:
    rows = _iter_sheet_rows(sheet)
    names = _read_header(rows, sheet.close)
    whole = _iter_fitted_rows(rows, names, "utf-8")
    return CsvTable(names, ",", "", sheet.rows, whole, sheet.close, sheet.name, sheet.sheets)


def _iter_sheet_rows(sheet: OpenSheet) -> Iterator[CsvRow]:
    for line, cells in sheet.read():
        wrong = "" if cells is not None else f"is longer than {LONGEST_LINE:,} characters"
        yield CsvRow(line, cells or [], wrong)


def _read_header(rows: Iterator[CsvRow], close: Callable[[], None]) -> list[str]:
    header = next(rows, CsvRow(1, [], "is missing: the file is empty"))
    if header.wrong:
        close()
        raise UnreadableFile(f"The header {header.wrong}.")
    names = [cell.strip() for cell in header.cells]
    while names and not names[-1]:
        names.pop()
    return names


# --- rows ---------------------------------------------------------------------------------------
class NumberedLines:
    """The lines of a file, numbered; some can be put back."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.number = 0
        self.waiting: deque[str] = deque()

    def next(self) -> str:
        """Return the next line with its end; nothing at the end of the file. A long one is cut."""
        line = self.waiting.popleft() if self.waiting else self.file.readline(LONGEST_LINE)
        self.number += bool(line)
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            while (rest := self.file.readline(LONGEST_LINE)) and not rest.endswith(("\n", "\r")):
                pass
        return line

    def put_back(self, lines: list[str]) -> None:
        self.waiting.extendleft(reversed(lines))
        self.number -= len(lines)


def _detect_delimiter(source: NumberedLines, wanted: str) -> str:
    """Return the delimiter of the first line; take Excel's own hint and remove it."""
    line = source.next()
    if hint := EXCEL_HINT.match(line):
        return wanted or hint[1]
    source.put_back([line])
    return wanted or max(DELIMITERS, key=lambda sign: _count_cells(line, sign))


def _count_cells(line: str, delimiter: str) -> int:
    """Return how many cells a line has; 0 when it is no line of CSV, which reading it will report."""
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0


def _iter_rows(source: NumberedLines, delimiter: str) -> Iterator[CsvRow]:
    while line := source.next():
        if line.strip():
            yield _read_row(source, line, delimiter)


def _read_row(source: NumberedLines, first: str, delimiter: str) -> CsvRow:
    """Return the row that begins with a line. When it is invalid, the lines after it are put back."""
    begin, used = source.number, [first]
    if len(first) >= LONGEST_LINE:
        return CsvRow(begin, [first[:1000]], f"is longer than {LONGEST_LINE:,} characters")

    def lines() -> Iterator[str]:
        yield first
        while len(used) < MOST_LINES_OF_A_ROW and (line := source.next()):
            used.append(line)
            yield line

    try:
        return CsvRow(begin, next(csv.reader(lines(), delimiter=delimiter, strict=True)))
    except csv.Error as error:
        source.put_back(used[1:])
        return CsvRow(begin, [first.rstrip("\r\n")[:1000]], _csv_error_sentence(str(error)))


def _csv_error_sentence(error: str) -> str:
    if "end of data" in error:
        return "has a quote that is never closed"
    if "expected after" in error:
        return "has text behind a closing quote"
    if "field limit" in error:
        return f"has a cell of more than {csv.field_size_limit():,} characters"
    return f"is no CSV: {error}"


def _iter_fitted_rows(rows: Iterator[CsvRow], header: list[str], encoding: str) -> Iterator[CsvRow]:
    """Yield rows with as many cells as the header; others say what is wrong with them."""
    for row in rows:
        if not row.wrong:
            _fit_row(row, header, encoding)
        yield row


def _fit_row(row: CsvRow, header: list[str], encoding: str) -> None:
    while len(row.cells) > len(header) and not row.cells[-1].strip():
        row.cells.pop()
    if len(row.cells) != len(header):
        row.wrong = f"has {len(row.cells)} cells, the header has {len(header)}"
    elif [cell.strip() for cell in row.cells] == header:
        row.wrong = "is the header again"
    elif any(NOT_UTF8.search(cell) for cell in row.cells):
        row.wrong = f"has a byte that is no sign in {encoding}, which the file is in"

"""A program of its own that prints a sheet of a spreadsheet as lines of JSON, within bounds of memory and time.

A small file may unpack to any size, and a library that reads it dies of that: this process does, alone,
and it has no setting or secret. First a document about the sheet, then a list of texts for each row.
"""

import datetime
import json
import resource
import sys
from itertools import count
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

MEMORY = 1 << 30
SECONDS = 120  # of the processor
LONGEST_ROW = 1_048_576


def main(path: str, wanted: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        book = load_workbook(path)
        names = _sheet_names(book)
        if wanted and wanted not in names:
            _print({"wrong": f"has no sheet {wanted[:100]!r}; there are: {', '.join(names)[:500]}"})
            return
        sheet = book.get_sheet_by_name(wanted) if wanted else _first_filled(book, names)
    except PasswordError:
        _print({"wrong": "is locked with a password"})
    except (CalamineError, OSError, ValueError):
        _print({"wrong": "is damaged, or no spreadsheet of a known kind"})
    else:
        _print({"sheets": names, "sheet": sheet.name if sheet else "", "rows": _height(sheet)})
        if sheet:
            _print_rows(sheet)


def _sheet_names(book: CalamineWorkbook) -> list[str]:
    """Return the names of the sheets that have cells; hidden ones last."""
    sheets = [one for one in book.sheets_metadata if one.typ is SheetTypeEnum.WorkSheet]
    return [
        one.name for one in sorted(sheets, key=lambda one: one.visible != SheetVisibleEnum.Visible)
    ]


def _first_filled(book: CalamineWorkbook, names: list[str]) -> CalamineSheet | None:
    sheets = map(book.get_sheet_by_name, names)
    return next((sheet for sheet in sheets if sheet.height), None)


def _height(sheet: CalamineSheet | None) -> int:
    return sheet.height if sheet else 0


def _print_rows(sheet: CalamineSheet) -> None:
    first = sheet.start[0] + 1 if sheet.start else 1
    for number, row in zip(count(first), sheet.to_python(), strict=False):
        cells = [_text(cell) for cell in row]
        if any(cells):
            _print([number, cells if sum(map(len, cells)) < LONGEST_ROW else None])


def _text(cell: Any) -> str:
    """Return a cell as a file of text has it: dates as ISO 8601, numbers with the digits that a sheet keeps."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case float():
            return (
                str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15g")
            )
        case datetime.datetime() | datetime.date() | datetime.time():
            return cell.isoformat()
        case _:
            return str(cell)


def _print(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

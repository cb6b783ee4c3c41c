"""A spreadsheet (XLSX, XLS, ODS) as rows of text, read by a process of its own (spreadsheet_process)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadscoring.intake.csv_import import spreadsheet_process
from leadscoring.intake.csv_import.encoding import UnreadableFile

# Of a file: what it unpacks to is bounded by the memory of the process.
MOST_BYTES = 50 * 1024 * 1024
BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
TOO_MUCH = (
    "The spreadsheet needs too much memory or time to read; save the sheet as CSV and take that."
)

Row = tuple[int, list[str] | None]  # its number; the cells, None when there is too much in them


@dataclass(slots=True)
class OpenSheet:
    """A sheet that is being read. `sheets`: the names of all; `rows`: how many it has."""

    sheets: list[str]
    name: str
    rows: int
    process: subprocess.Popen[str]

    def read(self) -> Iterator[Row]:
        """Yield the rows that have a cell."""
        for line in self.process.stdout or ():
            number, cells = json.loads(line)
            yield number, cells
        if self.process.wait():
            raise UnreadableFile(TOO_MUCH)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def is_spreadsheet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in BEGINNINGS


def open_sheet(path: Path, wanted: str = "") -> OpenSheet:
    """Open a sheet of a file, the first with rows when none is wanted. Raise UnreadableFile."""
    if path.stat().st_size > MOST_BYTES:
        raise UnreadableFile(
            f"A spreadsheet of more than {MOST_BYTES >> 20} MB is not read; save the sheet as CSV and take that."
        )
    program = [sys.executable, "-I", spreadsheet_process.__file__, str(path.resolve()), wanted]
    # Without our environment, which has secrets.
    process = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, text=True
    )
    try:
        about: dict[str, Any] = json.loads(process.stdout.readline() if process.stdout else "")
    except ValueError:
        about = {}
    if "sheets" in about:
        return OpenSheet(about["sheets"], about["sheet"], about["rows"], process)
    OpenSheet([], "", 0, process).close()
    raise UnreadableFile(f"The spreadsheet {about['wrong']}." if about else TOO_MUCH)

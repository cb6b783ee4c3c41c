"""The rejected rows of an import as a file, to be mended and uploaded."""

import tempfile
from pathlib import Path

from leadscoring.intake.csv_import.error_file import ErrorFile
from leadscoring.intake.csv_import.reader import CsvRow
from leadscoring.models import Import


def rejected_file(row: Import) -> bytes:
    with tempfile.TemporaryDirectory(prefix="rejected-") as folder:
        path = Path(folder) / "rows.csv"
        file = ErrorFile(path, row.choices["written_with"], row.choices["header"])
        file.begin()
        for one in row.rejected_rows.order_by("pk").iterator():
            file.write(CsvRow(one.line, one.cells, one.reason), one.reason)
        file.close()
        return path.read_bytes()

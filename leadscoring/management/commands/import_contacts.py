"""People out of a CSV file."""

from typing import Any

from leadscoring.intake.csv_import import importer
from leadscoring.intake.csv_import.command import ImportCommand


class Command(ImportCommand):
    help = (
        "Import people from a CSV file. Columns are found by their names; a column that is no "
        "field becomes a property, an empty cell changes nothing. Exits 1 when rows were rejected."
    )

    def kind(self, **options: Any) -> importer.ImportKind:
        return importer.contact_rows(options["id_source"] or "")

"""People out of a CSV file."""

from typing import Any

from leadscoring.csvfiles import importing
from leadscoring.csvfiles.command import ImportCommand


class Command(ImportCommand):
    help = (
        "Import people from a CSV file. Columns are found by their names; a column that is no "
        "field becomes a property, an empty cell changes nothing. Exits 1 when rows were rejected."
    )

    def kind(self, **options: Any) -> importing.Kind:
        return importing.people()

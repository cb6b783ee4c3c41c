"""What people did, out of a CSV file."""

from argparse import ArgumentParser
from typing import Any

from leadscoring.intake.csv_import import importer
from leadscoring.intake.csv_import.command import ImportCommand
from leadscoring.management.command import source_name_argument


class Command(ImportCommand):
    help = (
        "Import activities from a CSV file. Columns are found by their names; a column that is no "
        "field becomes a property. A row without an event id gets one from its content, so that "
        "importing a file again finds all of it known. Exits 1 when rows were rejected."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--source",
            type=source_name_argument,
            default="import",
            help="whose event ids these are (default: import)",
        )

    def kind(self, **options: Any) -> importer.ImportKind:
        return importer.activity_rows(options["source"], options["id_source"] or "")

"""Addresses that must not be mailed, out of a CSV file."""

from typing import Any

from leadscoring.intake.csv_import.command import ImportCommand
from leadscoring.intake.csv_import.importer import ImportKind
from sequences.suppression_file import suppression_rows


class Command(ImportCommand):
    help = (
        "Put the addresses of a CSV file under Do not mail, with reason and time where it has them. "
        "Where a column says who wants no mail (unsubscribed, opted out, bounced), only those, else "
        "all. Exits 1 when rows were rejected."
    )

    def kind(self, **options: Any) -> ImportKind:
        return suppression_rows()

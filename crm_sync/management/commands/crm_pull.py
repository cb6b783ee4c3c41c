"""Read now what sales did in the CRM."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from crm_sync.connect import connect
from crm_sync.pull import people, pull
from leadscoring.console import WRONG
from leadscoring.console import Command as Console


class Command(Console):
    help = "Pull changes from the CRM now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--full",
            action="store_true",
            help="re-read every linked contact (at present each pull does)",
        )

    def run(self, **options: Any) -> int:
        at, total = now(), people().count()
        report = pull(connect(), at, lambda chunks: self.progress(chunks, total, "contacts"))
        if report is None:
            self.answer({"error": "busy"}, "Another pull runs at this moment.")
            return WRONG
        self.answer(
            {
                "contacts": report.contacts,
                "deals": report.deals,
                "as_of": at.isoformat(),
                "error": report.error,
            },
            report.error or f"{report.contacts} contacts and {report.deals} deals read.",
        )
        return WRONG if report.error else 0

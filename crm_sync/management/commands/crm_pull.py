"""Read now what sales did in the CRM."""

import time
from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from crm_sync.connect import connect
from crm_sync.models import PullReport
from crm_sync.pull import people, pull
from leadscoring.console import WRONG
from leadscoring.console import Command as Console
from leadscoring.models import CrmFreshness

# Beat's pull may be under way: it is waited for, so often and so long.
TRIES, SECONDS_BETWEEN = 120, 0.5


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
        report = self.pull() or PullReport(error="Another pull runs all the time.")
        as_of = CrmFreshness.oldest()
        self.answer(
            {
                "contacts": report.contacts,
                "deals": report.deals,
                "as_of": as_of and as_of.isoformat(),
                "error": report.error,
            },
            report.error or f"{report.contacts} contacts and {report.deals} deals read.",
        )
        return WRONG if report.error else 0

    def pull(self) -> PullReport | None:
        """One pull that began after the command did; None when others leave no room for it."""
        crm, total = connect(), people().count()
        for _ in range(TRIES):
            report = pull(crm, now(), lambda chunks: self.progress(chunks, total, "contacts"))
            if report:
                return report
            time.sleep(SECONDS_BETWEEN)
        return None

"""Read now what sales did in the CRM."""

import time
from argparse import ArgumentParser
from typing import Any

from crm_sync.connect import connect
from crm_sync.models import PullReport
from crm_sync.pull import sweep
from crm_sync.pull.fetch import people_of_interest
from crm_sync.pull.poll import pull_changes
from leadscoring.common.clock import database_time
from leadscoring.management.command import WRONG
from leadscoring.management.command import JsonCommand as Console
from leadscoring.models import CrmFreshness

# Beat's pull may be running: the number of tries, and seconds between them, to wait for it.
TRIES, SECONDS_BETWEEN = 240, 0.5


class Command(Console):
    help = "Pull changes from the CRM now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--full",
            action="store_true",
            help="read every linked contact and everybody in a sequence anew, not only what changed",
        )

    def run(self, **options: Any) -> int:
        report = self.pull(full=options["full"])
        as_of = CrmFreshness.oldest()
        self.answer(
            {
                "contacts": report.contacts,
                "deals": report.deals,
                "as_of": as_of and as_of.isoformat(),
                "error": report.error,
            },
            report.error
            or f"{report.contacts} contacts and {report.deals} deals read. {sweep.sweep_sentence()}",
        )
        return WRONG if report.error else 0

    def pull(self, *, full: bool) -> PullReport:
        """Run one pull that began after the command did."""
        crm, total = connect(), people_of_interest().count() if full else None
        for _ in range(TRIES):
            report = pull_changes(
                crm,
                database_time(),
                lambda parts: self.progress(parts, total, "contacts"),
                full=full,
                definitions=True,
            )
            if report:
                return report
            time.sleep(SECONDS_BETWEEN)
        return PullReport(error="Another pull runs all the time.")

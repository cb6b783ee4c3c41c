"""Compare the ledger with the CRM in both directions, and repair what is safe."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from crm_sync.connect import connect
from crm_sync.reconcile.comparison import Comparison, Discrepancy
from crm_sync.reconcile.run import reconcile
from leadscoring.access_log import note_people
from leadscoring.common.clock import database_time
from leadscoring.management.command import WRONG
from leadscoring.management.command import JsonCommand as Console

HEADINGS = {
    "missing": "Without a task",
    "duplicate": "Double",
    "unknown": "Not in the ledger",
    "on_nobody": "On nobody",
    "unnoticed": "Made, and not written down",
}


class Command(Console):
    help = "Compare the ledger with the CRM, both ways, and repair what is safe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--plan", action="store_true", help="only say what does not agree")

    def run(self, **options: Any) -> int:
        found = reconcile(
            connect(),
            database_time(),
            plan=options["plan"],
            watch=lambda steps: self.progress(steps, None, "tasks read"),
        )
        note_people(each.contact for each in found.findings)
        self.answer(found.as_dict(), "\n".join(comparison_lines(found)))
        return WRONG if found.wrong or found.error else 0


def comparison_lines(found: Comparison) -> Iterator[str]:
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.rows.items())
    yield f"{sum(found.rows.values())} crossed: {told}. {found.found} tasks of ours in the CRM."
    for name, findings in found.lists.items():
        if findings:
            yield f"{HEADINGS[name]}: {len(findings)}"
            yield from (f"  {finding_line(each)}" for each in findings)
    if found.error:
        yield f"Not compared to the end: {found.error}"
    elif not found.findings:
        yield "All agree."


def finding_line(finding: Discrepancy) -> str:
    """Return e.g. "LS-7K3M9QX2V4TB, task 454, contact 12: A second task. Deleted in the CRM." """
    named = [
        finding.reference,
        f"task {finding.task_id}" if finding.task_id else "",
        f"contact {finding.contact}" if finding.contact else "",
    ]
    done = finding.repaired[:1].upper() + finding.repaired[1:]
    end = f"{done}." if done else finding.fix
    return f"{', '.join(filter(None, named))}: {finding.reason} {end}".rstrip()

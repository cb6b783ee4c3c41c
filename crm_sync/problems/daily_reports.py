"""Problems that the daily checks of the CRM found, for the home page."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from crm_sync.models import Handoff, Report, reports
from leadscoring.common.format import list_url
from leadscoring.common.spans import format_age
from leadscoring.operations.health import Problem

# Twice the time between two checks.
TOO_OLD = timedelta(days=2)
DOES_NOT_AGREE = {
    "missing": ("lead", "without the task in the CRM that sales should have"),
    "duplicate": ("task", "of ours in the CRM beside another for the same lead"),
    "unknown": ("task", "in the CRM with a reference that is not known here"),
    "on_nobody": ("task", "of ours in the CRM on nobody's list"),
    "unnoticed": ("task", "made in the CRM and not written down here"),
}
AGAIN = "It is looked at again within the hour."


def daily_problems(at: datetime) -> Iterator[Problem]:
    yield from audit_problems(at)
    yield from comparison_problems(at)


def audit_problems(at: datetime) -> Iterator[Problem]:
    """Yield what the CRM's side lacks. Problems of our own side are computed live."""
    report = reports.last_report(Report.Kind.AUDIT)
    if report:
        yield from missed_report_problem(report, "The connection to the CRM", "checked", at)
        for flaw in report.document.get("flaws", []):
            yield Problem(flaw["severity"], flaw["what"], f"{flaw['fix']} {AGAIN}")


def comparison_problems(at: datetime) -> Iterator[Problem]:
    report = reports.last_report(Report.Kind.COMPARISON)
    if report:
        yield from missed_report_problem(
            report, "The list of handoffs", "compared with the CRM", at
        )
        yield from disagreements(report)


def missed_report_problem(report: Report, what: str, done: str, at: datetime) -> Iterator[Problem]:
    """Yield a check that could not run, or that has not run for days."""
    if report.error:
        told = f"{what} could not be {done}: {report.error}"
        yield Problem("warning", told, "It is tried again by itself every hour.")
    elif report.at < at - TOO_OLD:
        told = f"{what} was last {done} {format_age(report.at, at)}."
        yield Problem("warning", told, "Check that a worker and beat run.")


def disagreements(report: Report) -> Iterator[Problem]:
    """Yield what a person must fix, each kind with its number."""
    wrong = report.document.get("wrong", {})
    for name, (noun, which) in DOES_NOT_AGREE.items():
        if count := wrong.get(name, 0):
            fix = next(filter(None, (each["fix"] for each in report.document[name])), "")
            yield Problem(
                "error",
                f"{count} {noun}{'' if count == 1 else 's'} {which}.",
                f"handoff_reconcile lists them. {fix}".rstrip(),
                list_url(Handoff),
            )

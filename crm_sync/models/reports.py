"""Results of the daily checks: one row for each kind, the last check only."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q

from leadscoring.common.spans import format_age
from leadscoring.common.text import storable_text

# While something is wrong the check runs more often, so that a repair soon shows.
DAILY, WHILE_WRONG = timedelta(days=1), timedelta(hours=1)
MOST_ITEMS = 100


class Report(models.Model):
    """The result of the last check. `error`: why it failed to run; `wrong`: what a person must fix."""

    class Kind(models.TextChoices):
        AUDIT = "audit", "Audit of the CRM"
        COMPARISON = "comparison", "Comparison with the CRM"

    kind = models.CharField(primary_key=True, max_length=10, choices=Kind.choices)
    at = models.DateTimeField()
    wrong = models.PositiveIntegerField(default=0)
    repaired = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=1000, blank=True, default="")
    # What the command printed, long lists cut short.
    document = models.JSONField(default=dict)
    # The last check that could run, whatever it found.
    looked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=~Q(error="") | Q(looked_at__isnull=False),
                name="a_report_looked_or_says_why_not",
            )
        ]

    def __str__(self) -> str:
        if self.error:
            return f"could not be made: {self.error}"
        repaired = f"{self.repaired} repaired" if self.repaired else ""
        wrong = f"{self.wrong} to be mended" if self.wrong else ""
        return ", ".join(filter(None, [repaired, wrong])) or "clean"

    def told(self, at: datetime) -> str:
        """Return when and with what result, as in "4 h ago, clean"."""
        return f"{format_age(self.at, at)}, {self}"

    def due(self, at: datetime) -> bool:
        """Return whether it is time for the next check."""
        wait = WHILE_WRONG if self.wrong or self.error else DAILY
        return self.at <= at - wait


def last_report(kind: Report.Kind) -> Report | None:
    """Return the last report of a kind; None when there was none."""
    return Report.objects.filter(kind=kind).first()


def is_report_due(kind: Report.Kind, at: datetime) -> bool:
    report = last_report(kind)
    return report is None or report.due(at)


def store_report(
    kind: Report.Kind,
    at: datetime,
    document: Mapping[str, Any],
    *,
    wrong: int,
    repaired: int = 0,
    error: str = "",
) -> None:
    """Replace the last report of its kind."""
    found = {
        "at": at,
        "wrong": wrong,
        "repaired": repaired,
        "error": storable_text(error, 1000),
        "document": shorten_document(document),
    }
    looked = {} if error else {"looked_at": at}
    Report.objects.update_or_create(kind=kind, defaults=found | looked)


def shorten_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with its lists cut: the row is for a page, the command prints all."""
    return {
        name: value[:MOST_ITEMS] if isinstance(value, list) else value
        for name, value in document.items()
    }

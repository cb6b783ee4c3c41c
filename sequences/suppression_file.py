"""A file of addresses that must not be mailed, as an import. A person need not be known."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadscoring.intake.csv_import.importer import ImportKind
from leadscoring.intake.csv_import.titles import SUPPRESSION
from leadscoring.intake.dry_run import DryRun
from leadscoring.intake.rejections import Rejection
from leadscoring.intake.wishes import keep_wishes
from sequences.models import Suppression

Items = list[dict[str, Any]]


@dataclass(slots=True)
class TakenSuppressions:
    """How many addresses are new, how many were suppressed before, and how many rows ask for nothing."""

    suppressed: int = 0
    known: int = 0
    unaffected: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def suppression_rows() -> ImportKind:
    """Describe rows of such a file. A dry run remembers what it said, since nothing is stored."""
    foretold: set[str] = set()

    def take(items: Items, at: datetime, for_good: bool) -> TakenSuppressions:
        wishes = [wish for item in items for wish in item["wishes"]]
        emails = {wish.email for wish in wishes}
        before = set(
            Suppression.objects.filter(email__in=emails).values_list("email", flat=True)
        ) | (emails & foretold)
        if for_good:
            keep_wishes(wishes, at)
        else:
            foretold.update(emails)
        new = len(emails - before)
        return TakenSuppressions(
            suppressed=new,
            known=len(wishes) - new,
            unaffected=sum(not item["wishes"] for item in items),
        )

    def know(rehearsing: DryRun, items: Items, at: datetime) -> None:
        """Copy nothing: suppressions are read only."""

    words = ("suppressed", "known", "unaffected")
    return ImportKind(SUPPRESSION, take, words, know, listed=True)

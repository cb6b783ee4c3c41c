"""Take a comparison in steps: it may stop after any, be kept as JSON, and continue from there.

First the CRM's list of tasks is read, page by page; then the discrepancies are settled, some of
them in each step. Each step reads the CRM again before it decides, and may be repeated.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from crm_sync.models import Handoff
from crm_sync.models.reports import MOST_ITEMS
from crm_sync.reconcile.comparison import Comparison, Discrepancy
from crm_sync.reconcile.duplicates import (
    ADOPTED,
    report_shared_records,
    settle_task_duplicates,
    settle_unknown,
    shared_records,
)
from crm_sync.reconcile.missing_tasks import look_for_missing, unseen_rows
from crm_sync.reconcile.orphaned_tasks import repair_orphaned
from crm_sync.reconcile.repairs import CHUNK, Repairs
from crm_sync.reconcile.survey import Survey, survey_page
from leadscoring.common.batching import batched

Repair = Callable[[Repairs, Survey, Sequence[Any], Comparison], None]


@dataclass(slots=True)
class ComparisonSteps:
    """`place`: where the next page begins, as the CRM says; `unsettled`: what is left to be settled, None
    before the last page; `tries`: failed ones since the last step."""

    started_at: datetime
    found: Comparison
    survey: Survey = field(default_factory=Survey)
    place: str = ""
    unsettled: list[tuple[str, Sequence[Any]]] | None = None
    tries: int = 0

    @property
    def is_over(self) -> bool:
        return self.unsettled is not None and not self.unsettled

    def step(self, repairs: Repairs) -> int:
        """Take one step; return how many tasks of ours were read in it."""
        read = 0
        if self.unsettled:
            name, ids = self.unsettled[0]
            REPAIRS[name](repairs, self.survey, ids, self.found)
            del self.unsettled[0]
        else:
            read = self._read_page(repairs)
        self.tries = 0
        return read

    def _read_page(self, repairs: Repairs) -> int:
        before = self.survey.found
        self.place = survey_page(repairs.crm, self.survey, self.place)
        if not self.place:
            self.found.found = self.survey.found
            self.unsettled = list(repairs_of(self.survey, self.started_at))
        return self.survey.found - before

    def as_document(self) -> dict[str, Any]:
        self.found.shorten(MOST_ITEMS)
        return {
            "found": self.found.as_document(),
            "survey": self.survey.as_document(),
            "place": self.place,
            "repairs": self.unsettled,
            "tries": self.tries,
        }

    @classmethod
    def of_document(cls, started_at: datetime, kept: dict[str, Any]) -> Self:
        survey = Survey.of_document(kept["survey"])
        found = Comparison.of_document(kept["found"])
        found.found = survey.found
        return cls(
            started_at,
            found,
            survey,
            kept["place"],
            kept["repairs"],
            kept["tries"],
        )


def repairs_of(seen: Survey, at: datetime) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield all discrepancies, by kind, in parts. An adopted task is neither duplicate nor missing."""
    kinds: dict[str, Sequence[Any]] = {
        "adopt": sorted(seen.finds),
        "twins": list(seen.further_tasks),
        "crowds": shared_records(seen),
        "unknown": list(seen.unknown),
        "missing": unseen_rows(seen, at),
        "astray": range(len(seen.orphaned)),
    }
    return ((name, list(some)) for name, ids in kinds.items() for some in batched(ids, CHUNK))


def adopt_unnoticed(repairs: Repairs, seen: Survey, ids: Sequence[int], found: Comparison) -> None:
    """Adopt tasks that the ledger did not know to exist."""
    adopted = repairs.adopt({pk: seen.finds[pk] for pk in ids})
    seen.seen |= adopted
    rows = Handoff.objects.filter(pk__in=adopted).defer("reasons", "left_out")
    for row in rows.order_by("pk"):
        found.unnoticed.append(
            Discrepancy(
                "The ledger did not know that this task had been made.",
                "Run handoff_reconcile.",
                reference=row.reference,
                task_id=seen.finds[row.pk].task_id,
                contact=row.contact_id,
                repaired="" if repairs.plan else ADOPTED,
            )
        )


REPAIRS: dict[str, Repair] = {
    "adopt": adopt_unnoticed,
    "twins": settle_task_duplicates,
    "crowds": report_shared_records,
    "unknown": settle_unknown,
    "missing": look_for_missing,
    "astray": repair_orphaned,
}

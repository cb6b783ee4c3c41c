"""What a comparison of the ledger with the CRM found, and what was done about it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Discrepancy:
    """One thing that does not agree. `repaired`: what was done about it; "" when a person must.

    `contact`: ours, where that is known; `fix`: what a person does.
    """

    reason: str
    fix: str = ""
    reference: str = ""
    task_id: str = ""
    contact: int | None = None
    repaired: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "task_id": self.task_id,
            "contact": self.contact,
            "because": self.reason,
            "fix": "" if self.repaired else self.fix,
            "repaired": self.repaired,
        }


@dataclass(slots=True)
class Comparison:
    """`found`: tasks of ours that are in the CRM; `error`: why the CRM could not be read to its end."""

    plan: bool
    found: int = 0
    missing: list[Discrepancy] = field(default_factory=list)
    duplicate: list[Discrepancy] = field(default_factory=list)
    unknown: list[Discrepancy] = field(default_factory=list)
    on_nobody: list[Discrepancy] = field(default_factory=list)
    unnoticed: list[Discrepancy] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    error: str = ""

    @property
    def lists(self) -> dict[str, list[Discrepancy]]:
        return {
            "missing": self.missing,
            "duplicate": self.duplicate,
            "unknown": self.unknown,
            "on_nobody": self.on_nobody,
            "unnoticed": self.unnoticed,
        }

    @property
    def findings(self) -> list[Discrepancy]:
        return [finding for found in self.lists.values() for finding in found]

    @property
    def repaired(self) -> Counter[str]:
        return Counter(finding.repaired for finding in self.findings if finding.repaired)

    @property
    def wrong(self) -> list[Discrepancy]:
        """What is left for a person."""
        return [finding for finding in self.findings if not finding.repaired]

    def as_dict(self) -> dict[str, Any]:
        lists = {name: [each.as_dict() for each in found] for name, found in self.lists.items()}
        wrong = {
            name: sum(not each.repaired for each in found) for name, found in self.lists.items()
        }
        return {
            "crossed": sum(self.rows.values()),
            **self.rows,
            "found": self.found,
            **lists,
            "repaired": dict(self.repaired),
            "wrong": wrong,
            "plan": self.plan,
            "error": self.error,
        }

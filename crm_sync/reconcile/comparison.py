"""Findings of a comparison of the ledger with the CRM, and what was done about them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(slots=True)
class Discrepancy:
    """One discrepancy. `repaired`: what was done about it; "" when a person must act.

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
    """`found`: our tasks in the CRM; `error`: why the CRM could not be read to its end."""

    plan: bool
    found: int = 0
    missing: list[Discrepancy] = field(default_factory=list)
    duplicate: list[Discrepancy] = field(default_factory=list)
    unknown: list[Discrepancy] = field(default_factory=list)
    on_nobody: list[Discrepancy] = field(default_factory=list)
    unnoticed: list[Discrepancy] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    error: str = ""
    # Counts of findings that are not stored between two turns: those left for a person, by list,
    # and what was done about the others.
    more_wrong: Counter[str] = field(default_factory=Counter)
    more_repaired: Counter[str] = field(default_factory=Counter)

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
        found = Counter(finding.repaired for finding in self.findings if finding.repaired)
        return found + self.more_repaired

    @property
    def wrong(self) -> list[Discrepancy]:
        """Return what is left for a person."""
        return [finding for finding in self.findings if not finding.repaired]

    @property
    def wrong_by_list(self) -> dict[str, int]:
        """Return how much is left for a person, by list."""
        return {
            name: sum(not each.repaired for each in found) + self.more_wrong[name]
            for name, found in self.lists.items()
        }

    def shorten(self, most: int) -> None:
        """Keep at most so many findings of each list, first those for a person; count the rest."""
        for name, found in self.lists.items():
            found.sort(key=lambda each: bool(each.repaired))
            for each in found[most:]:
                if each.repaired:
                    self.more_repaired[each.repaired] += 1
                else:
                    self.more_wrong[name] += 1
            del found[most:]

    def as_document(self) -> dict[str, Any]:
        lists = {name: [asdict(each) for each in found] for name, found in self.lists.items()}
        return {
            **lists,
            "more_wrong": dict(self.more_wrong),
            "more_repaired": dict(self.more_repaired),
        }

    @classmethod
    def of_document(cls, kept: Mapping[str, Any]) -> Self:
        found = cls(plan=False)
        for name, some in found.lists.items():
            some += [Discrepancy(**each) for each in kept[name]]
        found.more_wrong.update(kept["more_wrong"])
        found.more_repaired.update(kept["more_repaired"])
        return found

    def as_dict(self) -> dict[str, Any]:
        lists = {name: [each.as_dict() for each in found] for name, found in self.lists.items()}
        return {
            "crossed": sum(self.rows.values()),
            **self.rows,
            "found": self.found,
            **lists,
            "repaired": dict(self.repaired),
            "wrong": self.wrong_by_list,
            "plan": self.plan,
            "error": self.error,
        }

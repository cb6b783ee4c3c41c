"""Outcomes of handed-off leads, counted: in all, by model, by rule and by rep."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count

from crm_sync.models import Outcome, Owner
from leadscoring.common.bulk_sql import run_statement

State = Outcome.State
MOST = 50  # rows of a table
MOST_REASONS = 8

# One row for each key, state and reason of refusal; reasons of lost deals are free text, and counted
# only for all together.
COUNTS = """
    SELECT {key}, max({name}), state, CASE WHEN state = 'refused' THEN reason ELSE '' END AS why,
        count(*)
    FROM (
        SELECT row.id, row.owner_id, row.reasons, outcome.state, outcome.reason, outcome.model_id
        FROM crm_sync_outcome AS outcome
        JOIN crm_sync_handoff AS row ON row.id = outcome.handoff_id
        WHERE row.status = 'delivered' AND row.delivered_at > %s
    ) AS told {joined}
    GROUP BY {key}, state, why
"""
BY_MODEL = COUNTS.format(
    key="model.id",
    name="model.name || ' v' || model.version",
    joined="JOIN leadscoring_modelversion AS model ON model.id = told.model_id",
)
BY_REP = COUNTS.format(key="owner_id", name="owner_id", joined="")
# A rule counts for a handoff when points of it were among the reasons.
BY_RULE = COUNTS.format(
    key="spoke ->> 'rule'",
    name="coalesce(nullif(spoke ->> 'label', ''), spoke ->> 'rule')",
    joined="""CROSS JOIN LATERAL jsonb_array_elements(told.reasons) AS spoke
        WHERE spoke ->> 'points' <> '0'""",
)


@dataclass(slots=True)
class OutcomeCounts:
    """Numbers of handoffs by outcome state. `refusals`: numbers by lead status."""

    name: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)

    def add(self, state: str, why: str, number: int) -> None:
        self.counts[state] = self.counts.get(state, 0) + number
        if state == State.REFUSED:
            self.refusals[why] = self.refusals.get(why, 0) + number

    @property
    def handed_off(self) -> int:
        return sum(self.counts.values())

    @property
    def deals(self) -> int:
        """Return how many became a deal, whatever became of that."""
        return sum(self.counts.get(state, 0) for state in (State.DEAL, State.WON, State.LOST))

    @property
    def won(self) -> int:
        return self.counts.get(State.WON, 0)

    @property
    def lost(self) -> int:
        return self.counts.get(State.LOST, 0)

    @property
    def refused(self) -> int:
        return self.counts.get(State.REFUSED, 0)

    @property
    def pending(self) -> int:
        return self.counts.get(State.PENDING, 0)

    @property
    def deal_share(self) -> float:
        """Return the percentage that became deals."""
        return 100 * self.deals / self.handed_off if self.handed_off else 0.0

    @property
    def why(self) -> str:
        """Return the refusals, as in "22 too small, 19 bad timing", the most frequent first."""
        most = sorted(self.refusals.items(), key=lambda pair: (-pair[1], pair[0]))
        return ", ".join(
            f"{number} {status_words(status)}" for status, number in most[:MOST_REASONS]
        )

    def __str__(self) -> str:
        """Return "Of 120 handed off, 34 became deals, 41 were rejected: 22 too small, 19 bad timing." """
        deals = f"{self.deals:,} became {'a deal' if self.deals == 1 else 'deals'}"
        refused = f"{self.refused:,} {'was' if self.refused == 1 else 'were'} rejected"
        why = f": {self.why}" if self.refused else ""
        return f"Of {self.handed_off:,} handed off, {deals}, {refused}{why}."


def status_words(status: str) -> str:
    """Return a lead status in words: BAD_TIMING is "bad timing"."""
    return status.replace("_", " ").lower() if status.isupper() else status


def count_overall(models: Iterable[OutcomeCounts]) -> OutcomeCounts:
    """Sum the counts of all models: each handoff belongs to one."""
    total = OutcomeCounts("All")
    for tally in models:
        for state, number in tally.counts.items():
            if state != State.REFUSED:
                total.add(state, "", number)
        for status, number in tally.refusals.items():
            total.add(State.REFUSED, status, number)
    return total


def count_by_model(since: datetime) -> list[OutcomeCounts]:
    return count_outcomes(BY_MODEL, since)


def count_by_rule(since: datetime) -> list[OutcomeCounts]:
    """Count handoffs by rule; one handoff counts for every rule among its reasons."""
    return count_outcomes(BY_RULE, since)


def count_by_rep(since: datetime) -> list[OutcomeCounts]:
    """Count handoffs by the rep of the task."""
    found = count_outcomes(BY_REP, since)
    reps = Owner.objects.filter(owner_id__in=[tally.name for tally in found])
    names = {rep.owner_id: str(rep) for rep in reps}
    for tally in found:
        tally.name = names.get(tally.name, tally.name)
    return found


def count_outcomes(query: str, since: datetime) -> list[OutcomeCounts]:
    """Return the largest first, at most MOST."""
    found: dict[Any, OutcomeCounts] = {}
    for key, name, state, why, number in run_statement(query, [since]):
        tally = found.setdefault(key, OutcomeCounts(name))
        tally.add(state, why, number)
    return sorted(found.values(), key=lambda tally: (-tally.handed_off, tally.name))[:MOST]


def lost_reasons(since: datetime) -> list[tuple[str, int]]:
    """Return why deals were lost, as sales wrote it, the most frequent first."""
    lost = Outcome.objects.handed_off_since(since).filter(state=State.LOST).exclude(reason="")
    counted = lost.order_by().values_list("reason").annotate(n=Count("pk"))
    return list(counted.order_by("-n", "reason")[:MOST_REASONS])

"""Crossing the threshold: armed → crossed → cooling → re-armed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadscoring.engine.model import Thresholds


@dataclass(frozen=True, slots=True)
class Qualification:
    """Where a contact stands with sales. `cycle` counts the crossings so far; `refused_at`: when
    sales last said no to them."""

    armed: bool = True
    cycle: int = 0
    crossed_at: datetime | None = None
    refused_at: datetime | None = None

    def state(self, thresholds: Thresholds, at: datetime) -> str:
        """Return a word: armed, re-armed, cooling (too soon to re-arm) or crossed."""
        if self.armed:
            return "re-armed" if self.cycle else "armed"
        return "crossed" if self.cooled(thresholds, at) else "cooling"

    def cooled(self, thresholds: Thresholds, at: datetime) -> bool:
        """Return whether the cool-down since the last crossing is over, and that since a refusal, too."""
        return _is_cooled_down(self.crossed_at, thresholds, at) and _is_cooled_down(
            self.refused_at, thresholds, at
        )


def _is_cooled_down(began: datetime | None, thresholds: Thresholds, at: datetime) -> bool:
    """Return whether a cool-down that began at an instant is over; one that never began is."""
    return began is None or at - began >= timedelta(days=thresholds.cooldown_days)


def advance_qualification(
    before: Qualification,
    scored_total: float,
    disqualified: bool,
    thresholds: Thresholds,
    at: datetime,
) -> Qualification:
    """Return where the contact stands with this total. It crossed when the cycle went up.

    An armed contact crosses at the handoff threshold; one that crossed is armed again when the
    total is below `rearm_below` once the cool-down is over. A refusal by sales takes the arm away
    and starts a cool-down of its own. A total that fell and rose between two calls is not seen: to
    be exact, call it with the old log at the new instant first.
    """
    if before.armed and not _is_cooled_down(before.refused_at, thresholds, at):
        return replace(before, armed=False)
    if before.armed:
        crosses = scored_total >= thresholds.handoff and not disqualified
        return Qualification(False, before.cycle + 1, at) if crosses else before
    if scored_total < thresholds.rearm_below and before.cooled(thresholds, at):
        return replace(before, armed=True)
    return before

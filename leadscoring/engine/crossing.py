"""Crossing the threshold: armed → crossed → cooling → re-armed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .model import Thresholds


@dataclass(frozen=True, slots=True)
class Qualification:
    """Where a contact stands with sales. `cycle` counts the crossings so far."""

    armed: bool = True
    cycle: int = 0
    crossed_at: datetime | None = None

    def state(self, thresholds: Thresholds, at: datetime) -> str:
        """In a word: armed, re-armed, cooling (too soon to re-arm) or crossed."""
        if self.armed:
            return "re-armed" if self.cycle else "armed"
        return "crossed" if self.cooled(thresholds, at) else "cooling"

    def cooled(self, thresholds: Thresholds, at: datetime) -> bool:
        """Whether the cool-down since the last crossing is over."""
        cooldown = timedelta(days=thresholds.cooldown_days)
        return self.crossed_at is None or at - self.crossed_at >= cooldown


def advance(
    before: Qualification,
    scored_total: float,
    disqualified: bool,
    thresholds: Thresholds,
    at: datetime,
) -> Qualification:
    """Where the contact stands with this total. It crossed when the cycle went up.

    An armed contact crosses at the handoff threshold; one that crossed is armed again when the
    total is below `rearm_below` once the cool-down is over. A total that fell and rose between
    two calls is not seen: to be exact, call it with the old log at the new instant first.
    """
    if before.armed:
        crosses = scored_total >= thresholds.handoff and not disqualified
        return Qualification(False, before.cycle + 1, at) if crosses else before
    if scored_total < thresholds.rearm_below and before.cooled(thresholds, at):
        return replace(before, armed=True)
    return before

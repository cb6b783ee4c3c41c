"""Whose turn it is, among reps who take shares of different weight.

Smooth weighted turns, as nginx hands out connections: each round everybody gains their weight, and
who then has most takes the lead and pays what all gained. Weights 3 and 1 give a, a, b, a.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crm_sync.models import Owner, RulePlace

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RotationPlace:
    """A rep's place in a turn. `holder`: the row that keeps how far their turn has come."""

    owner: Owner
    weight: int
    holder: Owner | RulePlace


Turn = Sequence[RotationPlace]


def next_in_rotation(turn: Turn) -> RotationPlace:
    """Who is next; of equals the heavier, then whoever has waited longest. Ids settle the rest."""
    return min(turn, key=rotation_rank)


def rotation_rank(place: RotationPlace) -> tuple[int, int, datetime, str]:
    owner = place.owner
    gained = place.holder.credit + place.weight
    return (-gained, -place.weight, owner.last_lead_at or NEVER, owner.owner_id)


def count_turn(turn: Turn, taker: Owner) -> None:
    """Count one lead for somebody in the turn."""
    for place in turn:
        place.holder.credit += place.weight
        if place.owner is taker:
            place.holder.credit -= sum(other.weight for other in turn)

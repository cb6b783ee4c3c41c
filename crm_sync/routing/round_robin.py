"""Smooth weighted round robin among reps with shares of different weight.

The algorithm of nginx for upstreams: each round every rep gains its weight in credit; the rep with
the most credit takes the lead and pays the sum of all weights. Weights 3 and 1 give a, a, b, a.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crm_sync.models import Owner, RulePlace

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RotationPlace:
    """A rep's place in a rotation. `holder`: the row that stores the credit."""

    owner: Owner
    weight: int
    holder: Owner | RulePlace


Turn = Sequence[RotationPlace]


def next_in_rotation(turn: Turn) -> RotationPlace:
    """Return the next place; among equals the heavier, then the longest-waiting, then the lowest id."""
    return min(turn, key=rotation_rank)


def rotation_rank(place: RotationPlace) -> tuple[int, int, datetime, str]:
    owner = place.owner
    gained = place.holder.credit + place.weight
    return (-gained, -place.weight, owner.last_lead_at or NEVER, owner.owner_id)


def count_turn(turn: Turn, taker: Owner) -> None:
    """Count one lead for a rep in the rotation."""
    for place in turn:
        place.holder.credit += place.weight
        if place.owner is taker:
            place.holder.credit -= sum(other.weight for other in turn)

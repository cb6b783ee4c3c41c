"""All that goes upward: what the lower app tells whoever listens. Sent inside the transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.dispatch import Signal


@dataclass(frozen=True, slots=True)
class Crossing:
    """A contact rose over the handoff threshold and began a qualification cycle.

    `withheld`: why nobody is to be told of it, when that is so (a model published quietly).
    """

    contact_id: int
    cycle: int
    at: datetime
    total: float
    grade: str
    reasons: list[dict[str, Any]]
    withheld: str = ""


# crossings: list[Crossing]. In the same transaction as the scores that crossed.
threshold_crossed = Signal()

# contact_ids: set[int], at: datetime, types: dict[int, set[str]] (the types of activities just
# stored, by contact; empty when only time or a model moved the scores).
people_scored = Signal()

# contact_ids: set[int], at: datetime. Their CrmState row is new or different.
crm_state_changed = Signal()

# contact: Contact, at: datetime. A receiver answers a dict that joins the contact's JSON.
contact_described = Signal()

# at: datetime. A receiver answers a list of `health.Problem`: what needs a person.
problems_wanted = Signal()

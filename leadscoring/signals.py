"""Facts that go upward: what happened here. Sent inside the transaction that made it so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.dispatch import Signal


@dataclass(frozen=True, slots=True)
class Crossing:
    """A contact rose over the handoff threshold and began a qualification cycle.

    `withheld`: why it is not to be sent to sales, if so (a model published quietly).
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
# stored that happened within the last days, by contact; empty when only time or a model moved the scores).
people_scored = Signal()

# contact_ids: set[int], at: datetime. Their CrmState row is new or different.
crm_state_changed = Signal()

# contact_ids: set[int], at: datetime. Whether they are with sales (`extensions.with_sales`) may have changed.
with_sales_changed = Signal()

# kept: Contact, gone: Contact, at: datetime. Two people are one: what belongs to `gone` goes over to
# `kept` now, for `gone` is deleted afterwards.
contacts_merged = Signal()

# moves: dict[str, str] (former address -> new one), at: datetime. People are known by other addresses.
addresses_changed = Signal()

# contact: Contact, emails: set[str] (all addresses that were theirs), at: datetime. The person is to be forgotten: everything about them goes now.
contact_erased = Signal()

# wishes: list[MailWish], at: datetime. These addresses are not to be mailed. Receivers return what changed,
# as a list of WishChange.
no_mail_asked = Signal()

# changes: list[WishChange], at: datetime. What these say of addresses was a mistake. Receivers return the
# number of addresses that are as they were before.
no_mail_taken_back = Signal()

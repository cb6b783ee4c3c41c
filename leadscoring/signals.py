"""Signals of the lower app to the apps above it. Sent inside the transaction."""

from collections.abc import Sequence
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
# stored, by contact; empty when only time or a model moved the scores).
people_scored = Signal()

# contact_ids: set[int], at: datetime. Their CrmState row is new or different.
crm_state_changed = Signal()

# kept: Contact, gone: Contact, at: datetime. Two people are one: what belongs to `gone` goes over to
# `kept` now, for `gone` is deleted afterwards.
contacts_joined = Signal()

# moves: dict[str, str] (former address -> new one), at: datetime. People are known by other addresses.
addresses_changed = Signal()

# contact: Contact, emails: set[str] (all addresses that were theirs), at: datetime. The person is to be forgotten: everything about them goes now.
contact_erased = Signal()

# contact: Contact, at: datetime. A receiver returns a dict that joins the contact's JSON.
contact_described = Signal()

# at: datetime. A receiver returns a list of `health.Problem`: what needs a person.
problems_wanted = Signal()


@dataclass(frozen=True, slots=True)
class FunnelStation:
    """A stop of the loop on the home page: how many people came so far, and where they are listed."""

    place: int
    name: str
    people: int
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PageSection:
    """A part of a page that another app writes: a template and what it shows. Small places come first."""

    place: int
    title: str
    template: str
    shows: dict[str, Any]


# user, at: datetime. A receiver returns a list of Station and Section, none that the user may not see.
home_sections_wanted = Signal()

# contact: Contact, user, at: datetime. A receiver returns a list of Section.
contact_sections_wanted = Signal()


def collect_answers(signal: Signal, sender: object = None, **asked: object) -> list[Any]:
    """Return what all receivers of a signal answer, in one list."""
    said: Sequence[tuple[object, Any]] = signal.send(sender, **asked)
    return [answer for _, some in said for answer in some or ()]

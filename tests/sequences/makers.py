"""Rows for the tests: only what matters is named."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.db import transaction

from leadscoring import crm_state
from leadscoring.models import Contact, CrmFreshness, CrmState
from sequences.enrolling import enroll_contacts
from sequences.models import Enrollment, Sequence, Step

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = timedelta(0)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

numbers = count(1)


def noon() -> datetime:
    """A clock that stands still."""
    return NOON


def a_contact(email: str | None = "", **fields: Any) -> Contact:
    number = next(numbers)
    address = f"person{number}@example.com" if email == "" else email
    return Contact.objects.create(email=address, **fields)


def a_sequence(*waits: timedelta, name: str = "", **fields: Any) -> Sequence:
    sequence = Sequence.objects.create(name=name or f"sequence {next(numbers)}", **fields)
    for position, wait in enumerate(waits or (NOW, 3 * DAY), start=1):
        Step.objects.create(
            sequence=sequence, position=position, wait=wait,
            subject=f"Mail {position}", body="Hello {{ first_name|default:'there' }}",
        )  # fmt: skip
    return sequence


def crm_says(
    contact: Contact, effect: str = "none", reason: str = "", at: datetime = NOON, **fields: Any
) -> None:
    """The CRM's word about somebody, with all that follows from it."""
    said = reason or ("" if effect == "none" else f"Deal X: {effect}")
    state = CrmState(contact=contact, effect=effect, reason=said, since=at, seen_at=at, **fields)
    with transaction.atomic():
        crm_state.store_states([state], at)


def crm_read(as_of: datetime = NOON) -> None:
    """Everything that the CRM changed up to then has been applied."""
    crm_state.set_freshness(dict.fromkeys(CrmFreshness.Kind.values, as_of))


def a_mailable_contact(**fields: Any) -> Contact:
    """Somebody to whom nothing forbids a mail."""
    contact = a_contact(**fields)
    crm_read()
    crm_says(contact)
    return contact


def an_enrollment(
    contact: Contact | None = None, sequence: Sequence | None = None, at: datetime = NOON
) -> Enrollment:
    entry = enroll_contacts(
        sequence or a_sequence(), [contact or a_mailable_contact()], at, by="ada"
    )
    return entry.entered[0]


def again(enrollment: Enrollment) -> Enrollment:
    """The same, as it is stored now."""
    return Enrollment.objects.get(pk=enrollment.pk)

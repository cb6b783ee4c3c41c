"""Addresses that are never written to, and which reason counts."""

import pytest

from leadscoring.address_changes import change_addresses
from leadscoring.models import Contact
from sequences.models import Suppression
from sequences.suppression import suppress_addresses
from tests.sequences.makers import MINUTE, NOON

pytestmark = pytest.mark.django_db

Reason = Suppression.Reason
OLD, NEW = "old@x.example", "new@x.example"


def held(email: str = OLD) -> Suppression | None:
    return Suppression.objects.filter(email=email).first()


@pytest.mark.parametrize("wish", [Reason.UNSUBSCRIBED, Reason.CRM_OPT_OUT, Reason.BY_HAND])
def test_what_a_person_wants_says_more_than_that_the_address_refused_mail(wish: Reason) -> None:
    suppress_addresses([OLD], Reason.BOUNCED, NOON, by="the mail server", detail="550")

    suppress_addresses([OLD.upper()], wish, NOON + MINUTE, by="ada", detail="asked")

    row = held()
    assert row is not None
    assert (row.reason, row.detail, row.created_at) == (wish, "asked", NOON + MINUTE)


@pytest.mark.parametrize("later", list(Reason))
def test_a_wish_keeps_its_reason_and_its_time(later: Reason) -> None:
    suppress_addresses([OLD], Reason.UNSUBSCRIBED, NOON, by="ada", detail="first")

    suppress_addresses([OLD], later, NOON + MINUTE, by="ben", detail="second")

    row = held()
    assert row is not None
    assert (row.reason, row.detail, row.created_at) == (Reason.UNSUBSCRIBED, "first", NOON)


@pytest.mark.parametrize(
    ("reasons", "carried"),
    [
        ([Reason.BOUNCED], False),
        ([Reason.UNSUBSCRIBED], True),
        ([Reason.BOUNCED, Reason.UNSUBSCRIBED], True),
        ([Reason.UNSUBSCRIBED, Reason.BOUNCED], True),
    ],
)
def test_a_wish_goes_along_to_a_new_address_and_a_refusal_does_not(
    reasons: list[Reason], carried: bool
) -> None:
    ada = Contact.objects.create(email=OLD)
    for reason in reasons:
        suppress_addresses([OLD], reason, NOON, by="x")

    change_addresses({ada.pk: NEW}, NOON + MINUTE)

    assert bool(held(NEW)) is carried

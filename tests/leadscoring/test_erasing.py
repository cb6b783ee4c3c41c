"""Somebody who was erased: nothing of them stays, and they do not come back."""

import pytest

from crm_sync.models import Handoff
from leadscoring.erasing import erase_contact, erased_addresses
from leadscoring.intake.activities import take_activities
from leadscoring.intake.contacts import take_contacts
from leadscoring.models import Activity, Contact, Erased, ProfileChange, Score
from leadscoring.scoring import rescore
from sequences.models import Enrollment, Suppression
from tests.crm_sync.makers import a_handoff
from tests.makers import NOON, a_contact, an_activity
from tests.sequences.makers import a_sequence, an_enrollment

pytestmark = pytest.mark.django_db

ADA = "ada@engines.example"


def erased():
    ada = a_contact(email=ADA)
    an_activity(ada), a_handoff(ada), an_enrollment(ada, a_sequence())
    rescore([ada.pk], NOON)
    Suppression.objects.create(email=ADA, reason="unsubscribed", created_at=NOON)
    erase_contact(ada.pk, NOON)


def test_nothing_of_an_erased_person_stays_but_a_hash():
    erased()

    for kept in (Contact, Activity, ProfileChange, Score, Handoff, Enrollment, Suppression):
        assert not kept.objects.exists()
    assert ADA not in str(Erased.objects.values())
    assert erased_addresses([ADA, "other@engines.example"]) == {ADA}


def test_an_erased_address_is_not_taken_in_again_and_the_rest_is():
    erased()

    taken = take_contacts([{"email": ADA.upper()}, {"email": "other@engines.example"}], NOON)

    assert taken.created == 1
    assert [(each.index, each.field) for each in taken.rejected] == [(0, "email")]
    assert "erased" in taken.rejected[0].message


def test_an_activity_of_an_erased_address_makes_nobody():
    erased()

    taken = take_activities([{"email": ADA, "type": "page_view"}], "site", NOON)

    assert [each.field for each in taken.rejected] == ["email"]
    assert not Contact.objects.exists()


def test_a_person_does_not_take_over_an_erased_address():
    erased()
    a_contact(email="countess@engines.example", external_id="7")

    taken = take_contacts([{"email": ADA, "external_id": "7"}], NOON)

    assert [each.field for each in taken.rejected] == ["email"]


def test_erasing_somebody_who_is_gone_already_does_nothing():
    assert not erase_contact(4711, NOON)

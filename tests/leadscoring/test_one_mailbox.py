"""Two ways of writing one mailbox are one person, and one wish for no mail."""

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from leadscoring import api_keys
from leadscoring.address_spelling import unify_addresses
from leadscoring.common.email_address import fold_email
from leadscoring.erasing import erase_contact
from leadscoring.intake import take_activities, take_contacts
from leadscoring.intake.validation import normalize_email
from leadscoring.models import Alias, Contact, CrmState
from sequences.models import Delivery, Enrollment, Suppression
from sequences.suppression import suppress_addresses, unify_suppressions
from tests.makers import NOON, a_contact, an_activity
from tests.sequences.makers import a_sequence, an_enrollment

ADA = "ada@example.com"
HIDDEN = "ada@exa\u200bmple.com"
WIDE = "ada@ｅｘａｍｐｌｅ．com"
pytestmark = pytest.mark.django_db


@given(
    st.text(max_size=30) | st.from_regex(r"[a-z]{1,5}@(\w|\W|xn--\w){1,12}\.com", fullmatch=True)
)
def test_the_one_spelling_of_a_valid_address_has_no_other(text):
    try:
        email = normalize_email(text)
    except ValueError:
        return

    assert fold_email(email) == email == normalize_email(email)


@pytest.mark.parametrize("written", [HIDDEN, WIDE, "ＡＤＡ@example.com", f"\ufeff{ADA}\u3000"])
def test_every_way_of_writing_a_mailbox_is_one_person(client, written):
    take_contacts([{"email": ADA}], NOON)

    people = take_contacts([{"email": written, "first_name": "Ada"}], NOON)
    acts = take_activities([{"email": written, "type": "page_view"}], "web", NOON)
    key = {"authorization": f"Bearer {api_keys.create_key('tests')[1]}"}
    shown = client.get(f"/api/v1/contacts/{written}", headers=key)

    assert (people.updated, acts.accepted) == (1, 1)
    assert Contact.objects.get().email == ADA
    assert shown.json()["first_name"] == "Ada"


@pytest.mark.parametrize("written", [HIDDEN, WIDE])
def test_unsubscribing_holds_however_the_address_is_written(written):
    an_enrollment(a_contact(email=ADA), a_sequence())

    stopped = suppress_addresses([written], Suppression.Reason.UNSUBSCRIBED, NOON, by="them")

    assert stopped == 1
    assert Suppression.objects.get().email == ADA


def test_an_erased_person_does_not_come_back_in_another_spelling():
    erase_contact(a_contact(email=ADA).pk, NOON)

    taken = take_contacts([{"email": HIDDEN}, {"email": WIDE}], NOON)

    assert [each.field for each in taken.rejected] == ["email", "email"]


def stored(email, **fields):
    """A contact as an earlier release stored it."""
    contact = a_contact(email=f"{len(email)}-{id(fields)}@was.example", **fields)
    Contact.objects.filter(pk=contact.pk).update(email=email)
    contact.refresh_from_db()
    return contact


def test_a_stored_address_gets_its_one_spelling_and_its_wishes_go_with_it():
    ada = stored(HIDDEN)
    Suppression.objects.create(email=HIDDEN, reason="unsubscribed", created_at=NOON)

    call_command("migrate", verbosity=0)

    ada.refresh_from_db()
    assert ada.email == ADA
    assert [(row.email, row.created_at) for row in Suppression.objects.all()] == [(ADA, NOON)]


def test_stored_people_of_one_mailbox_become_one_with_all_they_did():
    people = [stored(email) for email in (HIDDEN, ADA, WIDE)]
    for person in people:
        an_activity(person)

    unify_addresses(NOON)

    ada = Contact.objects.get()
    assert (ada.pk, ada.email, ada.activities.count()) == (people[1].pk, ADA, 3)
    assert all(fold_email(alias.email) == alias.email for alias in Alias.objects.all())


def test_of_two_stored_people_of_one_mailbox_the_one_in_the_crm_stays():
    stored(ADA)
    known = stored(HIDDEN)
    CrmState.objects.create(contact=known, record_id="7", since=NOON, seen_at=NOON)

    unify_addresses(NOON)

    assert Contact.objects.values_list("pk", "email").get() == (known.pk, ADA)


def test_a_stored_wish_wins_over_a_bounce_of_the_same_mailbox():
    an_enrollment(a_contact(email=ADA), a_sequence())
    Suppression.objects.create(email=ADA, reason="bounced", created_at=NOON)
    Suppression.objects.create(email=WIDE, reason="unsubscribed", created_at=NOON)

    unify_suppressions(NOON)

    assert list(Suppression.objects.values_list("email", "reason")) == [(ADA, "unsubscribed")]
    assert Enrollment.objects.get().state == "stopped"
    assert not Delivery.objects.exists()


def test_nothing_left_to_do_costs_one_query_for_each_table(django_assert_num_queries):
    stored("ada@münchen.example")

    with django_assert_num_queries(2):
        unify_addresses(NOON)

"""Erasing people for good, by hand."""

import pytest
from django.contrib.admin.models import LogEntry

from crm_sync.models import Link
from leadscoring.erasing import erased_addresses
from leadscoring.models import Contact, CrmState
from tests.admin_pages import act, as_, as_one_who_may, page
from tests.crm_sync.makers import a_handoff
from tests.makers import NOON, a_contact, an_activity

pytestmark = pytest.mark.django_db

CONTACT, ADA = "leadscoring.contact", "ada@engines.example"


@pytest.fixture
def ada() -> Contact:
    ada = a_contact(email=ADA, first_name="Ada", last_name="Byron")
    an_activity(ada), a_handoff(ada)
    return ada


def known_there(contact: Contact, **fields: object) -> None:
    CrmState.objects.create(contact=contact, record_id="7", since=NOON, seen_at=NOON)
    Link.objects.create(
        contact=contact, account_id="1", record_id=str(contact.pk), seen_at=NOON, **fields
    )


def test_what_goes_is_said_before_anything_goes(ada: Contact) -> None:
    asked = act(as_("Marketing"), CONTACT, "erase_contacts", ada.pk)

    assert "1 activity" in asked
    assert "nobody can bring it back" in asked
    assert Contact.objects.filter(pk=ada.pk).exists()


def test_confirmed_they_are_erased_and_kept_out(ada: Contact) -> None:
    bob = a_contact()

    answer = act(as_("Marketing"), CONTACT, "erase_contacts", ada.pk, confirmed="yes")

    assert "1 person erased." in answer
    assert list(Contact.objects.all()) == [bob]
    assert erased_addresses([ADA]) == {ADA}


@pytest.mark.parametrize(("there", "said"), [(True, True), (False, False)])
def test_that_a_record_stays_in_the_crm_is_said(ada: Contact, there: bool, said: bool) -> None:
    if there:
        known_there(ada)

    asked = act(as_("Marketing"), CONTACT, "erase_contacts", ada.pk)

    assert ("1 person's record in the CRM stays there" in asked.replace("&#x27;", "'")) is said


def test_who_did_it_stays_known_and_whom_does_not(ada: Contact) -> None:
    client = as_("Marketing")
    act(client, CONTACT, "erase_contacts", ada.pk, confirmed="yes")

    entry = LogEntry.objects.get()

    assert (entry.user.username, entry.object_repr) == ("Marketing", f"contact {ada.pk}")


@pytest.mark.parametrize("may", [("leadscoring.view_contact", "leadscoring.change_contact")])
def test_who_may_not_is_not_even_asked(ada: Contact, may: tuple[str, ...]) -> None:
    act(as_one_who_may(*may), CONTACT, "erase_contacts", ada.pk, confirmed="yes")

    assert Contact.objects.filter(pk=ada.pk).exists()


def test_a_contacts_own_page_offers_it(ada: Contact) -> None:
    assert "Erase for good" in as_("Marketing").get(page(CONTACT, ada.pk)).content.decode()
    assert "Erase for good" not in as_("Operations").get(page(CONTACT, ada.pk)).content.decode()


def test_the_home_page_leads_to_those_whose_records_are_gone_for_good(ada: Contact) -> None:
    bob = a_contact(first_name="Bob")
    known_there(ada, gone_at=NOON, gone_for_good=True)
    known_there(bob, taken_email="x@x.example")
    client = as_("Marketing")

    home = client.get("/admin/").content.decode()
    lost = client.get(page(CONTACT) + "?ask=gone-for-good").content.decode()
    taken = client.get(page(CONTACT) + "?ask=address-taken").content.decode()

    assert "?ask=gone-for-good" in home
    assert "?ask=address-taken" in home
    assert ("Byron" in lost, "Bob" in lost) == (True, False)
    assert ("Byron" in taken, "Bob" in taken) == (False, True)

"""Addresses that change there or here: each change is followed once, and both sides come to rest."""

from datetime import timedelta

import pytest

from crm_sync.models import Link
from crm_sync.port import CrmContact
from crm_sync.problems.people import people_problems
from crm_sync.pull.address_changes import is_new_address
from crm_sync.pull.poll import pull_changes
from crm_sync.push.batch import push_due
from leadscoring.erasing import erase_contact
from leadscoring.intake.contacts import take_contacts
from leadscoring.models import Contact, ProfileChange, Score
from sequences.models import Enrollment, Suppression
from tests.crm_sync.makers import MONDAY, a_contact, a_score
from tests.crm_sync.pull.test_pull import a_linked, an_enrolled

pytestmark = pytest.mark.django_db(transaction=True)

ADA, NEW = "ada@engines.example", "countess@engines.example"
LATER = MONDAY + timedelta(hours=1)


def ada_there(crm, **fields):
    """Somebody whose record was seen, known to the tests by an external id too."""
    ada, record_id = a_linked(crm, ADA)
    Contact.objects.filter(pk=ada.pk).update(external_id="7")
    pull_changes(crm, MONDAY, full=True)
    return ada, record_id


def contested(crm, there):
    """Bob has an address here that Ada is given there, and a record of his own under another one."""
    ada, record_id = ada_there(crm)
    bob, bobs = a_linked(crm, NEW)
    there.set(bobs, email="other@engines.example")
    pull_changes(crm, MONDAY, full=True)
    Contact.objects.filter(pk=bob.pk).update(email=NEW)
    there.set(record_id, email=NEW)
    pull_changes(crm, LATER, full=True)
    return ada, bob


def address_of(contact):
    return Contact.objects.get(pk=contact.pk).email


def settle(crm, at=LATER):
    """All that goes either way, until nothing more comes of it."""
    for hours in range(3):
        pull_changes(crm, at + timedelta(hours=hours), full=True)
        push_due(crm, at + timedelta(hours=hours))


def writes(there):
    paths = ("batch/update", "batch/upsert", "unsubscribe-all")
    return [each for each in there.seen() if each["path"].endswith(paths)]


# --- changed there


def test_an_address_changed_there_becomes_ours_with_its_time_and_score(crm, there):
    ada, record_id = ada_there(crm)
    there.set(record_id, email=NEW.title())

    pull_changes(crm, LATER, full=True)

    assert address_of(ada) == NEW
    change = ProfileChange.objects.filter(contact=ada).latest("at")
    assert (change.fields["email"], change.at >= LATER) == (NEW, True)
    assert Score.objects.get(contact=ada).at >= LATER


def test_who_wanted_no_mail_gets_none_at_the_new_address(crm, there):
    ada, record_id = ada_there(crm)
    an_enrolled(ada)
    Suppression.objects.create(email=ADA, reason="unsubscribed", created_at=MONDAY)
    there.set(record_id, email=NEW)

    pull_changes(crm, LATER, full=True)

    assert Suppression.objects.get(email=NEW).reason == "unsubscribed"
    assert Enrollment.objects.get(contact=ada).state == "stopped"


def test_that_an_address_refused_mail_is_no_wish_of_the_persons(crm, there):
    _, record_id = ada_there(crm)
    Suppression.objects.create(email=ADA, reason="bounced", created_at=MONDAY)
    there.set(record_id, email=NEW)

    pull_changes(crm, LATER, full=True)

    assert not Suppression.objects.filter(email=NEW).exists()


def test_an_address_that_somebody_else_has_with_a_record_is_left_alone_and_told(crm, there):
    ada, bob = contested(crm, there)

    assert (address_of(ada), address_of(bob)) == (ADA, NEW)
    assert any("1 person has an address in the CRM" in each.what for each in people_problems(LATER))


def test_what_was_taken_is_followed_as_soon_as_it_is_free(crm, there):
    ada, bob = contested(crm, there)
    Contact.objects.filter(pk=bob.pk).update(email="other@engines.example")

    pull_changes(crm, LATER, full=True)

    assert address_of(ada) == NEW
    assert people_problems(LATER) == []


def test_somebody_without_a_record_who_has_the_records_address_is_the_same_person(crm, there):
    ada, record_id = ada_there(crm)
    a_contact(NEW, first_name="Augusta")
    there.set(record_id, email=NEW)

    pull_changes(crm, LATER, full=True)

    assert [(each.pk, each.email, each.first_name) for each in Contact.objects.all()] == [
        (ada.pk, NEW, "Augusta")
    ]


@pytest.mark.parametrize("with_a_record", [True, False])
def test_two_who_were_merged_there_are_one_here_under_the_address_that_stayed(
    crm, there, with_a_record
):
    _, record_id = ada_there(crm)
    other = a_linked(crm, NEW)[1] if with_a_record else there.add_contact(NEW)
    if not with_a_record:
        a_contact(NEW)
    there.merge(other, record_id)

    settle(crm)

    assert list(Contact.objects.values_list("email", flat=True)) == [NEW]
    assert people_problems(LATER) == []


def test_the_address_of_somebody_erased_is_not_taken_over(crm, there):
    ada, record_id = ada_there(crm)
    erase_contact(a_contact(NEW).pk, MONDAY)
    there.set(record_id, email=NEW)

    pull_changes(crm, LATER, full=True)

    assert address_of(ada) == ADA
    assert not Link.objects.exclude(taken_email="").exists()


def test_two_who_exchanged_their_addresses_there_are_left_to_a_person(crm, there):
    ada, record_id = ada_there(crm)
    bob, bobs = a_linked(crm, NEW)
    pull_changes(crm, MONDAY, full=True)
    for id_, email in ((record_id, "free@engines.example"), (bobs, ADA), (record_id, NEW)):
        there.set(id_, email=email)

    pull_changes(crm, LATER, full=True)

    assert (address_of(ada), address_of(bob)) == (ADA, NEW)
    assert any("2 people have an address" in each.what for each in people_problems(LATER))


# --- changed here


def test_an_address_changed_here_is_written_to_the_record(crm, there):
    ada, record_id = ada_there(crm)
    a_score(ada)
    push_due(crm, MONDAY)

    take_contacts([{"external_id": "7", "email": NEW}], LATER)
    push_due(crm, LATER)

    assert there.value(record_id, "email") == NEW


def test_who_wanted_no_mail_gets_none_at_an_address_changed_here(crm):
    ada_there(crm)
    Suppression.objects.create(email=ADA, reason="unsubscribed", created_at=MONDAY)

    take_contacts([{"external_id": "7", "email": NEW}], LATER)

    assert Suppression.objects.get(email=NEW).reason == "unsubscribed"


def test_an_address_that_another_record_has_keeps_nothing_else_from_being_told(crm, there):
    ada, record_id = ada_there(crm)
    there.add_contact(NEW)
    a_score(ada, total=91)
    take_contacts([{"external_id": "7", "email": NEW}], MONDAY)

    push_due(crm, LATER)

    assert there.value(record_id, "email") == ADA
    assert there.value(record_id, "lead_score")


# --- and rest


@pytest.mark.parametrize("side", ["there", "here", "both"])
def test_a_change_settles_to_no_calls_that_write(crm, there, side):
    ada, record_id = ada_there(crm)
    settle(crm, MONDAY)
    if side != "there":
        take_contacts([{"external_id": "7", "email": "own@engines.example"}], LATER)
    if side != "here":
        there.set(record_id, email=NEW)
    settle(crm)
    before, agreed = len(writes(there)), address_of(ada)

    settle(crm, LATER + timedelta(days=1))

    assert len(writes(there)) == before
    assert agreed == address_of(ada) == there.value(record_id, "email")


def test_an_address_that_sales_wrote_is_not_written_over_by_a_later_one_of_ours(crm, there):
    ada, record_id = ada_there(crm)
    there.set(record_id, email=NEW)
    settle(crm)

    take_contacts([{"external_id": "7", "email": ADA}], LATER + timedelta(days=1))
    settle(crm, LATER + timedelta(days=2))

    assert there.value(record_id, "email") == NEW
    assert address_of(ada) == ADA


def test_an_address_there_and_back_again_is_followed_both_times(crm, there):
    ada, record_id = ada_there(crm)
    for email in (NEW, ADA):
        there.set(record_id, email=email)
        pull_changes(crm, LATER, full=True)

        assert address_of(ada) == email


# --- what is news


@pytest.mark.parametrize(
    ("seen", "last_written", "says", "news"),
    [
        ("", "", NEW, False),  # never seen, nothing to compare with
        (ADA, ADA, ADA, False),
        (ADA, ADA, NEW, True),
        ("", ADA, NEW, True),
        ("x@x.example", ADA, ADA, False),  # our own, come back
        (NEW, ADA, NEW, False),  # seen before
        (ADA, ADA, "", False),
    ],
)
def test_an_address_is_news_when_it_is_neither_seen_nor_written_nor_ours(
    seen, last_written, says, news
):
    link = Link(email=seen, last_written={"email": last_written} if last_written else {})
    record = CrmContact("1", says, "", "", "", False, {})

    assert is_new_address(link, record, Contact(email="own@engines.example"), ["email"]) is news

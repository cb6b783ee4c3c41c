"""People whose records are gone for good in the CRM, and what that does here."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from crm_sync.handoff import batch, contact_save
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import SHOWN_WITHIN, Deal, Handoff, Hint, Link
from crm_sync.problems.people import people_problems
from crm_sync.pull.hints import apply_due_hints
from crm_sync.pull.poll import pull_changes
from crm_sync.push.batch import push_due
from leadscoring.common.clock import database_time
from leadscoring.erasing import erase_contact, erased_addresses
from leadscoring.models import Contact, CrmState
from sequences.models import Enrollment
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score
from tests.crm_sync.pull.test_pull import a_linked, an_enrolled
from tests.crm_sync.reading import a_linked as a_seen
from tests.crm_sync.reading import a_visit

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=1)
ADA = "ada@engines.example"


def hear(crm, record_id, *, erased):
    """A signed hint that speaks of a record, looked at."""
    named = [("contact", record_id)]
    Hint.objects.note(named, database_time(), named if erased else ())
    while apply_due_hints(crm, database_time(), database_time()):
        pass


@pytest.fixture
def spoken(there, monkeypatch):
    """All that is asked of the CRM, as text: it is listened to where trouble would be made."""
    told, strike = [], there.sandbox.state.faults.strike

    def listen(method, path, body):
        told.append(f"{method} {path} {body.decode()}")
        return strike(method, path, body)

    monkeypatch.setattr(there.sandbox.state.faults, "strike", listen)
    return told


def what_is_told():
    return [problem.what for problem in people_problems(MONDAY)]


# --- told by a hint


def test_somebody_erased_there_is_erased_here_and_never_made_again(crm, there):
    ada, record_id = a_linked(crm, ADA)
    there.erase(record_id)

    hear(crm, record_id, erased=True)

    assert not Contact.objects.filter(pk=ada.pk).exists()
    assert not Handoff.objects.exists()
    assert erased_addresses([ADA]) == {ADA}


@pytest.mark.parametrize("happens", ["nothing", "archive"])
def test_who_is_there_or_can_be_restored_is_erased_by_no_hint(crm, there, happens):
    ada, record_id = a_linked(crm, ADA)
    if happens == "archive":
        there.archive(record_id)

    hear(crm, record_id, erased=True)

    assert Contact.objects.filter(pk=ada.pk).exists()
    assert Link.objects.get(contact=ada).gone_for_good is False


def test_a_deletion_that_is_not_said_to_be_an_erasure_erases_nobody(crm, there):
    ada, record_id = a_linked(crm, ADA)
    there.erase(record_id)

    hear(crm, record_id, erased=False)

    assert Contact.objects.filter(pk=ada.pk).exists()


def test_a_hint_of_an_erasure_stays_one_whatever_is_heard_later():
    named = [("contact", "7")]
    Hint.objects.note(named, MONDAY, erased=named)

    Hint.objects.note(named, MONDAY)

    assert Hint.objects.get().erased


def test_who_was_merged_away_is_not_taken_for_erased(crm, there):
    ada, record_id = a_linked(crm, ADA)
    there.merge(record_id, there.add_contact("countess@engines.example"))

    hear(crm, record_id, erased=True)

    assert Contact.objects.filter(pk=ada.pk).exists()


# --- found without a hint


def test_a_record_that_is_gone_for_good_is_told_and_nobody_is_erased(crm, there):
    ada, record_id = a_linked(crm, ADA)
    there.erase(record_id)

    pull_changes(crm, LATER, full=True)
    soon = what_is_told()
    pull_changes(crm, LATER + SHOWN_WITHIN)

    assert Contact.objects.filter(pk=ada.pk).exists()
    assert soon == []
    assert any("1 person's record was deleted for good" in what for what in what_is_told())


def test_a_record_that_can_be_restored_is_not_told_as_gone_for_good(crm, there):
    _, record_id = a_linked(crm, ADA)
    there.archive(record_id)

    pull_changes(crm, LATER, full=True)

    assert what_is_told() == []


def test_who_was_made_anew_there_is_not_gone_any_more(crm, there):
    ada, record_id = a_linked(crm, ADA)
    there.erase(record_id)
    pull_changes(crm, LATER, full=True)
    with there.sandbox.state.lock:
        there.sandbox.store.blocklist.clear()  # as when the person fills in a form
    anew = there.add_contact(ADA)

    pull_changes(crm, LATER, full=True)

    assert Link.objects.get(contact=ada).record_id == anew
    assert what_is_told() == []


def test_who_is_known_to_be_gone_for_good_is_not_asked_for_among_the_restorable_again(crm, there):
    ada, record_id = a_seen(crm, there)
    there.erase(record_id)
    a_visit(crm).see([ada.pk])
    Link.objects.update(missing_since=F("missing_since") - SHOWN_WITHIN)
    a_visit(crm).see([ada.pk])
    before = there.requests()

    a_visit(crm).see([ada.pk])

    again = [each["path"] for each in there.seen()[before:] if each["path"].endswith("batch/read")]
    assert len([path for path in again if "contacts" in path]) == 3


# --- archived and restored


@pytest.mark.parametrize("by", ["pull", "hint"])
def test_archived_holds_and_restored_releases(crm, there, by):
    ada, record_id = a_linked(crm, ADA)
    enrolled = an_enrolled(ada)
    see = (
        (lambda: hear(crm, record_id, erased=False))
        if by == "hint"
        else (lambda: pull_changes(crm, LATER, full=True))
    )
    there.archive(record_id)
    see()
    held = CrmState.objects.get(contact=ada)
    assert (held.effect, held.reason) == ("pause", "The contact's record was deleted in the CRM")
    assert Enrollment.objects.get(pk=enrolled.pk).state == "paused"

    there.restore(record_id)
    see()

    assert CrmState.objects.get(contact=ada).effect == "none"
    assert Enrollment.objects.get(pk=enrolled.pk).state == "active"
    assert Link.objects.get(contact=ada).gone_at is None


# --- nothing left


def test_no_later_request_speaks_of_an_erased_person(crm, there, spoken):
    ada, record_id = a_linked(crm, ADA)
    a_score(ada)
    an_enrolled(ada)
    a_handoff(ada, cycle=2)
    there.add_deal("Ada's engine", there.open_stage, record_id)
    pull_changes(crm, MONDAY, full=True)
    erase_contact(ada.pk, LATER)
    assert any(record_id in asked for asked in spoken)
    spoken.clear()

    deliver_due(crm, LATER)
    push_due(crm, LATER)
    pull_changes(crm, LATER, full=True)

    assert spoken
    assert not [asked for asked in spoken if ADA in asked or record_id in asked]
    assert not Deal.objects.exists()


def test_a_deal_that_is_somebody_elses_too_stays(crm, there):
    ada, record_id = a_linked(crm, ADA)
    bob, bobs = a_linked(crm, "bob@engines.example")
    there.add_deal("Engine", there.open_stage, record_id, bobs)
    pull_changes(crm, MONDAY, full=True)

    erase_contact(ada.pk, LATER)

    assert list(Deal.objects.get().contacts.all()) == [bob]


def test_nothing_in_the_database_speaks_of_an_erased_person(crm):
    ada, _ = a_linked(crm, ADA)

    erase_contact(ada.pk, LATER)

    tables = [name for name in connection.introspection.table_names() if "django" not in name]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                f"SELECT count(*) FROM {table} AS row WHERE row::text LIKE %s", [f"%{ADA}%"]
            )
            assert (table, cursor.fetchone()[0]) == (table, 0)


def test_a_stranger_is_not_erased_by_a_hint_about_a_record_of_nobody(crm, there):
    bob = a_contact("bob@engines.example")
    record_id = there.add_contact("other@engines.example")
    there.erase(record_id)

    hear(crm, record_id, erased=True)

    assert Contact.objects.filter(pk=bob.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["handoff.recorded", "handoff.contact_saved"])
def test_who_is_erased_while_a_worker_hands_them_off_holds_up_nobody(
    crm, there, monkeypatch, point
):
    ada, bob = a_contact(ADA), a_contact("bob@engines.example")
    a_handoff(ada), a_handoff(bob)

    def reach(name):
        if name == point:
            erase_contact(ada.pk, MONDAY)

    for module in (batch, contact_save):
        monkeypatch.setattr(module, "reach", reach)

    deliver_due(crm, MONDAY)

    assert [subject for subject in there.tasks() if ADA in subject] == []
    assert list(Handoff.objects.values_list("contact", "status")) == [(bob.pk, "delivered")]

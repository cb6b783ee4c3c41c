"""What happens to a batch's people while it is under way: theirs is looked at anew, and the others go on."""

from datetime import timedelta

import pytest

from crm_sync.account import check_account
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Handoff, Link
from crm_sync.pull.apply import apply_snapshot
from crm_sync.pull.fetch import fetch_snapshot
from crm_sync.pull.poll import pull_changes
from crm_sync.push.batch import push_due
from leadscoring.erasing import erase_contact
from leadscoring.merging import merge_contacts
from leadscoring.models import Contact, CrmState
from tests.crm_sync.elsewhere import elsewhere
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score
from tests.crm_sync.pull.test_pull import an_enrolled

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
LATER = MONDAY + 2 * MINUTE


def beside(monkeypatch, crm, method, happens):
    """Once, just before a call of the adapter's, something happens elsewhere."""
    real = getattr(type(crm), method)

    def call(self, *arguments, **more):
        monkeypatch.setattr(type(crm), method, real)
        happens()
        return real(self, *arguments, **more)

    monkeypatch.setattr(type(crm), method, call)


def looked_at(crm, contact):
    apply_snapshot(crm, check_account(crm, LATER), fetch_snapshot(crm, [contact.pk]), LATER)


def delivered(row):
    return Handoff.objects.get(pk=row.pk).status == "delivered"


@pytest.fixture
def bob(crm):
    """In a sequence and about to go to sales; the CRM was read."""
    contact = a_contact("bob@x.example", first_name="Bob")
    a_score(contact)
    an_enrolled(contact)
    return contact


def read(crm):
    for at in (MONDAY, MONDAY + MINUTE):
        assert pull_changes(crm, at).error == ""


def test_what_a_look_found_of_somebody_new_in_the_crm_stays(crm, there, bob, monkeypatch):
    read(crm)
    a_handoff(bob)

    def made_there():
        there.add_deal("Acme", there.open_stage, there.add_contact(bob.email))
        looked_at(crm, bob)

    beside(monkeypatch, crm, "save_contacts", made_there)
    deliver_due(crm, LATER)

    assert CrmState.objects.get(contact=bob).effect == "pause"
    assert bob.enrollments.get().state == "paused"


def test_what_a_look_read_of_a_record_stays(crm, there, bob, monkeypatch):
    record_id = there.add_contact(bob.email)
    read(crm)
    a_handoff(bob)

    def opted_out():
        there.opt_out(record_id)
        looked_at(crm, bob)

    beside(monkeypatch, crm, "save_contacts", opted_out)
    deliver_due(crm, LATER)

    assert Link.objects.get(contact=bob).opted_out


def test_what_a_push_wrote_to_a_record_still_counts_as_ours(crm, there, bob, monkeypatch):
    record_id = there.add_contact(bob.email)
    read(crm)
    a_handoff(bob)
    beside(monkeypatch, crm, "contacts_by_id", lambda: push_due(crm, LATER))
    deliver_due(crm, LATER)

    Contact.objects.filter(pk=bob.pk).update(first_name="Robert", updated_at=LATER + 20 * MINUTE)
    push_due(crm, LATER + 30 * MINUTE)

    assert there.value(record_id, "firstname") == "Robert"


def test_two_handoffs_of_one_person_hold_up_nobody(crm, there):
    """One of an earlier cycle that waited for a person, sent again beside a new one."""
    both = a_contact()
    rows = [a_handoff(both), a_handoff(both, cycle=2), a_handoff()]

    deliver_due(crm, MONDAY)

    assert all(map(delivered, rows))
    assert len(there.tasks()) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "method", ["account", "contacts_by_email", "save_contacts", "create_tasks"]
)
def test_who_is_joined_meanwhile_holds_up_nobody_and_goes_on_as_the_one_who_stays(
    crm, there, bob, monkeypatch, method
):
    kept, row, other = a_contact("kept@x.example"), a_handoff(bob), a_handoff()
    beside(
        monkeypatch,
        crm,
        method,
        lambda: elsewhere(lambda: merge_contacts(kept.pk, bob.pk, MONDAY)).join(10),
    )

    deliver_due(crm, MONDAY)

    assert delivered(other)
    for minutes in range(1, 5):
        deliver_due(crm, MONDAY + minutes * MINUTE)
    row.refresh_from_db()
    assert (row.contact_id, row.status) == (kept.pk, "delivered")
    assert len(there.tasks()) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["account", "contacts_by_email", "save_contacts"])
def test_who_is_erased_meanwhile_holds_up_nobody(crm, there, bob, monkeypatch, method):
    a_handoff(bob)
    other = a_handoff()
    beside(
        monkeypatch, crm, method, lambda: elsewhere(lambda: erase_contact(bob.pk, MONDAY)).join(10)
    )

    deliver_due(crm, MONDAY)

    assert delivered(other)
    assert not Handoff.objects.exclude(pk=other.pk).exists()
    assert not Link.objects.filter(contact=bob.pk).exists()


def test_one_that_was_tried_and_is_nowhere_holds_up_nobody(crm, there):
    """Tried, and then neither linked nor to be found by the address."""
    tried, other = a_handoff(task_tried_at=MONDAY), a_handoff()

    deliver_due(crm, MONDAY + 5 * MINUTE)
    assert delivered(other)

    deliver_due(crm, MONDAY + 6 * MINUTE)
    assert delivered(tried)
    assert len(there.tasks()) == 2

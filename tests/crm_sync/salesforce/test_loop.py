"""The way of a crossing to a rep and of a deal back, with a Salesforce org as the CRM."""

from datetime import timedelta

import pytest

from crm_sync.account import read_account, refresh_task_guard
from crm_sync.handoff.deliver import deliver_due
from crm_sync.mapping.record_values import wanted_properties
from crm_sync.models import FieldMapping, Handoff, Link
from crm_sync.pull.poll import pull_changes
from crm_sync.reconcile.run import reconcile
from leadscoring.models import CrmState
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score

pytestmark = pytest.mark.django_db


@pytest.fixture
def crm(bare_org, settings):
    """An org that is set up, under the mapping that an installation begins with.

    The database was migrated without knowing the CRM: the first look at the account brings its mapping.
    """
    settings.CRM = "salesforce"
    read_account(bare_org, MONDAY)
    steps = bare_org.set_up(wanted_properties(FieldMapping.objects.all()), plan=False)
    assert not any(step.problem for step in steps)
    assert refresh_task_guard(bare_org)
    return bare_org


def ada(**more):
    contact = a_contact(
        "ada@engines.example", "Engines", first_name="Ada", last_name="Byron", **more
    )
    a_score(contact)
    return contact


def delivered(crm, contact):
    row = a_handoff(contact)
    deliver_due(crm, MONDAY)
    row.refresh_from_db()
    assert (row.status, row.reason) == ("delivered", "")
    return row


def test_a_crossing_becomes_one_lead_and_one_task_as_the_contract_says(crm, there):
    row = delivered(crm, ada())
    deliver_due(crm, MONDAY)

    lead = {name: there.value(row.record_id, name) for name in
            ("Email", "FirstName", "LastName", "Company", "Lead_Score__c", "Lead_Grade__c", "Lifecycle_Stage__c")}  # fmt: skip
    assert lead == {
        "Email": "ada@engines.example",
        "FirstName": "Ada",
        "LastName": "Byron",
        "Company": "Engines",
        "Lead_Score__c": "82",
        "Lead_Grade__c": "A1",
        "Lifecycle_Stage__c": "Lead",
    }
    assert there.tasks() == ["Hot lead: Ada Byron, Engines (score 82, A1)"]
    assert there.contacts() == 1
    assert f"ref {row.reference}" in there.value(row.task_id, "Description")
    assert there.value(row.task_id, "Handoff_Reference__c") == row.reference


@pytest.mark.parametrize("guarded", [True, False])
def test_a_ledger_that_agrees_with_the_org_is_clean(crm, there, guarded):
    if not guarded:
        there.turn("field_hidden", "Task.Handoff_Reference__c")
        crm._org.schema.forget()
        assert not refresh_task_guard(crm)
    contact = ada()
    row = delivered(crm, contact)
    there.convert(row.record_id)

    found = reconcile(crm, MONDAY + timedelta(hours=1))

    assert {name: each for name, each in found.lists.items() if each} == {}
    assert (found.found, found.wrong, found.error) == (1, [], "")
    assert len(there.tasks()) == 1


def test_a_second_crossing_writes_nothing_twice(crm, there):
    delivered(crm, ada())
    link = Link.objects.get()

    assert link.last_written["Lead_Score__c"] == "82"
    assert link.kept_as == {}


def test_a_task_that_nobody_answered_is_made_once(crm, there):
    delivered(crm, ada())
    row = a_handoff(a_contact("bob@engines.example"))
    there.trouble("drop_after", times=2, match={"method": "POST", "path": "/services/data/v67.0/composite/sobjects"})  # fmt: skip

    for minutes in range(1, 60, 10):
        deliver_due(crm, MONDAY + timedelta(minutes=minutes))

    row.refresh_from_db()
    assert row.status == "delivered"
    assert len(there.tasks()) == 2
    assert there.contacts() == 2


def test_a_lead_that_sales_converts_into_a_deal_stops_its_mail(crm, there):
    contact = ada()
    row = delivered(crm, contact)
    there.later()
    person = there.convert(row.record_id)
    deal = there.add_deal("Acme", there.open_stage, person)
    there.move_deal(deal, there.won_stage)

    pull_changes(crm, MONDAY + timedelta(minutes=5))

    state = CrmState.objects.get(contact=contact)
    assert (state.record_id, state.effect) == (person, "stop")
    assert Link.objects.get().record_id == person


def test_a_deal_of_somebody_known_pauses_and_its_role_taken_away_lets_go(crm, there):
    contact = ada()
    row = delivered(crm, contact)
    person = there.convert(row.record_id)
    pull_changes(crm, MONDAY + timedelta(minutes=5))
    there.later()
    deal = there.add_deal("Acme", there.open_stage)
    role = there.associate_deal(deal, person)

    pull_changes(crm, MONDAY + timedelta(minutes=10))
    paused = CrmState.objects.get(contact=contact).effect
    there.later()
    there.archive(role)
    pull_changes(crm, MONDAY + timedelta(minutes=15))

    assert (paused, CrmState.objects.get(contact=contact).effect) == ("pause", "none")


def test_two_people_of_one_record_become_one(crm, there, django_capture_on_commit_callbacks):
    first, second = ada(), a_contact("a.l@engines.example")
    rows = [a_handoff(first), a_handoff(second)]
    deliver_due(crm, MONDAY)
    ids = [Handoff.objects.get(pk=row.pk).record_id for row in rows]
    there.later()
    there.merge(*ids)

    with django_capture_on_commit_callbacks(execute=True):
        pull_changes(crm, MONDAY + timedelta(minutes=5))

    assert Link.objects.get().record_id == ids[0]


def test_what_a_rep_wrote_is_not_written_over(crm, there):
    contact = ada()
    row = delivered(crm, contact)
    there.set(row.record_id, LastName="Lovelace", Lead_Score__c=1)
    Handoff.objects.all().delete()
    contact.last_name = "King"
    contact.save()

    again = delivered(crm, contact)

    assert again.record_id == row.record_id
    assert there.value(row.record_id, "LastName") == "Lovelace"
    assert there.value(row.record_id, "Lead_Score__c") == "82"

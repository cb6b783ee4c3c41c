"""What is not known of Salesforce: right with both."""

import pytest

from crm_sync.port import CrmContact
from crm_sync.salesforce.records import values
from tests.crm_sync.salesforce.writes import a_task, by_email, by_id

BOTH = pytest.mark.parametrize("on", [True, False])


@BOTH
@pytest.mark.parametrize("name", ["value_spoils_all", "column_spoils_all"])
def test_a_field_that_was_hidden_a_moment_ago_is_named_and_holds_nobody_else(
    salesforce, there, name, on
):
    setattr(there.sandbox.settings, name, on)
    salesforce.save_contacts([by_email("first@x.example", Lead_Score__c="1")])
    for sobject in ("Lead", "Contact"):
        there.turn("field_hidden", f"{sobject}.Lead_Score__c")
    writes = [by_email("a@x.example", Lead_Score__c="82"), by_email("b@x.example", Title="CTO")]
    before = there.requests()

    saved = salesforce.save_contacts(writes)

    assert list(saved["a@x.example"].properties) == ["Lead_Score__c"]
    assert isinstance(saved["b@x.example"], CrmContact)
    assert there.requests() - before <= 14


@BOTH
def test_a_value_that_only_salesforce_refuses_holds_nobody_else(salesforce, there, monkeypatch, on):
    there.sandbox.settings.value_spoils_all = on
    monkeypatch.setattr(values, "_number", lambda column, text: text)
    writes = [by_email(f"p{number}@x.example") for number in range(5)]
    bad = by_email("bad@x.example", Lead_Score__c="many")

    saved = salesforce.save_contacts([*writes[:2], bad, *writes[2:]])

    assert not isinstance(saved[bad.trace], CrmContact)
    assert there.contacts() == 5


@BOTH
def test_a_text_with_spaces_is_the_same_text(salesforce, there, on):
    there.sandbox.settings.trims = on

    (saved,) = salesforce.save_contacts([by_email("a@x.example", Title="  CTO ")]).values()

    assert saved.properties["Title"] == there.value(saved.record_id, "Title") == "CTO"


@BOTH
def test_an_address_in_capitals_is_the_same_address(salesforce, there, on):
    there.sandbox.settings.lowers_emails = on
    first = salesforce.save_contacts([by_email("Ada@X.example")])["Ada@X.example"]

    second = salesforce.save_contacts([by_email("ada@x.example")])["ada@x.example"]

    assert first.record_id == second.record_id
    assert second.email == "ada@x.example"
    assert there.contacts() == 1


@BOTH
def test_a_role_that_is_added_is_a_change_of_the_deal_once(salesforce, there, on):
    there.sandbox.settings.roles_touch_deals = on
    contact = there.add_contact("ada@x.example")
    deal = there.add_deal("Deal", there.open_stage)
    there.later()
    since = there.now
    there.associate_deal(deal, contact)

    told = [change.record_id for part in salesforce.changes("deals", since) for change in part]

    assert told == [deal]


@BOTH
def test_an_open_task_of_ours_is_no_word_of_sales(salesforce, there, on):
    there.sandbox.settings.open_tasks_touch = on
    contact = there.add_contact("ada@x.example")

    salesforce.create_tasks([a_task(contact, there.active_owner)])

    assert salesforce.contacts_by_id([contact], [])[contact].touched_at is None


@BOTH
def test_the_same_value_again_is_the_same_record(salesforce, there, on):
    there.sandbox.settings.same_values_stamp = on
    contact = there.add_contact("ada@x.example")
    write = by_id(contact, Title="CTO", Lead_Score__c="82.5")

    first, second = (salesforce.save_contacts([write])[contact] for _ in range(2))

    assert first == second
    assert first.properties == {"Title": "CTO", "Lead_Score__c": "82.5"}


def test_small_pages_are_followed_to_their_end(salesforce, there):
    there.sandbox.settings.most_rows = 3
    emails = [f"p{number}@x.example" for number in range(20)]
    salesforce.save_contacts([by_email(email) for email in emails])

    assert len(salesforce.contacts_by_email(emails, [])) == 20

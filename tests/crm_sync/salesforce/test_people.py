"""Leads and contacts behind one record."""

import pytest

from crm_sync.port import CrmContact, CrmDenied, CrmMissing, CrmRejected, CrmUnexplained
from tests.crm_sync.salesforce.writes import NOON, by_email, by_id


def add_lead(there, email="ada@x.example", **values):
    return there.add(
        "Lead", **({"LastName": "Byron", "Company": "Engines", "Email": email} | values)
    )


def test_a_new_person_is_a_lead_with_salesforces_word_for_what_nobody_knows(salesforce, there):
    (saved,) = salesforce.save_contacts([by_email("ada@x.example", Title="CTO")]).values()

    assert there.record(saved.record_id).object == "Lead"
    assert there.value(saved.record_id, "LastName") == "[not provided]"
    read = salesforce.contacts_by_id([saved.record_id], ["LastName", "Company", "Title"])
    assert read[saved.record_id].properties == {"LastName": "", "Company": "", "Title": "CTO"}


def test_of_one_address_the_oldest_contact_is_the_person(salesforce, there):
    add_lead(there)
    there.later()
    oldest = there.add_contact("ada@x.example")
    there.later()
    there.add_contact("ADA@x.example")

    assert salesforce.contacts_by_email(["ada@x.example"], [])["ada@x.example"].record_id == oldest


def test_without_a_contact_the_oldest_open_lead_is_the_person(salesforce, there):
    oldest = add_lead(there)
    there.later()
    add_lead(there)

    assert salesforce.contacts_by_email(["ada@x.example"], [])["ada@x.example"].record_id == oldest


def test_a_converted_lead_is_its_contact_as_after_a_merge(salesforce, there):
    lead = add_lead(there)
    contact = there.convert(lead)

    found = salesforce.contacts_by_id([lead, contact], [])

    assert found[lead].record_id == found[contact].record_id == contact
    assert (found[lead].asked_id, found[contact].asked_id) == (lead, "")
    assert lead in found[lead].former_ids
    assert lead in salesforce.contacts_by_id([contact], [])[contact].former_ids


def test_an_address_that_only_the_converted_lead_had_finds_the_contact(salesforce, there):
    lead = add_lead(there)
    contact = there.convert(lead)
    there.set(contact, Email="countess@x.example")

    found = salesforce.contacts_by_email(["ada@x.example"], [])

    assert found["ada@x.example"].record_id == contact


def test_chains_of_conversions_and_merges_are_followed(salesforce, there):
    first = add_lead(there)
    second = add_lead(there, "a2@x.example")
    there.merge(second, first)
    contact = there.convert(second)
    last = there.add_contact("a3@x.example")
    there.merge(last, contact)

    found = salesforce.contacts_by_id([first, second, contact], [])

    assert {one.record_id for one in found.values()} == {last}


def test_a_score_goes_to_the_contact_of_a_lead_that_was_converted_meanwhile(salesforce, there):
    lead = add_lead(there)
    contact = there.convert(lead)

    saved = salesforce.save_contacts([by_id(lead, Lead_Score__c="82")])

    assert saved[lead].record_id == contact
    assert there.value(contact, "Lead_Score__c") == "82"


def test_a_conversion_is_a_change_of_the_contact_with_the_lead_it_was(salesforce, there):
    lead = add_lead(there)
    there.later()
    since = there.now
    contact = there.convert(lead)

    told = [change for part in salesforce.changes("contacts", since) for change in part]

    assert [change.record_id for change in told] == [contact]
    assert lead in told[0].former_ids
    assert told[0].emails == ("ada@x.example",)


def test_a_mass_change_is_told_across_pages(salesforce, there):
    from crm_sync.salesforce.records.changes import changed_records

    made = {
        *there.import_many("contacts", 7),
        *(add_lead(there, f"{n}@x.example") for n in range(6)),
    }

    told = [change for part in changed_records(salesforce._org, "contacts", NOON, 3)
            for change in part]  # fmt: skip

    assert sorted(change.record_id for change in told) == sorted(made)


def test_a_removed_contact_role_is_a_change_of_the_deal(salesforce, there):
    contact = there.add_contact("ada@x.example")
    deal = there.add_deal("Deal", there.open_stage)
    role = there.associate_deal(deal, contact)
    there.later()
    since = there.now
    there.archive(role)

    told = [change.record_id for part in salesforce.changes("deals", since) for change in part]

    assert told == [deal]
    assert salesforce.deal_ids_of([contact]) == {contact: []}


def test_two_roles_in_a_deal_are_one_deal(salesforce, there):
    contact = there.add_contact("ada@x.example")
    deal = there.add_deal("Deal", there.open_stage, contact)
    there.associate_deal(deal, contact)

    assert [each.deal_id for each in salesforce.deals_of([contact])[contact]] == [deal]
    assert salesforce.contacts_of_deals([deal]) == {deal: [contact]}


def test_whoever_is_opted_out_once_is_opted_out(salesforce, there):
    contact, lead = there.add_contact("ada@x.example"), add_lead(there)
    there.set(lead, HasOptedOutOfEmail=True)

    assert salesforce.contacts_by_id([contact], [])[contact].opted_out
    assert salesforce.contacts_by_email(["ada@x.example"], [])["ada@x.example"].opted_out


def test_an_opt_out_reaches_all_records_of_the_address(salesforce, there):
    contact, lead = there.add_contact("ada@x.example"), add_lead(there, "Ada@x.example")

    assert salesforce.opt_out(["ada@x.example", "nobody@x.example"]) == {
        "ada@x.example": None,
        "nobody@x.example": None,
    }
    assert [there.value(id_, "HasOptedOutOfEmail") for id_ in (contact, lead)] == ["True", "True"]


def test_an_alert_of_a_duplicate_rule_makes_the_lead_all_the_same(salesforce, there):
    add_lead(there, OwnerId=there.active_owner)
    there.turn("no_view_all")  # the other one is not shown to us

    (saved,) = salesforce.save_contacts([by_email("ada@x.example")]).values()

    assert isinstance(saved, CrmContact)


def test_a_block_of_a_duplicate_rule_is_told_and_not_tried_again(salesforce, there):
    lead = add_lead(there)
    there.turn("duplicates_blocked")
    there.turn("no_view_all")  # the other one is not shown to us
    there.set(lead, OwnerId=there.active_owner)
    before = there.requests()

    (saved,) = salesforce.save_contacts([by_email("ada@x.example")]).values()

    assert isinstance(saved, CrmRejected)
    assert "duplicate rule" in str(saved)
    assert there.requests() - before <= 4


def test_the_assignment_rule_leaves_our_leads_alone(salesforce, there):
    (saved,) = salesforce.save_contacts([by_email("ada@x.example")]).values()

    assert saved.owner_id == there.sandbox.people.integration


def test_a_validation_rule_that_names_a_field_we_did_not_send_is_the_orgs_matter(salesforce, there):
    there.turn("validation_rule", "Lead.Phone")

    (saved,) = salesforce.save_contacts([by_email("ada@x.example")]).values()

    assert isinstance(saved, CrmUnexplained)


def test_a_field_that_only_leads_have_is_left_out_of_a_contact(salesforce, there):
    contact = there.add_contact("ada@x.example")

    saved = salesforce.save_contacts([by_id(contact, Company="Engines", Title="CTO")])[contact]

    assert saved.properties == {"Company": "", "Title": "CTO"}


@pytest.mark.parametrize("value", ["many", "nan", "inf", "1e99", "-1e30"])
def test_what_is_no_number_is_refused_before_it_spoils_the_others(salesforce, there, value):
    writes = [by_email("a@x.example"), by_email("b@x.example", Lead_Score__c=value)]
    before = there.requests()

    saved = salesforce.save_contacts(writes)

    assert isinstance(saved["a@x.example"], CrmContact)
    assert list(saved["b@x.example"].properties) == ["Lead_Score__c"]
    assert there.requests() - before <= 5


def test_a_long_text_is_cut_as_the_field_says(salesforce, there):
    (saved,) = salesforce.save_contacts([by_email("a@x.example", Title="x" * 300)]).values()

    assert saved.properties["Title"] == "x" * 128


def test_a_write_that_says_nothing_is_no_request_to_change(salesforce, there):
    contact = there.add_contact("ada@x.example")
    before = there.record(contact).get("SystemModstamp")
    there.later()

    saved = salesforce.save_contacts([by_id(contact)])[contact]

    assert saved.record_id == contact
    assert there.record(contact).get("SystemModstamp") == before


def test_records_that_are_not_shared_are_missing(salesforce, there):
    contact = there.add_contact("ada@x.example", owner_id=there.active_owner)
    there.turn("no_view_all")

    assert salesforce.contacts_by_id([contact], []) == {}
    assert isinstance(salesforce.save_contacts([by_id(contact, Title="x")])[contact], CrmMissing)


def test_an_object_that_is_hidden_is_denied(salesforce, there):
    there.turn("object_hidden", "Opportunity")
    contact = there.add_contact("ada@x.example")

    with pytest.raises(CrmDenied):
        salesforce.deals_of([contact])
    with pytest.raises(CrmDenied):
        list(salesforce.changes("deals", NOON))


def test_locked_rows_are_busy_and_the_others_done(salesforce, there):
    writes = [by_email(f"p{number}@x.example") for number in range(6)]
    there.trouble("partial", body={"statusCode": "UNABLE_TO_LOCK_ROW", "message": "no", "fields": []},
                  match={"method": "POST"})  # fmt: skip

    saved = salesforce.save_contacts(writes)
    again = salesforce.save_contacts(writes)

    assert {type(each).__name__ for each in saved.values()} == {"CrmBusy", "CrmContact"}
    assert all(isinstance(each, CrmContact) for each in again.values())
    assert there.contacts() == 6

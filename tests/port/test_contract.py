"""What any CRM's adapter must do. None of a CRM's own words here."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crm_sync.port import (
    CrmBusy,
    CrmContactWrite,
    CrmDenied,
    CrmMissing,
    CrmProperty,
    CrmRefused,
    CrmSilent,
    CrmTaskWrite,
)
from leadscoring.models import Lifecycle

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def by_email(email, trace="", **properties):
    return CrmContactWrite(trace or email, "", email, properties)


def by_record(record_id, trace="", email="", **properties):
    return CrmContactWrite(trace or record_id, record_id, email, properties)


def a_task(record_id, owner_id, trace="t", subject="Hot lead", body="<p>Why.</p> ref LS-1"):
    return CrmTaskWrite(trace, record_id, owner_id, subject, body, NOON)


# --- the account


def test_the_account_has_an_id_that_stays(crm):
    first, second = crm.account(), crm.account()

    assert first.id == second.id != ""


def test_every_lifecycle_stage_of_ours_has_a_word_in_order(crm):
    assert list(crm.lifecycle_words) == list(Lifecycle)


def test_a_record_has_an_address_once_the_account_is_known(crm, there):
    record_id = there.add_contact("ada@example.com")
    unknown = crm.contact_url(record_id)

    crm.account()

    assert unknown == "" or unknown == crm.contact_url(record_id)
    assert record_id in crm.contact_url(record_id)


def test_archived_owners_are_told_as_inactive(crm, there):
    active = {owner.owner_id: owner.active for owner in crm.owners()}

    assert active[there.active_owner] is True
    assert active[there.archived_owner] is False


def test_stages_tell_open_and_won_apart(crm, there):
    stages = {(stage.pipeline_id, stage.stage_id): stage for stage in crm.stages()}

    assert not stages[there.open_stage].closed
    assert stages[there.won_stage].closed
    assert stages[there.won_stage].won


def test_there_are_lead_statuses_to_choose_from(crm):
    assert len(set(crm.lead_statuses())) == len(crm.lead_statuses()) > 0


# --- set-up


def test_a_plan_creates_nothing(crm):
    wanted = [CrmProperty("favourite_colour", "Favourite colour", "text")]

    planned = crm.set_up(wanted, plan=True)

    assert planned == crm.set_up(wanted, plan=True) != []


def test_set_up_is_done_once(crm):
    wanted = [CrmProperty("tier", "Tier", "enumeration", ("gold", "silver"))]

    done = crm.set_up(wanted, plan=False)

    assert [step.problem for step in done] == [""]
    assert crm.set_up(wanted, plan=False) == []


def test_a_property_of_another_type_is_reported_and_left_alone(crm):
    crm.set_up([CrmProperty("size", "Size", "number")], plan=False)

    (step,) = crm.set_up([CrmProperty("size", "Size", "long_text")], plan=False)

    assert "type" in step.problem
    assert crm.set_up([CrmProperty("size", "Size", "number")], plan=False) == []


def test_options_that_lack_are_reported(crm):
    crm.set_up([CrmProperty("tier", "Tier", "enumeration", ("gold",))], plan=False)

    (step,) = crm.set_up([CrmProperty("tier", "Tier", "enumeration", ("gold", "tin"))], plan=False)

    assert "tin" in step.problem


# --- reading contacts


def test_contacts_are_found_by_id_with_what_rules_read(crm, there):
    owned = there.add_contact("ada@example.com", owner_id=there.active_owner, lifecycle_stage="sql")
    there.opt_out(owned)

    contact = crm.contacts_by_id([owned], [there.text_property])[owned]

    assert (contact.record_id, contact.email) == (owned, "ada@example.com")
    assert (contact.owner_id, contact.lifecycle_stage) == (there.active_owner, "sql")
    assert contact.opted_out
    assert contact.properties[there.text_property] == ""


def test_a_lifecycle_stage_that_is_none_of_ours_is_empty(crm, there):
    other = there.add_contact("ada@example.com", lifecycle_stage=there.stage_of_their_own)

    assert crm.contacts_by_id([other], [])[other].lifecycle_stage == ""


def test_who_is_not_there_is_left_out(crm, there):
    archived = there.add_contact("ada@example.com")
    there.archive(archived)

    assert crm.contacts_by_id([archived, "1"], []) == {}
    assert crm.contacts_by_email(["ada@example.com", "nobody@example.com"], []) == {}


def test_an_address_is_found_whatever_its_case_and_answered_as_asked(crm, there):
    record_id = there.add_contact("ada@example.com")

    found = crm.contacts_by_email(["Ada@Example.com"], [])

    assert found["Ada@Example.com"].record_id == record_id


def test_a_merged_record_is_answered_under_the_old_id_with_the_new_one(crm, there):
    kept, gone = there.add_contact("ada@example.com"), there.add_contact("a.l@example.com")
    merged = there.merge(kept, gone)

    found = crm.contacts_by_id([kept, gone, merged], [])

    assert {contact.record_id for contact in found.values()} == {merged}
    assert found[gone].asked_id == gone
    assert found[merged].asked_id == ""


def test_more_contacts_than_a_batch_holds_are_all_found(crm):
    writes = [by_email(f"p{number}@example.com") for number in range(230)]
    saved = crm.save_contacts(writes)

    found = crm.contacts_by_email([write.email for write in writes], [])

    assert {email: contact.record_id for email, contact in found.items()} == {
        trace: contact.record_id for trace, contact in saved.items()
    }


# --- writing contacts


def test_an_unknown_address_becomes_a_record(crm, there):
    saved = crm.save_contacts([by_email("ada@example.com", **{there.number_property: "82"})])

    record_id = saved["ada@example.com"].record_id
    assert there.value(record_id, there.number_property) == "82"


def test_a_known_address_is_updated_and_made_no_second_time(crm, there):
    known = there.add_contact("ada@example.com")

    saved = crm.save_contacts([by_email("Ada@example.com", **{there.text_property: "CTO"})])

    assert saved["Ada@example.com"].record_id == known
    assert (there.contacts(), there.value(known, there.text_property)) == (1, "CTO")


def test_saving_twice_changes_nothing_more(crm, there):
    write = by_email("ada@example.com", **{there.text_property: "CTO"})

    first, second = crm.save_contacts([write]), crm.save_contacts([write])

    assert first[write.trace].record_id == second[write.trace].record_id
    assert there.contacts() == 1


def test_a_record_is_updated_by_its_id_whatever_its_address(crm, there):
    record_id = there.add_contact("old@example.com")
    write = by_record(record_id, email="new@example.com", **{there.text_property: "CTO"})

    saved = crm.save_contacts([write])

    assert saved[record_id].record_id == record_id
    assert (there.contacts(), there.value(record_id, there.text_property)) == (1, "CTO")


def test_one_bad_value_does_not_hold_the_others(crm, there):
    writes = [by_email(f"p{number}@example.com") for number in range(7)]
    bad = by_email("bad@example.com", **{there.number_property: "many", there.text_property: "x"})

    saved = crm.save_contacts([*writes[:3], bad, *writes[3:]])

    assert list(saved[bad.trace].properties) == [there.number_property]
    assert there.contacts() == 7


def test_a_property_that_does_not_exist_is_named(crm):
    saved = crm.save_contacts([by_email("ada@example.com", nonsense="1")])

    assert isinstance(saved["ada@example.com"], CrmRefused)
    assert list(saved["ada@example.com"].properties) == ["nonsense"]


def test_a_merged_record_is_updated_by_its_old_id(crm, there):
    kept, gone = there.add_contact("ada@example.com"), there.add_contact("a.l@example.com")
    merged = there.merge(kept, gone)

    saved = crm.save_contacts([by_record(gone, **{there.text_property: "CTO"})])

    assert saved[gone].record_id == merged
    assert there.value(merged, there.text_property) == "CTO"


def test_another_address_of_a_record_means_that_record(crm, there):
    kept, gone = there.add_contact("ada@example.com"), there.add_contact("a.l@example.com")
    merged = there.merge(kept, gone)

    saved = crm.save_contacts([by_email("a.l@example.com", **{there.text_property: "CTO"})])

    assert saved["a.l@example.com"].record_id == merged
    assert there.value(merged, there.text_property) == "CTO"
    assert crm.contacts_by_email(["a.l@example.com"], [])["a.l@example.com"].record_id == merged


def test_a_record_that_is_gone_is_told_as_missing_and_not_made_again(crm, there):
    gone = there.add_contact("ada@example.com")
    there.archive(gone)

    saved = crm.save_contacts([by_record(gone, **{there.text_property: "CTO"})])

    assert isinstance(saved[gone], CrmMissing)
    assert there.contacts() == 0


def test_two_writes_of_one_record_are_both_done(crm, there):
    first = by_email("ada@example.com", "first", **{there.text_property: "CTO"})
    second = by_email("ada@example.com", "second", **{there.number_property: "3"})

    saved = crm.save_contacts([first, second])

    assert saved["first"].record_id == saved["second"].record_id
    assert there.value(saved["first"].record_id, there.number_property) == "3"


def test_nobody_is_made_without_an_address(crm, there):
    saved = crm.save_contacts([by_email("", trace="nobody")])

    assert isinstance(saved["nobody"], CrmRefused)
    assert there.contacts() == 0


def test_a_lifecycle_stage_does_not_go_back(crm, there):
    customer = there.add_contact("ada@example.com", lifecycle_stage="customer")

    back = {there.lifecycle_property: crm.lifecycle_words["mql"]}
    crm.save_contacts([by_record(customer, **back)])

    assert crm.contacts_by_id([customer], [])[customer].lifecycle_stage == "customer"


# --- tasks


def test_a_task_hangs_on_its_contact_and_is_found_there_at_once(crm, there):
    record_id = there.add_contact("ada@example.com")

    made = crm.create_tasks([a_task(record_id, there.active_owner)])["t"]

    assert crm.tasks_of([record_id]) == {record_id: [made]}
    assert (made.subject, made.owner_id, made.done) == ("Hot lead", there.active_owner, False)
    assert "ref LS-1" in made.body


def test_each_task_is_answered_by_its_trace(crm, there):
    record_id = there.add_contact("ada@example.com")
    writes = [
        a_task(record_id, there.active_owner, f"t{number}", f"Task {number}", f"ref LS-{number}")
        for number in range(130)
    ]

    made = crm.create_tasks(writes)

    assert {trace: task.subject for trace, task in made.items()} == {
        write.trace: write.subject for write in writes
    }


def test_a_task_that_cannot_be_made_does_not_hold_the_others(crm, there):
    record_id = there.add_contact("ada@example.com")
    good = a_task(record_id, there.active_owner, "good", "Good")
    on_nobody, for_nobody = replace(good, trace="1", record_id="1"), replace(good, trace="2")

    made = crm.create_tasks([on_nobody, good, replace(for_nobody, owner_id="1")])

    assert isinstance(made["1"], CrmRefused)
    assert isinstance(made["2"], CrmRefused)
    assert there.tasks() == ["Good"]


def test_a_task_that_the_rep_finished_is_done(crm, there):
    record_id = there.add_contact("ada@example.com")
    made = crm.create_tasks([a_task(record_id, there.active_owner)])["t"]

    there.finish(made.task_id)

    assert crm.tasks_of([record_id])[record_id][0].done


def test_all_of_many_tasks_are_found(crm, there):
    busy, idle = there.add_contact("ada@example.com"), there.add_contact("bob@example.com")
    there.add_tasks(busy, 1_150)

    found = crm.tasks_of([busy, idle])

    assert len({task.task_id for task in found[busy]}) == 1_150
    assert found[idle] == []


# --- deals


def test_deals_are_told_by_contact(crm, there):
    ada, bob = there.add_contact("ada@example.com"), there.add_contact("bob@example.com")
    alone = there.add_contact("eve@example.com")
    shared = there.add_deal("Shared", there.open_stage, ada, bob)
    won = there.add_deal("Won", there.won_stage, ada)

    found = crm.deals_of([ada, bob, alone])

    assert {deal.deal_id for deal in found[ada]} == {shared, won}
    assert [(deal.name, deal.closed) for deal in found[bob]] == [("Shared", False)]
    assert {deal.won for deal in found[ada] if deal.deal_id == won} == {True}
    assert found[alone] == []


def test_a_deal_says_its_stage_as_the_stages_do(crm, there):
    ada = there.add_contact("ada@example.com")
    there.add_deal("Open", there.open_stage, ada)

    (deal,) = crm.deals_of([ada])[ada]

    assert (deal.pipeline_id, deal.stage_id) == there.open_stage


# --- trouble


def test_one_request_too_many_says_when_to_ask_again(crm, there):
    there.be_busy(seconds=7)

    with pytest.raises(CrmBusy) as busy:
        crm.owners()

    assert busy.value.retry_after == 7


def test_a_read_without_an_answer_may_be_asked_again(crm, there):
    there.go_silent()

    with pytest.raises(CrmBusy):
        crm.owners()

    assert crm.owners()


def test_a_saved_contact_without_an_answer_may_be_saved_again(crm, there):
    write = by_email("ada@example.com")
    there.go_silent()

    with pytest.raises(CrmBusy):
        crm.save_contacts([write])

    assert crm.save_contacts([write])[write.trace].record_id
    assert there.contacts() == 1


def test_a_task_without_an_answer_is_unknown_until_looked_for(crm, there):
    record_id = there.add_contact("ada@example.com")
    there.go_silent()

    made = crm.create_tasks([a_task(record_id, there.active_owner)])

    assert isinstance(made["t"], CrmSilent)
    assert len(crm.tasks_of([record_id])[record_id]) == 1


def test_tasks_after_a_silence_are_not_tried(crm, there):
    record_id = there.add_contact("ada@example.com")
    writes = [a_task(record_id, there.active_owner, f"t{number}") for number in range(101)]
    there.go_silent()

    made = crm.create_tasks(writes)

    assert isinstance(made["t0"], CrmSilent)
    assert isinstance(made["t100"], CrmBusy)
    assert len(there.tasks()) == 100


def test_revoked_credentials_are_denied(crm, there):
    there.revoke()

    with pytest.raises(CrmDenied):
        crm.owners()


def test_an_empty_question_asks_nothing(crm):
    assert crm.contacts_by_id([], []) == {}
    assert crm.save_contacts([]) == crm.create_tasks([]) == crm.deals_of([]) == {}

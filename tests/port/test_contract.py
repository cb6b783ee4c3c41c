"""What any CRM's adapter must do. None of a CRM's own words here."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from crm_sync.port import (
    BulletList,
    CrmBusy,
    CrmContactWrite,
    CrmDenied,
    CrmMissing,
    CrmOwnerRejected,
    CrmProperty,
    CrmRejected,
    CrmSilent,
    CrmTask,
    CrmTaskChange,
    CrmTaskWrite,
    Paragraph,
    TaskText,
)
from leadscoring.models import Lifecycle

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
# What not every CRM can do: see OtherSide.abilities.
needs = pytest.mark.needs


def by_email(email, trace="", **properties):
    return CrmContactWrite(trace or email, "", email, properties)


def by_record(record_id, trace="", email="", **properties):
    return CrmContactWrite(trace or record_id, record_id, email, properties)


def a_task(record_id, owner_id, trace="t", subject="Hot lead", body="Why. ref LS-1"):
    return CrmTaskWrite(trace, record_id, owner_id, subject, TaskText(body), NOON)


# --- people who want to be left alone


def test_a_record_that_can_be_restored_is_told_from_one_that_is_gone_for_good(crm, there):
    live, archived, erased = (there.add_contact(f"{name}@x.example") for name in "abc")
    there.archive(archived)
    there.erase(erased)

    assert crm.archived_contacts([live, archived, erased]) == {archived}


def test_an_address_is_opted_out_as_often_as_one_likes(crm, there):
    record_id = there.add_contact("ada+news@x.example")

    for _ in range(2):
        assert crm.opt_out(["ada+news@x.example"]) == {"ada+news@x.example": None}

    assert crm.contacts_by_id([record_id], [])[record_id].opted_out


def test_an_address_that_is_refused_keeps_nobody_else_from_being_opted_out(crm, there):
    record_id = there.add_contact("ada@x.example")

    said = crm.opt_out(["nobody", "ada@x.example"])

    assert isinstance(said["nobody"], CrmRejected)
    assert said["ada@x.example"] is None
    assert crm.contacts_by_id([record_id], [])[record_id].opted_out


def test_opting_out_may_be_forbidden_while_the_rest_goes_on(crm, there):
    record_id = there.add_contact("ada@x.example")
    there.forbid_opting_out()

    with pytest.raises(CrmDenied):
        crm.opt_out(["ada@x.example"])

    assert not crm.contacts_by_id([record_id], [])[record_id].opted_out


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


def test_the_accounts_properties_are_told_with_what_they_take(crm, there):
    found = {each.name: each for each in crm.properties()}

    assert found[there.text_property].type == "text"
    assert found[there.number_property].type == "number"
    assert found[there.lifecycle_property].type == "enumeration"
    assert set(crm.lifecycle_words.values()) <= set(found[there.lifecycle_property].options)
    assert all(len(each.labels) == len(each.options) for each in found.values())


def test_there_are_lead_statuses_to_choose_from(crm):
    assert len(set(crm.lead_statuses())) == len(crm.lead_statuses()) > 0


def test_an_identity_tells_tokens_apart_and_gives_none_away(crm, there, another):
    assert crm.identity == another(there.token).identity != another("another").identity
    assert there.token not in crm.identity


def test_every_call_is_registered_with_what_it_is_for(crm):
    assert all(call.method and call.path and call.purpose and call.limit for call in crm.calls)
    assert {call.retry for call in crm.calls} == {True, False}


def test_what_was_asked_is_known_without_asking(crm, there):
    crm.owners()
    before = there.requests()

    budget = crm.budget()

    assert there.requests() == before
    assert budget.unit
    if budget.window_seconds:
        assert 0 < budget.used <= budget.allowed
    if budget.used_today is not None:
        assert 0 < budget.used_today <= budget.allowed_today
    assert budget.window_seconds or budget.used_today


@pytest.mark.parametrize("priority", ["live", "backlog", "polling"])
def test_every_lane_reaches_the_same_account(crm, priority):
    assert crm.with_priority(priority).account() == crm.account()
    assert crm.with_priority(priority).identity == crm.identity
    assert crm.with_priority(priority).room() >= 0


def test_its_capabilities_are_in_reason(crm):
    can = crm.capabilities

    assert can.task_text.longest >= 32_000
    assert timedelta(0) < can.index_lag < can.search_overlap <= timedelta(hours=1)
    assert can.changes_at_once > 0 < can.people_at_once
    assert min(can.poll_cost, can.definitions_cost, can.tasks_cost) > 0
    assert min(can.read_cost, can.write_cost) > 0
    assert can.deal_ids_cost > 0 < can.daily_allowance


# --- set-up


def test_a_plan_creates_nothing(crm):
    wanted = [CrmProperty("favourite_colour", "Favourite colour", "text")]

    planned = crm.set_up(wanted, plan=True)

    assert planned == crm.set_up(wanted, plan=True) != []


def as_named(wanted, steps):
    """Properties by the names that the CRM gave them, as the mapping keeps them."""
    named = {step.wanted: step.named for step in steps if step.named}
    return [replace(each, name=named.get(each.name, each.name)) for each in wanted]


def test_set_up_is_done_once(crm):
    wanted = [CrmProperty("tier", "Tier", "enumeration", ("gold", "silver"))]

    done = crm.set_up(wanted, plan=False)

    assert [step.problem for step in done] == [""]
    assert crm.set_up(as_named(wanted, done), plan=False) == []


def test_a_property_that_is_there_is_not_made_again(crm):
    wanted = [CrmProperty("tier", "Tier", "enumeration", ("gold", "silver"))]
    as_named(wanted, crm.set_up(wanted, plan=False))
    before = len(crm.properties())

    again = crm.set_up(wanted, plan=False)

    assert len(crm.properties()) == before
    assert crm.set_up(as_named(wanted, again), plan=False) == []


def test_a_property_of_another_type_is_reported_and_left_alone(crm):
    size = [CrmProperty("size", "Size", "number")]
    size = as_named(size, crm.set_up(size, plan=False))

    (step,) = crm.set_up([replace(size[0], type="long_text")], plan=False)

    assert "type" in step.problem
    assert crm.set_up(size, plan=False) == []


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


def test_when_sales_last_spoke_to_them_is_told(crm, there):
    touched, never = there.add_contact("ada@example.com"), there.add_contact("bob@example.com")
    there.touch(touched, NOON)

    found = crm.contacts_by_id([touched, never], [])

    assert (found[touched].touched_at, found[never].touched_at) == (NOON, None)


def test_the_owner_of_a_contacts_company_is_told(crm, there):
    owned, unowned, alone = (there.add_contact(f"{name}@example.com") for name in "abc")
    there.employ(owned, there.active_owner)
    there.employ(unowned, "")

    assert crm.company_owners([owned, unowned, alone]) == {owned: there.active_owner}


def test_companies_that_may_not_be_read_own_nobody(crm, there, caplog):
    contact = there.add_contact("ada@example.com")
    there.employ(contact, there.active_owner)
    there.hide_companies()

    assert [crm.company_owners([contact]) for _ in range(3)] == [{}] * 3
    assert caplog.text.count("company owner") == 1


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

    assert isinstance(saved["ada@example.com"], CrmRejected)
    assert list(saved["ada@example.com"].properties) == ["nonsense"]


def test_a_merged_record_is_updated_by_its_old_id(crm, there):
    kept, gone = there.add_contact("ada@example.com"), there.add_contact("a.l@example.com")
    merged = there.merge(kept, gone)

    saved = crm.save_contacts([by_record(gone, **{there.text_property: "CTO"})])

    assert saved[gone].record_id == merged
    assert there.value(merged, there.text_property) == "CTO"


@needs("several_addresses")
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

    assert isinstance(saved["nobody"], CrmRejected)
    assert there.contacts() == 0


@needs("lifecycle_order")
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

    assert isinstance(made["1"], CrmRejected | CrmMissing)
    assert isinstance(made["2"], CrmRejected)
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


# --- tasks, guarded: a second one of a reference is refused


def test_the_account_says_whether_it_guards_tasks(crm, there):
    assert crm.guards_tasks() == ("guard" in there.abilities)


@pytest.fixture
def guarded(crm, there):
    """Make tasks for one contact with the guard on."""
    if "guard" not in there.abilities:
        pytest.skip("this CRM's accounts never refuse a second task of one reference")
    record_id = there.add_contact("ada@example.com")

    def make(*references, again=False, on="", owner_id=""):
        writes = [
            replace(
                a_task(on or record_id, owner_id or there.active_owner, each, each, f"ref {each}"),
                again=again,
            )
            for each in references
        ]
        return crm.create_tasks(writes, guarded=True)

    made: Any = make
    made.record_id = record_id
    return made


def associated(crm, guarded):
    return crm.tasks_of([guarded.record_id])[guarded.record_id]


def test_a_guarded_task_hangs_on_its_contact(crm, guarded):
    made = guarded("LS-1")

    assert associated(crm, guarded) == list(made.values())


@needs("batch_of_100")
def test_a_hundred_guarded_tasks_are_one_request(there, guarded):
    before = there.requests()

    made = guarded(*(f"LS-{number}" for number in range(100)))

    assert {trace: task.subject for trace, task in made.items()} == {trace: trace for trace in made}
    assert there.requests() == before + 1


@pytest.mark.parametrize("again", [True, False])
def test_asking_again_answers_the_task_that_is_there(crm, there, guarded, again):
    first = guarded("LS-1", "LS-2")

    second = guarded("LS-2", "LS-3", "LS-1", again=again)

    assert {trace: second[trace].task_id for trace in first} == {
        trace: task.task_id for trace, task in first.items()
    }
    assert sorted(there.tasks()) == ["LS-1", "LS-2", "LS-3"]
    assert len(associated(crm, guarded)) == 3


@pytest.mark.parametrize("again", [True, False])
def test_what_a_rep_did_in_between_stays(crm, there, guarded, again):
    made = guarded("LS-1")["LS-1"]
    there.finish(made.task_id)

    answer = guarded("LS-1", again=again)["LS-1"]

    assert answer.done
    assert associated(crm, guarded)[0].done


@pytest.mark.parametrize("again", [True, False])
def test_a_guarded_task_without_an_answer_may_be_asked_for_again(crm, there, guarded, again):
    there.go_silent()
    with pytest.raises(CrmBusy):
        guarded("LS-1", "LS-2")

    made = guarded("LS-1", "LS-2", again=again)

    assert {task.task_id for task in associated(crm, guarded)} == {
        each.task_id for each in made.values()
    }
    assert sorted(there.tasks()) == ["LS-1", "LS-2"]


def test_a_task_that_was_never_made_is_made_when_asked_for_again(crm, guarded):
    made = guarded("LS-1", again=True)

    assert associated(crm, guarded)[0].task_id == made["LS-1"].task_id


def test_one_reference_twice_in_one_request_is_one_task(there, guarded):
    guarded("LS-1", "LS-1")
    guarded("LS-1", "LS-1", again=True)

    assert there.tasks() == ["LS-1"]


@pytest.mark.parametrize("again", [True, False])
def test_a_guarded_task_that_cannot_be_made_does_not_hold_the_others(there, guarded, again):
    good = guarded("LS-1", again=again)
    on_nobody, for_nobody = guarded("LS-2", on="1", again=again), guarded("LS-3", owner_id="1")

    assert isinstance(good["LS-1"], CrmTask)
    assert isinstance(on_nobody["LS-2"], CrmRejected | CrmMissing)
    assert isinstance(for_nobody["LS-3"], CrmRejected)
    assert there.tasks() == ["LS-1"]


def test_what_is_late_is_not_sent_any_more(crm, there):
    record_id = there.add_contact("ada@example.com")
    writes = [a_task(record_id, there.active_owner)]

    for guarded in (True, False):
        with pytest.raises(CrmBusy):
            crm.create_tasks(writes, guarded=guarded, until=monotonic() - 1)
        crm.create_tasks([], guarded=guarded, until=monotonic() - 1)

    assert there.tasks() == []


@needs("batch_of_100")
def test_to_find_a_culprit_takes_few_requests(crm, there):
    record_id = there.add_contact("ada@example.com")
    writes = [a_task(record_id, there.active_owner, f"t{n}", f"{n}", f"ref {n}") for n in range(64)]
    there.refuse(times=7)  # the batch, and each time the half in which the culprit is
    before = there.requests()

    made = crm.create_tasks(writes)

    assert [trace for trace, task in made.items() if not isinstance(task, CrmTask)] == ["t0"]
    assert there.requests() - before == 1 + 2 * 6


# --- tasks as they are


@pytest.fixture
def task(crm, there):
    record_id = there.add_contact("ada@example.com")
    return crm.create_tasks([a_task(record_id, there.active_owner)])["t"]


def test_tasks_are_found_by_id(crm, task):
    assert crm.tasks([task.task_id, "1"]) == {task.task_id: task}


def test_a_task_that_a_rep_has_begun_is_told_apart_from_new_and_done(crm, there, task):
    there.begin(task.task_id)
    begun = crm.tasks([task.task_id])[task.task_id]
    there.finish(task.task_id)
    done = crm.tasks([task.task_id])[task.task_id]

    tells = "started" in there.abilities
    assert [(each.started, each.done) for each in (task, begun, done)] == [
        (False if tells else None, False),
        (True if tells else None, False),
        (False if tells else None, True),
    ]


def test_a_finished_task_says_when(crm, there, task):
    there.finish(task.task_id)

    done = crm.tasks([task.task_id])[task.task_id]

    assert (task.done_at, begun_minutes_ago(done.done_at)) == (None, 0)


def begun_minutes_ago(at):
    return (datetime.now(UTC) - at) // timedelta(minutes=1)


def test_a_deleted_task_is_told_apart_from_one_that_never_was(crm, there, task):
    there.delete_task(task.task_id)

    assert crm.tasks([task.task_id]) == {}
    assert crm.archived_tasks([task.task_id, "1"]) == {task.task_id}


def all_tasks(crm, marker):
    page = crm.list_tasks(marker)
    yield from page.tasks
    while page.place:
        page = crm.list_tasks(marker, page.place)
        yield from page.tasks


@needs("short_pages")
def test_the_list_goes_on_from_a_place_and_ends_with_what_was_made_meanwhile(crm, there, task):
    there.add_tasks(there.add_contact("grace@example.com"), 150)
    first = crm.list_tasks("ref LS-1")
    kept = str(first.place)
    late = crm.create_tasks(
        [
            a_task(
                there.add_contact("bob@example.com"), there.active_owner, "late", "Late", "ref LS-1"
            )
        ]
    )

    rest = crm.list_tasks("ref LS-1", kept)

    assert [each.task_id for each in first.tasks] == [task.task_id]
    assert ([each.task_id for each in rest.tasks], rest.place) == ([late["late"].task_id], "")


def test_all_tasks_are_listed_with_their_contacts(crm, there):
    ada, bob = there.add_contact("ada@example.com"), there.add_contact("bob@example.com")
    writes = [
        a_task(ada, there.active_owner, f"t{number}", f"Task {number}", f"ref LS-{number}")
        for number in range(230)
    ]
    made = crm.create_tasks(writes)
    both, gone = made["t0"].task_id, made["t1"].task_id
    if shared := "shared_tasks" in there.abilities:
        there.associate(both, [bob])
    there.delete_task(gone)
    there.add_tasks(bob, 5)  # somebody else's

    found = {task.task_id: task for task in all_tasks(crm, "ref LS-")}

    assert found.keys() == {task.task_id for task in made.values()} - {gone}
    assert set(found[both].record_ids) == ({ada, bob} if shared else {ada})
    assert found[made["t2"].task_id].record_ids == (ada,)


@needs("shared_tasks")
def test_all_contacts_of_a_task_are_told(crm, there, task):
    many = [there.add_contact(f"p{number}@example.com") for number in range(120)]
    there.associate(task.task_id, many)

    (found,) = all_tasks(crm, "ref LS-1")

    assert len(set(found.record_ids)) == 121


@needs("tasks_without_contact")
def test_a_task_on_nobody_is_listed_too(crm, there, task):
    (found,) = all_tasks(crm, "ref LS-1")
    there.archive(found.record_ids[0])

    assert [each.record_ids for each in all_tasks(crm, "ref LS-1")] == [()]


def test_a_task_is_changed_and_what_is_not_named_stays(crm, there, task):
    change = CrmTaskChange(task.task_id, subject="Hotter", done=True)

    answer = crm.change_tasks([change])[task.task_id]

    after = crm.tasks([task.task_id])[task.task_id]
    assert (answer.subject, answer.done) == (after.subject, after.done) == ("Hotter", True)
    assert (after.body, after.owner_id) == (task.body, task.owner_id)


def test_a_tasks_text_comes_back_with_its_words_and_links(crm, there):
    form, record_id = crm.capabilities.task_text, there.add_contact("ada@example.com")
    link = "https://leads.example.com/contact/7/?a=1&b=2#text-0a1b2c3d"
    blocks = [
        BulletList("Ada & <Byron>, “Engines”", ["1 < 2", "ref LS-1"]),
        Paragraph("See all", link),
    ]
    write = replace(a_task(record_id, there.active_owner), body=form.render(blocks))

    made = crm.create_tasks([write])["t"]

    kept = crm.tasks([made.task_id])[made.task_id].body
    assert isinstance(kept, form)
    assert kept.links() == [link]
    assert "".join(kept.words().split()) == "".join(write.body.words().split())
    assert "Ada & <Byron>, “Engines”" in kept.words()


def test_changing_twice_changes_nothing_more(crm, task):
    new = crm.capabilities.task_text.render([Paragraph("New."), Paragraph("ref LS-1")])
    change = CrmTaskChange(task.task_id, body=new)
    for _ in range(2):
        crm.change_tasks([change])

    assert crm.tasks([task.task_id])[task.task_id].body == change.body


def test_a_task_that_cannot_be_changed_does_not_hold_the_others(crm, task):
    nowhere = CrmTaskChange("1", subject="x")
    for_nobody = CrmTaskChange(task.task_id, owner_id="1")

    answers = crm.change_tasks([nowhere, CrmTaskChange(task.task_id, subject="Hotter")])
    refused = crm.change_tasks([for_nobody])

    assert isinstance(answers["1"], CrmMissing)
    assert answers[task.task_id].subject == "Hotter"
    assert isinstance(refused[task.task_id], CrmOwnerRejected)


def test_a_task_is_given_to_another_rep_however_often(crm, there, task):
    change = CrmTaskChange(task.task_id, owner_id=there.other_owner)

    answers = [crm.change_tasks([change])[task.task_id] for _ in range(2)]

    after = crm.tasks([task.task_id])[task.task_id]
    assert [answer.owner_id for answer in answers] == [there.other_owner] * 2
    assert replace(after, owner_id=task.owner_id) == task


def test_more_changes_than_a_batch_holds_are_all_made(crm, there):
    record_id = there.add_contact("ada@example.com")
    there.add_tasks(record_id, 130)
    ids = [task.task_id for task in crm.tasks_of([record_id])[record_id]]

    answers = crm.change_tasks([CrmTaskChange(id_, subject=id_) for id_ in ids])

    assert {id_: task.subject for id_, task in answers.items()} == {id_: id_ for id_ in ids}


def test_a_task_is_put_on_another_contact(crm, there, task):
    """A CRM whose tasks have one contact alone moves it there."""
    other = there.add_contact("bob@example.com")
    for _ in range(2):
        crm.associate_tasks({task.task_id: other})

    assert [each.task_id for each in crm.tasks_of([other])[other]] == [task.task_id]


def test_a_task_put_on_nobody_is_an_error(crm, task):
    with pytest.raises(CrmMissing):
        crm.associate_tasks({task.task_id: "1"})


def test_deleted_tasks_are_gone_and_may_be_deleted_again(crm, there, task):
    for _ in range(2):
        crm.archive_tasks([task.task_id, "1"])

    assert there.tasks() == []
    assert crm.archived_tasks([task.task_id]) == {task.task_id}


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


def test_a_deal_says_when_it_was_made(crm, there):
    ada = there.add_contact("ada@example.com")
    before = datetime.now(UTC)
    there.add_deal("Open", there.open_stage, ada)

    (deal,) = crm.deals_of([ada])[ada]

    assert before - timedelta(minutes=1) < deal.made_at <= deal.changed_at


@needs("lost_reason")
def test_a_deal_says_why_it_was_lost(crm, there):
    ada = there.add_contact("ada@example.com")
    lost = there.add_deal("Lost", there.lost_stage, ada)
    unsaid = crm.deals_of([ada])[ada][0].lost_reason

    there.explain_loss(lost, "Too small")

    (deal,) = crm.deals_of([ada])[ada]
    assert (unsaid, deal.lost_reason, deal.closed, deal.won) == ("", "Too small", True, False)


def test_the_contacts_of_deals_are_told(crm, there):
    ada, bob = there.add_contact("ada@example.com"), there.add_contact("bob@example.com")
    shared = there.add_deal("Shared", there.open_stage, ada, bob)
    alone = there.add_deal("Alone", there.open_stage)

    found = crm.contacts_of_deals([shared, alone])

    both = {each.record_id for each in crm.contacts_by_id([ada, bob], []).values()}
    assert {deal: set(ids) for deal, ids in found.items()} == {shared: both, alone: set()}


def test_only_the_ids_of_a_contacts_deals_are_told_where_nobody_asks_for_more(crm, there):
    ada, alone = there.add_contact("ada@example.com"), there.add_contact("eve@example.com")
    deals = {there.add_deal(f"Deal {each}", there.open_stage, ada) for each in range(3)}
    there.add_deal("Another's", there.open_stage)

    found = crm.deal_ids_of([ada, alone])

    assert {record_id: set(ids) for record_id, ids in found.items()} == {ada: deals, alone: set()}


def test_a_deleted_deal_is_no_contacts_deal_any_more(crm, there):
    ada = there.add_contact("ada@example.com")
    kept, gone = (there.add_deal(name, there.open_stage, ada) for name in ("Kept", "Gone"))

    there.archive_deal(gone)

    assert list(crm.deal_ids_of([ada])[ada]) == [kept]
    assert [deal.deal_id for deal in crm.deals_of([ada])[ada]] == [kept]


# --- what was changed


def told(crm, kind, since):
    """All changes in the order in which they are told."""
    return [change for part in crm.changes(kind, since) for change in part]


def make(there, kind, name):
    if kind == "contacts":
        return there.add_contact(f"{name}@example.com")
    return there.add_deal(name, there.open_stage)


KINDS = pytest.mark.parametrize("kind", ["contacts", "deals"])


@KINDS
def test_where_there_is_no_record_there_is_no_change(crm, kind):
    assert crm.newest_change(kind) is None
    assert told(crm, kind, LONG_AGO) == []


@KINDS
def test_all_records_are_told_once_and_oldest_first(crm, there, kind):
    made = [make(there, kind, f"n{each}") for each in range(5)]

    changes = told(crm, kind, LONG_AGO)

    assert [change.record_id for change in changes] == made
    assert changes == sorted(changes, key=lambda change: change.changed_at)


@KINDS
def test_the_newest_change_is_the_last_that_is_told_and_told_again_from_its_own_instant(
    crm, there, kind
):
    for each in range(3):
        make(there, kind, f"n{each}")
    last = told(crm, kind, LONG_AGO)[-1]

    newest = crm.newest_change(kind)

    assert newest == last.changed_at
    assert last in told(crm, kind, newest)
    assert told(crm, kind, newest + timedelta(seconds=1)) == []


def test_a_deal_that_moves_is_told_with_its_new_time_as_the_deal_says_it(crm, there):
    ada = there.add_contact("ada@example.com")
    moved = there.add_deal("Moved", there.open_stage, ada)
    there.add_deal("Stays", there.open_stage)
    before = crm.newest_change("deals")

    there.move_deal(moved, there.won_stage)

    last = told(crm, "deals", before)[-1]
    assert last.record_id == moved
    assert last.changed_at > before
    assert crm.deals_of([ada])[ada][0].changed_at == last.changed_at


def test_a_contact_is_told_with_all_its_addresses(crm, there):
    kept, gone = there.add_contact("Ada@example.com"), there.add_contact("countess@example.com")
    merged = there.merge(kept, gone)

    last = told(crm, "contacts", LONG_AGO)[-1]

    assert last.record_id == merged
    assert set(last.emails) == {"ada@example.com", "countess@example.com"}


@needs("former_ids")
def test_a_contact_is_told_with_the_ids_that_were_merged_into_it(crm, there):
    kept, gone = there.add_contact("ada@example.com"), there.add_contact("countess@example.com")
    merged = there.merge(kept, gone)

    last = told(crm, "contacts", LONG_AGO)[-1]

    assert {kept, gone} <= {*last.former_ids, merged}


@KINDS
def test_more_records_than_a_page_holds_that_changed_in_one_instant_are_all_told(crm, there, kind):
    """An import: nothing but their ids tells them apart."""
    made = there.import_many(kind, 450)

    changes = told(crm, kind, LONG_AGO)

    assert sorted(change.record_id for change in changes) == sorted(made)
    assert len({change.changed_at for change in changes}) == 1


def test_a_deleted_record_is_not_among_the_changes(crm, there):
    kept, gone = there.add_contact("ada@example.com"), there.add_contact("bob@example.com")

    there.archive(gone)

    assert [change.record_id for change in told(crm, "contacts", LONG_AGO)] == [kept]


# --- the audit


def test_an_account_that_has_all_has_no_flaws(crm, there):
    wanted = [CrmProperty(there.number_property, "Lead score", "number")]

    found = crm.audit(wanted, [there.number_property, there.text_property], LONG_AGO)

    assert list(found.problems) == []
    assert found.token["account"] == crm.account().id


def test_an_audit_changes_nothing(crm, there):
    crm.audit([CrmProperty("absent", "Absent", "number")], ["nonsense"], LONG_AGO)

    assert (there.contacts(), there.tasks()) == (0, [])
    assert crm.set_up([CrmProperty("absent", "Absent", "number")], plan=True) != []


def test_an_audit_gives_no_secret_away(crm, there):
    assert there.token not in repr(crm.audit([], [], LONG_AGO))


def test_a_property_that_is_absent_or_wrong_is_found(crm, there):
    wanted = [
        CrmProperty("absent", "Absent", "text"),
        CrmProperty(there.number_property, "Lead score", "datetime"),
    ]

    found = crm.audit(wanted, [*(each.name for each in wanted), "nonsense"], LONG_AGO).problems

    assert [name for flaw in found for name in flaw.what.split() if name in sought(there)] == [
        "absent",
        there.number_property,
        "nonsense",
    ]
    assert not any(flaw.stops for flaw in found)


def sought(there):
    return {"absent", "nonsense", there.number_property}


def test_a_missing_permission_is_found_and_stops_handoffs(crm, there):
    there.forbid_writing()

    found = crm.audit([], [], LONG_AGO).problems

    assert any(flaw.stops and flaw.fix for flaw in found)


def test_a_permission_that_handoffs_can_do_without_does_not_stop_them(crm, there):
    there.hide_companies()

    assert [flaw.stops for flaw in crm.audit([], [], LONG_AGO).problems] == [False]


def test_revoked_credentials_are_found_by_the_audit(crm, there):
    there.revoke()

    (flaw,) = crm.audit([], [], LONG_AGO).problems

    assert flaw.stops


@needs("end_of_support")
def test_what_the_crm_will_not_support_much_longer_is_named_in_time(crm):
    ends = min(call.until for call in crm.calls if call.until)
    last_day = datetime(ends.year, ends.month, ends.day, tzinfo=UTC)

    early = crm.audit([], [], last_day - timedelta(days=181)).problems
    late = crm.audit([], [], last_day - timedelta(days=180)).problems

    assert (len(early), len(late)) == (0, 1)
    assert not late[0].stops


# --- trouble


@needs("retry_after")
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


@needs("batch_of_100")
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


def test_an_empty_question_asks_nothing(crm, there):
    before = there.requests()
    assert crm.contacts_by_id([], []) == {}
    assert crm.save_contacts([]) == crm.create_tasks([]) == crm.deals_of([]) == {}
    assert crm.create_tasks([], guarded=True) == crm.change_tasks([]) == crm.tasks([]) == {}
    assert crm.company_owners([]) == {}
    crm.associate_tasks({})
    crm.archive_tasks([])
    assert there.requests() == before

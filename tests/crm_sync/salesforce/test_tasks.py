from dataclasses import replace

import pytest

from crm_sync.port import (
    CrmBusy,
    CrmDenied,
    CrmMissing,
    CrmOwnerRejected,
    CrmTask,
    CrmTaskChange,
    CrmUnexplained,
)
from crm_sync.salesforce.records.task_reads import list_tasks_page
from tests.crm_sync.salesforce.writes import a_task

REFERENCE = "Handoff_Reference__c"


@pytest.fixture
def person(there):
    return there.add_contact("ada@x.example")


def only(answers):
    (answer,) = answers.values()
    return answer


def test_a_task_is_due_on_a_day_and_reminds_at_the_minute(salesforce, there, person):
    salesforce.account()
    made = only(salesforce.create_tasks([a_task(person, there.active_owner)]))

    kept = {name: there.value(made.task_id, name) for name in
            ("Priority", "ActivityDate", "IsReminderSet", REFERENCE, "WhoId")}  # fmt: skip
    assert kept == {
        "Priority": "High",
        "ActivityDate": "2026-05-04",
        "IsReminderSet": "True",
        REFERENCE: "LS-1",
        "WhoId": person,
    }


def test_a_task_for_a_lead_that_was_converted_goes_to_the_contact(salesforce, there):
    lead = there.add("Lead", LastName="x", Company="x", Email="a@x.example")
    contact = there.convert(lead)

    made = only(salesforce.create_tasks([a_task(lead, there.active_owner)], guarded=True))

    assert there.value(made.task_id, "WhoId") == contact
    assert salesforce.tasks_of([lead, contact]) == {lead: [made], contact: [made]}


def test_a_conversion_takes_the_task_along(salesforce, there):
    lead = there.add("Lead", LastName="x", Company="x", Email="a@x.example")
    made = only(salesforce.create_tasks([a_task(lead, there.active_owner)]))
    contact = there.convert(lead)

    assert [each.task_id for each in salesforce.tasks_of([lead])[lead]] == [made.task_id]
    assert salesforce.list_tasks("ref LS-").tasks[0].record_ids == (contact,)


def test_a_task_is_moved_to_the_contact_of_a_converted_lead(salesforce, there, person):
    made = only(salesforce.create_tasks([a_task(person, there.active_owner)]))
    lead = there.add("Lead", LastName="x", Company="x", Email="a@x.example")
    contact = there.convert(lead)

    salesforce.associate_tasks({made.task_id: lead})

    assert there.value(made.task_id, "WhoId") == contact


def test_a_task_for_somebody_deleted_is_missing_and_made_for_nobody(salesforce, there, person):
    there.archive(person)

    assert isinstance(
        only(salesforce.create_tasks([a_task(person, there.active_owner)])), CrmMissing
    )
    assert there.tasks() == []


def test_an_owner_who_left_is_told_as_such(salesforce, there, person):
    for guarded in (True, False):
        made = salesforce.create_tasks([a_task(person, there.archived_owner)], guarded=guarded)
        assert isinstance(only(made), CrmOwnerRejected)


@pytest.mark.parametrize("holds", [True, False])
def test_a_reference_of_a_deleted_task_is_made_again_or_told(salesforce, there, person, holds):
    """Whether the recycle bin holds a unique value is not known."""
    there.sandbox.settings.bin_holds_values = holds
    made = only(salesforce.create_tasks([a_task(person, there.active_owner)], guarded=True))
    there.delete_task(made.task_id)

    again = only(salesforce.create_tasks([a_task(person, there.active_owner)], guarded=True))

    assert isinstance(again, CrmUnexplained if holds else CrmTask)
    assert len(there.tasks()) == (0 if holds else 1)


def test_an_org_that_lost_its_guard_makes_no_guarded_task(salesforce, there, person):
    assert salesforce.guards_tasks()
    there.turn("field_hidden", f"Task.{REFERENCE}")

    with pytest.raises(CrmDenied, match=REFERENCE):
        salesforce.create_tasks([a_task(person, there.active_owner)], guarded=True)

    assert there.tasks() == []
    assert not salesforce.guards_tasks()


@pytest.mark.parametrize("whole", [True, False])
def test_without_a_guard_a_task_is_made_without_a_reference(salesforce, there, person, whole):
    there.sandbox.settings.column_spoils_all = whole
    there.turn("field_hidden", f"Task.{REFERENCE}")

    made = only(salesforce.create_tasks([a_task(person, there.active_owner)]))

    assert isinstance(made, CrmTask)
    assert len(there.tasks()) == 1


def test_without_references_our_own_tasks_are_listed(bare_org, there, person):
    made = only(bare_org.create_tasks([a_task(person, there.active_owner)]))
    there.add_tasks(person, 3)

    assert not bare_org.guards_tasks()
    assert [each.task_id for each in bare_org.list_tasks("ref LS-").tasks] == [made.task_id]


def test_the_list_goes_on_where_it_was_and_new_tasks_come_last(salesforce, there, person):
    def page(place=""):
        return list_tasks_page(salesforce._org, "ref LS-", place, 2)

    def make(*numbers):
        writes = [a_task(person, there.active_owner, f"LS-{number}") for number in numbers]
        return [task.task_id for task in salesforce.create_tasks(writes).values()]

    made = make(1, 2, 3)
    first = page()
    there.later()
    late = make(4, 5)

    second = page(first.place)
    third = page(second.place)

    found = [task.task_id for each in (first, second, third) for task in each.tasks]
    assert sorted(found) == sorted([*made, *late])
    assert found[-2:] == late or sorted(found[-2:]) == sorted(late)
    assert third.place == ""


@pytest.mark.parametrize("place", ["x", "2026 '", "2026-05-04T12:00:00Z 1' OR", " "])
def test_a_place_that_is_none_begins_anew(salesforce, there, person, place):
    salesforce.create_tasks([a_task(person, there.active_owner)])

    assert len(salesforce.list_tasks("ref LS-", place).tasks) == 1


def test_a_task_that_is_reopened_has_the_status_of_a_new_one(salesforce, there, person):
    made = only(salesforce.create_tasks([a_task(person, there.active_owner)]))
    salesforce.change_tasks([CrmTaskChange(made.task_id, done=True)])

    salesforce.change_tasks([CrmTaskChange(made.task_id, done=False)])

    again = salesforce.tasks([made.task_id])[made.task_id]
    assert (again.done, again.started) == (False, False)


def test_our_own_finished_task_is_no_word_of_sales(salesforce, there, person):
    made = only(salesforce.create_tasks([a_task(person, there.active_owner)]))
    there.finish(made.task_id)

    assert salesforce.contacts_by_id([person], [])[person].touched_at is None


def test_a_trigger_that_fails_for_many_at_once_is_tried_with_fewer(salesforce, there, person):
    body = {"statusCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "fields": [],
            "message": "TaskTrigger: System.LimitException: Apex CPU time limit exceeded"}  # fmt: skip
    answer = [{"success": False, "errors": [body]}] * 4
    there.trouble("status", status=200, body=answer, times=1, match={"method": "POST"})
    writes = [a_task(person, there.active_owner, f"LS-{number}") for number in range(4)]

    made = salesforce.create_tasks(writes)

    assert all(isinstance(task, CrmTask) for task in made.values())
    assert len(there.tasks()) == 4


def test_an_answer_of_fewer_rows_than_were_sent_is_none_for_the_others(salesforce, there, person):
    there.trouble("status", status=200, body=[], times=1, match={"method": "POST"})

    made = only(salesforce.create_tasks([a_task(person, there.active_owner)], guarded=True))

    assert isinstance(made, CrmBusy)


def test_ids_of_15_signs_are_the_same_records(salesforce, there, person):
    made = only(salesforce.create_tasks([a_task(person, there.active_owner)]))

    assert salesforce.tasks([made.task_id[:15]]) == {made.task_id[:15]: made}
    assert salesforce.tasks_of([person[:15]]) == {person[:15]: [made]}
    assert person[:15] in salesforce.contacts_by_id([person[:15]], [])
    again = replace(a_task(person[:15], there.active_owner[:15], "LS-2"))
    assert isinstance(only(salesforce.create_tasks([again])), CrmTask)

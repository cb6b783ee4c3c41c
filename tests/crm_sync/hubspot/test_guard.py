"""The property that keeps tasks single: where the account has it, refuses it, or lost it."""

from datetime import UTC, datetime

import pytest

from crm_sync.hubspot.records.task_fields import REFERENCE
from crm_sync.port import (
    CrmDenied,
    CrmProperty,
    CrmRejected,
    CrmSilent,
    CrmTask,
    CrmTaskWrite,
    TaskText,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CREATE = "/crm/v3/objects/tasks/batch/create"
SCORE = [CrmProperty("lead_score", "Lead score", "number")]


@pytest.fixture
def tasks(hubspot, there):
    """Writes for one contact, by reference."""
    record_id = there.add_contact("ada@x.example")

    def tasks(*references, again=False):
        return [
            CrmTaskWrite(
                each, record_id, there.active_owner, each, TaskText(f"ref {each}"), NOON, again
            )
            for each in references
        ]

    return tasks


@pytest.fixture
def guarded(hubspot, tasks):
    hubspot.set_up(SCORE, plan=False)
    return lambda *references, again=False: hubspot.create_tasks(
        tasks(*references, again=again), guarded=True
    )


def asked(there, path):
    return sum(each["path"].startswith(path) for each in there.seen())


def test_an_account_that_refuses_the_property_is_set_up_all_the_same(hubspot, there):
    there.sandbox.settings.unique_task_properties = False

    steps = hubspot.set_up(SCORE, plan=False)

    assert {step.problem for step in steps} == {""}
    assert "cannot keep task references unique" in steps[-1].what
    assert not hubspot.guards_tasks()


def test_a_token_that_may_not_make_properties_of_tasks_is_no_problem(hubspot, there):
    path = "/crm/v3/properties/tasks"
    there.trouble("status", path, status=403, body={"category": "MISSING_SCOPES"}, times=None)

    assert {step.problem for step in hubspot.set_up(SCORE, plan=False)} == {""}
    assert not hubspot.guards_tasks()


def test_a_property_that_is_not_unique_guards_nothing(hubspot, there):
    text = {"name": REFERENCE, "label": "x", "groupName": "task", "type": "string"}
    there.ask("POST", "/crm/v3/properties/tasks", text | {"fieldType": "text"})

    steps = hubspot.set_up(SCORE, plan=False)

    assert "not unique" in steps[-1].what
    assert not hubspot.guards_tasks()


def test_a_property_that_came_out_not_unique_is_said(hubspot, there):
    made = {"name": REFERENCE, "hasUniqueValue": False}
    there.trouble("status", "/crm/v3/properties/tasks", status=200, body={"results": []}, times=1)
    there.trouble("status", "/crm/v3/properties/tasks", status=201, body=made, times=1)

    assert "not a unique one" in hubspot.set_up([], plan=False)[-1].what


@pytest.mark.parametrize("status", [400, 409])
def test_a_clash_told_of_the_whole_batch_costs_two_requests_more(guarded, there, status):
    first = guarded("LS-1", "LS-2")
    body = {"category": "CONFLICT", "message": "LS-1 already has that value"}
    there.trouble("status", CREATE, status=status, body=body)
    before = len(there.seen())

    made = guarded("LS-1", "LS-3", "LS-2", "LS-4")

    assert [made[trace].task_id for trace in first] == [task.task_id for task in first.values()]
    assert sorted(there.tasks()) == ["LS-1", "LS-2", "LS-3", "LS-4"]
    assert len(there.seen()) - before == 3 + 1  # and the look at `tasks`


def test_a_clash_that_nobody_is_found_for_is_a_refusal(guarded, there):
    body = {"category": "CONFLICT", "message": "7 already has that value"}
    there.trouble("status", CREATE, status=409, body=body, times=None)

    assert isinstance(guarded("LS-1")["LS-1"], CrmRejected)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 524])
def test_a_guarded_task_is_never_unknown(guarded, there, status):
    there.trouble("status", CREATE, status=status, body="<html>")

    with pytest.raises(Exception, match="did not answer") as raised:
        guarded("LS-1")

    assert not isinstance(raised.value, CrmSilent)


@pytest.mark.parametrize("again", [True, False])
def test_a_property_that_somebody_deleted_is_the_accounts_trouble(guarded, there, again):
    there.remove_property(REFERENCE, "tasks")

    with pytest.raises(CrmDenied, match="crm_setup"):
        guarded("LS-1", again=again)
    assert there.tasks() == []


def test_a_task_that_can_hang_on_nobody_is_taken_back(hubspot, guarded, tasks, there):
    (write,) = tasks("LS-1", again=True)
    there.archive(write.record_id)

    made = hubspot.create_tasks([write], guarded=True)["LS-1"]

    assert not isinstance(made, CrmTask)
    assert there.tasks() == []


def test_a_task_that_was_made_but_not_associated_is_associated_the_next_time(
    hubspot, guarded, tasks, there
):
    (write,) = tasks("LS-1", again=True)
    there.trouble("drop_before", "/crm/v4/associations/tasks/contacts/batch/create")
    with pytest.raises(Exception, match="did not answer"):
        hubspot.create_tasks([write], guarded=True)

    made = hubspot.create_tasks([write], guarded=True)["LS-1"]

    assert [each.task_id for each in hubspot.tasks_of([write.record_id])[write.record_id]] == [
        made.task_id
    ]
    assert there.tasks() == ["LS-1"]


def test_fresh_and_repeated_tasks_go_together(hubspot, guarded, tasks, there):
    writes = [*tasks("LS-1"), *tasks("LS-2", again=True), *tasks("LS-3")]

    made = hubspot.create_tasks(writes, guarded=True)

    assert {trace: task.subject for trace, task in made.items()} == {
        each: each for each in ("LS-1", "LS-2", "LS-3")
    }

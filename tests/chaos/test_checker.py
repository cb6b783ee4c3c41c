"""A checker that has never failed proves nothing."""

from dataclasses import replace

from tests.chaos.checker import check
from tests.chaos.crms import hubspot_record
from tests.chaos.record import CrmRecord, Crossing, Task
from tests.chaos.usual_storm import usual_storm

ROW = Crossing("ada@x.example", 1, "LS-AAAAAAAAAAAA", "delivered", "", "r1", "o1", "t1")
TASK = Task("t1", frozenset({ROW.reference}), frozenset({"r1"}), frozenset({ROW.email}), "o1", False)  # fmt: skip


def findings(row: Crossing, *tasks: Task, record_ids: tuple[str, ...] = ("r1",)):
    return check([row], CrmRecord(list(tasks), {row.email: list(record_ids)}, {"o1"}))


def test_one_delivered_row_with_its_task_is_clean():
    assert findings(ROW, TASK).clean


def test_a_delivered_row_without_a_task_is_lost():
    assert len(findings(ROW).lost) == 1


def test_a_crossing_without_a_row_is_lost():
    assert len(findings(Crossing(ROW.email)).lost) == 1


def test_a_row_that_still_waits_is_lost():
    assert len(findings(replace(ROW, status="waiting"), TASK).lost) == 1


def test_a_row_set_aside_without_a_cause_is_lost():
    assert len(findings(replace(ROW, status="needs_attention")).lost) == 1


def test_a_row_set_aside_with_a_cause_is_no_loss_unless_its_task_is_there():
    aside = replace(ROW, status="needs_attention", because="A bad address.")

    assert findings(aside).clean
    assert len(findings(aside, TASK).disagree) == 1


def test_two_tasks_of_one_reference_are_doubled_also_when_one_was_deleted():
    assert len(findings(ROW, TASK, replace(TASK, id="t2", archived=True)).doubled) == 1


def test_two_tasks_of_one_contact_are_doubled_also_when_they_name_nothing():
    silent = replace(TASK, references=frozenset())

    assert len(findings(replace(ROW, reference=""), silent, replace(silent, id="t2")).doubled) == 1


def test_a_task_without_a_contact_or_an_owner_is_on_nobody():
    nobody = replace(TASK, record_ids=frozenset(), emails=frozenset(), owner_id="gone")

    assert len(findings(ROW, nobody).on_nobody) == 2


def test_a_task_on_somebody_else_a_stray_and_two_records_of_one_address_are_told():
    stray = replace(TASK, id="t9", references=frozenset({"LS-ZZZZZZZZZZZZ"}), emails=frozenset())

    assert findings(ROW, replace(TASK, emails=frozenset({"bob@x.example"}))).disagree
    assert findings(ROW, TASK, stray).disagree == ["task t9 belongs to no crossing"]
    assert findings(ROW, TASK, record_ids=("r1", "r2")).contacts_doubled


def test_a_row_that_says_otherwise_than_its_task_is_told():
    assert (
        len(findings(replace(ROW, task_id="t2", record_id="r2", owner_id="o2"), TASK).disagree) == 3
    )


def test_the_stand_ins_store_is_read_whole():
    store = {
        "owners": {"o1": {"archived": False}, "o2": {"archived": True}},
        "records": {
            "contacts": [{"id": "r1", "properties": {"email": "Ada@X.example"}}],
            "tasks": [{"id": "t1", "archived_at": None, "properties": {
                "hs_task_body": "… ref LS-AAAAAAAAAAAA</p>", "hubspot_owner_id": "o1"}}],
        },
        "links": [["tasks", "t1", "contacts", "r1", [204]], ["contacts", "r1", "tasks", "t1", [203]]],
    }  # fmt: skip

    there = hubspot_record(store)

    assert (there.tasks, there.owners) == ([TASK], {"o1"})
    assert check([ROW], there).clean


def test_the_usual_way_loses_and_doubles_leads_in_the_same_faults_and_the_checker_says_so():
    found = usual_storm(seed=3, many=900, kills=3, rate=0)

    assert found.lost
    assert found.doubled

"""Activities with their person, whatever the account makes of them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from crm_sync.port import (
    CrmOwnerRejected,
    CrmRejected,
    CrmSilent,
    CrmTask,
    CrmTaskChange,
    CrmTaskWrite,
    Paragraph,
    TaskText,
)
from tests.port.pipedrive_side import ACTIVITIES, PERSONS

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def ada(there):
    return there.add_contact("ada@x.example")


def write(record_id, owner_id, trace="LS-1", due_at=NOON):
    return CrmTaskWrite(trace, record_id, owner_id, "Hot lead", TaskText(f"ref {trace}"), due_at)


def activity(there, task_id):
    return there.ask("GET", f"{ACTIVITIES}/{task_id}")["data"]


def switch_off(there, *kinds):
    with there.sandbox.state.lock:
        for each in there.sandbox.store.activity_types:
            if each["key_string"] in kinds:
                each["active_flag"] = False


def test_an_activity_is_due_in_utc(pipedrive, there, ada):
    there_at_two = NOON.astimezone(timezone(timedelta(hours=2)))

    made = pipedrive.create_tasks([write(ada, there.active_owner, due_at=there_at_two)])["LS-1"]

    kept = activity(there, made.task_id)
    assert (kept["due_date"], kept["due_time"][:5]) == ("2026-05-04", "12:00")
    assert (kept["type"], kept["person_id"]) == ("call", int(ada))


def test_a_kind_of_activity_that_was_switched_off_is_replaced_by_another(
    pipedrive, there, ada, asked
):
    switch_off(there, "call")
    asked()

    for number in range(2):
        made = pipedrive.create_tasks([write(ada, there.active_owner, f"LS-{number}")])
        assert isinstance(made[f"LS-{number}"], CrmTask)

    assert asked().count("GET /v1/activityTypes") == 1
    assert len(there.tasks()) == 2


def test_an_account_without_any_kind_of_activity_makes_none(pipedrive, there, ada):
    switch_off(there, "call", "meeting", "task", "deadline", "email", "lunch")

    made = pipedrive.create_tasks([write(ada, there.active_owner)])["LS-1"]

    assert (type(made), there.tasks()) == (CrmRejected, [])


@pytest.mark.parametrize("owner", ["1", "", "nobody"])
def test_an_owner_that_is_none_is_at_fault(pipedrive, there, ada, owner):
    made = pipedrive.create_tasks([write(ada, owner)])["LS-1"]

    assert isinstance(made, CrmOwnerRejected)
    assert there.tasks() == []


def test_an_inactive_owner_is_at_fault_where_pipedrive_says_so(pipedrive, there, ada):
    made = pipedrive.create_tasks([write(ada, there.archived_owner)])["LS-1"]

    assert isinstance(made, CrmOwnerRejected)


def test_after_a_silence_nothing_more_is_made(pipedrive, there, ada):
    there.ask(
        "POST",
        "/sandbox/faults",
        {"kind": "garbage", "match": {"path_prefix": ACTIVITIES, "method": "POST"}},
    )

    made = pipedrive.create_tasks(
        [write(ada, there.active_owner, f"LS-{number}") for number in range(3)]
    )

    assert isinstance(made["LS-0"], CrmSilent)
    assert len(there.tasks()) == 1


@pytest.mark.parametrize("flag", ["primary", "primary_flag"])
def test_an_activity_moves_to_another_person_and_keeps_the_first(
    pipedrive, there, dials, ada, flag
):
    dials.participant_flag = flag
    bob = there.add_contact("bob@x.example")
    made = pipedrive.create_tasks([write(ada, there.active_owner)])["LS-1"]

    pipedrive.associate_tasks({made.task_id: bob})

    assert [each.task_id for each in pipedrive.tasks_of([bob])[bob]] == [made.task_id]
    (listed,) = pipedrive.list_tasks("ref LS-1").tasks
    assert listed.record_ids == (bob, ada)


def test_moving_it_again_asks_for_no_change(pipedrive, there, ada, asked):
    made = pipedrive.create_tasks([write(ada, there.active_owner)])["LS-1"]
    asked()

    pipedrive.associate_tasks({made.task_id: ada})

    assert [each for each in asked() if not each.startswith("GET")] == []


def test_a_deleted_activity_is_not_changed(pipedrive, there, dials, ada):
    dials.deleted_writable = True
    made = pipedrive.create_tasks([write(ada, there.active_owner)])["LS-1"]
    there.delete_task(made.task_id)

    said = pipedrive.change_tasks([CrmTaskChange(made.task_id, subject="Hotter")])

    assert not isinstance(said[made.task_id], CrmTask)


@pytest.mark.parametrize("status", [404, 410])
def test_deleting_again_is_done(pipedrive, there, dials, ada, status):
    dials.delete_again = status
    made = pipedrive.create_tasks([write(ada, there.active_owner)])["LS-1"]

    for _ in range(2):
        pipedrive.archive_tasks([made.task_id])

    assert there.tasks() == []


@pytest.mark.parametrize("told", [True, False])
def test_a_finished_activity_has_a_time(pipedrive, there, dials, ada, told):
    dials.done_time = told
    made = pipedrive.create_tasks([write(ada, there.active_owner)])["LS-1"]
    there.finish(made.task_id)

    assert pipedrive.tasks([made.task_id])[made.task_id].done_at is not None


def test_a_note_that_pipedrive_wrote_anew_has_the_same_words(pipedrive, there, dials, ada):
    dials.rewrites_notes = True
    body = pipedrive.capabilities.task_text.render(
        [Paragraph("Ada & Co, <why>"), Paragraph("See all", "https://a.example/?a=1&b=2")]
    )
    made = pipedrive.create_tasks(
        [CrmTaskWrite("LS-1", ada, there.active_owner, "Hot lead", body, NOON)]
    )["LS-1"]

    kept = pipedrive.tasks([made.task_id])[made.task_id].body

    assert "".join(kept.words().split()) == "".join(body.words().split())
    assert kept.links() == body.links()


# --- the list of all


def all_pages(pipedrive, marker):
    page = pipedrive.list_tasks(marker)
    yield page
    while page.place:
        page = pipedrive.list_tasks(marker, page.place)
        yield page


def test_the_list_goes_on_from_a_place_and_ends_with_what_was_made_meanwhile(pipedrive, there, ada):
    made = pipedrive.create_tasks([write(ada, there.active_owner)])["LS-1"]
    there.add_tasks(there.add_contact("grace@x.example"), 520)
    first = pipedrive.list_tasks("ref LS-1")
    late = pipedrive.create_tasks([write(ada, there.active_owner, "LS-12")])["LS-12"]

    rest = pipedrive.list_tasks("ref LS-1", first.place)

    assert [each.task_id for each in first.tasks] == [made.task_id]
    assert [each.task_id for each in rest.tasks] == [late.task_id]
    assert rest.place == ""


def test_a_cursor_that_does_not_hold_any_more_goes_on_by_time(pipedrive, there, ada):
    there.add_tasks(there.add_contact("grace@x.example"), 520)
    place = pipedrive.list_tasks("ref LS-").place
    late = pipedrive.create_tasks([write(ada, there.active_owner)])["LS-1"]
    since, last, _ = place.split(" ")

    rest = pipedrive.list_tasks("ref LS-", f"{since} {last} broken")

    assert late.task_id in [each.task_id for each in rest.tasks] or rest.place


def test_in_an_account_with_few_activities_all_are_read_at_once(pipedrive, there, asked):
    people = [there.add_contact(f"p{number}@x.example") for number in range(5)]
    pipedrive.create_tasks([write(each, there.active_owner, f"LS-{each}") for each in people[:3]])
    asked()

    found = pipedrive.tasks_of(people)

    assert [len(found[each]) for each in people] == [1, 1, 1, 0, 0]
    assert asked() == ["GET /api/v2/activities"]


def test_a_person_who_is_one_more_on_an_activity_is_not_its_person(pipedrive, there, ada):
    bob = there.add_contact("bob@x.example")
    made = pipedrive.create_tasks([write(ada, there.active_owner)])["LS-1"]
    there.associate(made.task_id, [bob])

    found = pipedrive.tasks_of([ada, bob])

    assert [len(found[each]) for each in (ada, bob)] == [1, 0]
    assert there.ask("GET", f"{PERSONS}/{bob}")["data"]["id"] == int(bob)

"""Activities, the reps' tasks."""

import pytest

from sandbox.pipedrive.definitions import KIM, TOM


def test_an_activity_hangs_on_its_primary_participant(pipe):
    ada, bo = pipe.person(), pipe.person("bo@lead.example")
    id_ = pipe.task(ada, bo)

    assert pipe.get(f"/v2/activities/{id_}")["person_id"] == ada
    assert [each["id"] for each in pipe.get(f"/v2/activities?person_id={ada}")] == [id_]
    assert pipe.get(f"/v2/activities?person_id={bo}") == []


def test_without_a_primary_one_it_hangs_on_nobody(pipe):
    ada = pipe.person()

    id_ = pipe.task(participants=[{"person_id": ada}])

    assert pipe.get(f"/v2/activities/{id_}")["person_id"] is None


def test_new_participants_replace_the_old_ones(pipe):
    ada, bo = pipe.person(), pipe.person("bo@lead.example")
    id_ = pipe.task(ada)

    changed = pipe.patch(
        f"/v2/activities/{id_}", {"participants": [{"person_id": bo, "primary": True}]}
    )

    assert changed["participants"] == [{"person_id": bo, "primary": True}]
    assert pipe.get(f"/v2/activities?person_id={ada}") == []


def test_the_flag_may_be_called_otherwise(pipe):
    pipe.turn(participant_flag="primary_flag")

    id_ = pipe.task(pipe.person())

    assert pipe.get(f"/v2/activities/{id_}")["participants"][0]["primary_flag"] is True


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"person_id": 1001}, "'person_id' is a read-only field."),
        ({"type": "golf"}, "type"),
        ({"type": "fax"}, "type"),
        ({"subject": ""}, "subject"),
        ({"subject": "x" * 256}, "subject"),
        ({"owner_id": TOM}, "owner_id"),
        ({"owner_id": 5}, "owner_id"),
        ({"participants": [{"person_id": 5, "primary": True}]}, "participants"),
        ({"participants": [{"primary": True}]}, "participants"),
        ({"due_date": "2026-13-01"}, "due_date"),
        ({"due_time": "25:00"}, "due_time"),
        ({"done": 1}, "done"),
        ({"note": "x" * 65_536}, "note"),
        ({"custom_fields": {}}, "custom_fields"),
    ],
)
def test_what_pipedrive_does_not_take_is_refused(pipe, values, said):
    sent = {"subject": "Call", "type": "task"} | values

    assert said in pipe.refused("POST", "/v2/activities", sent)
    assert pipe.get("/v2/activities") == []


def test_it_says_when_it_was_done_and_forgets_it_when_it_is_not(pipe):
    id_ = pipe.task()

    times = [
        pipe.patch(f"/v2/activities/{id_}", {"done": done})["marked_as_done_time"]
        for done in (True, False)
    ]

    assert times[0][-1] == "Z"
    assert times[1] is None


def test_what_is_not_said_stays(pipe):
    id_ = pipe.task(owner_id=KIM, note="Why", due_date="2026-05-04", due_time="12:00")
    before = pipe.get(f"/v2/activities/{id_}")

    after = pipe.patch(f"/v2/activities/{id_}", {"subject": "Call now"})

    assert after | {"subject": "", "update_time": ""} == before | {"subject": "", "update_time": ""}


def test_a_deleted_one_is_marked_and_in_no_list(pipe):
    ada = pipe.person()
    id_ = pipe.task(ada)
    pipe.done("DELETE", f"/v2/activities/{id_}")

    assert pipe.get(f"/v2/activities/{id_}")["is_deleted"] is True
    assert pipe.get("/v2/activities") == pipe.get(f"/v2/activities?person_id={ada}") == []


def test_a_note_may_come_back_with_other_mark_up(pipe):
    pipe.turn(rewrites_notes=True)

    id_ = pipe.task(note='<p><a href="https://x.example/">See</a></p>')

    note = pipe.get(f"/v2/activities/{id_}")["note"]
    assert note == '<div><a target="_blank" rel="noopener" href="https://x.example/">See</a></div>'


def test_a_person_says_how_many_there_are(pipe):
    ada = pipe.person()
    first, second = pipe.task(ada), pipe.task(ada)
    pipe.patch(f"/v2/activities/{first}", {"done": True})

    names = "done_activities_count,undone_activities_count,last_activity_id,next_activity_id"
    found = pipe.get(f"/v2/persons?ids={ada}&include_fields={names}")[0]

    assert [found[name] for name in names.split(",")] == [1, 1, first, second]


def test_a_person_may_count_as_changed_by_an_activity(pipe, sandbox):
    ada = pipe.person()
    sandbox.store.records["persons"][ada].values["update_time"] = "2026-01-01T00:00:00Z"
    pipe.task(ada)
    before = pipe.get(f"/v2/persons/{ada}")["update_time"]
    pipe.turn(activity_touches_person=True)
    pipe.task(ada)

    assert (before, pipe.get(f"/v2/persons/{ada}")["update_time"] > before) == (
        "2026-01-01T00:00:00Z",
        True,
    )

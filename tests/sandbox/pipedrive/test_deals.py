"""Deals, their stages and the persons that they are about."""

import pytest

from sandbox.pipedrive.definitions import KIM


def test_a_deal_begins_in_the_first_stage(pipe):
    made = pipe.get(f"/v2/deals/{pipe.deal()}")

    assert (made["pipeline_id"], made["stage_id"], made["status"]) == (1, 11, "open")
    assert made["won_time"] is made["lost_time"] is made["probability"] is None


def test_won_and_lost_are_a_status_and_the_stage_stays(pipe):
    id_ = pipe.deal(stage_id=14)

    won = pipe.patch(f"/v2/deals/{id_}", {"status": "won"})
    lost = pipe.patch(f"/v2/deals/{id_}", {"status": "lost", "lost_reason": "Too small"})
    again = pipe.patch(f"/v2/deals/{id_}", {"status": "open"})

    assert (won["stage_id"], won["won_time"] is None, won["lost_time"]) == (14, False, None)
    assert (lost["stage_id"], lost["won_time"], lost["lost_time"] is None) == (14, None, False)
    assert (lost["lost_reason"], again["lost_reason"], again["close_time"]) == (
        "Too small",
        None,
        None,
    )


def test_a_stage_brings_its_pipeline(pipe):
    id_ = pipe.deal()

    moved = pipe.patch(f"/v2/deals/{id_}", {"stage_id": 22})

    assert (moved["pipeline_id"], moved["stage_change_time"] is None) == (2, False)
    pipe.refused("PATCH", f"/v2/deals/{id_}", {"stage_id": 11, "pipeline_id": 2})


@pytest.mark.parametrize(
    "values",
    [
        {"title": ""},
        {"status": "gone"},
        {"stage_id": 99},
        {"pipeline_id": 9},
        {"person_id": 5},
        {"value": "12"},
        {"won_time": "2026-01-01T00:00:00Z"},
        {"is_deleted": True},
    ],
)
def test_what_pipedrive_does_not_take_is_refused(pipe, values):
    pipe.refused("POST", "/v2/deals", {"title": "Plan"} | values)
    assert pipe.get("/v2/deals") == []


def test_deals_are_told_by_status_and_deleted_ones_only_when_asked_for(pipe):
    one, won, gone = pipe.deal(), pipe.deal(status="won"), pipe.deal()
    pipe.done("DELETE", f"/v2/deals/{gone}")

    def told(status):
        return [each["id"] for each in pipe.get(f"/v2/deals?status={status}")]

    assert [each["id"] for each in pipe.get("/v2/deals")] == [one, won]
    assert (told("open"), told("won,open"), told("deleted")) == ([one], [one, won], [gone])


def test_an_archived_deal_is_told_apart_and_not_changed(pipe):
    id_ = pipe.deal(person_id=pipe.person())
    pipe.patch(f"/v2/deals/{id_}", {"is_archived": True})

    assert pipe.get("/v2/deals") == []
    assert [each["id"] for each in pipe.get("/v2/deals/archived")] == [id_]
    assert pipe.get(f"/v2/deals/{id_}")["is_archived"] is True
    assert len(pipe.get(f"/v2/deals?ids={id_}")) == 1
    pipe.refused("PATCH", f"/v2/deals/{id_}", {"title": "x"})
    pipe.turn(archived_readable=False)
    pipe.refused("GET", f"/v2/deals/{id_}", status=404)
    assert pipe.get(f"/v2/deals?ids={id_}") == []
    assert pipe.get(f"/v2/deals/archived?ids={id_}")[0]["id"] == id_
    pipe.turn(archived_readable=True)
    assert pipe.patch(f"/v2/deals/{id_}", {"is_archived": False})["is_archived"] is False


def test_participants_are_persons_of_the_deal_and_the_deal_is_not_theirs(pipe):
    ada, bo = pipe.person(), pipe.person("bo@lead.example")
    id_ = pipe.deal(person_id=ada)
    pipe.post(f"/v1/deals/{id_}/participants", {"person_id": bo})

    def deals_of(person):
        return [each["id"] for each in pipe.get(f"/v2/deals?person_id={person}")]

    assert [each["id"] for each in pipe.get(f"/v2/persons?deal_id={id_}")] == [ada, bo]
    rows = pipe.get(f"/v1/deals/{id_}/participants")
    assert [each["person_id"]["value"] for each in rows] == [ada, bo]
    assert pipe.get(f"/v2/deals/{id_}?include_fields=participants_count")["participants_count"] == 2
    count = pipe.get(f"/v2/persons/{bo}?include_fields=participant_open_deals_count")
    assert count["participant_open_deals_count"] == 1
    assert (deals_of(ada), deals_of(bo)) == ([id_], [])
    pipe.turn(deals_of_participants=True, persons_of_participants=False)
    assert deals_of(bo) == [id_]
    assert [each["id"] for each in pipe.get(f"/v2/persons?deal_id={id_}")] == [ada]
    pipe.done("DELETE", f"/v1/deals/{id_}/participants/{rows[1]['id']}")
    assert deals_of(bo) == []


def test_a_person_says_how_many_deals_there_are(pipe):
    ada, bo = pipe.person(), pipe.person("bo@lead.example")
    for status in ("open", "won", "lost", "lost"):
        deal = pipe.deal(person_id=ada, status=status)
        pipe.post(f"/v1/deals/{deal}/participants", {"person_id": bo})

    own = "open_deals_count,closed_deals_count,won_deals_count,lost_deals_count"
    others = "participant_open_deals_count,participant_closed_deals_count"

    def counts(person, names):
        found = pipe.get(f"/v2/persons/{person}?include_fields={names}")
        return [found[name] for name in names.split(",")]

    assert (counts(ada, own), counts(ada, others)) == ([1, 3, 1, 2], [0, 0])
    assert (counts(bo, own), counts(bo, others)) == ([0, 0, 0, 0], [1, 3])


def test_a_participant_may_count_as_a_change_of_the_deal(pipe, sandbox):
    id_, persons = pipe.deal(), [pipe.person(f"p{each}@lead.example") for each in range(2)]
    held = sandbox.store.records["deals"][id_].values
    held["update_time"] = "2026-01-01T00:00:00Z"
    times = []
    for touches, person in zip((False, True), persons, strict=True):
        pipe.turn(participant_touches_deal=touches)
        pipe.post(f"/v1/deals/{id_}/participants", {"person_id": person})
        times.append(held["update_time"] > "2026-01-01T00:00:00Z")

    assert times == [False, True]


def test_merged_deals_are_one(pipe):
    kept, gone = pipe.deal(), pipe.deal(value=12, person_id=pipe.person())

    pipe.done("PUT", f"/v1/deals/{gone}/merge", {"merge_with_id": kept})

    assert [each["id"] for each in pipe.get("/v2/deals")] == [kept]
    assert pipe.get(f"/v2/deals/{kept}")["person_id"]


def test_the_plan_may_have_no_more_open_deals(pipe):
    pipe.deal()
    pipe.turn(most_open_deals=1)

    answer = pipe.ask("POST", "/v2/deals", {"title": "Plan"})

    assert (answer.status_code, answer.json()["code"]) == (403, "feature_capping_deals_limit")


def test_stages_have_a_probability_that_counts_only_where_the_pipeline_says_so(pipe):
    lines = {each["id"]: each for each in pipe.get("/v2/pipelines")}
    stages = {each["id"]: each for each in pipe.get("/v2/stages")}

    assert [lines[id_]["is_deal_probability_enabled"] for id_ in (1, 2)] == [True, False]
    assert [stages[id_]["deal_probability"] for id_ in (15, 21)] == [80, 100]
    assert [each["id"] for each in pipe.get("/v2/stages?pipeline_id=2")] == [21, 22]


def test_a_company_has_an_owner_from_the_start(pipe):
    own = pipe.post("/v2/organizations", {"name": "Acme"})
    kims = pipe.post("/v2/organizations", {"name": "Acme", "owner_id": KIM})

    found = pipe.get(f"/v2/organizations?ids={own['id']},{kims['id']},5")

    assert [each["owner_id"] for each in found] == [7001, KIM]

"""Lists: filters, order, cursors, and the search index that is no list."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.pipedrive.persons import fresh


@pytest.fixture
def many(sandbox):
    """Persons that changed in the same second, by two and two."""
    start = datetime(2026, 5, 4, tzinfo=UTC)
    return [
        sandbox.store.create("persons", fresh(7002), start + timedelta(seconds=number // 2)).id
        for number in range(7)
    ]


def all_pages(pipe, query):
    found, cursor = [], ""
    while True:
        body = pipe.ask("GET", f"/v2/persons?{query}{cursor}").json()
        found += [each["id"] for each in body["data"]]
        if body["additional_data"]["next_cursor"] is None:
            return found
        cursor = f"&cursor={body['additional_data']['next_cursor']}"


@pytest.mark.parametrize("by", ["id", "update_time", "add_time"])
@pytest.mark.parametrize(("direction", "step"), [("asc", 1), ("desc", -1)])
def test_pages_tell_each_once_in_order(pipe, many, by, direction, step):
    query = f"limit=2&sort_by={by}&sort_direction={direction}"

    assert all_pages(pipe, query) == many[::step]


def test_since_is_inclusive_and_until_is_not(pipe, many):
    query = "updated_since=2026-05-04T00:00:01Z&updated_until=2026-05-04T00:00:03Z"

    assert all_pages(pipe, query) == many[2:6]


def test_ids_that_are_not_there_are_left_out(pipe, many):
    assert all_pages(pipe, f"ids={many[3]},5,{many[1]}") == [many[1], many[3]]


@pytest.mark.parametrize(
    "query",
    [
        "limit=501",
        "limit=0",
        "cursor=nonsense",
        "sort_by=name",
        "updated_since=2026-05-04T00:00:00.5Z",
        "updated_since=2026-05-04",
        "nope=1",
        "owner_id=kim",
        "include_fields=nope",
        "ids=" + ",".join(map(str, range(101))),
    ],
)
def test_what_is_not_described_is_refused(pipe, many, query):
    pipe.refused("GET", f"/v2/persons?{query}")


def test_a_cursor_belongs_to_its_order(pipe, many):
    cursor = pipe.ask("GET", "/v2/persons?limit=2").json()["additional_data"]["next_cursor"]

    pipe.refused("GET", f"/v2/persons?sort_by=update_time&cursor={cursor}")


def test_times_are_whole_seconds(pipe):
    made = pipe.get(f"/v2/persons/{pipe.person()}")

    assert (len(made["add_time"]), made["add_time"][-1]) == (20, "Z")


def test_v1_is_under_two_roots_and_v2_under_one(pipe):
    statuses = [
        pipe.session.get(pipe.url + path).status_code
        for path in ("/v1/users/me", "/api/v1/users/me", "/api/v2/persons", "/v2/persons")
    ]

    assert statuses == [200, 200, 200, 404]


# --- the search index


def test_an_address_is_found_in_any_case_the_second_one_too(pipe):
    lines = [{"value": "ada@lead.example"}, {"value": "Ada@home.example"}]
    id_ = pipe.person(emails=lines)

    assert pipe.found("ADA@LEAD.example") == pipe.found("ada@home.example") == [id_]
    assert pipe.found("da@lead.example") == []
    assert pipe.found("da@lead.example", exact_match="false") == [id_]


def test_the_index_lags_and_a_list_does_not(pipe):
    pipe.turn(search_lag=60)
    id_ = pipe.person()

    assert pipe.found("ada@lead.example") == []
    assert [each["id"] for each in pipe.get("/v2/persons")] == [id_]
    pipe.turn(search_lag=0)
    assert pipe.found("ada@lead.example") == [id_]


def test_the_index_shows_what_was_before(pipe, sandbox):
    id_ = pipe.person()
    record = sandbox.store.records["persons"][id_]
    at, values = record.versions[0]
    record.versions[0] = at - timedelta(minutes=2), values
    pipe.patch(f"/v2/persons/{id_}", {"emails": [{"value": "new@lead.example"}]})
    pipe.turn(search_lag=60)

    assert (pipe.found("ada@lead.example"), pipe.found("new@lead.example")) == ([id_], [])


def test_the_index_keeps_a_deleted_person_for_a_while_and_does_not_say_so(pipe, sandbox):
    id_ = pipe.person()
    pipe.done("DELETE", f"/v2/persons/{id_}")

    assert pipe.found("ada@lead.example") == [id_]
    sandbox.store.records["persons"][id_].values["update_time"] = "2026-01-01T00:00:00Z"
    assert pipe.found("ada@lead.example") == []


def test_an_exact_match_in_one_field_minds_the_case(pipe):
    code = pipe.field("Reference", "varchar")
    id_ = pipe.person(custom_fields={code: "LS-a1"})

    def found(term):
        query = f"term={term}&entity_type=person&field={code}&match=exact"
        return [each["item"]["id"] for each in pipe.get(f"/v2/itemSearch/field?{query}")]

    assert (found("LS-a1"), found("ls-a1")) == ([id_], [])


@pytest.mark.parametrize("term", ["", "x" * 256])
def test_a_term_is_neither_empty_nor_endless(pipe, term):
    pipe.refused("GET", f"/v2/persons/search?exact_match=true&term={term}")


def test_a_company_is_found_by_its_name(pipe):
    made = pipe.post("/v2/organizations", {"name": "Acme"})

    found = pipe.get("/v2/organizations/search?term=acme&exact_match=true")["items"]

    assert [each["item"]["id"] for each in found] == [made["id"]]

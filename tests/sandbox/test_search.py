"""Search: filters, order, pages, caps, its rate and its lag."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.hubspot.store import Record
from tests.sandbox.conftest import Hub

SEARCH = "/crm/v3/objects/contacts/search"


def where(name: str, operator: str, **more: Any) -> dict[str, Any]:
    filters = [{"propertyName": name, "operator": operator} | more]
    return {"filterGroups": [{"filters": filters}]}


def found(hub: Hub, body: dict[str, Any]) -> list[str]:
    hub.sandbox.settings.search_rate = 0
    answer = hub.post(SEARCH, {"properties": ["email"]} | body)
    assert answer.status_code == 200, answer.text
    return [each["properties"]["email"].partition("@")[0] for each in answer.json()["results"]]


@pytest.fixture
def people(hub: Hub) -> None:
    hub.contact("ada@lead.example", city="Rome", company="Acme Rockets", lifecyclestage="lead")
    hub.contact("bo@lead.example", city="Oslo", lifecyclestage="customer")
    hub.contact("cy@lead.example", company="Rocket Works")


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        (where("city", "EQ", value="rome"), ["ada"]),
        (where("city", "NEQ", value="Rome"), ["bo", "cy"]),
        (where("city", "HAS_PROPERTY"), ["ada", "bo"]),
        (where("city", "NOT_HAS_PROPERTY"), ["cy"]),
        (where("city", "IN", values=["rome", "oslo"]), ["ada", "bo"]),
        (where("city", "IN", values=["Rome"]), []),
        (where("city", "NOT_IN", values=["rome"]), ["bo", "cy"]),
        (where("company", "CONTAINS_TOKEN", value="rocket*"), ["ada", "cy"]),
        (where("company", "CONTAINS_TOKEN", value="rocket"), ["cy"]),
        (where("company", "NOT_CONTAINS_TOKEN", value="rockets"), ["bo", "cy"]),
        (where("lifecyclestage", "EQ", value="LEAD"), []),
        (where("createdate", "GTE", value="1700000000000"), ["ada", "bo", "cy"]),
        (where("createdate", "LT", value="2020-01-01"), []),
        (where("createdate", "BETWEEN", value="0", highValue="9000000000000"), ["ada", "bo", "cy"]),
        ({"query": "acme"}, ["ada"]),
        ({"sorts": [{"propertyName": "email", "direction": "DESCENDING"}]}, ["cy", "bo", "ada"]),
        ({"sorts": ["city"]}, ["bo", "ada", "cy"]),
        ({"sorts": ["-email"], "limit": 1}, ["cy"]),
    ],
)
def test_a_query_finds_whom_it_should(hub: Hub, query: dict[str, Any], names: list[str]) -> None:
    assert found(hub, query) == names


def test_groups_are_alternatives_and_filters_all_hold(hub: Hub, people: None) -> None:
    rome, lead = where("city", "EQ", value="rome"), where("lifecyclestage", "EQ", value="lead")
    oslo = where("city", "EQ", value="oslo")
    both = rome["filterGroups"][0]["filters"] + lead["filterGroups"][0]["filters"]

    assert found(hub, {"filterGroups": [{"filters": both}, *oslo["filterGroups"]]}) == ["ada", "bo"]


def test_a_contact_is_found_by_its_deal(hub: Hub, people: None) -> None:
    ada = hub.get("/crm/v3/objects/contacts/ada@lead.example?idProperty=email").json()["id"]
    deal = hub.deal(ada)

    assert found(hub, where("associations.deal", "EQ", value=deal)) == ["ada"]


def test_archived_records_are_not_found(hub: Hub, people: None) -> None:
    hub.ask("DELETE", "/crm/v3/objects/contacts/151000000001")

    assert found(hub, {}) == ["bo", "cy"]


def test_pages_have_a_total_and_a_cursor(hub: Hub, people: None) -> None:
    first = hub.post(SEARCH, {"limit": 2}).json()
    second = hub.post(SEARCH, {"limit": 2, "after": first["paging"]["next"]["after"]}).json()

    assert (first["total"], len(first["results"]), len(second["results"])) == (3, 2, 1)
    assert "paging" not in second


FILTER = {"propertyName": "city", "operator": "HAS_PROPERTY"}


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "9999", "limit": 2},
        {"after": "x"},
        {"query": "x" * 3_001},
        {"sorts": ["city", "email"]},
        {"sorts": ["nope"]},
        {"filterGroups": [{"filters": [FILTER]}] * 6},
        {"filterGroups": [{"filters": [FILTER] * 7}]},
        {"filterGroups": [{"filters": [FILTER] * 5}] * 4},
        {"filterGroups": [{}]},
        where("nope", "EQ", value="1"),
        where("city", "LIKE", value="1"),
        where("city", "EQ"),
        where("createdate", "GT", value="yesterday"),
        [],
    ],
)
def test_a_query_that_cannot_be_is_refused(hub: Hub, body: object) -> None:
    assert hub.post(SEARCH, body).status_code == 400


def test_the_sixth_search_of_a_second_is_too_many(hub: Hub) -> None:
    hub.sandbox.settings.rate = 100
    answers = [hub.post(SEARCH, {}) for _ in range(30)]

    late = [each for each in answers if each.status_code == 429]
    assert late[0].json()["policyName"] == "SECONDLY"
    assert late[0].json()["errorType"] == "RATE_LIMIT"
    headers = [name for each in answers for name in each.headers]
    assert not [name for name in headers if "ratelimit" in name.lower()]


def test_an_index_that_lags_shows_what_was(hub: Hub) -> None:
    hub.contact("old@lead.example", city="Rome")
    hub.sandbox.settings.search_lag = 3_600
    hub.contact("new@lead.example", city="Rome")

    assert found(hub, {}) == []


def test_a_lagging_index_has_the_values_of_then() -> None:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    record = Record("contacts", "1", at, at)
    for minutes, city in ((1, "Rome"), (2, "Oslo"), (3, "")):
        record.write("city", city, at + timedelta(minutes=minutes))
        record.touch(at + timedelta(minutes=minutes))

    then = [record.as_of(at + timedelta(minutes=minutes)).get("city") for minutes in range(4)]

    assert then == [None, "Rome", "Oslo", None]


def test_a_lagging_index_has_the_time_of_the_last_change_that_it_knows() -> None:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    record = Record("deals", "1", at, at)
    for minutes in (1, 2):
        record.write("dealname", f"Deal {minutes}", at + timedelta(minutes=minutes))
        record.touch(at + timedelta(minutes=minutes))

    then = [record.as_of(at + timedelta(minutes=minutes)) for minutes in range(3)]

    assert [each["hs_lastmodifieddate"] for each in then] == [
        "2026-05-04T00:00:00Z",
        "2026-05-04T00:01:00Z",
        "2026-05-04T00:02:00Z",
    ]

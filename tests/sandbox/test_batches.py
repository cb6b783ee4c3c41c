"""Batches: what each does, and what one bad input does to the others."""

from typing import Any

import pytest

from tests.sandbox.conftest import TO_CONTACT, Hub, link

CONTACTS = "/crm/v3/objects/contacts/batch"
TASKS = "/crm/v3/objects/tasks/batch"


def upsert_of(email: str, trace: str = "", **properties: Any) -> dict[str, Any]:
    item = {"id": email, "idProperty": "email", "properties": {"email": email} | properties}
    return item | ({"objectWriteTraceId": trace} if trace else {})


def test_an_upsert_tells_what_is_new(hub: Hub) -> None:
    known = hub.contact("ada@lead.example")

    inputs = [upsert_of("ADA@lead.example", city="Rome"), upsert_of("bo@lead.example")]
    answer = hub.post(f"{CONTACTS}/upsert", {"inputs": inputs})

    assert answer.status_code == 200
    found = {each["properties"]["email"]: each for each in answer.json()["results"]}
    assert (found["ada@lead.example"]["id"], found["ada@lead.example"]["new"]) == (known, False)
    assert found["bo@lead.example"]["new"] is True


def test_an_update_with_nothing_in_it_is_refused(hub: Hub) -> None:
    """As the live service has refused it (HubSpot/hubspot-api-ruby#121)."""
    known = hub.contact("ada@lead.example")

    one = hub.patch(f"/crm/v3/objects/contacts/{known}", {"properties": {}})
    many = hub.post(f"{CONTACTS}/update", {"inputs": [{"id": known, "properties": {}}]})

    for answer in (one, many):
        assert answer.status_code == 400
        assert "No properties found to update" in answer.json()["message"]


def test_an_upsert_takes_the_email_from_the_id(hub: Hub) -> None:
    item = {"id": "Ada@lead.example", "idProperty": "email", "properties": {"city": "Rome"}}

    hub.post(f"{CONTACTS}/upsert", {"inputs": [item]})

    assert hub.get("/crm/v3/objects/contacts/ada@lead.example?idProperty=email").ok


def test_one_bad_input_refuses_the_whole_batch(hub: Hub) -> None:
    inputs = [upsert_of("ada@lead.example"), upsert_of("bo@lead.example", nope="1")]

    answer = hub.post(f"{CONTACTS}/upsert", {"inputs": inputs})

    assert answer.status_code == 400
    assert hub.get("/crm/v3/objects/contacts").json()["results"] == []


def test_with_trace_ids_only_the_bad_input_is_refused(hub: Hub) -> None:
    inputs = [upsert_of("ada@lead.example", "t1"), upsert_of("bo@lead.example", "t2", nope="1")]

    answer = hub.post(f"{CONTACTS}/upsert", {"inputs": inputs})

    body = answer.json()
    assert (answer.status_code, body["numErrors"]) == (207, 1)
    assert [each["objectWriteTraceId"] for each in body["results"]] == ["t1"]
    assert body["errors"][0]["context"]["objectWriteTraceId"] == ["t2"]


def test_a_single_missing_trace_id_refuses_the_whole_batch(hub: Hub) -> None:
    inputs = [upsert_of("ada@lead.example"), upsert_of("bo@lead.example", "t2", nope="1")]

    assert hub.post(f"{CONTACTS}/upsert", {"inputs": inputs}).status_code == 400


def test_a_create_that_conflicts_refuses_the_batch_and_names_the_first(hub: Hub) -> None:
    known = hub.contact("bo@lead.example")
    inputs = [{"properties": {"email": f"{who}@lead.example"}} for who in ("ada", "bo")]

    answer = hub.post(f"{CONTACTS}/create", {"inputs": inputs})

    assert (answer.status_code, answer.json()["message"][-len(known) :]) == (409, known)
    assert len(hub.get("/crm/v3/objects/contacts").json()["results"]) == 1


def test_one_email_twice_in_a_batch_of_creates_is_a_conflict(hub: Hub) -> None:
    inputs = [{"properties": {"email": "ada@lead.example"}}] * 2

    assert hub.post(f"{CONTACTS}/create", {"inputs": inputs}).status_code == 409


def test_one_record_twice_in_a_batch_is_refused(hub: Hub) -> None:
    inputs = [upsert_of("ada@lead.example"), upsert_of("ADA@lead.example")]

    assert hub.post(f"{CONTACTS}/upsert", {"inputs": inputs}).status_code == 400


@pytest.mark.parametrize("verb", ["create", "read", "update", "upsert", "archive"])
def test_a_batch_has_at_most_a_hundred_inputs(hub: Hub, verb: str) -> None:
    inputs = [upsert_of(f"p{number}@lead.example") for number in range(101)]

    answer = hub.post(f"{CONTACTS}/{verb}", {"inputs": inputs})

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_an_update_by_email_is_refused(hub: Hub) -> None:
    hub.contact("ada@lead.example")

    answer = hub.post(f"{CONTACTS}/update", {"inputs": [upsert_of("ada@lead.example")]})

    assert "non-unique 0-1 property" in answer.json()["message"]


def test_an_upsert_by_a_property_that_is_not_unique_is_refused(hub: Hub) -> None:
    item = {"id": "Rome", "idProperty": "city", "properties": {"firstname": "A"}}

    assert hub.post(f"{CONTACTS}/upsert", {"inputs": [item]}).status_code == 400


def test_an_upsert_cannot_carry_associations(hub: Hub) -> None:
    item = upsert_of("ada@lead.example") | {"associations": []}

    assert hub.post(f"{CONTACTS}/upsert", {"inputs": [item]}).status_code == 400


def test_what_cannot_be_read_is_listed_in_one_error(hub: Hub) -> None:
    known, gone = hub.contact("ada@lead.example"), hub.contact("bo@lead.example")
    hub.ask("DELETE", f"/crm/v3/objects/contacts/{gone}")

    answer = hub.post(f"{CONTACTS}/read", {"inputs": [{"id": each} for each in (known, gone, "1")]})

    body = answer.json()
    assert (answer.status_code, [each["id"] for each in body["results"]]) == (207, [known])
    assert body["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert body["errors"][0]["context"] == {"ids": [gone, "1"]}


def test_a_batch_is_read_by_email(hub: Hub) -> None:
    known = hub.contact("ada@lead.example")
    body = {"idProperty": "email", "inputs": [{"id": "ADA@lead.example"}], "properties": ["city"]}

    found = hub.post(f"{CONTACTS}/read", body).json()["results"]

    assert [each["id"] for each in found] == [known]
    assert "city" in found[0]["properties"]


def test_results_do_not_come_in_the_order_of_the_inputs(hub: Hub) -> None:
    inputs = [{"properties": {"email": f"p{number}@lead.example"}} for number in range(3)]

    found = hub.post(f"{CONTACTS}/create", {"inputs": inputs}).json()["results"]

    assert [each["properties"]["email"][:2] for each in found] != ["p0", "p1", "p2"]


def test_tasks_of_a_batch_come_with_their_links(hub: Hub) -> None:
    contact = hub.contact()
    item = {"properties": {"hs_timestamp": "1790000000000"}}
    inputs = [item | {"associations": [link(contact, TO_CONTACT)]} for _ in range(2)]

    assert hub.post(f"{TASKS}/create", {"inputs": inputs}).status_code == 201

    found = hub.get(f"/crm/v4/objects/contacts/{contact}/associations/tasks").json()["results"]
    assert len(found) == 2


def test_tasks_are_upserted_by_a_unique_property_of_their_own(hub: Hub) -> None:
    hub.define("tasks", "lead_reference", hasUniqueValue=True)
    properties = {"hs_timestamp": "1790000000000", "lead_reference": "LS-1"}
    item = {"id": "LS-1", "idProperty": "lead_reference", "properties": properties}

    first, second = (hub.post(f"{TASKS}/upsert", {"inputs": [item]}).json() for _ in range(2))

    assert first["results"][0]["id"] == second["results"][0]["id"]
    assert [each["results"][0]["new"] for each in (first, second)] == [True, False]


def test_a_unique_value_that_is_taken_is_refused(hub: Hub) -> None:
    hub.define("tasks", "lead_reference", hasUniqueValue=True)
    holder = hub.task(lead_reference="LS-1")

    sent = {"hs_timestamp": "1790000000000", "lead_reference": "LS-1"}
    answer = hub.post("/crm/v3/objects/tasks", {"properties": sent})

    assert f"{holder} already has that value" in answer.json()["message"]


def test_a_batch_is_archived(hub: Hub) -> None:
    ids = [hub.contact(f"p{number}@lead.example") for number in range(2)]

    answer = hub.post(f"{CONTACTS}/archive", {"inputs": [{"id": each} for each in [*ids, "1"]]})

    assert answer.status_code == 204
    assert hub.get("/crm/v3/objects/contacts").json()["results"] == []


@pytest.mark.parametrize("body", [{}, {"inputs": {}}, {"inputs": []}, {"inputs": [1]}, []])
def test_a_body_that_is_no_batch_is_refused(hub: Hub, body: object) -> None:
    assert hub.post(f"{CONTACTS}/create", body).status_code == 400

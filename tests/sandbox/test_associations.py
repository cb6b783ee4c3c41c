"""Associations v4."""

import pytest

from tests.sandbox.conftest import DEAL_TO_CONTACT, KIM, Hub

READ = "/crm/v4/associations/contacts/deals/batch/read"


def spec(type_id: int) -> dict[str, object]:
    return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}


def test_a_link_is_seen_from_both_ends_with_its_own_type(hub: Hub) -> None:
    contact = hub.contact()
    deal = hub.deal(contact)

    there = hub.get(f"/crm/v4/objects/deals/{deal}/associations/contacts").json()["results"]
    back = hub.get(f"/crm/v4/objects/contacts/{contact}/associations/deals").json()["results"]

    assert [each["associationTypes"][0]["typeId"] for each in there + back] == [3, 4]
    assert [each["toObjectId"] for each in there + back] == [int(contact), int(deal)]


def test_records_without_links_are_errors_of_a_207(hub: Hub) -> None:
    linked, alone = hub.contact("ada@lead.example"), hub.contact("bo@lead.example")
    deal = hub.deal(linked)

    answer = hub.post(READ, {"inputs": [{"id": alone}, {"id": linked}]})

    body = answer.json()
    assert (answer.status_code, len(body["results"]), body["numErrors"]) == (207, 1, 1)
    assert body["results"][0]["from"] == {"id": linked}
    assert body["results"][0]["to"][0]["toObjectId"] == int(deal)
    error = body["errors"][0]
    assert error["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert error["context"]["fromObjectId"] == [alone]


def test_a_thousand_records_are_read_at_once_and_no_more(hub: Hub) -> None:
    inputs = [{"id": str(number)} for number in range(1, 1_002)]

    assert hub.post(READ, {"inputs": inputs[:1_000]}).status_code == 207
    assert hub.post(READ, {"inputs": inputs}).status_code == 400


def test_links_come_in_pages_of_five_hundred(hub: Hub) -> None:
    contact = hub.contact()
    for _ in range(6):
        properties = {"dealname": "Plan", "dealstage": "closedwon"}
        item = {
            "properties": properties,
            "associations": [{"to": {"id": contact}, "types": [spec(DEAL_TO_CONTACT)]}],
        }
        hub.post("/crm/v3/objects/deals/batch/create", {"inputs": [item] * 100})

    first = hub.post(READ, {"inputs": [{"id": contact}]}).json()["results"][0]
    after = first["paging"]["next"]["after"]
    second = hub.post(READ, {"inputs": [{"id": contact, "after": after}]}).json()["results"][0]

    assert (len(first["to"]), len(second["to"])) == (500, 100)
    assert "paging" not in second
    assert len({each["toObjectId"] for each in first["to"] + second["to"]}) == 600


def test_an_archived_record_is_linked_with_nobody(hub: Hub) -> None:
    contact = hub.contact()
    deal = hub.deal(contact)

    hub.ask("DELETE", f"/crm/v3/objects/deals/{deal}")

    found = hub.get(f"/crm/v4/objects/contacts/{contact}/associations/deals").json()["results"]
    assert found == []


def test_setting_a_link_twice_is_one_link(hub: Hub) -> None:
    contact, task = hub.contact(), hub.task()
    path = f"/crm/v4/objects/tasks/{task}/associations/contacts/{contact}"

    codes = [hub.ask("PUT", path, [spec(204)]).status_code for _ in range(2)]

    assert codes == [201, 201]
    found = hub.get(f"/crm/v4/objects/contacts/{contact}/associations/tasks").json()["results"]
    assert [each["toObjectId"] for each in found] == [int(task)]


def test_the_default_type_is_chosen_by_direction(hub: Hub) -> None:
    contact, task = hub.contact(), hub.task()

    path = f"/crm/v4/objects/tasks/{task}/associations/default/contacts/{contact}"
    answer = hub.ask("PUT", path)

    assert answer.status_code == 200
    assert answer.json()["results"][0]["associationSpec"]["associationTypeId"] == 204


@pytest.mark.parametrize("type_id", [203, 3, 9999, "204", None])
def test_a_type_of_the_wrong_direction_stores_nothing(hub: Hub, type_id: int) -> None:
    contact, task = hub.contact(), hub.task()

    path = f"/crm/v4/objects/tasks/{task}/associations/contacts/{contact}"
    answer = hub.ask("PUT", path, [spec(204), spec(type_id)])

    assert answer.status_code == 400
    found = hub.get(f"/crm/v4/objects/tasks/{task}/associations/contacts").json()["results"]
    assert found == []


def test_a_link_to_nobody_is_not_found(hub: Hub) -> None:
    path = f"/crm/v4/objects/tasks/{hub.task()}/associations/contacts/1"

    assert hub.ask("PUT", path, [spec(204)]).status_code == 404


def test_a_primary_company_is_also_an_ordinary_one(hub: Hub) -> None:
    contact = hub.contact()
    company = hub.post("/crm/v3/objects/companies", {"properties": {"name": "Acme"}}).json()["id"]

    hub.ask(
        "PUT", f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}", [spec(1)]
    )

    found = hub.get(f"/crm/v4/objects/companies/{company}/associations/contacts").json()
    types = found["results"][0]["associationTypes"]
    assert [(each["typeId"], each["label"]) for each in types] == [(2, "Primary"), (280, None)]


def test_a_batch_links_what_it_can_and_names_the_rest(hub: Hub) -> None:
    contact, task = hub.contact(), hub.task()
    good = {"from": {"id": task}, "to": {"id": contact}, "types": [spec(204)]}

    bad = good | {"to": {"id": "1"}}
    answer = hub.post("/crm/v4/associations/tasks/contacts/batch/create", {"inputs": [bad, good]})

    assert (answer.status_code, answer.json()["numErrors"]) == (207, 1)
    assert answer.json()["results"][0]["toObjectId"] == contact


def test_a_link_is_removed_from_both_ends(hub: Hub) -> None:
    contact = hub.contact()
    task = hub.task(contact)

    gone = hub.ask("DELETE", f"/crm/v4/objects/tasks/{task}/associations/contacts/{contact}")

    assert gone.status_code == 204
    found = hub.get(f"/crm/v4/objects/contacts/{contact}/associations/tasks").json()["results"]
    assert found == []


CONTACT_TO_COMPANY, PRIMARY = 279, 1


def types(hub: Hub, kind: str, id_: str, to_kind: str) -> dict[str, list[int]]:
    """Type ids by id of the other end, out of a batch read."""
    path = f"/crm/v4/associations/{kind}/{to_kind}/batch/read"
    rows = hub.post(path, {"inputs": [{"id": id_}]}).json()["results"][0]["to"]
    return {
        str(row["toObjectId"]): [each["typeId"] for each in row["associationTypes"]] for row in rows
    }


def join(hub: Hub, contact: str, company: str, type_id: int) -> None:
    path = f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}"
    assert hub.ask("PUT", path, [spec(type_id)]).status_code == 201


def test_a_contacts_primary_company_is_told_from_its_others(hub: Hub) -> None:
    contact, first, second = hub.contact(), hub.company("Acme"), hub.company("Bolt")
    join(hub, contact, first, PRIMARY)
    join(hub, contact, second, CONTACT_TO_COMPANY)

    assert types(hub, "contacts", contact, "companies") == {first: [1, 279], second: [279]}
    assert types(hub, "companies", first, "contacts") == {contact: [2, 280]}


@pytest.mark.parametrize("from_company", [False, True])
def test_a_contact_has_one_primary_company(hub: Hub, from_company: bool) -> None:
    contact, first, second = hub.contact(), hub.company("Acme"), hub.company("Bolt")
    join(hub, contact, first, PRIMARY)

    if from_company:
        path = f"/crm/v4/objects/companies/{second}/associations/contacts/{contact}"
        assert hub.ask("PUT", path, [spec(2)]).status_code == 201
    else:
        join(hub, contact, second, PRIMARY)

    assert types(hub, "contacts", contact, "companies") == {first: [279], second: [1, 279]}
    assert types(hub, "companies", first, "contacts") == {contact: [280]}


def test_a_company_is_primary_for_many(hub: Hub) -> None:
    company = hub.company("Acme")
    contacts = [hub.contact(f"p{number}@lead.example") for number in range(2)]

    for contact in contacts:
        join(hub, contact, company, PRIMARY)

    assert types(hub, "companies", company, "contacts") == {
        contact: [2, 280] for contact in contacts
    }


def test_the_owner_of_a_company_is_found_from_its_contact(hub: Hub) -> None:
    contact, company = hub.contact(), hub.company("Acme", hubspot_owner_id=KIM)
    join(hub, contact, company, PRIMARY)

    found = hub.get(f"/crm/v3/objects/contacts/{contact}?associations=companies").json()
    read = {"inputs": [{"id": company}], "properties": ["hubspot_owner_id"]}
    owner = hub.post("/crm/v3/objects/companies/batch/read", read).json()["results"][0]

    assert found["associations"]["companies"]["results"] == [
        {"id": company, "type": "contact_to_company"},
        {"id": company, "type": "contact_to_company_unlabeled"},
    ]
    assert owner["properties"]["hubspot_owner_id"] == KIM

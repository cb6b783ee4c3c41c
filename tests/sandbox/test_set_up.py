"""Properties, pipelines, owners, account: what set-up and audit read and make."""

from typing import Any

import pytest

from tests.sandbox.conftest import Hub

PROPERTIES = "/crm/v3/properties/contacts"
DEALS = "/crm/v3/pipelines/deals"


def test_a_new_property_can_be_written(hub: Hub) -> None:
    made = hub.define("contacts", "lead_score", type="number", fieldType="number")

    id_ = hub.contact(lead_score="81.5")

    assert (made.status_code, made.json()["hubspotDefined"]) == (201, False)
    assert hub.properties("contacts", id_, "lead_score")["lead_score"] == "81.5"


def test_a_property_is_made_in_a_group_that_was_made_before(hub: Hub) -> None:
    group = {"name": "lead_scoring", "label": "Lead scoring"}

    refused = hub.define("contacts", "lead_score", groupName="lead_scoring")
    made = hub.post(f"{PROPERTIES}/groups", group)

    assert (refused.status_code, made.status_code) == (400, 201)
    assert hub.define("contacts", "lead_score", groupName="lead_scoring").status_code == 201
    groups = hub.get(f"{PROPERTIES}/groups").json()["results"]
    assert {each["name"]: each["label"] for each in groups}["lead_scoring"] == "Lead scoring"
    assert hub.post(f"{PROPERTIES}/groups", group).status_code == 409


def test_a_property_that_exists_is_a_conflict(hub: Hub) -> None:
    hub.define("contacts", "lead_score")

    assert hub.define("contacts", "lead_score").status_code == 409


@pytest.mark.parametrize(
    "sent",
    [
        {"name": "Lead_Score"},
        {"name": "9lives"},
        {"type": "money"},
        {"type": "number", "fieldType": "text"},
        {"type": "enumeration", "fieldType": "select"},
        {"type": "datetime", "fieldType": "date", "hasUniqueValue": True},
        {"label": ""},
    ],
)
def test_a_definition_that_cannot_be_is_refused(hub: Hub, sent: dict[str, Any]) -> None:
    name = sent.pop("name", "lead_score")

    assert hub.define("contacts", name, **sent).status_code == 400


def test_an_object_has_at_most_ten_unique_properties(hub: Hub) -> None:
    codes = [
        hub.define("contacts", f"key_{number}", hasUniqueValue=True).status_code
        for number in range(11)
    ]

    assert codes == [201] * 10 + [400]


def test_unique_properties_of_tasks_can_be_switched_off(hub: Hub) -> None:
    hub.sandbox.settings.unique_task_properties = False

    assert hub.define("tasks", "lead_reference", hasUniqueValue=True).status_code == 400
    assert hub.define("contacts", "lead_reference", hasUniqueValue=True).status_code == 201


@pytest.mark.parametrize("change", [{"hasUniqueValue": True}, {"type": "number"}])
def test_type_and_uniqueness_are_for_ever(hub: Hub, change: dict[str, Any]) -> None:
    hub.define("contacts", "lead_score")

    assert hub.patch(f"{PROPERTIES}/lead_score", change).status_code == 400


def test_the_options_of_a_property_can_grow(hub: Hub) -> None:
    options = [{"label": "A", "value": "A"}, {"label": "B", "value": "B"}]
    hub.define(
        "contacts", "lead_grade", type="enumeration", fieldType="select", options=options[:1]
    )

    hub.patch(f"{PROPERTIES}/lead_grade", {"options": options})

    assert hub.contact(lead_grade="B")


def test_an_archived_property_is_unknown_again(hub: Hub) -> None:
    hub.define("contacts", "lead_score")

    assert hub.ask("DELETE", f"{PROPERTIES}/lead_score").status_code == 204

    assert hub.get(f"{PROPERTIES}/lead_score").status_code == 404
    sent = {"properties": {"firstname": "A", "lead_score": "1"}}
    assert hub.post("/crm/v3/objects/contacts", sent).status_code == 400


def test_what_is_hubspots_own_stays(hub: Hub) -> None:
    assert hub.ask("DELETE", f"{PROPERTIES}/email").status_code == 400


def test_scoring_properties_are_not_there_at_first(hub: Hub) -> None:
    names = {each["name"] for each in hub.get(PROPERTIES).json()["results"]}

    assert {"email", "jobtitle", "hs_email_optout"} < names
    assert not [name for name in names if name.startswith("lead_")]


def test_stage_metadata_are_strings_and_labels_say_nothing(hub: Hub) -> None:
    pipelines = hub.get(DEALS).json()["results"]

    stages = {each["id"]: each for pipeline in pipelines for each in pipeline["stages"]}
    assert len(pipelines) == 2
    assert stages["closedwon"]["metadata"] == {"isClosed": "true", "probability": "1.0"}
    assert stages["148830202"]["label"].startswith("Closed lost")
    assert stages["148830202"]["metadata"]["isClosed"] == "false"
    assert stages["148830204"]["archived"] is True


def test_a_stage_can_turn_up_later(hub: Hub) -> None:
    sent = {"label": "Legal", "displayOrder": 9, "metadata": {"probability": "0.95"}}

    made = hub.post(f"{DEALS}/default/stages", sent).json()

    assert made in hub.get(f"{DEALS}/default").json()["stages"]
    assert hub.deal(dealstage=made["id"])


@pytest.mark.parametrize("metadata", [None, {}, {"probability": 0.5}, {"probability": "2"}])
def test_a_stage_needs_its_probability_as_text(hub: Hub, metadata: object) -> None:
    sent = {"label": "Legal", "displayOrder": 9, "metadata": metadata}

    assert hub.post(f"{DEALS}/default/stages", sent).status_code == 400


def test_owners_are_active_unless_archived_ones_are_asked_for(hub: Hub) -> None:
    active = hub.get("/crm/v3/owners/").json()["results"]
    archived = hub.get("/crm/v3/owners?archived=true").json()["results"]

    assert [each["firstName"] for each in active] == ["Kim", "Ana", "Lee"]
    assert [(each["firstName"], each["userId"]) for each in archived] == [("Tom", None)]
    assert all(str(each["userId"]) != each["id"] for each in active)


def test_owners_are_paged_and_found_by_email(hub: Hub) -> None:
    first = hub.get("/crm/v3/owners?limit=2").json()
    second = hub.get(f"/crm/v3/owners?limit=2&after={first['paging']['next']['after']}").json()
    kim = hub.get("/crm/v3/owners?email=KIM@sales.example").json()["results"]

    assert (len(first["results"]), len(second["results"]), len(kim)) == (2, 1, 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("712340001", 200),
        ("48110021?idProperty=userId", 200),
        ("48110021", 404),
        ("712340004", 404),
        ("712340004?archived=true", 200),
    ],
)
def test_an_owner_is_read_by_the_right_id(hub: Hub, path: str, status: int) -> None:
    assert hub.get(f"/crm/v3/owners/{path}").status_code == status


def test_the_account_tells_its_portal(hub: Hub) -> None:
    assert hub.get("/account-info/v3/details").json()["portalId"] == 20250001


def test_the_account_counts_its_calls(hub: Hub) -> None:
    path = "/account-info/v3/api-usage/daily/private-apps"

    counts = [hub.get(path).json()["results"][0]["currentUsage"] for _ in range(2)]

    assert counts[1] == counts[0] + 1

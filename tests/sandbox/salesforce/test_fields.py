"""Custom fields over the tooling API, who sees them, and what is told of fields."""

from typing import Any

import pytest

from tests.sandbox.salesforce.conftest import DATA, REFERENCE, SOBJECTS, Org, codes, refusal, typed

SCORE = {"label": "Score", "type": "Number", "precision": 4, "scale": 1}


def described(org: Org, kind: str, name: str) -> dict[str, Any] | None:
    fields = org.get(f"{SOBJECTS}/{kind}/describe").json()["fields"]
    return next((each for each in fields if each["name"] == name), None)


def test_a_new_field_is_seen_by_nobody_until_it_is_granted(org: Org) -> None:
    assert org.field("Lead.Score__c", SCORE, seen=False).status_code == 201

    before = described(org, "Lead", "Score__c"), org.asked("SELECT Score__c FROM Lead").status_code
    org.sandbox.reset()
    org.log_in()
    org.field("Lead.Score__c", SCORE)

    assert before == (None, 400)
    shown = described(org, "Lead", "Score__c")
    assert shown
    assert (shown["type"], shown["precision"], shown["scale"], shown["custom"]) == (
        "double",
        4,
        1,
        True,
    )


def test_what_is_granted_to_read_is_not_granted_to_write(org: Org) -> None:
    org.field("Lead.Score__c", SCORE, seen=False)
    set_ = org.make("PermissionSet", Name="Readers", Label="Readers")
    org.make("PermissionSetAssignment", PermissionSetId=set_, AssigneeId=org.people.integration)
    permission = {
        "ParentId": set_,
        "SobjectType": "Lead",
        "Field": "Lead.Score__c",
        "PermissionsRead": True,
    }
    org.make("FieldPermissions", **permission)

    rows = org.rows("POST", typed("Lead", LastName="x", Company="x", Score__c=1))

    assert codes(rows) == ["INVALID_FIELD_FOR_INSERT_UPDATE"]
    assert codes(org.rows("POST", typed("FieldPermissions", **permission))) == ["DUPLICATE_VALUE"]


def test_fields_of_tasks_are_made_on_activity(org: Org) -> None:
    refused = org.field("Task.Reference__c", REFERENCE)
    org.field("Activity.Reference__c", REFERENCE)

    assert refusal(refused) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    shown = described(org, "Task", "Reference__c")
    assert shown
    assert [shown[name] for name in ("unique", "externalId", "caseSensitive", "length", "createable")] == [
        True, True, True, 40, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "metadata", "code"),
    [
        ("Lead.Score", SCORE, "FIELD_INTEGRITY_EXCEPTION"),
        ("Lead.My__Score__c", SCORE, "FIELD_INTEGRITY_EXCEPTION"),
        ("Lead.1Score__c", SCORE, "FIELD_INTEGRITY_EXCEPTION"),
        (f"Lead.{'x' * 41}__c", SCORE, "FIELD_INTEGRITY_EXCEPTION"),
        ("Lead.Score__c", {"label": "Score", "type": "Number"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Lead.Text__c", {"label": "Text", "type": "Text", "length": 256}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Lead.Text__c", {"label": "Text", "type": "LongTextArea", "length": 32_000}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Lead.Text__c", {"label": "Text", "type": "Nonsense"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Lead.Text__c", {"label": "Text", "type": "Url", "externalId": True}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Lead.Text__c", {"label": "Text", "type": "Url", "nonsense": 1}, "JSON_PARSER_ERROR"),
        ("Lead.Pick__c", {"label": "Pick", "type": "Picklist"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Nonsense.Score__c", SCORE, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    ],
)  # fmt: skip
def test_what_is_no_field_is_refused(
    org: Org, name: str, metadata: dict[str, Any], code: str
) -> None:
    assert refusal(org.field(name, metadata)) == (400, code)


def test_a_field_is_made_once_and_its_name_is_free_when_it_is_deleted(org: Org) -> None:
    id_ = org.field("Lead.Score__c", SCORE).json()["id"]
    again = org.field("Lead.Score__c", SCORE)

    gone = org.ask("DELETE", f"{DATA}/tooling/sobjects/CustomField/{id_}").status_code

    assert (refusal(again), gone) == ((400, "DUPLICATE_DEVELOPER_NAME"), 204)
    assert org.field("Lead.Score__c", SCORE).status_code == 201


def test_custom_fields_are_found_over_the_tooling_api(org: Org) -> None:
    org.field("Activity.Reference__c", REFERENCE)

    where = "TableEnumOrId IN ('Activity', 'Lead')"
    rows = org.query(
        f"SELECT DeveloperName, TableEnumOrId FROM CustomField WHERE {where}", "tooling/query"
    )

    assert [(each["DeveloperName"], each["TableEnumOrId"]) for each in rows] == [
        ("Reference", "Activity")
    ]


def test_who_may_not_customize_makes_no_field(org: Org) -> None:
    org.turn("no_customizing")

    assert refusal(org.field("Lead.Score__c", SCORE)) == (403, "INSUFFICIENT_ACCESS")


def test_an_object_has_25_external_ids_and_no_more(org: Org) -> None:
    answers = [
        org.field(f"Lead.Ext{number}__c", REFERENCE, seen=False).status_code for number in range(26)
    ]

    assert answers == [201] * 25 + [400]


def test_what_a_field_takes_is_told(org: Org) -> None:
    status, text = described(org, "Lead", "Status"), described(org, "Lead", "Description")
    last = described(org, "Lead", "LastName")

    assert status
    assert text
    assert last
    assert status["picklistValues"][0] == {
        "active": True, "defaultValue": True, "label": "Open - Not Contacted", "validFor": None,
        "value": "Open - Not Contacted",
    }  # fmt: skip
    assert (text["filterable"], text["length"]) == (False, 32_000)
    assert (last["nillable"], last["defaultedOnCreate"], last["createable"]) == (False, False, True)


def test_a_record_type_offers_its_stages(org: Org) -> None:
    types = org.query("SELECT Id FROM RecordType WHERE SobjectType = 'Opportunity' ORDER BY Id")
    path = f"{DATA}/ui-api/object-info/Opportunity/picklist-values"

    offered = [
        org.get(f"{path}/{id_}/StageName").json()["values"]
        for id_ in ("012000000000000AAA", types[0]["Id"], types[1]["Id"])
    ]
    org.sandbox.store.rules.unassigned.add(types[1]["Id"])
    refused = org.get(f"{path}/{types[1]['Id']}/StageName")

    assert [len(each) for each in offered] == [6, 6, 4]
    assert (
        offered[2][-2]["attributes"] | {"closed": True, "won": True} == offered[2][-2]["attributes"]
    )
    assert refused.status_code == 404

"""Collections: many rows in a request, a result for each, and what refuses all of them."""

from typing import Any

import pytest

from tests.sandbox.salesforce.conftest import (
    COLLECTION,
    DATA,
    REFERENCE,
    SOBJECTS,
    Org,
    codes,
    refusal,
    typed,
)

GONE = "00Q000000000001EAA"


def lead(name: str = "Ada", **values: Any) -> dict[str, Any]:
    return typed("Lead", **{"LastName": name, "Company": "Acme"} | values)


def test_each_row_has_a_result_in_the_order_that_was_sent(org: Org) -> None:
    made = org.rows(
        "POST", lead("Ada"), typed("Lead", LastName="No company"), typed("Contact", LastName="Bo")
    )

    assert codes(made) == ["ok", "REQUIRED_FIELD_MISSING", "ok"]
    assert made[1]["errors"][0]["fields"] == ["Company"]
    assert [each.get("id", "")[:3] for each in made] == ["00Q", "", "003"]


BAD = [
    ({"LastName": "x" * 81}, "STRING_TOO_LONG", "LastName"),
    ({"Email": "nonsense"}, "INVALID_EMAIL_ADDRESS", "Email"),
    ({"NumberOfEmployees": 10**9}, "NUMBER_OUTSIDE_VALID_RANGE", "NumberOfEmployees"),
    ({"OwnerId": "1"}, "MALFORMED_ID", "OwnerId"),
    ({"OwnerId": "003000000000001AAA"}, "MALFORMED_ID", "OwnerId"),
    ({"OwnerId": "005000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY", ""),
    ({"IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", "IsConverted"),
    ({"Name": "Ada"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "Name"),
    ({"LastName": "  "}, "REQUIRED_FIELD_MISSING", "LastName"),
]


@pytest.mark.parametrize(("values", "code", "field"), BAD)
def test_a_bad_row_does_not_hold_the_others(
    org: Org, values: dict[str, Any], code: str, field: str
) -> None:
    made = org.rows("POST", lead("Ada"), lead("Bad", **values), lead("Bo"))

    assert codes(made) == ["ok", code, "ok"]
    assert made[1]["errors"][0]["fields"] == ([field] if field else [])


UNREADABLE = [
    {"NumberOfEmployees": "5"},
    {"NumberOfEmployees": True},
    {"HasOptedOutOfEmail": "true"},
    {"LastName": 5},
    {"City": {"x": 1}},
]


@pytest.mark.parametrize("values", UNREADABLE)
def test_a_value_of_a_wrong_type_refuses_all_rows_or_its_own(
    org: Org, values: dict[str, Any]
) -> None:
    body = {"records": [lead("Ada"), lead("Bad", **values)]}

    assert refusal(org.post(COLLECTION, body)) == (400, "JSON_PARSER_ERROR")
    org.sandbox.settings.value_spoils_all = False

    assert codes(org.post(COLLECTION, body).json()) == ["ok", "JSON_PARSER_ERROR"]
    assert len(org.query("SELECT Id FROM Lead")) == 1


def test_a_field_that_is_not_there_refuses_all_rows_or_its_own(org: Org) -> None:
    body = {"records": [lead("Ada"), lead("Bad", Nonsense__c=1)]}

    answer = org.post(COLLECTION, body)

    assert refusal(answer) == (400, "INVALID_FIELD")
    assert "Nonsense__c" in answer.text
    org.sandbox.settings.column_spoils_all = False
    assert codes(org.post(COLLECTION, body).json()) == ["ok", "INVALID_FIELD"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"records": []}, "REQUIRED_FIELD_MISSING"),
        ({"records": [lead()] * 201}, "EXCEEDED_ID_LIMIT"),
        ({"records": [lead()], "nonsense": 1}, "JSON_PARSER_ERROR"),
        ({"records": [{"LastName": "Ada"}]}, "JSON_PARSER_ERROR"),
        ({"records": [typed("Nonsense")]}, "INVALID_TYPE"),
        ({"records": [lead(), typed("Contact", LastName="x")] * 6}, "LIMIT_EXCEEDED"),
        ({"records": [lead()], "allOrNone": "perhaps"}, "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
    ],
)  # fmt: skip
def test_a_request_as_a_whole_may_be_refused(org: Org, body: Any, code: str) -> None:
    assert refusal(org.post(COLLECTION, body)) == (400, code)
    assert org.query("SELECT Id FROM Lead") == []


def test_two_hundred_rows_are_one_call(org: Org) -> None:
    assert codes(org.rows("POST", *[lead(f"P{each}") for each in range(200)])) == ["ok"] * 200


def test_all_or_none_is_none_when_one_fails(org: Org) -> None:
    body = {"records": [lead("Ada"), typed("Lead", LastName="Bad")], "allOrNone": True}

    made = org.post(COLLECTION, body).json()

    assert codes(made) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert org.query("SELECT Id FROM Lead") == []


def test_updates_name_their_records_and_each_once(org: Org) -> None:
    ada, gone = org.lead("Ada"), org.lead("Gone")
    org.ask("DELETE", f"{SOBJECTS}/Lead/{gone}")

    rows = org.rows(
        "PATCH", typed("Lead", id=ada, City="Rome"), typed("Lead", Id=ada[:15], City="Oslo"),
        typed("Lead", id=gone), typed("Lead", id=GONE), typed("Lead", id="1"), typed("Lead", City="x"),
        typed("Contact", id=ada),
    )  # fmt: skip

    assert codes(rows) == [
        "ok", "DUPLICATE_VALUE", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID",
        "MISSING_ARGUMENT", "INVALID_CROSS_REFERENCE_KEY",
    ]  # fmt: skip
    assert org.query("SELECT City FROM Lead")[0]["City"] == "Rome"


def test_a_null_empties_a_field_that_may_be_empty(org: Org) -> None:
    ada = org.lead("Ada", City="Rome")

    rows = org.rows("PATCH", typed("Lead", id=ada, City=None))
    refused = org.rows("PATCH", typed("Lead", id=ada, LastName=None))

    assert (codes(rows), codes(refused)) == (["ok"], ["REQUIRED_FIELD_MISSING"])
    assert org.query("SELECT City, LastName FROM Lead")[0]["City"] is None


def test_deleting_names_what_cannot_be_deleted(org: Org) -> None:
    ada = org.lead("Ada")

    first = org.ask("DELETE", f"{COLLECTION}?ids={ada},{GONE},1").json()
    second = org.ask("DELETE", f"{COLLECTION}?ids={ada}").json()

    assert codes(first) == ["ok", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"]
    assert codes(second) == ["ENTITY_IS_DELETED"]


def test_records_are_read_in_the_order_of_their_ids_and_null_where_there_is_none(org: Org) -> None:
    ada, gone, bo = org.lead("Ada"), org.lead("Gone"), org.lead("Bo")
    org.ask("DELETE", f"{SOBJECTS}/Lead/{gone}")
    body = {"ids": [bo[:15], gone, GONE, ada], "fields": ["LastName", "IsConverted"]}

    rows = org.post(f"{COLLECTION}/Lead", body).json()

    assert [each and each["LastName"] for each in rows] == ["Bo", None, None, "Ada"]
    assert rows[0]["Id"] == bo
    assert rows[0]["IsConverted"] is False


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ids": ["1"], "fields": ["Id"]}, "MALFORMED_ID"),
        ({"ids": [GONE], "fields": ["Nonsense"]}, "INVALID_FIELD"),
        ({"ids": [GONE] * 2_001, "fields": ["Id"]}, "EXCEEDED_ID_LIMIT"),
        ({"ids": [GONE]}, "REQUIRED_FIELD_MISSING"),
    ],
)  # fmt: skip
def test_reading_many_may_be_refused_as_a_whole(org: Org, body: Any, code: str) -> None:
    assert refusal(org.post(f"{COLLECTION}/Lead", body)) == (400, code)


def test_a_unique_value_is_taken_once_also_within_one_request(org: Org) -> None:
    org.field("Activity.Reference__c", REFERENCE)
    who = org.lead()
    rows = [
        typed("Task", WhoId=who, Subject=each, Reference__c=each)
        for each in ("LS-1", "LS-1", "ls-1")
    ]

    made, again = org.rows("POST", *rows), org.rows("POST", rows[0])

    assert (codes(made), codes(again)) == (["ok", "DUPLICATE_VALUE", "ok"], ["DUPLICATE_VALUE"])
    assert made[0]["id"][:15] in again[0]["errors"][0]["message"]
    assert len(org.query("SELECT Id FROM Task WHERE Reference__c = 'LS-1'")) == 1


@pytest.mark.parametrize("held", [True, False])
def test_a_deleted_task_may_hold_its_reference_or_not(org: Org, held: bool) -> None:
    org.sandbox.settings.bin_holds_values = held
    org.field("Activity.Reference__c", REFERENCE)
    who = org.lead()
    task = org.task(who, Reference__c="LS-1")
    org.ask("DELETE", f"{SOBJECTS}/Task/{task}")

    again = org.rows("POST", typed("Task", WhoId=who, Reference__c="LS-1"))

    assert codes(again) == ["DUPLICATE_VALUE" if held else "ok"]


def test_an_upsert_creates_and_then_overwrites(org: Org) -> None:
    org.field("Lead.Ext__c", REFERENCE)
    path = f"{COLLECTION}/Lead/Ext__c"
    rows = [
        [lead("Ada", Ext__c="a@b.example")],
        [typed("Lead", Ext__c="a@b.example", LastName="Bo")],
    ]

    first, second = (org.patch(path, {"records": each}).json()[0] for each in rows)

    assert (first["created"], second["created"], first["id"]) == (True, False, second["id"])
    assert [each["LastName"] for each in org.query("SELECT LastName FROM Lead")] == ["Bo"]


def test_an_upsert_by_a_path_has_rules_of_its_own(org: Org) -> None:
    org.field("Lead.Ext__c", REFERENCE)
    path, body = f"{SOBJECTS}/Lead/Ext__c", {"LastName": "Ada", "Company": "Acme"}

    statuses = [
        org.patch(f"{path}/one?updateOnly=true", body).status_code,
        org.patch(f"{path}/one", body).status_code,
        org.patch(f"{path}/one", body).status_code,
        org.patch(f"{path}/one.inc", body).status_code,
        org.patch(f"{path}/one", body | {"Ext__c": "one"}).status_code,
        org.patch(f"{SOBJECTS}/Lead/City/Rome", body).status_code,
    ]

    assert statuses == [404, 201, 200, 404, 400, 404]


def test_records_one_by_one(org: Org) -> None:
    ada = org.lead("Ada", City="Rome")

    told = (
        org.get(f"{SOBJECTS}/Lead/{ada}?fields=City,Owner").status_code,
        org.get(f"{SOBJECTS}/Lead/{ada}").json(),
    )
    changed = org.patch(f"{SOBJECTS}/Lead/{ada}", {"City": "Oslo"}).status_code
    named = refusal(org.patch(f"{SOBJECTS}/Lead/{ada}", {"Id": ada}))
    gone = (
        org.ask("DELETE", f"{SOBJECTS}/Lead/{ada}").status_code,
        org.get(f"{SOBJECTS}/Lead/{ada}").status_code,
    )

    assert (told[0], told[1]["City"]) == (400, "Rome")
    assert (changed, named, gone) == (204, (400, "INVALID_FIELD"), (204, 404))
    assert refusal(org.patch(f"{SOBJECTS}/Lead/{ada}", {"City": "x"})) == (404, "ENTITY_IS_DELETED")


def test_every_third_row_fails_where_rows_are_locked(org: Org) -> None:
    org.trouble("rows_locked", times=1)

    first = org.rows("POST", *[lead(f"P{each}") for each in range(4)])

    assert codes(first) == ["ok", "ok", "UNABLE_TO_LOCK_ROW", "ok"]
    assert len(org.query("SELECT Id FROM Lead")) == 3


def test_a_lock_holds_the_record_and_what_hangs_on_it(org: Org) -> None:
    account = org.make("Account", Name="Acme")
    ada = org.contact("Ada", AccountId=account)
    org.sandbox.store.rules.locked.add(account)

    rows = [
        org.rows("PATCH", typed("Contact", id=ada, Title="CTO")),
        org.rows("POST", typed("Task", WhoId=ada)),
    ]
    org.sandbox.store.rules.locked.clear()

    assert [codes(each) for each in rows] == [["UNABLE_TO_LOCK_ROW"], ["ok"]]
    assert codes(org.rows("PATCH", typed("Contact", id=ada, Title="CTO"))) == ["ok"]


def test_what_is_not_a_resource_is_not_found(org: Org) -> None:
    assert refusal(org.get(f"{DATA}/nonsense")) == (404, "NOT_FOUND")
    assert refusal(org.ask("PUT", f"{SOBJECTS}/Lead", {})) == (405, "METHOD_NOT_ALLOWED")
    assert refusal(org.get(f"{SOBJECTS}/Nonsense/describe")) == (404, "NOT_FOUND")

"""What the org itself does with a write: rules, owners, stages, stamps."""

import pytest

from tests.sandbox.salesforce.conftest import COLLECTION, DATA, SOBJECTS, Org, codes, refusal, typed


def owner(org: Org, id_: str) -> str:
    return str(org.query(f"SELECT OwnerId FROM Lead WHERE Id = '{id_}'")[0]["OwnerId"])


def test_an_assignment_rule_moves_leads_unless_it_is_told_not_to(org: Org) -> None:
    body = {"LastName": "Ada", "Company": "Acme", "OwnerId": org.people.kim}

    kept = org.post(f"{SOBJECTS}/Lead", body).json()["id"]
    moved = org.post(f"{SOBJECTS}/Lead", body, Sforce_Auto_Assign="TRUE").json()["id"]

    assert (owner(org, kept), owner(org, moved)) == (org.people.kim, org.people.queue)


def test_an_update_of_anything_moves_the_lead_too(org: Org) -> None:
    ada = org.lead("Ada", OwnerId=org.people.kim)

    org.rows("PATCH", typed("Lead", id=ada, City="Rome"), Sforce_Auto_Assign="")

    assert owner(org, ada) == org.people.queue


@pytest.mark.parametrize("kind", ["Lead", "Contact"])
def test_a_second_record_of_an_address_is_refused_unless_it_may_be_saved(
    org: Org, kind: str
) -> None:
    first = org.lead("Ada")
    row = typed(kind, LastName="Ada", Email="ADA@lead.example") | (
        {"Company": "Acme"} if kind == "Lead" else {}
    )

    refused = org.rows("POST", row, Sforce_Duplicate_Rule_Header="includeRecordDetails=true")
    saved = org.rows("POST", row)

    assert (codes(refused), codes(saved)) == (["DUPLICATES_DETECTED"], ["ok"])
    result = refused[0]["errors"][0]["duplicateResut"]
    assert [each["record"]["Id"] for each in result["matchResults"][0]["matchRecords"]] == [first]


def test_a_rule_that_blocks_lets_nothing_pass_and_gives_no_details_unasked(org: Org) -> None:
    org.turn("duplicates_blocked")
    org.lead("Ada")

    answer = org.post(
        f"{SOBJECTS}/Lead", {"LastName": "Ada", "Company": "x", "Email": "ada@lead.example"}
    )

    assert refusal(answer) == (400, "DUPLICATES_DETECTED")
    assert answer.json()[0]["duplicateResut"]["matchResults"] == []


def test_an_owner_must_be_active_and_of_a_kind_that_the_object_takes(org: Org) -> None:
    who = org.lead()
    rows = org.rows(
        "POST", typed("Task", WhoId=who, OwnerId=org.people.tom), typed("Task", WhoId=who, OwnerId=org.people.queue),
        typed("Contact", LastName="x", OwnerId=org.people.queue),
    )  # fmt: skip

    assert codes(rows) == ["INACTIVE_OWNER_OR_USER", "ok", "MALFORMED_ID"]


def test_a_task_is_closed_by_its_status_and_tells_when(org: Org) -> None:
    who = org.lead()
    task = org.task(who, ActivityDate="2026-05-04")
    fields = "SELECT Status, Priority, IsClosed, CompletedDateTime, OwnerId FROM Task"
    (new,) = org.query(fields)

    org.patch(f"{SOBJECTS}/Task/{task}", {"Status": "Completed"})
    (closed,) = org.query(fields)
    org.patch(f"{SOBJECTS}/Task/{task}", {"Status": "Not Started"})
    (opened,) = org.query(fields)

    assert (new["Status"], new["Priority"], new["OwnerId"]) == (
        "Not Started",
        "Normal",
        org.people.integration,
    )
    assert [each["IsClosed"] for each in (new, closed, opened)] == [False, True, False]
    assert [bool(each["CompletedDateTime"]) for each in (new, closed, opened)] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("touches", [True, False])
def test_a_closed_task_is_the_persons_last_activity_and_an_open_one_may_touch_them(
    org: Org, touches: bool
) -> None:
    org.sandbox.settings.open_tasks_touch = touches
    who = org.lead()
    first = org.stamp(who)
    org.later()
    task = org.task(who, ActivityDate="2026-05-04")
    second = org.stamp(who)
    org.later()
    org.patch(f"{SOBJECTS}/Task/{task}", {"Status": "Completed"})

    assert (second > first) == touches
    assert org.stamp(who) > second
    assert org.query("SELECT LastActivityDate FROM Lead")[0]["LastActivityDate"] == "2026-05-04"


def test_what_a_task_may_hang_on(org: Org) -> None:
    lead, account = org.lead(), org.make("Account", Name="Acme")

    rows = org.rows(
        "POST", typed("Task", WhoId=lead, WhatId=account), typed("Task", WhoId=org.contact(), WhatId=account),
        typed("Task", WhoId=account), typed("Task", WhoId="1"), typed("Task", WhoId="003000000000001AAA"),
    )  # fmt: skip

    assert codes(rows) == [
        "FIELD_INTEGRITY_EXCEPTION",
        "ok",
        "MALFORMED_ID",
        "MALFORMED_ID",
        "INVALID_CROSS_REFERENCE_KEY",
    ]


def test_texts_are_trimmed_and_numbers_rounded(org: Org) -> None:
    org.field("Lead.Score__c", {"label": "Score", "type": "Number", "precision": 4, "scale": 1})
    org.lead("Ada", City="  Rome ", State="", Score__c=82.25)

    (row,) = org.query("SELECT City, State, Score__c FROM Lead")

    assert (row["City"], row["State"], row["Score__c"]) == ("Rome", None, 82.3)


@pytest.mark.parametrize("lowers", [True, False])
def test_the_case_of_an_address_may_be_kept(org: Org, lowers: bool) -> None:
    org.sandbox.settings.lowers_emails = lowers

    org.lead("Ada", Email="Ada@Lead.example")

    kept = org.query("SELECT Email FROM Lead WHERE Email = 'ada@lead.EXAMPLE'")[0]["Email"]
    assert kept == ("ada@lead.example" if lowers else "Ada@Lead.example")


@pytest.mark.parametrize("stamps", [True, False])
def test_a_write_that_changes_nothing_may_move_the_stamp(org: Org, stamps: bool) -> None:
    org.sandbox.settings.same_values_stamp = stamps
    ada = org.lead("Ada", City="Rome")
    before = org.stamp(ada)
    org.later()

    org.rows("PATCH", typed("Lead", id=ada, City="Rome"))

    assert (org.stamp(ada) > before) == stamps


def test_rules_and_required_fields_of_the_org_refuse_what_lacks_them(org: Org) -> None:
    org.turn("validation_rule", "Lead.Phone")
    org.turn("required_field", "Contact")

    rows = org.rows(
        "POST", typed("Lead", LastName="x", Company="x"), typed("Lead", LastName="x", Company="x", Phone="1"),
        typed("Contact", LastName="x"),
    )  # fmt: skip

    assert codes(rows) == ["FIELD_CUSTOM_VALIDATION_EXCEPTION", "ok", "REQUIRED_FIELD_MISSING"]
    fields = org.get(f"{SOBJECTS}/Contact/describe").json()["fields"]
    (region,) = [each for each in fields if each["name"] == "Region__c"]
    assert (region["nillable"], region["defaultedOnCreate"], region["createable"]) == (
        False,
        False,
        True,
    )


def test_countries_may_have_to_be_chosen(org: Org) -> None:
    org.turn("country_picklists")

    rows = org.rows(
        "POST", typed("Lead", LastName="x", Company="x", Country="Germany"),
        typed("Contact", LastName="x", MailingCountry="Deutschland"),
    )  # fmt: skip

    assert codes(rows) == ["ok", "FIELD_INTEGRITY_EXCEPTION"]
    assert rows[1]["errors"][0]["fields"] == ["MailingCountry"]


def test_picklists_take_anything_unless_they_are_restricted(org: Org) -> None:
    restricted = {
        "restricted": True,
        "valueSetDefinition": {"sorted": False, "value": [{"fullName": "Gold"}]},
    }
    org.field("Lead.Tier__c", {"label": "Tier", "type": "Picklist", "valueSet": restricted})

    rows = org.rows("POST", *[typed("Lead", LastName="x", Company="x", **each) for each in (
        {"Status": "Mine", "LeadSource": "Mine"}, {"Tier__c": "Gold"}, {"Tier__c": "gold"})])  # fmt: skip

    assert codes(rows) == ["ok", "ok", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]


def test_an_address_that_is_encrypted_is_told_and_not_searched_for(org: Org) -> None:
    org.turn("email_encrypted", "Lead.Email")
    org.lead("Ada")

    fields = org.get(f"{SOBJECTS}/Lead/describe").json()["fields"]

    assert refusal(org.asked("SELECT Id FROM Lead WHERE Email = 'x@y.example'")) == (
        400,
        "INVALID_FIELD",
    )
    assert org.query("SELECT Email FROM Lead") != []
    assert [each["filterable"] for each in fields if each["name"] == "Email"] == [False]


def test_standard_fields_of_a_person_account_are_not_written_on_its_contact(org: Org) -> None:
    org.field("Contact.Score__c", {"label": "Score", "type": "Number", "precision": 4, "scale": 1})
    ada = org.contact("Ada")
    org.turn("person_account", ada)

    rows = [
        org.rows("PATCH", typed("Contact", id=ada, **each))
        for each in ({"Title": "x"}, {"Score__c": 1})
    ]

    assert [codes(each) for each in rows] == [["INVALID_FIELD_FOR_INSERT_UPDATE"], ["ok"]]


# --- what the integration user may see and do


def test_a_field_that_is_hidden_is_not_there(org: Org) -> None:
    org.turn("field_hidden", "Lead.Email")

    names = [each["name"] for each in org.get(f"{SOBJECTS}/Lead/describe").json()["fields"]]

    assert "Email" not in names
    assert refusal(org.asked("SELECT Email FROM Lead")) == (400, "INVALID_FIELD")
    assert refusal(org.post(f"{SOBJECTS}/Lead", {"Email": "a@b.example"})) == (400, "INVALID_FIELD")


def test_a_field_that_may_only_be_read_is_refused_at_writing(org: Org) -> None:
    org.turn("field_read_only", "Lead.HasOptedOutOfEmail")
    ada = org.lead("Ada")

    rows = org.rows("PATCH", typed("Lead", id=ada, HasOptedOutOfEmail=True))

    assert codes(rows) == ["INVALID_FIELD_FOR_INSERT_UPDATE"]
    assert rows[0]["errors"][0]["fields"] == ["HasOptedOutOfEmail"]
    assert org.query("SELECT HasOptedOutOfEmail FROM Lead") != []


def test_what_is_not_shared_is_absent_everywhere(org: Org) -> None:
    mine, kims = org.lead("Mine"), org.lead("Kims", OwnerId=org.people.kim)
    task = org.task(kims, OwnerId=org.people.kim)
    org.turn("no_view_all")

    read = org.post(f"{COLLECTION}/Lead", {"ids": [mine, kims], "fields": ["Id"]}).json()

    assert [each["Id"] for each in org.query("SELECT Id FROM Lead", "queryAll")] == [mine]
    assert [each and each["Id"] for each in read] == [mine, None]
    assert org.query(f"SELECT Id FROM Task WHERE Id = '{task}'") == []
    assert codes(org.rows("PATCH", typed("Lead", id=kims, City="x"))) == [
        "INVALID_CROSS_REFERENCE_KEY"
    ]
    assert codes(org.rows("POST", typed("Task", WhoId=kims))) == ["INVALID_CROSS_REFERENCE_KEY"]


def test_what_may_be_read_may_perhaps_not_be_changed(org: Org) -> None:
    kims = org.lead("Kims", OwnerId=org.people.kim)
    org.turn("no_modify_all")

    assert codes(org.rows("PATCH", typed("Lead", id=kims, City="x"))) == [
        "INSUFFICIENT_ACCESS_OR_READONLY"
    ]
    assert [each["Id"] for each in org.query("SELECT Id FROM Lead")] == [kims]


def test_an_object_that_is_hidden_is_not_understood(org: Org) -> None:
    org.turn("object_hidden", "Account")

    assert refusal(org.asked("SELECT Id FROM Account")) == (400, "INVALID_TYPE")
    assert refusal(org.asked("SELECT Account.OwnerId FROM Contact")) == (400, "INVALID_FIELD")
    assert org.get(f"{SOBJECTS}/Account/describe").status_code == 404


@pytest.mark.parametrize(
    ("switch", "target", "kind"),
    [("object_read_only", "Lead", "Lead"), ("tasks_read_only", "", "Task")],
)
def test_an_object_that_may_only_be_read_says_so_in_its_description(
    org: Org, switch: str, target: str, kind: str
) -> None:
    who = org.lead()
    values = {"WhoId": who} if kind == "Task" else {"LastName": "x", "Company": "x"}
    org.turn(switch, target)

    told = org.get(f"{SOBJECTS}/{kind}/describe").json()

    assert [told[name] for name in ("queryable", "createable", "updateable", "deletable")] == [
        True,
        False,
        False,
        False,
    ]
    assert codes(org.rows("POST", typed(kind, **values))) == [
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    ]


def test_a_switch_that_is_turned_off_again_leaves_all_as_it_was(org: Org) -> None:
    before = org.sandbox.store.dump()
    for name, target in (("no_view_all", ""), ("object_read_only", "Lead"), ("tasks_read_only", ""),
                         ("no_customizing", ""), ("field_hidden", "Lead.Email"), ("required_field", "Task"),
                         ("duplicates_blocked", ""), ("owner_inactive", org.people.kim)):  # fmt: skip
        org.turn(name, target)

    assert org.ask("DELETE", "/sandbox/faults").status_code == 200

    after = org.sandbox.store.dump()
    for account in (before, after):
        for rows in account["records"].values():
            for row in rows:
                row["values"].pop("SystemModstamp")
    assert after == before
    assert org.get(f"{DATA}/limits").status_code == 200

"""Persons and their fields, as Pipedrive is known to keep them."""

import pytest

from sandbox.pipedrive.definitions import KIM, TOM

ADA = {"value": "ada@lead.example"}


def test_the_first_address_is_the_primary_one_and_a_label_is_given(pipe):
    lines = [ADA, {"value": "a@home.example", "label": "home"}]

    made = pipe.post("/v2/persons", {"name": "Ada Lind", "emails": lines})

    assert made["emails"] == [
        {"value": "ada@lead.example", "primary": True, "label": "work"},
        {"value": "a@home.example", "primary": False, "label": "home"},
    ]
    assert (made["first_name"], made["last_name"]) == ("Ada", "Lind")


def test_two_persons_may_have_one_address(pipe):
    assert pipe.person() != pipe.person()


def test_writing_addresses_replaces_all_of_them(pipe):
    id_ = pipe.person()

    changed = pipe.patch(f"/v2/persons/{id_}", {"emails": [{"value": "new@lead.example"}]})

    assert [each["value"] for each in changed["emails"]] == ["new@lead.example"]


def test_a_part_of_the_name_makes_the_whole_anew(pipe):
    id_ = pipe.person()

    assert pipe.patch(f"/v2/persons/{id_}", {"first_name": "Eda"})["name"] == "Eda Lind"


def test_nobody_is_made_without_a_name(pipe):
    assert "name" in pipe.refused("POST", "/v2/persons", {"emails": [ADA]})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "Ada", "first_name": "Ada"}, "at the same time"),
        ({"name": "Ada", "nope": 1}, "Parameter 'nope' is not allowed"),
        ({"name": "Ada", "owner_id": str(KIM)}, "owner_id"),
        ({"name": "Ada", "owner_id": TOM}, "owner_id"),
        ({"name": "Ada", "owner_id": None}, "owner_id"),
        ({"name": "Ada", "visible_to": True}, "visible_to"),
        ({"name": "Ada", "emails": "ada@lead.example"}, "emails"),
        ({"name": "Ada", "emails": [{**ADA, "primary": 1}]}, "emails[0].primary"),
        ({"name": "Ada", "emails": [{**ADA, "primary": True}] * 2}, "only one"),
        ({"name": "Ada", "org_id": 5}, "org_id"),
        ({"name": "A" * 256}, "255"),
        ({"name": "Ada", "label_ids": [99]}, "label_ids"),
        ({"name": "Ada", "custom_fields": {"a" * 40: 1}}, f"Unknown key '{'a' * 40}'"),
        ([], "body"),
    ],
)
def test_what_is_not_described_or_of_another_type_is_refused(pipe, body, said):
    assert said in pipe.refused("POST", "/v2/persons", body)
    assert pipe.get("/v2/persons") == []


def test_a_job_title_needs_contact_sync(pipe):
    pipe.refused("POST", "/v2/persons", {"name": "Ada", "job_title": "CTO"}, 403)
    pipe.turn(contact_sync=True)

    assert pipe.post("/v2/persons", {"name": "Ada", "job_title": "CTO"})["job_title"] == "CTO"


VALUES = [
    ("double", 82, "82"),
    ("double", 1.5, True),
    ("varchar", "x" * 255, "x" * 256),
    ("text", "x" * 65_000, "x" * 65_001),
    ("date", "2026-05-04", "4.5.2026"),
    ("date", "2026-02-28", "2026-02-30"),
    ("phone", "+1 2", 12),
    ("monetary", {"value": 1, "currency": "EUR"}, 1),
    ("user", KIM, "Kim"),
]


@pytest.mark.parametrize(("kind", "good", "bad"), VALUES)
def test_a_value_has_the_type_of_its_field(pipe, kind, good, bad):
    code = pipe.field("Own", kind)
    id_ = pipe.person(custom_fields={code: good})

    said = pipe.refused("PATCH", f"/v2/persons/{id_}", {"custom_fields": {code: bad}})

    assert code in said
    assert pipe.get(f"/v2/persons/{id_}")["custom_fields"] == {code: good}


def test_a_choice_is_the_id_of_an_option(pipe):
    code = pipe.field("Tier", "enum", "Gold", "Tin")
    gold = pipe.get(f"/v2/personFields/{code}")["options"][0]["id"]
    id_ = pipe.person(custom_fields={code: gold})

    pipe.refused("PATCH", f"/v2/persons/{id_}", {"custom_fields": {code: 5}})
    pipe.refused("PATCH", f"/v2/persons/{id_}", {"custom_fields": {code: "Gold"}})

    shown = pipe.get(f"/v2/persons/{id_}?include_option_labels=true")["custom_fields"]
    assert shown == {code: {"id": gold, "label": "Gold"}}


def test_all_own_fields_are_shown_unless_some_are_asked_for(pipe):
    one, two = pipe.field("One"), pipe.field("Two")
    id_ = pipe.person(custom_fields={one: 1})

    assert pipe.get(f"/v2/persons/{id_}")["custom_fields"] == {one: 1, two: None}
    assert pipe.get(f"/v2/persons/{id_}?custom_fields={two}")["custom_fields"] == {two: None}
    keys = ",".join(f"{number}" for number in range(16))
    pipe.refused("GET", f"/v2/persons/{id_}?custom_fields={keys}")


def test_a_null_empties_an_own_field_where_pipedrive_lets_it(pipe):
    code = pipe.field()
    id_ = pipe.person(custom_fields={code: 1})
    empty = {"custom_fields": {code: None}}
    pipe.turn(null_empties=False)
    pipe.refused("PATCH", f"/v2/persons/{id_}", empty)
    pipe.turn(null_empties=True)

    assert pipe.patch(f"/v2/persons/{id_}", empty)["custom_fields"] == {code: None}


def test_a_refusal_may_keep_the_field_to_itself(pipe):
    code = pipe.field()
    pipe.turn(field_errors_named=False)

    said = pipe.refused("POST", "/v2/persons", {"name": "A", "custom_fields": {code: "x"}})

    assert code not in said


# --- fields


def test_a_field_is_named_by_a_hash_and_may_be_there_twice(pipe):
    first, second = pipe.field("Score"), pipe.field("Score")

    assert first != second
    assert len(first) == 40


def test_options_are_added_and_a_label_is_changed(pipe):
    code = pipe.field("Tier", "enum", "Gold")

    pipe.post(f"/v2/personFields/{code}/options", [{"label": "Tin"}])
    pipe.patch(f"/v2/personFields/{code}", {"field_name": "Class"})

    found = pipe.get(f"/v2/personFields/{code}")
    assert [each["label"] for each in found["options"]] == ["Gold", "Tin"]
    assert found["field_name"] == "Class"


@pytest.mark.parametrize("kind", ["datetime", "boolean"])
def test_there_is_no_field_for_a_time_or_for_yes_and_no(pipe, kind):
    pipe.refused("POST", "/v2/personFields", {"field_name": "When", "field_type": kind})


def test_a_field_that_is_deleted_takes_its_values_along(pipe):
    code = pipe.field()
    id_ = pipe.person(custom_fields={code: 1})

    pipe.done("DELETE", f"/v2/personFields/{code}")

    assert pipe.get(f"/v2/persons/{id_}")["custom_fields"] == {}
    pipe.refused("PATCH", f"/v2/persons/{id_}", {"custom_fields": {code: 1}})


def test_a_new_field_never_takes_the_place_of_another(pipe):
    first, second = pipe.field("One"), pipe.field("Two")
    pipe.done("DELETE", f"/v2/personFields/{first}")

    third = pipe.field("Three")

    assert len({first, second, third}) == 3
    assert pipe.get(f"/v2/personFields/{second}")["field_name"] == "Two"


def test_pipedrives_own_fields_stay(pipe):
    pipe.refused("DELETE", "/v2/personFields/name")


def test_the_plan_may_have_no_more_fields(pipe):
    pipe.field()
    pipe.turn(most_custom_fields=1)
    sent = {"field_name": "Two", "field_type": "double"}

    answer = pipe.ask("POST", "/v2/personFields", sent)

    assert (answer.status_code, answer.json()["code"][:15]) == (403, "feature_capping")


# --- marketing status


def test_marketing_status_needs_campaigns(pipe):
    id_ = pipe.person()
    no = {"marketing_status": "unsubscribed"}

    pipe.refused("PATCH", f"/v2/persons/{id_}", no, 403)
    pipe.refused("GET", f"/v2/persons/{id_}?include_fields=marketing_status", status=403)
    pipe.turn(without_campaigns=200)

    assert pipe.patch(f"/v2/persons/{id_}", no)["id"] == id_
    shown = pipe.get(f"/v2/persons/{id_}?include_fields=marketing_status,open_deals_count")
    assert "marketing_status" not in shown


def test_who_unsubscribed_is_not_subscribed_again_and_nobody_says_so(pipe):
    pipe.turn(campaigns=True)
    id_ = pipe.person()
    states = [
        pipe.patch(f"/v2/persons/{id_}", {"marketing_status": status})["id"]
        and status_of(pipe, id_)
        for status in ("subscribed", "unsubscribed", "subscribed")
    ]

    assert states == ["subscribed", "unsubscribed", "unsubscribed"]


def status_of(pipe, id_):
    found = pipe.get(f"/v2/persons/{id_}?include_fields=marketing_status")
    return found["marketing_status"]


def test_who_has_no_address_has_no_marketing_status(pipe):
    pipe.turn(campaigns=True)
    id_ = pipe.person(emails=[])

    pipe.patch(f"/v2/persons/{id_}", {"marketing_status": "unsubscribed"})

    assert status_of(pipe, id_) is None


# --- deleted and merged


def test_a_deleted_person_is_marked_and_in_no_list(pipe):
    id_ = pipe.person()
    pipe.done("DELETE", f"/v2/persons/{id_}")

    assert pipe.get(f"/v2/persons/{id_}")["is_deleted"] is True
    assert pipe.get("/v2/persons") == pipe.get(f"/v2/persons?ids={id_}") == []
    pipe.refused("PATCH", f"/v2/persons/{id_}", {"name": "A"}, 404)
    pipe.refused("DELETE", f"/v2/persons/{id_}", status=404)
    pipe.turn(deleted_readable=False, delete_again=410)
    pipe.refused("GET", f"/v2/persons/{id_}", status=404)
    pipe.refused("DELETE", f"/v2/persons/{id_}", status=410)


def test_of_two_merged_persons_one_stays_with_all_that_hung_on_the_other(pipe):
    kept, gone = pipe.person(), pipe.person("a@home.example", owner_id=KIM)
    third = pipe.person("bo@lead.example")
    task, deal = pipe.task(gone, third), pipe.deal(person_id=gone)

    merged = pipe.done("PUT", f"/v1/persons/{gone}/merge", {"merge_with_id": kept})

    assert (merged["id"], merged["merge_what_id"]) == (kept, gone)
    assert pipe.get(f"/v2/persons/{gone}")["is_deleted"] is True
    assert pipe.get(f"/v2/activities/{task}")["person_id"] == kept
    assert pipe.get(f"/v2/activities?person_id={kept}")[0]["id"] == task
    assert pipe.get(f"/v2/deals/{deal}")["person_id"] == kept
    addresses = [each["value"] for each in pipe.get(f"/v2/persons/{kept}")["emails"]]
    assert addresses == ["ada@lead.example", "a@home.example"]


def test_a_merge_may_leave_the_others_addresses_behind(pipe):
    kept, gone = pipe.person(), pipe.person("a@home.example")
    pipe.turn(merge_joins_emails=False, merged_readable=False)

    pipe.done("PUT", f"/v1/persons/{gone}/merge", {"merge_with_id": kept})

    assert len(pipe.get(f"/v2/persons/{kept}")["emails"]) == 1
    pipe.refused("GET", f"/v2/persons/{gone}", status=404)


def test_nobody_is_merged_with_himself(pipe):
    id_ = pipe.person()

    pipe.refused("PUT", f"/v1/persons/{id_}/merge", {"merge_with_id": id_})
    pipe.refused("PUT", f"/v1/persons/{id_}/merge", {"merge_with_id": 1}, 404)

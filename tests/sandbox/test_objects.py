"""Contacts, tasks and deals one by one: what is stored, what is refused, what is computed."""

import time
from typing import cast

import pytest
import requests

from tests.sandbox.conftest import ANA, KIM, TO_CONTACT, TOM_ARCHIVED, Hub, link, refused

CONTACTS = "/crm/v3/objects/contacts"
TASKS = "/crm/v3/objects/tasks"
DEALS = "/crm/v3/objects/deals"


def test_an_email_is_kept_in_lower_case_and_found_in_any(hub: Hub) -> None:
    id_ = hub.contact("Ada@Lead.EXAMPLE")

    found = hub.get(f"{CONTACTS}/ADA@lead.example?idProperty=email").json()

    assert (found["id"], found["properties"]["email"]) == (id_, "ada@lead.example")


def test_a_contact_that_exists_is_a_conflict_that_names_it(hub: Hub) -> None:
    id_ = hub.contact("ada@lead.example")

    answer = hub.post(CONTACTS, {"properties": {"email": "ADA@lead.example"}})

    assert (answer.status_code, answer.json()["category"]) == (409, "CONFLICT")
    assert answer.json()["message"] == f"Contact already exists. Existing ID: {id_}"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"lead_score": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"email": "nobody"}, "INVALID_EMAIL"),
        ({"email": "a b@c.example"}, "INVALID_EMAIL"),
        ({"lifecyclestage": "MQL"}, "INVALID_OPTION"),
        ({"hs_lead_status": "in_progress"}, "INVALID_OPTION"),
        ({"hs_email_optout": "maybe"}, "INVALID_OPTION"),
        ({"hubspot_owner_id": "48110021"}, "INVALID_OPTION"),
        ({"createdate": "0"}, "READ_ONLY_VALUE"),
        ({"notes_last_contacted": "0"}, "READ_ONLY_VALUE"),
        ({"hs_object_id": "7"}, "READ_ONLY_VALUE"),
        ({"firstname": "x" * 70_000}, "PROPERTY_LENGTH_LIMIT_EXCEEDED"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_nothing_of_the_record_is_saved(
    hub: Hub, sent: dict[str, str], code: str
) -> None:
    id_ = hub.contact("ada@lead.example")

    answer = hub.patch(f"{CONTACTS}/{id_}", {"properties": {"company": "New"} | sent})

    assert refused(answer) == [code]
    assert hub.properties("contacts", id_, "company")["company"] is None


def test_all_bad_values_are_named_at_once_with_the_portal(hub: Hub) -> None:
    answer = hub.post(CONTACTS, {"properties": {"email": "bad", "nope": "1"}})

    assert refused(answer) == ["INVALID_EMAIL", "PROPERTY_DOESNT_EXIST"]
    assert '"portalId": 20250001' in answer.json()["message"]


def test_a_contact_needs_an_email_or_a_name(hub: Hub) -> None:
    answer = hub.post(CONTACTS, {"properties": {"company": "Acme"}})

    assert answer.status_code == 400


def test_an_empty_string_clears_a_value(hub: Hub) -> None:
    id_ = hub.contact(company="Acme")

    hub.patch(f"{CONTACTS}/{id_}", {"properties": {"company": ""}})

    assert hub.properties("contacts", id_, "company")["company"] is None


def test_an_unknown_property_asked_for_is_left_out_and_an_empty_one_is_null(hub: Hub) -> None:
    found = hub.properties("contacts", hub.contact(), "nope", "company")

    assert found.keys() == {"company", "createdate", "lastmodifieddate", "hs_object_id"}


def test_without_properties_asked_the_usual_ones_come(hub: Hub) -> None:
    assert {"email", "firstname", "lastname"} < hub.properties("contacts", hub.contact()).keys()


def test_numbers_and_booleans_are_stored_as_text(hub: Hub) -> None:
    id_ = hub.contact(hs_email_optout=cast(str, True))

    assert hub.properties("contacts", id_, "hs_email_optout")["hs_email_optout"] == "true"


def test_a_lifecycle_stage_goes_forward_and_silently_not_back(hub: Hub) -> None:
    id_ = hub.contact(lifecyclestage="opportunity")

    answer = hub.patch(f"{CONTACTS}/{id_}", {"properties": {"lifecyclestage": "lead", "city": "X"}})

    assert answer.status_code == 200
    found = hub.properties("contacts", id_, "lifecyclestage", "city")
    assert (found["lifecyclestage"], found["city"]) == ("opportunity", "X")


def test_a_lifecycle_stage_that_was_cleared_may_be_any(hub: Hub) -> None:
    id_ = hub.contact(lifecyclestage="opportunity")

    for value in ("", "lead"):
        hub.patch(f"{CONTACTS}/{id_}", {"properties": {"lifecyclestage": value}})

    assert hub.properties("contacts", id_, "lifecyclestage")["lifecyclestage"] == "lead"


def test_a_contact_is_updated_by_email(hub: Hub) -> None:
    id_ = hub.contact("ada@lead.example")

    hub.patch(f"{CONTACTS}/ADA@lead.example?idProperty=email", {"properties": {"city": "Rome"}})

    assert hub.properties("contacts", id_, "city")["city"] == "Rome"


def test_an_email_moves_with_its_contact(hub: Hub) -> None:
    id_ = hub.contact("ada@lead.example")

    hub.patch(f"{CONTACTS}/{id_}", {"properties": {"email": "ada@new.example"}})

    assert hub.get(f"{CONTACTS}/ada@lead.example?idProperty=email").status_code == 404
    assert hub.contact("ada@lead.example") != id_


def test_an_email_of_somebody_else_cannot_be_taken(hub: Hub) -> None:
    hub.contact("ada@lead.example")
    other = hub.contact("bo@lead.example")

    answer = hub.patch(f"{CONTACTS}/{other}", {"properties": {"email": "ada@lead.example"}})

    assert answer.status_code == 409


def test_an_archived_contact_is_hidden_but_readable_and_its_email_is_free(hub: Hub) -> None:
    id_ = hub.contact("ada@lead.example")

    assert hub.ask("DELETE", f"{CONTACTS}/{id_}").status_code == 204

    assert hub.get(f"{CONTACTS}/{id_}").status_code == 404
    assert hub.patch(f"{CONTACTS}/{id_}", {"properties": {"city": "X"}}).status_code == 404
    assert hub.get(f"{CONTACTS}/{id_}?archived=true").json()["archived"] is True
    assert hub.contact("ada@lead.example") != id_


def test_a_merge_makes_a_new_record_that_both_old_ids_lead_to(hub: Hub) -> None:
    first = hub.contact("ada@lead.example", city="Rome")
    second = hub.contact("bo@lead.example", city="Oslo", company="Acme")
    deal = hub.deal(second)

    body = {"primaryObjectId": first, "objectIdToMerge": second}
    merged = hub.post(f"{CONTACTS}/merge", body).json()["id"]

    assert merged not in (first, second)
    assert {hub.get(f"{CONTACTS}/{old}").json()["id"] for old in (first, second)} == {merged}
    found = hub.properties("contacts", first, "city", "company", "hs_merged_object_ids")
    assert (found["city"], found["company"]) == ("Rome", "Acme")
    assert found["hs_merged_object_ids"] == f"{first};{second}"
    links = hub.get(f"/crm/v4/objects/deals/{deal}/associations/contacts").json()["results"]
    assert [each["toObjectId"] for each in links] == [int(merged)]


def test_after_a_merge_the_second_email_still_finds_the_contact(hub: Hub) -> None:
    first, second = hub.contact("ada@lead.example"), hub.contact("bo@lead.example")
    body = {"primaryObjectId": first, "objectIdToMerge": second}
    merged = hub.post(f"{CONTACTS}/merge", body).json()["id"]

    answer = hub.post(CONTACTS, {"properties": {"email": "bo@lead.example"}})

    assert answer.json()["message"].endswith(merged)


def test_a_merged_id_is_followed_by_patch_and_not_by_batch_update(hub: Hub) -> None:
    first, second = hub.contact("ada@lead.example"), hub.contact("bo@lead.example")
    hub.post(f"{CONTACTS}/merge", {"primaryObjectId": first, "objectIdToMerge": second})
    change = {"properties": {"city": "Rome"}}

    single = hub.patch(f"{CONTACTS}/{first}", change)
    batch = hub.post(f"{CONTACTS}/batch/update", {"inputs": [{"id": first} | change]})

    assert (single.status_code, batch.status_code) == (200, 400)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_person_erased_for_privacy_never_comes_back(hub: Hub, is_known: bool) -> None:
    if is_known:
        hub.contact("ada@lead.example")

    erased = hub.post(
        f"{CONTACTS}/gdpr-delete", {"objectId": "Ada@lead.example", "idProperty": "email"}
    )

    assert erased.status_code == 204
    assert hub.get(f"{CONTACTS}/ada@lead.example?idProperty=email").status_code == 404
    answer = hub.post(CONTACTS, {"properties": {"email": "ada@lead.example"}})
    assert refused(answer) == ["INVALID_EMAIL"]


def test_a_list_is_paged_to_its_end_without_the_archived(hub: Hub) -> None:
    ids = [hub.contact(f"p{number}@lead.example") for number in range(5)]
    hub.ask("DELETE", f"{CONTACTS}/{ids[1]}")

    first = hub.get(f"{CONTACTS}?limit=2").json()
    second = hub.get(f"{CONTACTS}?limit=2&after={first['paging']['next']['after']}").json()

    seen = [each["id"] for each in first["results"] + second["results"]]
    assert seen == [ids[0], ids[2], ids[3], ids[4]]
    assert "paging" not in second


@pytest.mark.parametrize("limit", ["0", "101", "x", "-1"])
def test_a_page_has_at_most_a_hundred(hub: Hub, limit: str) -> None:
    assert hub.get(f"{CONTACTS}?limit={limit}").status_code == 400


def test_a_property_tells_its_history_newest_first(hub: Hub) -> None:
    id_ = hub.contact(city="Rome")
    hub.patch(f"{CONTACTS}/{id_}", {"properties": {"city": "Oslo"}})

    found = hub.get(f"{CONTACTS}/{id_}?propertiesWithHistory=city").json()

    versions = found["propertiesWithHistory"]["city"]
    assert [each["value"] for each in versions] == ["Oslo", "Rome"]


def test_a_task_needs_its_due_date(hub: Hub) -> None:
    answer = hub.post(TASKS, {"properties": {"hs_task_subject": "Call"}})

    assert answer.json()["context"] == {"properties": ["hs_timestamp"]}


@pytest.mark.parametrize(
    "due", ["1790000000000", "2026-09-21T14:13:20Z", "2026-09-21T16:13:20+02:00"]
)
def test_a_due_date_may_be_milliseconds_or_iso(hub: Hub, due: str) -> None:
    id_ = hub.task(hs_timestamp=due)

    assert hub.properties("tasks", id_, "hs_timestamp")["hs_timestamp"] == "2026-09-21T14:13:20Z"


@pytest.mark.parametrize("due", ["tomorrow", "99999999999999999", "2026-13-01T00:00:00Z"])
def test_a_due_date_that_is_none_is_refused(hub: Hub, due: str) -> None:
    answer = hub.post(TASKS, {"properties": {"hs_timestamp": due}})

    assert refused(answer) == ["INVALID_LONG"]


@pytest.mark.parametrize(
    ("owner", "status"), [(KIM, 201), (TOM_ARCHIVED, 201), ("48110021", 400), ("1", 400)]
)
def test_a_task_goes_to_an_owner_id_and_never_to_a_user_id(
    hub: Hub, owner: str, status: int
) -> None:
    sent = {"hs_timestamp": "1790000000000", "hubspot_owner_id": owner}

    assert hub.post(TASKS, {"properties": sent}).status_code == status


def test_a_task_says_when_it_was_completed_until_it_is_opened_again(hub: Hub) -> None:
    task, dates = hub.task(), []

    for status in ("COMPLETED", "COMPLETED", "WAITING"):
        hub.patch(f"{TASKS}/{task}", {"properties": {"hs_task_status": status}})
        found = hub.properties("tasks", task, "hs_task_completion_date")
        dates.append(found["hs_task_completion_date"])

    assert dates[0] is not None
    assert dates == [dates[0], dates[0], None]


def test_nobody_writes_when_a_task_was_completed(hub: Hub) -> None:
    sent = {"properties": {"hs_task_completion_date": "1790000000000"}}

    assert refused(hub.patch(f"{TASKS}/{hub.task()}", sent)) == ["READ_ONLY_VALUE"]


def test_any_change_of_a_task_moves_its_stamp(hub: Hub) -> None:
    task = hub.task()
    before = hub.properties("tasks", task)["hs_lastmodifieddate"]

    time.sleep(0.002)
    hub.patch(f"{TASKS}/{task}", {"properties": {"hs_task_status": "WAITING"}})

    assert (hub.properties("tasks", task)["hs_lastmodifieddate"] or "") > (before or "")


@pytest.mark.parametrize("type_id", [203, 216, 3, 9999])
def test_a_task_with_a_wrong_association_type_is_not_made(hub: Hub, type_id: int) -> None:
    contact = hub.contact()
    body = {"properties": {"hs_timestamp": "1790000000000"}}

    answer = hub.post(TASKS, body | {"associations": [link(contact, type_id)]})

    assert "one or more associations are not valid" in answer.json()["message"]
    assert hub.get(TASKS).json()["results"] == []


def test_a_task_for_nobody_who_exists_is_not_made(hub: Hub) -> None:
    body = {"properties": {"hs_timestamp": "1790000000000"}}

    answer = hub.post(TASKS, body | {"associations": [link("151000000999", TO_CONTACT)]})

    assert answer.status_code == 400
    assert hub.get(TASKS).json()["results"] == []


def test_a_record_shows_its_links_inline(hub: Hub) -> None:
    contact = hub.contact()
    task = hub.task(contact)

    found = hub.get(f"{TASKS}/{task}?associations=contacts").json()["associations"]

    assert found["contacts"]["results"] == [{"id": contact, "type": "task_to_contact"}]


def test_a_list_shows_links_inline_and_cuts_them_at_a_hundred(hub: Hub) -> None:
    contact = hub.contact()
    sent = {"properties": {"hs_timestamp": "0"}, "associations": [link(contact, TO_CONTACT)]}
    for _ in range(2):
        hub.post(f"{TASKS}/batch/create", {"inputs": [sent] * 60})

    found = hub.get(f"{CONTACTS}?associations=tasks").json()["results"][0]["associations"]["tasks"]

    assert len(found["results"]) == 100
    assert {each["type"] for each in found["results"]} == {"contact_to_task"}
    rest = requests.get(
        found["paging"]["next"]["link"], headers=hub.session.headers, timeout=10
    ).json()
    assert len(rest["results"]) == 20


@pytest.mark.parametrize(
    ("stage", "facts"),
    [
        ("contractsent", ("false", "false", "false", "0.9")),
        ("closedwon", ("true", "true", "false", "1.0")),
        ("closedlost", ("true", "false", "true", "0.0")),
    ],
)
def test_a_deals_stage_tells_whether_it_is_closed_and_won(
    hub: Hub, stage: str, facts: tuple[str, ...]
) -> None:
    deal = hub.deal()
    hub.patch(f"{DEALS}/{deal}", {"properties": {"dealstage": stage}})

    names = ("hs_is_closed", "hs_is_closed_won", "hs_is_closed_lost", "hs_deal_stage_probability")
    found = hub.properties("deals", deal, *names)

    assert tuple(found[name] for name in names) == facts


@pytest.mark.parametrize(
    "sent",
    [
        {"dealstage": "nowhere"},
        {"dealstage": "148830203"},
        {"dealstage": "148830204", "pipeline": "74830011"},
        {"pipeline": "74830011"},
        {"pipeline": "none"},
        {"amount": "a lot"},
        {"amount": "1_000"},
        {"amount": "nan"},
        {"hs_is_closed": "true"},
    ],
)
def test_a_deal_that_cannot_be_is_refused(hub: Hub, sent: dict[str, str]) -> None:
    deal = hub.deal()

    assert refused(hub.patch(f"{DEALS}/{deal}", {"properties": sent}))


def test_a_deal_moves_to_another_pipeline_with_one_of_its_stages(hub: Hub) -> None:
    deal = hub.deal(hubspot_owner_id=ANA)

    sent = {"pipeline": "74830011", "dealstage": "148830205"}
    answer = hub.patch(f"{DEALS}/{deal}", {"properties": sent})

    assert answer.status_code == 200
    assert hub.properties("deals", deal, "hs_is_closed_won")["hs_is_closed_won"] == "true"


@pytest.mark.parametrize(
    "body",
    [[], "x", None, {}, {"properties": []}, {"properties": {"email": {}}}, {"propertes": {}}],
)
def test_a_body_that_is_no_write_is_refused(hub: Hub, body: object) -> None:
    assert hub.post(CONTACTS, body).status_code == 400


def test_an_unknown_kind_of_object_is_refused(hub: Hub) -> None:
    assert hub.get("/crm/v3/objects/unicorns").status_code == 400

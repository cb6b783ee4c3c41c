"""The HTTP API answers as CONTRACT section 4 says, whatever it is sent."""

import json
import re
from contextlib import closing
from datetime import timedelta

import jsonschema
import pytest
from django.db import connection
from django.templatetags.static import static
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from leadscoring import api_keys
from leadscoring.api import auth
from leadscoring.common import attempts
from leadscoring.common.outage import OutageMemory
from leadscoring.models import Activity, ApiKey, Contact, CrmState
from leadscoring.scoring import last_sales_refusals
from tests.makers import NOON, a_contact, an_activity, an_api_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    _, text = an_api_key("website")
    return Client(headers={"authorization": f"Bearer {text}"}, raise_request_exception=False)


def post(api, path, body):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return api.post(f"/api/v1/{path}", text, content_type="application/json")


def view(**fields):
    return {"email": "ada@example.com", "type": "page_view", "event_id": "e1", **fields}


# --- taking -----------------------------------------------------------------------------------
def test_people_are_taken_one_or_many(api):
    one = post(api, "contacts", {"email": "ada@example.com"})
    many = post(api, "contacts", [{"email": "ada@example.com"}, {"email": "ben@example.com"}])

    assert one.json() == {"created": 1, "updated": 0, "unchanged": 0, "rejected": []}
    assert many.json() == {"created": 1, "updated": 0, "unchanged": 1, "rejected": []}


def test_activities_are_of_the_keys_name_unless_they_say_otherwise(api):
    answer = post(api, "activities", [view(), view(event_id="e2", source="shop")])

    assert answer.json() == {"accepted": 2, "duplicates": 0, "rejected": []}
    assert set(Activity.objects.values_list("source", flat=True)) == {"website", "shop"}


def test_the_score_is_up_to_date_when_the_answer_arrives(api):
    post(api, "activities", view(type="demo_request"))

    score = api.get("/api/v1/contacts/ada@example.com").json()["score"]

    assert score["total"] == score["engagement"] > 0


def test_one_bad_item_is_named_and_the_rest_go_in(api):
    answer = post(api, "activities", [view(), view(email="nobody"), view(event_id="e2")])

    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    assert answer.json()["rejected"] == [
        {"index": 1, "field": "email", "message": "is not an e-mail address"}
    ]


def test_a_repeat_alone_is_still_taken(api):
    post(api, "activities", view())

    answer = post(api, "activities", view())

    assert (answer.status_code, answer.json()["duplicates"]) == (200, 1)


# --- refusing ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "not_json"),
        ("", 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        ('[{"email": NaN}]', 400, "not_json"),
        ("[" * 100_000, 400, "not_json"),
        ("7", 400, "not_an_object"),
        ('"text"', 400, "not_an_object"),
        ("null", 400, "not_an_object"),
        ("true", 400, "not_an_object"),
        ([view(event_id=str(n)) for n in range(1001)], 413, "too_many_items"),
        (b" " * (5 * 1024 * 1024 + 1), 413, "too_large"),
        ([], 422, "nothing_taken"),
        ({}, 422, "nothing_taken"),
        ([1, None], 422, "nothing_taken"),
    ],
)
@pytest.mark.parametrize("path", ["contacts", "activities"])
def test_a_body_that_cannot_be_taken_is_refused_whole(api, path, body, status, code):
    answer = post(api, path, body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert set(error) == {"code", "message", "fields"}
    assert not Contact.objects.exists()


def test_when_nothing_could_be_taken_each_item_is_still_named(api):
    answer = post(api, "contacts", [{"email": "x"}, {"email": "a@example.com", "age": 7}])

    assert answer.status_code == 422
    assert [(one["index"], one["field"]) for one in answer.json()["rejected"]] == [
        (0, "email"), (1, "age")
    ]  # fmt: skip
    assert set(answer.json()["error"]["fields"]) == {"email", "age"}


def test_a_thousand_items_are_taken(api):
    answer = post(api, "activities", [view(event_id=str(n)) for n in range(1000)])

    assert answer.json()["accepted"] == 1000


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer nope"}, {"authorization": "Bearer "},
                                    {"authorization": "Basic YTpi"}])  # fmt: skip
def test_without_a_valid_key_nothing_is_answered(header):
    answer = Client(headers=header).get("/api/v1/contacts/1")

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


def test_a_revoked_key_is_no_key(api):
    ApiKey.objects.update(revoked_at=NOON)

    assert post(api, "contacts", {"email": "ada@example.com"}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "contacts/1", 404),
        ("get", "contacts/nobody@example.com", 404),
        ("get", "contacts/99999999999999999999999999", 404),
        ("get", "contacts/%00", 404),
        ("get", "contacts/1/score", 404),
        ("get", "nothing/here", 404),
        ("get", "contacts", 422),
        ("get", "activities", 405),
        ("delete", "contacts/1", 405),
        ("put", "activities", 405),
    ],
)
def test_what_is_not_there_is_said_in_the_same_shape(api, method, path, status):
    answer = getattr(api, method)(f"/api/v1/{path}")

    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_a_method_that_is_not_taken_comes_with_those_that_are(api):
    assert api.get("/api/v1/activities")["Allow"] == "POST"


# --- keys -------------------------------------------------------------------------------------
@pytest.mark.parametrize(("last", "noted"), [(None, True), (61, True), (50, False)])
def test_the_use_of_a_key_is_noted_once_a_minute(api, last, noted):
    before = last and now() - timedelta(seconds=last)
    ApiKey.objects.update(last_used_at=before)

    api.get("/api/v1/contacts/1")

    assert (ApiKey.objects.get().last_used_at != before) == noted


def test_of_a_key_only_the_hash_is_kept():
    key, text = an_api_key()

    kept = list(ApiKey.objects.values_list("hash", "prefix", "name").get())
    assert text not in "".join(kept)
    assert key.prefix == text[:10]


def test_a_key_that_asks_too_often_is_told_when_to_come_back(api, monkeypatch):
    monkeypatch.setattr(auth, "REQUESTS_PER_MINUTE", 2)

    answers = [api.get("/api/v1/contacts/1") for _ in range(3)]

    # The third may fall into the next minute.
    if answers[2].status_code == 404:
        answers = [api.get("/api/v1/contacts/1") for _ in range(3)]
    assert answers[2].status_code == 429
    assert 0 < int(answers[2]["Retry-After"]) <= 60


@pytest.fixture
def no_redis(settings, monkeypatch):
    """Nobody listens there."""
    gone = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}
    settings.CACHES = {"default": gone}
    monkeypatch.setattr(attempts, "redis_outage", OutageMemory(5.0))


def test_with_redis_gone_activities_are_taken(api, no_redis):
    assert post(api, "activities", view()).json()["accepted"] == 1


# --- showing ----------------------------------------------------------------------------------
def test_a_contact_is_shown_by_id_and_by_address(api):
    ada = a_contact(email="ada+x/1@example.com", first_name="Ada", company="Alder")

    for who in (ada.pk, "ada%2Bx%2F1@example.com", "ada+x/1@example.com", "ADA+x/1@Example.com"):
        assert api.get(f"/api/v1/contacts/{who}").json()["id"] == ada.pk


def test_a_contact_never_scored_and_never_asked_for_in_the_crm_says_so(api):
    ada = a_contact(email="ada@example.com", first_name="Ada", company="Alder", properties={"a": 1})

    shown = api.get(f"/api/v1/contacts/{ada.pk}").json()

    assert {name: shown[name] for name in ("first_name", "company", "properties")} == {
        "first_name": "Ada", "company": "Alder", "properties": {"a": 1}
    }  # fmt: skip
    assert set(shown["score"].values()) == {None}
    assert shown["crm"] == {
        "record_id": None, "owner": None, "effect": None, "because": None, "deals": [], "seen_at": None
    }  # fmt: skip
    assert shown["enrollments"] == shown["handoffs"] == []


def test_what_the_crm_says_is_shown(api):
    ada = a_contact()
    deal = {
        "id": "5",
        "name": "40 seats",
        "pipeline": "Sales",
        "stage": "Contract",
        "effect": "pause",
    }
    CrmState.objects.create(
        contact=ada, record_id="77", owner_id="9", owner_name="Kim", owner_email="kim@example.com",
        effect="pause", reason="deal in contract", deals=[deal], since=NOON, seen_at=NOON,
    )  # fmt: skip

    crm = api.get(f"/api/v1/contacts/{ada.pk}").json()["crm"]

    assert crm == {
        "record_id": "77", "owner": {"id": "9", "name": "Kim", "email": "kim@example.com"},
        "effect": "pause", "because": "deal in contract", "deals": [deal],
        "seen_at": "2026-06-01T12:00:00Z",
    }  # fmt: skip


def test_a_score_is_explained_at_any_instant_and_adds_up(api):
    ada = a_contact(job_title="CEO", at=NOON - timedelta(days=9))
    an_activity(ada, type="demo_request")

    before, after = (
        api.get(f"/api/v1/contacts/{ada.pk}/score", {"at": at}).json()
        for at in ("2026-06-01T11:59:59Z", "2026-06-01T12:00:00+00:00")
    )

    assert after["total"] > before["total"] > 0
    assert sum(line["points"] for line in after["contributions"]) == after["total"]
    assert after["qualification"] == {"armed": True, "cycle": 0}
    assert after["model"] == {"name": "default", "version": 1}


def test_before_somebody_was_known_there_is_no_score(api):
    ada = a_contact(job_title="CEO", at=NOON)

    before = api.get(f"/api/v1/contacts/{ada.pk}/score", {"at": "2026-06-01T11:59:59Z"}).json()

    assert (before["total"], before["grade"], before["contributions"]) == (0, "D4", [])


def test_a_plus_that_nobody_escaped_is_still_a_plus(api):
    ada = a_contact()

    answer = api.get(f"/api/v1/contacts/{ada.pk}/score?at=2026-06-01T12:00:00+02:00")

    assert answer.json()["at"] == "2026-06-01T10:00:00Z"


@pytest.mark.parametrize("at", ["2026-06-01T12:00:00", "yesterday", "0001-01-01T00:00:00Z"])
def test_an_instant_that_cannot_be_right_is_refused(api, at):
    answer = api.get(f"/api/v1/contacts/{a_contact().pk}/score", {"at": at})

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["at"])


# --- the description --------------------------------------------------------------------------
@pytest.fixture
def described():
    return Client().get("/api/v1/openapi.json").json()


def schema(described, path, method, status):
    answer = described["paths"][f"/api/v1/{path}"][method]["responses"][str(status)]
    return {
        **answer["content"]["application/json"]["schema"],
        "components": described["components"],
    }


def test_answers_are_as_the_description_says(api, described):
    ada = a_contact(email="ada@example.com")
    taken = post(api, "activities", [view(), 1])
    refused = post(api, "activities", [1])
    shown, scored = (api.get(f"/api/v1/contacts/{ada.pk}{end}") for end in ("", "/score"))

    for answer, path, method in (
        (taken, "activities", "post"),
        (refused, "activities", "post"),
        (post(api, "contacts", {"email": "ada@example.com"}), "contacts", "post"),
        (shown, "contacts/{who}", "get"),
        (api.get("/api/v1/contacts?external_id=none"), "contacts", "get"),
        (scored, "contacts/{who}/score", "get"),
        (api.get("/api/v1/contacts/0"), "contacts/{who}", "get"),
    ):
        jsonschema.validate(answer.json(), schema(described, path, method, answer.status_code))


def test_bodies_are_described(described):
    body = described["paths"]["/api/v1/activities"]["post"]["requestBody"]["content"]
    one, many = body["application/json"]["schema"]["oneOf"]

    assert set(one["properties"]) == {
        "email", "external_id", "id_source", "type", "occurred_at", "event_id", "source", "properties"
    }  # fmt: skip
    assert (one["required"], many["maxItems"]) == (["type"], 1000)
    jsonschema.Draft202012Validator.check_schema(one)


def test_the_documentation_page_asks_no_other_site():
    page = Client().get("/api/v1/docs")

    text = page.content.decode()
    assert page.status_code == 200
    assert static("ninja/swagger-ui-bundle.js") in text
    assert not re.search(r"(src|href)=.https?:", text)
    inline = re.findall(r"<script(?![^>]*(?:src=|application/json))", text)
    assert not inline, "the page's policy would stop it"
    with closing(Client().get(static("ninja/swagger-ui-bundle.js"))) as script:
        assert script.status_code == 200


@pytest.mark.parametrize("path", ["contacts/1", "contacts/nobody@lead.example", "nowhere"])
def test_no_answer_is_kept_on_its_way(path, api):
    assert Client().get(f"/api/v1/{path}")["Cache-Control"] == "no-store"


# --- what a key may do ------------------------------------------------------------------------


@pytest.fixture
def write_only():
    _, text = api_keys.create_key("form", write_only=True)
    return Client(headers={"authorization": f"Bearer {text}"}, raise_request_exception=False)


@pytest.mark.parametrize("path", ["contacts/1", "contacts/ada@example.com/score", "handoffs"])
def test_a_write_only_key_reads_nothing(write_only, path):
    answer = write_only.get(f"/api/v1/{path}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "write_only")


def test_a_write_only_key_sends(write_only):
    assert post(write_only, "contacts", {"email": "ada@example.com"}).json()["created"] == 1
    assert post(write_only, "activities", view()).json()["accepted"] == 1


@pytest.mark.parametrize("source", ["crm", "sequences", "shop"])
def test_no_key_speaks_for_another_source(api, source):
    """`shop` is another key; its event id would be taken before its own event came."""
    api_keys.create_key("shop")

    answer = post(
        api, "activities", [view(source=source, type="sales_refused"), view(event_id="e2")]
    )

    assert answer.json()["accepted"] == 1
    (rejected,) = answer.json()["rejected"]
    assert (rejected["index"], rejected["field"]) == (0, "source")
    assert list(Activity.objects.values_list("source", flat=True)) == ["website"]


def test_what_a_key_calls_a_refusal_by_sales_starts_no_cool_down(api):
    post(api, "activities", view(type="sales_refused"))

    contact = Contact.objects.get()
    assert last_sales_refusals([contact.pk]) == {}


def test_other_keys_are_looked_up_only_for_another_source(api):
    with CaptureQueriesContext(connection) as queries:
        post(api, "activities", view())
    of_keys = [
        each["sql"] for each in queries if 'SELECT "leadscoring_apikey"."name"' in each["sql"]
    ]

    assert of_keys == []

"""The HTTP API answers as CONTRACT section 4 says, whatever it is sent."""

import json

import pytest
from django.test import Client

from leadscoring.models import Activity
from tests.makers import an_api_key

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

import json

import pytest

from crm_sync.hubspot.transport.calls import CREATE_TASKS, OWNERS, UPSERT_CONTACTS
from crm_sync.hubspot.transport.errors import (
    DailyLimitReached,
    MissingScope,
    error_from_answer,
    error_from_item,
)
from crm_sync.port import CrmBusy, CrmDenied, CrmMissing, CrmRejected, CrmSilent, CrmUnexplained
from crm_sync.transport.http import RawAnswer
from crm_sync.transport.json_body import parse_body


def told(status, body=None, call=CREATE_TASKS, **headers):
    text = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return error_from_answer(call, RawAnswer(status, headers, text))


def invalid(*faults):
    listed = [
        {"isValid": False, "message": message, "error": code, "name": name}
        for name, code, message in faults
    ]
    return {
        "category": "VALIDATION_ERROR",
        "message": f"Property values were not valid: {json.dumps(listed)}",
    }


@pytest.mark.parametrize(
    ("status", "for_a_read", "for_a_task"),
    [
        (302, CrmDenied, CrmDenied),
        (400, CrmUnexplained, CrmUnexplained),
        (401, CrmDenied, CrmDenied),
        (403, MissingScope, MissingScope),
        (404, CrmMissing, CrmMissing),
        (408, CrmBusy, CrmSilent),
        (409, CrmUnexplained, CrmUnexplained),
        (414, CrmRejected, CrmRejected),
        (415, CrmUnexplained, CrmUnexplained),
        (423, CrmBusy, CrmBusy),
        (429, CrmBusy, CrmBusy),
        (477, CrmBusy, CrmBusy),
        *((status, CrmBusy, CrmSilent) for status in (500, 502, 503, 504, 521, 524)),
    ],
)
def test_each_status_is_one_kind_of_error(status, for_a_read, for_a_task):
    assert type(told(status, call=OWNERS)) is for_a_read
    assert type(told(status, call=CREATE_TASKS)) is for_a_task
    assert type(told(status, b"<html>\xff</html>")) is for_a_task


def test_writes_that_may_be_repeated_are_busy_not_unknown():
    assert type(told(503, call=UPSERT_CONTACTS)) is CrmBusy


@pytest.mark.parametrize(
    ("status", "policy", "headers", "seconds"),
    [
        (429, "TEN_SECONDLY_ROLLING", {}, 10),
        (429, "SECONDLY", {}, 1),
        (429, "TEN_SECONDLY_ROLLING", {"retry-after": "4"}, 4),
        (429, "TEN_SECONDLY_ROLLING", {"retry-after": "0"}, 1),
        (429, "TEN_SECONDLY_ROLLING", {"retry-after": "99999999"}, 3600),
        (429, "TEN_SECONDLY_ROLLING", {"retry-after": "-5"}, 10),
        (429, "TEN_SECONDLY_ROLLING", {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10),
        (429, "TEN_SECONDLY_ROLLING", {"retry-after": "nan"}, 10),
        (423, "", {}, 2),
        (423, "", {"retry-after": "1"}, 2),
        (477, "", {}, 60),
        (477, "", {"retry-after": "1800"}, 1800),
    ],
)
def test_busy_says_when_to_ask_again(status, policy, headers, seconds):
    assert told(status, {"policyName": policy}, **headers).retry_after == seconds


def test_the_limit_of_the_day_is_no_matter_of_seconds():
    error = told(429, {"policyName": "DAILY"}, **{"retry-after": "5"})

    assert type(error) is DailyLimitReached
    assert isinstance(error, CrmDenied)
    assert "today" in str(error)


def test_properties_are_read_out_of_the_message():
    error = told(
        400,
        invalid(
            ("lead_score", "PROPERTY_DOESNT_EXIST", 'Property "lead_score" does not exist'),
            ("hs_lead_status", "INVALID_OPTION", "X was not one of the allowed options: [a]"),
            ("shoe_size", "SOMETHING_NEW", "must be above 30"),
        ),
    )

    assert list(error.properties) == ["lead_score", "hs_lead_status", "shoe_size"]
    assert "no such property" in error.properties["lead_score"]
    assert error.properties["shoe_size"] == "must be above 30"
    assert "lead_score: there is no such property in HubSpot" in str(error)


def test_properties_are_read_out_of_the_errors_too():
    detail = {"message": "no", "code": "INVALID_EMAIL", "context": {"propertyName": ["email"]}}

    error = told(400, {"category": "VALIDATION_ERROR", "message": "bad", "errors": [detail]})

    assert list(error.properties) == ["email"]


@pytest.mark.parametrize(
    "message",
    [
        'Property values were not valid: [{"name": "x", "error',
        "Property values were not valid: [{}]",
        'Property values were not valid: [{"name": null}, 3]',
        "[{" * 50_000,
        None,
        17,
    ],
)
def test_a_message_that_is_cut_or_odd_is_still_a_refusal(message):
    error = told(400, {"message": message, "errors": "none", "context": []})

    assert type(error) is CrmUnexplained
    assert error.properties == {}


def test_what_no_column_can_hold_is_taken_out_of_an_answer():
    body = (
        rb'{"a": "x\u0000y", "b": ["\ud800z", {"c\u0000": "\ud83d\ude00"}], "n": 1, "e": "\\u0000"}'
    )

    assert parse_body(body) == {"a": "xy", "b": ["?z", {"c": "😀"}], "n": 1, "e": "\\u0000"}


def test_what_hubspot_says_is_bounded_to_one_printable_line():
    error = told(400, {"message": "no\n\x1b[31m\x00" + "x" * 10_000})

    assert len(str(error)) < 400
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (409, "Contact already exists. Existing ID: 1510001"),
        (400, invalid(("email", "CONFLICTING_UNIQUE_VALUE", "1510001 already has that value"))),
    ],
)
def test_the_record_that_has_the_value_is_named(status, message):
    body = message if isinstance(message, dict) else {"category": "CONFLICT", "message": message}

    assert told(status, body).existing_id == "1510001"


def test_the_missing_scope_is_named():
    context = {"requiredGranularScopes": ["crm.objects.contacts.write"]}

    error = told(403, {"category": "MISSING_SCOPES", "errors": [{"context": context}]})

    assert "crm.objects.contacts.write" in str(error)
    assert "create tasks" in str(error)


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("VALIDATION_ERROR", CrmUnexplained),
        ("CONFLICT", CrmUnexplained),
        ("OBJECT_NOT_FOUND", CrmMissing),
        ("RATE_LIMITS", CrmBusy),
        ("MISSING_SCOPES", MissingScope),
        ("INTERNAL_ERROR", CrmSilent),
        ("SOMETHING_NEW", CrmUnexplained),
        (None, CrmUnexplained),
    ],
)
def test_each_category_of_an_item_is_one_kind_of_error(category, kind):
    assert type(error_from_item(CREATE_TASKS, {"category": category, "message": "no"})) is kind


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        ("one or more associations are not valid: contact 1", "belongs to is not there any more"),
        ("Invalid input JSON on line 1", "fault of the program"),
        ("Contact already exists. Existing ID: 7", "another record has the same value"),
        ("Something new", "Something new"),
    ],
)
def test_what_hubspot_says_is_put_into_plain_words(message, plain):
    error = told(400, {"message": message})

    assert plain in str(error)
    assert message in str(error)


def test_a_record_that_was_merged_too_often_says_so():
    assert "merged too often" in str(told(414))

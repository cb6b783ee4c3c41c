"""Each thing that can be wrong with a person or an activity is named with its field and the reason."""

import json
from datetime import UTC, datetime

import pytest

from leadscoring.api.body import parse_json
from leadscoring.intake import validation
from leadscoring.intake.validation import InvalidItem
from tests.makers import NOON

ADA = {"email": "ada@example.com"}
VIEW = {**ADA, "type": "page_view"}


def refusal(item, check=validation.validate_person):
    with pytest.raises(InvalidItem) as caught:
        check(item)
    return caught.value.field, caught.value.message


def activity(item):
    return validation.validate_activity(item, NOON)


def deep(levels):
    return {"a": deep(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    "address",
    [
        "", " ", "ada", "ada@", "@example.com", "ada@example", "ada@@example.com",
        "ada@example.com\n", "ada@example.com\nBcc: x@example.com", "ada\0@example.com",
        "ada @example.com", "Ada <ada@example.com>", "a@b.example, c@d.example", "ada@localhost",
        "ada@[127.0.0.1]", "ädä@example.com", "ada@exam\ud800ple.com", "ada@-example.com",
        f"{'a' * 300}@example.com", f"ada@{'a' * 64}.example", "ada@xn--.example",
        "ada@xn--example-.com", "ada@xn--Strae-oqa\ue000.example", "ada@\u200b.example", "\u200b",
    ],
)  # fmt: skip
def test_a_bad_address_is_refused(address):
    assert refusal({"email": address})[0] == "email"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("ADA@EXAMPLE.COM", "ada@example.com"),
        (" ada@example.com ", "ada@example.com"),
        ("ada+x@example.com", "ada+x@example.com"),
        ("o'hara/1@example.com", "o'hara/1@example.com"),
        ("ada@münchen.example", "ada@münchen.example"),
        ("ada@xn--mnchen-3ya.example", "ada@münchen.example"),
        ("ada@mu\u0308nchen.example", "ada@münchen.example"),
        ("ada@exa\u200bmple.com", "ada@example.com"),
        ("a\u00adda@example.com\ufeff", "ada@example.com"),
        ("ada\ufe0f@exam\u3164ple.com", "ada@example.com"),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ada@example.com"),
        ("\u3000ada@example。com\u2003", "ada@example.com"),
        ("ada@STRASSE.example", "ada@strasse.example"),
        ("ada@STRAßE.example", "ada@straße.example"),
        ("ada@xn--strae-oqa.example", "ada@straße.example"),
        ("ada@xn--ls8h.la", "ada@💩.la"),
        ("ada@XN--80A1ACNY.xn--p1ai", "ada@почта.рф"),
    ],
)
def test_an_address_is_kept_in_one_way_of_writing_it(address, kept):
    assert validation.validate_person({"email": address}).email == kept
    assert validation.validate_person({"email": kept}).email == kept


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"first_name": "x" * 1_000_000}, "first_name", "longer than 200"),
        ({"first_name": "A\0da"}, "first_name", "U+0000"),
        ({"last_name": "A\x1b[2Jda"}, "last_name", "U+001B"),
        ({"last_name": "Ada\r\nX-Header: 1"}, "last_name", "U+000D"),
        ({"job_title": "C\ud83dO"}, "job_title", "surrogate"),
        ({"phone": 46_555}, "phone", "must be text"),
        ({"company": ["Alder"]}, "company", "must be text"),
        ({"country": True}, "country", "must be text"),
        ({"external_id": ""}, "external_id", "empty"),
        ({"external_id": " "}, "external_id", "empty"),
        ({"external_id": 7}, "external_id", "must be text"),
        ({"external_id": "x" * 201}, "external_id", "longer than 200"),
        ({"nickname": "A"}, "nickname", "not a field"),
        ({"lifecycle_stage": "customer"}, "lifecycle_stage", "not a field"),
        ({"a\0b": 1}, "a\ufffdb", "not a field"),
        ({"a\ud800": 1}, "item", "surrogate"),
        ({"properties": []}, "properties", "must be an object"),
        ({"properties": deep(50)}, "properties", "more than 5 deep"),
        ({"properties": {f"k{n}": n for n in range(1000)}}, "properties", "more than 100 keys"),
        ({"properties": {"a": "x" * 17_000}}, "properties", "longer than 16384"),
        ({"properties": {"": 1}}, "properties", "key that is empty"),
        ({"properties": {"k" * 101: 1}}, "properties", "longer than 100"),
        ({"properties": {"a": {"b\0": 1}}}, "properties", "control"),
        ({"properties": {"a": ["x\0"]}}, "properties", "U+0000"),
        ({"properties": {"a": "\ud800"}}, "properties", "U+D800"),
        ({"properties": {"a": float("inf")}}, "properties", "beyond 2^53"),
        ({"properties": {"a": float("nan")}}, "properties", "beyond 2^53"),
        ({"properties": {"a": -(2**53) - 1}}, "properties", "beyond 2^53"),
    ],
)
def test_a_bad_field_of_a_person_is_named_with_the_reason(fields, field, reason):
    named, message = refusal({**ADA, **fields})

    assert named == field
    assert reason in message


@pytest.mark.parametrize("item", [None, 1, "text", [], True, 1.5])
def test_an_item_that_is_no_object_is_refused(item):
    assert refusal(item) == ("item", "must be an object")


@pytest.mark.parametrize("item", [{}, {"first_name": "Ada"}, {"email": None, "external_id": None}])
def test_somebody_without_an_identifier_is_nobody(item):
    assert refusal(item)[0] == "email"


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"type": ""}, "type", "empty"),
        ({"type": "!?"}, "type", "neither a letter nor a digit"),
        ({"type": "x" * 101}, "type", "longer than 100"),
        ({"type": 1}, "type", "must be text"),
        ({"event_id": 1}, "event_id", "must be text"),
        ({"event_id": "x" * 201}, "event_id", "longer than 200"),
        ({"source": ""}, "source", "empty"),
        ({"source": "x" * 101}, "source", "longer than 100"),
        ({"occurred_at": "2026-05-04T10:00:00"}, "occurred_at", "no offset"),
        ({"occurred_at": "2026-05-04"}, "occurred_at", "no offset"),
        ({"occurred_at": "2026-06-01T12:05:01Z"}, "occurred_at", "in the future"),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at", "before 1970"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at", "year 1"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at", "year 9999"),
        ({"occurred_at": "2026-02-29T10:00:00Z"}, "occurred_at", "is not a time"),
        ({"occurred_at": "2026-05-04T25:00:00Z"}, "occurred_at", "is not a time"),
        ({"occurred_at": "yesterday"}, "occurred_at", "is not a time"),
        ({"occurred_at": ""}, "occurred_at", "is not a time"),
        ({"occurred_at": 1_780_000_000}, "occurred_at", "must be text"),
        ({"occurred_at": "2026-05-04T10:00:00+0١:00"}, "occurred_at", "is not a time"),
    ],
)
def test_a_bad_field_of_an_activity_is_named_with_the_reason(fields, field, reason):
    named, message = refusal({**VIEW, **fields}, activity)

    assert named == field
    assert reason in message


def test_an_activity_has_a_type():
    assert refusal(ADA, activity) == ("type", "is missing")


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-05-04T10:00:00Z", 10),
        ("2026-05-04T10:00:00+02:00", 8),
        ("2026-05-04 10:00:00.123456+0200", 8),
        ("2024-02-29T10:00:00-01:00", 11),
        ("2026-05-04T10:00:00 02:00", 8),
        ("2026-05-04 10:00 02:00", 8),
        ("2026-06-01T12:05:00Z", 12),
    ],
)
def test_a_time_with_its_offset_is_understood_also_when_a_plus_was_lost_on_the_way(text, hour):
    at = activity({**VIEW, "occurred_at": text}).occurred_at

    assert (at.hour, at.tzinfo) == (hour, UTC)


def test_texts_are_trimmed_and_put_into_one_form():
    assert validation.validate_person({**ADA, "first_name": " Zoe\u0308 "}).first_name == "Zoë"


@pytest.mark.parametrize(
    ("fields", "check", "field"),
    [
        ({**ADA, "first_name": "\ufb2c" * 200}, validation.validate_person, "first_name"),
        ({**ADA, "company": "\ufb2c" * 200}, validation.validate_person, "company"),
        ({**ADA, "phone": "\u0958" * 50}, validation.validate_person, "phone"),
        ({**ADA, "country": "\ufb2c" * 100}, validation.validate_person, "country"),
        ({"external_id": "\ufb2c" * 200}, validation.validate_person, "external_id"),
        (
            {"email": "a" * 230 + "@" + "\u337f" * 5 + ".example"},
            validation.validate_person,
            "email",
        ),
        ({**VIEW, "source": "\ufb2c" * 100}, activity, "source"),
        ({**VIEW, "event_id": "\ufb2c" * 200}, activity, "event_id"),
    ],
)
def test_a_text_is_measured_as_it_is_stored(fields, check, field):
    """One sign can become several in the form that is stored."""
    assert refusal(fields, check)[0] == field
    assert "is longer than" in refusal(fields, check)[1]


def test_lines_in_a_property_are_kept():
    given = {"note": "one\n\ttwo\r\n"}

    assert validation.validate_person({**ADA, "properties": given}).properties == given


def test_a_number_of_thousands_of_digits_spoils_its_item_only():
    [item] = parse_json(
        b'[{"email": "ada@example.com", "properties": {"a": ' + b"9" * 5000 + b"}}]"
    )

    assert refusal(item)[0] == "properties"


def test_refusals_can_be_written_as_json():
    field, message = refusal({**ADA, "\ud800": "\ud800"})

    assert json.dumps([field, message]).encode()


def test_the_earliest_and_the_present_are_taken():
    for at in (datetime(1970, 1, 1, tzinfo=UTC), NOON):
        assert activity({**VIEW, "occurred_at": at.isoformat()}).occurred_at == at

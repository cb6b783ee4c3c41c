"""Which requests are HubSpot's, and of which records its events speak."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_sync.hubspot.webhooks import MOST_HINTS, HubSpotWebhooks
from crm_sync.port import CrmForged, CrmHint, Posted
from sandbox.hubspot.webhooks import signature

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
ADDRESS = "https://www.example.com/webhook_uri"
BODY = b"[]"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def stamp(at):
    return str(int(at.timestamp() * 1000))


def a_request(body=BODY, at=NOON, address=ADDRESS, secret=SECRET, **headers):
    signed = {
        "x-hubspot-signature-v3": signature(secret.encode(), address, body, stamp(at)),
        "x-hubspot-request-timestamp": stamp(at),
    }
    return Posted("POST", address, signed | headers, body)


def hints(*events, at=NOON):
    return HubSpotWebhooks(SECRET).hints(a_request(json.dumps(events).encode()), at)


def named(*events):
    return [(hint.kind, hint.record_id, hint.what) for hint in hints(*events)]


# --- signatures -----------------------------------------------------------------------------------

PUBLISHED = [
    (
        b"{'example_field':'example_value'}",
        1693657560000,
        "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
    ),
    (
        b"{'example_field':'example_value'}",
        1700000300000,
        "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=",
    ),
    (
        b'{"example_field":"example_value"}',
        1693657560000,
        "oaA3M5dEtt6kFsseJD/Hv/x+JNl1vsoxFj4oxmwP6Go=",
    ),
]


@pytest.mark.parametrize(("body", "sent", "given"), PUBLISHED)
def test_the_published_examples_are_hubspots(body, sent, given):
    headers = {"x-hubspot-signature-v3": given, "x-hubspot-request-timestamp": str(sent)}
    at = datetime.fromtimestamp(sent / 1000, UTC)

    HubSpotWebhooks(SECRET).check(Posted("POST", ADDRESS, headers, body), at)


@pytest.mark.parametrize(
    ("address", "signed_as"),
    [
        ("/w?to=a%40b.c", "/w?to=a@b.c"),
        ("/w?x=%3a%2F%3F%21%24%27%28%29%2a%2C%3B", "/w?x=:/?!$'()*,;"),
        ("/w?x=a%20b%26c%25", "/w?x=a%20b%26c%25"),
    ],
)
def test_the_address_is_decoded_as_hubspot_decodes_it_and_no_further(address, signed_as):
    request = a_request(address="https://www.example.com" + signed_as)
    sent = Posted("POST", "https://www.example.com" + address, request.headers, BODY)

    assert HubSpotWebhooks(SECRET).hints(sent, NOON) == []


LATE = NOON - timedelta(minutes=5, seconds=1)
AHEAD = NOON + timedelta(minutes=1, seconds=1)
GOOD = a_request()


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Posted("POST", ADDRESS, {}, BODY), "not signed"),
        (a_request(secret="other"), "does not fit"),
        (a_request(secret=""), "does not fit"),
        (Posted("POST", ADDRESS, GOOD.headers, b"[{}]"), "does not fit"),
        (Posted("PUT", ADDRESS, GOOD.headers, BODY), "does not fit"),
        (Posted("POST", ADDRESS + "?a=1", GOOD.headers, BODY), "does not fit"),
        (Posted("POST", ADDRESS.upper(), GOOD.headers, BODY), "does not fit"),
        (a_request(**{"x-hubspot-signature-v3": "ü🎉"}), "does not fit"),
        (a_request(**{"x-hubspot-request-timestamp": stamp(NOON + timedelta(seconds=1))}), "fit"),
        (a_request(at=LATE), "older than 5 minutes"),
        (a_request(at=AHEAD), "from the future"),
        (a_request(**{"x-hubspot-request-timestamp": ""}), "time stamp"),
        (a_request(**{"x-hubspot-request-timestamp": "-1"}), "time stamp"),
        (a_request(**{"x-hubspot-request-timestamp": "now"}), "time stamp"),
        (a_request(**{"x-hubspot-request-timestamp": "9" * 5000}), "time stamp"),
        (a_request(**{"x-hubspot-request-timestamp": "9" * 19}), "time stamp"),
        (a_request(**{"x-hubspot-request-timestamp": "¹²³"}), "time stamp"),
    ],
)
def test_what_is_not_signed_by_hubspot_in_these_minutes_is_refused(request_, reason):
    with pytest.raises(CrmForged, match=reason):
        HubSpotWebhooks(SECRET).hints(request_, NOON)


@pytest.mark.parametrize("at", [LATE + timedelta(seconds=2), AHEAD - timedelta(seconds=2)])
def test_a_clock_that_is_a_little_off_is_no_reason_to_refuse(at):
    HubSpotWebhooks(SECRET).check(a_request(at=at), NOON)


def test_without_a_secret_not_even_the_empty_one_fits():
    assert not HubSpotWebhooks("").enabled
    with pytest.raises(CrmForged, match="off"):
        HubSpotWebhooks("").hints(a_request(secret=""), NOON)


# --- events ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"subscriptionType": "deal.propertyChange", "objectId": 7}, ("deal", "7", "changed")),
        ({"eventType": "deal.propertyChange", "objectId": 7}, ("deal", "7", "changed")),
        ({"subscriptionType": "contact.creation", "objectId": 7}, ("contact", "7", "changed")),
        ({"subscriptionType": "contact.deletion", "objectId": 7}, ("contact", "7", "deleted")),
        ({"subscriptionType": "contact.restore", "objectId": 7}, ("contact", "7", "restored")),
        (
            {"subscriptionType": "contact.privacyDeletion", "objectId": 7},
            ("contact", "7", "erased"),
        ),
        ({"subscriptionType": "deal.somethingNew", "objectId": "7"}, ("deal", "7", "changed")),
        (
            {"subscriptionType": "object.deletion", "objectTypeId": "0-3", "objectId": 7},
            ("deal", "7", "deleted"),
        ),
        (
            {"subscriptionType": "object.propertyChange", "objectTypeId": "0-1", "objectId": 7},
            ("contact", "7", "changed"),
        ),
    ],
)
def test_an_event_names_its_record_in_the_classic_and_the_generic_way(event, expected):
    assert named(event) == [expected]


def test_a_merge_names_what_went_in_and_what_came_out():
    merge = {"primaryObjectId": 1, "mergedObjectIds": [2, 3], "newObjectId": 4}

    assert named({"subscriptionType": "contact.merge", **merge}) == [
        ("contact", id_, "merged") for id_ in ("1", "4", "2", "3")
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"subscriptionType": "deal.associationChange", "associationType": "DEAL_TO_CONTACT"},
            [("deal", "1"), ("contact", "2")],
        ),
        (
            {
                "subscriptionType": "contact.associationChange",
                "associationType": "CONTACT_TO_COMPANY",
            },
            [("contact", "1")],
        ),
        (
            {
                "subscriptionType": "object.associationChange",
                "fromObjectTypeId": "0-1",
                "toObjectTypeId": "0-3",
            },
            [("contact", "1"), ("deal", "2")],
        ),
        ({"subscriptionType": "deal.associationChange"}, [("deal", "1")]),
    ],
)
def test_an_association_names_both_ends(event, expected):
    ends = {"fromObjectId": 1, "toObjectId": 2}

    assert [each[:2] for each in named(event | ends)] == expected


ODD_IDS: tuple[Any, ...] = (None, True, -1, 1.5, "", "ab", "1 OR 1=1", {}, [], "9" * 21, "٧")


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        [],
        7,
        {"subscriptionType": "company.deletion", "objectId": 7},
        {"subscriptionType": "object.deletion", "objectTypeId": "0-2", "objectId": 7},
        {"subscriptionType": "object.deletion", "objectTypeId": ["0-1"], "objectId": 7},
        {"subscriptionType": ["contact.deletion"], "objectId": 7},
        *({"subscriptionType": "contact.deletion", "objectId": value} for value in ODD_IDS),
        {"subscriptionType": "contact.merge", "mergedObjectIds": "123"},
        {"subscriptionType": "deal.associationChange", "associationType": 5, "fromObjectId": {}},
    ],
)
def test_what_names_no_record_of_a_known_kind_is_passed_over(event):
    known = {"subscriptionType": "deal.deletion", "objectId": 1}

    assert named(event, known) == [("deal", "1", "deleted")]


@pytest.mark.parametrize(
    "body", [b"", b"no json", b"\xff\xfe", b"7", b"[" * 100_000, b"[" + b"9" * 10_000 + b"]"]
)
def test_a_signed_body_that_cannot_be_read_speaks_of_nothing(body):
    assert HubSpotWebhooks(SECRET).hints(a_request(body), NOON) == []


def test_the_instant_and_the_account_are_told_and_bounded():
    minute_ago = NOON - timedelta(minutes=1)
    event = {"subscriptionType": "deal.deletion", "objectId": 1, "portalId": 62515}
    when = [int(minute_ago.timestamp() * 1000), 10**15, "yesterday", 10**400, None]

    found = hints(*(event | {"occurredAt": value} for value in when))

    assert found[0] == CrmHint("deal", "1", "deleted", minute_ago, "62515")
    assert {hint.occurred_at for hint in found[1:]} == {NOON}


def test_a_body_that_names_very_many_records_is_cut():
    merge = {"subscriptionType": "contact.merge", "mergedObjectIds": list(range(5000))}

    assert len(hints(merge)) == MOST_HINTS

"""Segment's API takes what unmodified clients send, as CONTRACT section 4 says."""

import base64
import gzip
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from leadscoring import api_keys
from leadscoring.api import auth
from leadscoring.common import attempts
from leadscoring.common.activity_type import spell_activity_type
from leadscoring.common.outage import OutageMemory
from leadscoring.erasing import erase_contact
from leadscoring.intake import sources
from leadscoring.intake.rejections import Rejection
from leadscoring.intake.segment import activity_type, fit_properties
from leadscoring.intake.sources import record_sent
from leadscoring.intake.validation import InvalidItem
from leadscoring.merging import merge_contacts
from leadscoring.models import (
    AccessEntry,
    Activity,
    Contact,
    NotTaken,
    Source,
    SourceCount,
    TakenMessage,
    Visitor,
    WaitingActivity,
)
from leadscoring.tasks import settle_visitors
from tests.admin_pages import as_, page
from tests.makers import a_contact, came_and_refused

pytestmark = pytest.mark.django_db
YESTERDAY = "2026-05-31T12:00:00Z"


class Sender:
    """A client with a write key, as a page or a server has it."""

    def __init__(self, name="website"):
        self.key, self.text = api_keys.create_key(name, write_only=True)
        self.client = Client(raise_request_exception=False)

    def send(self, path, body, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body)
        given = {"authorization": basic(self.text), **headers}
        content_type = given.pop("content_type", "application/json")
        return self.client.post(f"/v1/{path}", raw, content_type=content_type, headers=given)

    def __call__(self, path, **event):
        answer = self.send(path, event)
        assert (answer.status_code, answer.json()) == (200, {"success": True})


def basic(key):
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@pytest.fixture
def send():
    return Sender()


def acts(**of_whom):
    """What the person of these identifiers did, oldest first."""
    found = Activity.objects.filter(**{f"contact__{k}": v for k, v in of_whom.items()})
    return list(found.order_by("occurred_at", "pk").values_list("type", flat=True))


def refused():
    return list(NotTaken.objects.order_by("pk").values_list("kind", "field", "message", "times"))


# --- the door -----------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["t", "track"])
def test_a_key_is_taken_from_basic_auth_a_bearer_or_the_body(send, path):
    event = {"userId": "ada@example.com", "event": "Demo Requested"}
    for header in (basic(send.text), f"Bearer {send.text}"):
        assert send.send(path, event, authorization=header).status_code == 200
    assert send.send(path, {**event, "writeKey": send.text}, authorization="").status_code == 200
    both = {**event, "writeKey": send.text}
    assert send.send(path, both, authorization="Bearer token-of-somebody-else").status_code == 200

    assert acts(email="ada@example.com") == ["demo_requested"] * 4


@pytest.mark.parametrize("header", ["", "Basic %%%", "Basic /w==", basic("ls_wrong"), "Bearer x"])
def test_without_a_good_key_nothing_is_taken(send, header):
    answer = send.send("track", {"userId": "a@example.com", "event": "x"}, authorization=header)

    assert answer.status_code == 401
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert not Contact.objects.exists()


def test_a_revoked_key_is_no_key(send):
    send.key.revoked_at = now()
    send.key.save()

    assert send.send("track", {"userId": "a@example.com", "event": "x"}).status_code == 401


def test_a_write_key_reads_nothing(send):
    a_contact(email="ada@example.com")
    headers = {"authorization": f"Bearer {send.text}"}

    assert send.client.get("/api/v1/contacts/ada@example.com", headers=headers).status_code == 403


def test_plain_text_and_gzip_are_read(send):
    one = json.dumps({"userId": "ada@example.com", "event": "One"})
    two = json.dumps({"userId": "ada@example.com", "event": "Two"}).encode()

    assert send.send("t", one.encode(), content_type="text/plain").status_code == 200
    assert (
        send.send("t", gzip.compress(two, mtime=0), **{"content-encoding": "gzip"}).status_code
        == 200
    )
    assert acts(email="ada@example.com") == ["one", "two"]


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"{", "", 400),
        (b"[" * 200_000, "", 400),
        (b"\xff", "", 400),
        (b"no gzip", "gzip", 400),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", 400),
        (gzip.compress(b"{}", mtime=0) * 2, "gzip", 400),
        (b"{}", "br", 400),
        (gzip.compress(b" " * 6 * 1024 * 1024, mtime=0), "gzip", 413),
        (b" " * 6 * 1024 * 1024, "", 413),
        (json.dumps({"batch": [{}] * 2_501}).encode(), "", 413),
    ],
)
def test_a_body_that_is_no_json_or_too_large_is_refused(send, body, encoding, status):
    answer = send.send("batch", body, **({"content-encoding": encoding} if encoding else {}))

    assert answer.status_code == status
    assert not Activity.objects.exists()
    told = answer.json()["error"]["message"]
    assert refused() == [("request", "", told, 1)]


def test_no_depth_is_more_than_is_read_and_less_than_is_refused(send):
    """Deep enough to fail while it is read is refused; a little less deep, it must not fail later."""
    answers = set()
    for depth in range(780, 1_000, 2):
        deep = '{"a":' * depth + "1" + "}" * depth
        event = f'{{"userId": "u", "event": "x", "timestamp": "{YESTERDAY}", "properties": {deep}}}'
        answers.add(send.send("track", event.encode()).status_code)

    assert answers == {200, 400}


@pytest.mark.parametrize("body", ['"x"', "[]", "3", "null", '{"batch": 7}', '{"batch": {}}', "{}"])
def test_json_of_another_shape_is_a_good_request_that_says_nothing(send, body):
    assert send.send("batch", body.encode()).status_code == 200
    assert NotTaken.objects.count() == 1


def test_any_page_may_send(send):
    asked = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "anonymousid,authorization,content-type,sentat",
    }
    answer = send.client.options("/v1/track", headers=asked)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Headers"] == asked["access-control-request-headers"]
    assert "Access-Control-Allow-Credentials" not in answer
    assert send.client.get("/v1/track").status_code == 405


def test_a_page_asks_for_no_header_that_is_none(send):
    hostile = {"access-control-request-headers": "x: y"}

    assert "Access-Control-Allow-Headers" not in send.client.options("/v1/t", headers=hostile)


def test_a_key_that_sends_too_much_is_told_when_to_go_on(send, monkeypatch):
    monkeypatch.setattr(auth, "REQUESTS_PER_MINUTE", 1)
    monkeypatch.setattr(attempts, "redis_outage", OutageMemory(seconds=5))
    event = {"userId": "ada@example.com", "event": "x"}
    answers = [send.send("track", event) for _ in range(3)]

    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1]["Access-Control-Allow-Origin"] == "*"
    assert Activity.objects.count() < 3


def test_a_batch_counts_for_as_many_events_as_it_has(send, monkeypatch):
    monkeypatch.setattr(auth, "EVENTS_PER_MINUTE", 5)
    monkeypatch.setattr(attempts, "redis_outage", OutageMemory(seconds=5))
    batch = [{"type": "page", "userId": f"u{n}"} for n in range(3)]
    began = now().timestamp()
    answers = [send.send("batch", {"batch": batch}) for _ in range(4)]

    last = answers[-1]
    assert (answers[0].status_code, last.status_code) == (200, 429)
    assert int(last["X-RateLimit-Reset"]) - int(last["Retry-After"]) == pytest.approx(began, abs=5)
    assert last["Access-Control-Expose-Headers"] == "Retry-After, X-RateLimit-Reset"
    assert WaitingActivity.objects.count() == 3 * [one.status_code for one in answers].count(200)
    told = [row for row in refused() if row[0] == "request"]
    assert told == [("request", "", auth.TOO_MUCH.format(5, "events"), told[0][3])]


def test_the_items_of_the_api_count_as_well(send, monkeypatch):
    monkeypatch.setattr(auth, "EVENTS_PER_MINUTE", 1)
    monkeypatch.setattr(attempts, "redis_outage", OutageMemory(seconds=5))
    headers = {"authorization": f"Bearer {send.text}"}
    for path in ("contacts", "activities"):
        body = json.dumps([{"email": f"p{n}@example.com", "type": "x"} for n in range(2)])
        answer = send.client.post(
            f"/api/v1/{path}", body, content_type="application/json", headers=headers
        )
        assert (answer.status_code, "Retry-After" in answer) == (429, True)

    assert not Contact.objects.exists()


def test_the_script_of_rudderstack_is_told_where_nothing_else_is_to_be_loaded(send):
    answer = send.client.get(
        "/sourceConfig/?writeKey=x", headers={"authorization": basic(send.text)}
    )

    source = answer.json()["source"]
    assert (source["enabled"], source["destinations"], source["config"]) == (True, [], {})
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert send.client.options("/sourceConfig/").status_code == 204
    _, reading = api_keys.create_key("server")
    for key, status in ((reading, 403), ("wrong", 401)):
        given = {"authorization": basic(key)}
        assert send.client.get("/sourceConfig/", headers=given).status_code == status


def test_the_official_script_is_told_to_send_here(send):
    answer = send.client.get(f"/v1/projects/{send.text}/settings")

    told = answer.json()["integrations"]["Segment.io"]
    assert (told["apiKey"], told["apiHost"], told["protocol"]) == (
        send.text, "testserver/v1", "http",
    )  # fmt: skip
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_a_key_that_reads_is_not_for_a_page():
    _, text = api_keys.create_key("server")
    client = Client()

    assert client.get(f"/v1/projects/{text}/settings").status_code == 403
    assert client.get("/v1/projects/wrong/settings").status_code == 404


# --- events -------------------------------------------------------------------------------------
def test_identify_is_a_profile_and_properties(send):
    send(
        "identify",
        userId=97980,
        traits={
            "email": "Ada@Example.com", "name": "Ada King Lovelace", "phone": 4930123, "title": "CTO",
            "company": {"name": "Analytical", "employee_count": 60, "industry": "Engines"},
            "address": {"country": "UK", "city": "London"}, "plan": "pro", "logins": 7,
        },
    )  # fmt: skip

    ada = Contact.objects.get()
    assert (ada.email, ada.external_id) == ("ada@example.com", "97980")
    assert (ada.first_name, ada.last_name, ada.phone) == ("Ada", "King Lovelace", "4930123")
    assert (ada.job_title, ada.country, ada.company.name) == ("CTO", "UK", "Analytical")
    assert ada.properties == {
        "company_size": 60, "industry": "Engines", "plan": "pro", "logins": 7,
    }  # fmt: skip


def test_traits_are_read_from_the_context_as_well(send):
    send("identify", userId="u1", context={"traits": {"email": "ada@example.com", "plan": "pro"}})

    assert Contact.objects.get(email="ada@example.com", external_id="u1").properties == {
        "plan": "pro"
    }


def test_page_and_screen_are_activities_with_where(send):
    context = {
        "page": {"url": "https://x.example/pricing", "referrer": "https://search.example/"},
        "campaign": {"name": "spring", "source": "news"},
    }
    send("page", userId="ada@example.com", name="Pricing", context=context)
    send("screen", userId="ada@example.com", name="Home")

    page, screen = Activity.objects.order_by("pk")
    assert (page.type, screen.type) == ("page_view", "screen_view")
    assert page.properties == {
        "name": "Pricing", "url": "https://x.example/pricing", "referrer": "https://search.example/",
        "utm_source": "news", "utm_campaign": "spring",
    }  # fmt: skip


def test_a_group_is_the_company(send):
    send("identify", userId="u1", traits={"email": "ada@example.com"})
    send("group", userId="u1", groupId="g7", traits={"name": "Initech", "employees": 329})

    ada = Contact.objects.get()
    assert ada.company.name == "Initech"
    assert ada.properties == {"company_id": "g7", "company_size": 329}


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("Demo Requested", "demo_requested"),
        (" demo_requested ", "demo_requested"),
        ("Demo-Requested!", "demo-requested"),
        ("$pageview", "pageview"),
        ("Ｄｅｍｏ", "demo"),
        ("Демо запрошено", "демо_запрошено"),
        ("डेमो अनुरोध", "डेमो_अनुरोध"),
        ("デモ", "デモ"),
        ("x" * 300, "x" * 100),
        ("x" * 99 + " y", "x" * 99),
        ("De\u200bmo Requested", "demo_requested"),
        ("_demo_", "_demo_"),
    ],
)
def test_event_names_become_types_as_the_api_spells_them(name, type_):
    assert activity_type(name) == type_
    assert spell_activity_type(name)[:100].rstrip("_") == type_.rstrip("_")


@pytest.mark.parametrize("name", ["x\u2028y", "a\x00b", "Half \ud800", "X" * 101, "ﷺ" * 60])
def test_an_event_whose_name_cannot_be_shown_comes_in_by_its_type(send, name):
    send("track", userId="ada@example.com", event=name)
    send("track", anonymousId="a1", event=name)

    assert not refused()
    assert Activity.objects.get().type == WaitingActivity.objects.get().type == activity_type(name)


@pytest.mark.parametrize("name", [None, "", "  ", 7, "!!!", "\ud800"])
def test_an_event_without_a_name_is_none(name):
    with pytest.raises(InvalidItem) as refused:
        activity_type(name)

    assert refused.value.field == "event"


def test_facts_that_are_too_many_or_too_deep_cost_no_event():
    deep = {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}
    many = {f"k{n}": "x" * 400 for n in range(150)} | {"bad\x00": 1, "big": 2**70, "half": "\ud800"}

    assert fit_properties({"url": "/x", "none": None, **deep}) == {"url": "/x"}
    assert len(fit_properties(many)) == 60


def test_a_clock_that_is_a_day_off_is_put_right(send):
    before = now()
    event = {"userId": "ada@example.com", "event": "x"}
    send("track", **event, timestamp=YESTERDAY, sentAt="2026-05-31T12:10:00Z", messageId="a")
    batch = {**event, "type": "track", "originalTimestamp": YESTERDAY, "messageId": "b"}
    send.send("batch", {"batch": [batch], "sentAt": "2026-05-31T12:10:00+00:00"})

    for moment in Activity.objects.values_list("occurred_at", flat=True):
        assert abs(moment - (before - timedelta(minutes=10))) < timedelta(seconds=30)


def test_what_stands_beside_a_batch_or_in_a_header_holds_for_each_of_its_events(send):
    before = now()
    one = {"type": "track", "userId": 7.0, "event": "x", "timestamp": YESTERDAY}
    around = {"campaign": {"source": "news"}, "traits": {"email": "ada@example.com"}}
    page = {"context": {"page": {"url": "/pricing"}}, "messageId": "b"}
    send.send("batch", {"batch": [{**one, "messageId": "a"}, {**one, **page}], "context": around},
              sentat="2026-05-31T12:10:00Z")  # fmt: skip

    ada = Contact.objects.get()
    assert (ada.email, ada.external_id) == ("ada@example.com", "7")
    told = Activity.objects.order_by("event_id").values_list("properties", flat=True)
    assert list(told) == [{"utm_source": "news"}, {"utm_source": "news", "url": "/pricing"}]
    for moment in Activity.objects.values_list("occurred_at", flat=True):
        assert abs(moment - (before - timedelta(minutes=10))) < timedelta(seconds=30)


def test_history_comes_in_with_its_own_time(send):
    send("track", userId="ada@example.com", event="x", timestamp="2019-03-01T10:00:00")

    assert Activity.objects.get().occurred_at == datetime(2019, 3, 1, 10, tzinfo=UTC)


def test_a_repeat_changes_nothing(send):
    old = {"type": "identify", "userId": "u1", "messageId": "m1",
           "traits": {"email": "ada@example.com", "plan": "free"}}  # fmt: skip
    new = {**old, "messageId": "m2", "traits": {"plan": "pro"}}
    view = {"type": "track", "userId": "u1", "event": "x", "messageId": "m3"}
    plain = {"type": "track", "userId": "u1", "event": "y", "timestamp": YESTERDAY}
    for body in ([old, new, view, plain], [old, new, view, plain], [old]):
        send.send("batch", {"batch": body})

    assert Contact.objects.get().properties == {"plan": "pro"}
    assert sorted(acts(external_id="u1")) == ["x", "y"]
    assert not refused()


def test_one_bad_event_spoils_none(send):
    bad = [None, 7, {}, {"type": "nonsense", "userId": "u"}, {"type": "track", "event": "x"},
           {"type": "track", "userId": "a@example.com"}, {"type": "track", "userId": ["u"], "event": "x"},
           {"type": "track", "userId": "a@example.com", "event": "x", "timestamp": "soon"},
           {"type": "track", "userId": "a@example.com", "event": "x", "timestamp": "2199-01-01T00:00:00Z"},
           {"type": "identify", "userId": "a\x00b"}, {"type": "identify", "anonymousId": "x" * 201},
           {"type": "identify", "anonymousId": "a", "traits": {"email": "nobody"}},
           {"type": "alias", "userId": "u"}, {"type": "group", "anonymousId": "a", "groupId": "g"}]  # fmt: skip
    good = {"type": "track", "userId": "ada@example.com", "event": "Good"}
    answer = send.send("batch", {"batch": [*bad, good]})

    assert answer.status_code == 200
    assert acts(email="ada@example.com") == ["good"]
    assert not acts(email="a@example.com")
    assert came_and_refused() == (len(bad) + 1, len(bad))


def test_a_users_events_wait_until_the_user_has_a_name(send):
    send("track", userId="u1", event="Signed Up", messageId="m1", timestamp=YESTERDAY)
    assert not Activity.objects.exists()

    send("identify", userId="u1", traits={"email": "ada@example.com"})
    send("track", userId="u1", event="Signed Up", messageId="m1", timestamp=YESTERDAY)

    assert acts(email="ada@example.com") == ["signed_up"]
    assert not WaitingActivity.objects.exists()


def test_a_user_who_turns_out_to_have_a_known_address_is_that_person(send):
    ada = a_contact(email="ada@example.com")
    send("identify", userId="u1", traits={"plan": "pro"})
    send("track", userId="u1", event="x")
    send("identify", userId="u1", traits={"email": "ada@example.com"})

    person = Contact.objects.get()
    assert (person.pk, person.external_id, person.properties) == (ada.pk, "u1", {"plan": "pro"})
    assert acts(email="ada@example.com") == ["x"]


def test_an_id_never_takes_the_address_of_somebody_else(send):
    a_contact(email="ada@example.com", external_id="u1")
    a_contact(email="ben@example.com", external_id="u2")
    send("identify", userId="u2", traits={"email": "ada@example.com"})

    assert set(Contact.objects.values_list("email", "external_id")) == {
        ("ada@example.com", "u1"), ("ben@example.com", "u2"),
    }  # fmt: skip
    assert refused()[0][:2] == ("identify", "userId")


# --- visitors -----------------------------------------------------------------------------------
def test_what_a_visitor_did_becomes_theirs_at_its_own_time(send):
    url = {"url": "https://x.example/pricing"}
    send("page", anonymousId="a1", timestamp="2026-05-01T10:00:00Z", properties=url)
    send("track", anonymousId="a1", event="Read", timestamp="2026-05-02T10:00:00Z")
    assert not Contact.objects.exists()

    send("identify", anonymousId="a1", userId="u1", traits={"email": "ada@example.com"})
    send("page", anonymousId="a1", userId=None)

    assert acts(email="ada@example.com") == ["page_view", "read", "page_view"]
    assert Activity.objects.earliest("occurred_at").properties == url
    assert [moment.day for moment in
            Activity.objects.order_by("occurred_at").values_list("occurred_at", flat=True)][:2] == [1, 2]  # fmt: skip
    assert not WaitingActivity.objects.exists()
    assert Contact.objects.get().score.total > 0


def test_one_batch_may_have_it_all_in_any_order(send):
    whole = [
        {"type": "page", "anonymousId": "a1", "messageId": "1"},
        {"type": "identify", "anonymousId": "a1", "userId": "u1", "messageId": "2"},
        {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com"}, "messageId": "3"},
        {"type": "track", "anonymousId": "a1", "event": "x", "messageId": "4"},
        {"type": "track", "userId": "u1", "event": "y", "messageId": "5"},
    ]  # fmt: skip
    for body in (whole, whole[::-1]):
        send.send("batch", {"batch": body})

    assert sorted(acts(email="ada@example.com")) == ["page_view", "x", "y"]
    assert not refused()


def test_two_devices_become_one_person(send):
    send("page", anonymousId="phone")
    send("page", anonymousId="laptop")
    send("identify", anonymousId="phone", traits={"email": "ada@example.com"})
    send("identify", anonymousId="laptop", userId="u1", traits={"email": "ADA@example.com"})

    assert acts(email="ada@example.com", external_id="u1") == ["page_view", "page_view"]
    assert Contact.objects.count() == 1


def test_a_shared_browser_makes_no_one_person_of_two(send):
    send("page", anonymousId="kiosk")
    send("identify", anonymousId="kiosk", userId="u1", traits={"email": "ada@example.com"})
    send("track", anonymousId="kiosk", userId="u1", event="one")
    send("identify", anonymousId="kiosk", userId="u2", traits={"email": "ben@example.com"})
    send("track", anonymousId="kiosk", event="two")

    assert acts(email="ada@example.com") == ["page_view", "one"]
    assert acts(email="ben@example.com") == ["two"]


@pytest.mark.parametrize("user", ["u1", "ada@example.com"])
def test_an_alias_names_who_the_visitor_is(send, user):
    send("page", anonymousId="a1")
    send("identify", userId="u1", traits={"email": "ada@example.com"})
    send("alias", previousId="a1", userId=user)
    send("page", anonymousId="a1")

    assert acts(email="ada@example.com") == ["page_view", "page_view"]


def test_an_alias_of_unknown_ids_is_remembered_until_one_is_known(send):
    send("track", userId="distinct", event="one")
    send("page", anonymousId="a1", userId="distinct")
    send("alias", userId="u1", previousId="distinct")
    send("identify", userId="u1", traits={"email": "ada@example.com"})
    send("track", userId="distinct", event="two")

    assert sorted(acts(email="ada@example.com")) == ["one", "page_view", "two"]


def test_an_alias_names_whose_browser_it_comes_from_as_well(send):
    send("page", anonymousId="a1")
    send("track", userId="distinct", event="one")
    send("identify", userId="u1", traits={"email": "ada@example.com"})
    send("alias", userId="distinct", previousId="u1", anonymousId="a1")

    assert sorted(acts(email="ada@example.com")) == ["one", "page_view"]


def test_the_id_of_a_user_who_was_known_by_the_address_alone_is_learned(send):
    send("track", userId="u1", event="one")
    a_contact(email="ada@example.com")
    send("alias", userId="ada@example.com", previousId="u1")
    send("identify", userId="u1", traits={"plan": "pro"})

    ada = Contact.objects.get()
    assert (ada.external_id, ada.properties) == ("u1", {"plan": "pro"})
    assert acts(external_id="u1") == ["one"]


def test_an_alias_to_itself_does_nothing(send):
    send("identify", userId="u1", traits={"email": "ada@example.com"})
    send("alias", userId="u1", previousId="u1")
    send("alias", userId="ada@example.com", previousId="Ada@example.com")

    assert Contact.objects.count() == 1
    assert not refused()


def test_an_alias_of_two_people_makes_no_one_person_of_them(send):
    send("identify", userId="u1", traits={"email": "ada@example.com"})
    send("identify", userId="u2", traits={"email": "ben@example.com"})
    send("alias", userId="u2", previousId="u1")

    assert Contact.objects.count() == 2
    assert refused()[0][:2] == ("alias", "previousId")


def test_whoever_becomes_known_by_another_way_gets_what_waited(send):
    send("track", userId="u1", event="x")
    send("page", userId="u1", anonymousId="a1")
    a_contact(email="ada@example.com", external_id="u1")
    settle_visitors()

    assert sorted(acts(email="ada@example.com")) == ["page_view", "x"]


def test_what_is_refused_at_joining_is_told_with_whoever_sent_it(send):
    send("track", userId="u1", event="bad", properties={"phone": "+4930123456"})
    send("track", userId="u1", event="good")
    WaitingActivity.objects.filter(type="bad").update(type="")

    send("identify", userId="u1", traits={"email": "ada@example.com"})

    assert acts(email="ada@example.com") == ["good"]
    assert not WaitingActivity.objects.exists()
    assert refused() == [("activity", "type", "is empty; leave it out when there is none", 1)]
    assert came_and_refused() == (3, 1)
    assert "4930" not in json.dumps(NotTaken.objects.get().example)


def test_visitors_who_never_said_who_they_are_go(send, settings):
    settings.ANONYMOUS_DAYS = 30
    send("page", anonymousId="a1")
    send("page", anonymousId="a2")
    send("identify", anonymousId="a3", traits={"email": "ada@example.com"}, messageId="m")
    old = WaitingActivity.objects.filter(visitor__value="a1")
    old.update(received_at=now() - timedelta(days=31))
    Visitor.objects.update(created_at=now() - timedelta(days=31))
    TakenMessage.objects.update(at=now() - timedelta(days=31))
    settle_visitors()

    assert sorted(Visitor.objects.values_list("value", flat=True)) == ["a2", "a3"]
    assert WaitingActivity.objects.count() == 1
    assert not TakenMessage.objects.exists()


def test_a_visitor_goes_with_a_merge_and_goes_when_the_person_is_erased(send):
    send("identify", anonymousId="a1", traits={"email": "ada@example.com"})
    kept = a_contact(email="ada@other.example")
    merge_contacts(kept.pk, Contact.objects.get(email="ada@example.com").pk, now())
    send("page", anonymousId="a1")
    assert acts(pk=kept.pk) == ["page_view"]

    erase_contact(kept.pk, now())
    send("identify", anonymousId="a1", traits={"email": "ada@example.com"})

    assert not Contact.objects.exists()
    assert not Visitor.objects.filter(contact__isnull=False).exists()
    assert "erased" in refused()[-1][2]


def test_a_batch_costs_as_many_queries_as_a_few_events(send):
    def batch(start, size):
        return {"batch": [
            {"type": "identify", "anonymousId": f"a{n}", "messageId": f"i{n}",
             "traits": {"email": f"p{n}@example.com"}} if n % 2 else
            {"type": "page", "anonymousId": f"a{n + 1}", "messageId": f"p{n}"}
            for n in range(start, start + size)
        ]}  # fmt: skip

    counts = []
    for start, size in ((0, 4), (100, 40)):
        with CaptureQueriesContext(connection) as noted:
            send.send("batch", batch(start, size))
        counts.append(len(noted))

    assert counts[1] <= counts[0] + 2


# --- sources ------------------------------------------------------------------------------------
def test_what_is_kept_of_an_event_that_was_not_taken_says_nothing_of_a_person(send):
    a_contact(email="ada@example.com", external_id="u1")
    secret = {"email": "ada@example.com", "phone": "+4930123456", "name": "Lovelace", "age": 36}
    send("identify", userId="u2", traits=secret, context={"ip": "192.0.2.1"})
    send("identify", userId="u2", traits=secret)

    row = NotTaken.objects.get()
    kept = json.dumps([row.message, row.field, row.example])
    assert row.times == 2
    assert not re.search(r"ada@|Lovelace|4930|192\.0|\b36\b|u1", kept)
    assert not AccessEntry.objects.exists()


def test_reasons_are_bounded_however_many_a_sender_makes_up(send, monkeypatch):
    monkeypatch.setattr(sources, "MOST_REASONS", 3)
    for n in range(4):
        send.send("batch", {"batch": [{"type": f"t{n}{i}", "userId": "u"} for i in range(3)]})

    assert NotTaken.objects.count() == 3


def test_counts_older_than_thirty_days_are_kept_as_one_sum(send):
    for days in (50, 40, 10):
        sent, wrong = [{"type": "page"}, {"type": "track"}], [Rejection(1, "event", "is missing")]
        record_sent("website", "", sent, wrong, now() - timedelta(days=days))
        settle_visitors()
    NotTaken.objects.update(last_at=now() - timedelta(days=31))
    settle_visitors()

    rows = SourceCount.objects.order_by("at").values_list("came", "not_taken")
    assert list(rows) == [(4, 2), (2, 1)]
    assert not NotTaken.objects.exists()


def test_the_api_is_counted_too(send):
    headers = {"authorization": f"Bearer {send.text}"}
    body = json.dumps([{"email": "ada@example.com"}, {"email": "nobody"}])
    send.client.post("/api/v1/contacts", body, content_type="application/json", headers=headers)

    assert came_and_refused() == (2, 1)
    assert refused() == [("contact", "email", "is not an e-mail address", 1)]


# --- another client -----------------------------------------------------------------------------
def test_what_posthogs_destination_sends_is_taken(send):
    """It sends each event alone, both ids with it, and a time of sending that is an object."""

    def forward(n, kind, **more):
        event = {
            "context": {"app": {"name": "PostHogPlugin"}, "os": {"name": "Linux"}, "library": {},
                        "page": {"url": "https://x.example/pricing", "host": "x.example"}, "screen": {}},
            "channel": "s2s", "type": kind, "properties": {}, "messageId": f"01927a3e-{n}",
            "originalTimestamp": f"2026-05-0{n}T10:00:00.713000+00:00",
            "userId": "a08ff8e1", "anonymousId": "device-1",
        } | more  # fmt: skip
        sent_at = {"__hogDateTime__": True, "dt": 1724946899.775266, "zone": "UTC"}
        body = {"batch": [event], "sentAt": sent_at}
        assert send.send("batch", body).status_code == 200

    for _ in range(2):
        forward(1, "page", properties={"url": "https://x.example/pricing", "path": "/pricing"})
        forward(2, "track", event="click")
        forward(3, "identify")
        forward(4, "identify", traits={"email": "ada@example.com", "plan": "pro"})
        forward(5, "alias", userId="ada", previousId="a08ff8e1")
        forward(6, "track", event="Demo Requested", userId="ada")

    ada = Contact.objects.get()
    assert (ada.email, ada.properties["plan"]) == ("ada@example.com", "pro")
    moments = Activity.objects.order_by("occurred_at").values_list("type", "occurred_at__day")
    assert list(moments) == [("page_view", 1), ("click", 2), ("demo_requested", 6)]
    assert not WaitingActivity.objects.exists()


# --- the page -----------------------------------------------------------------------------------
def test_a_marketer_sees_what_came_and_why_some_was_not_taken(send):
    send("track", userId="ada@example.com", event="Demo Requested")
    send("track", userId="ada@example.com", event="<b>x</b>", timestamp="soon")
    marketer = as_("Marketing")

    told = marketer.get(page("leadscoring.source")).content.decode()
    one = marketer.get(page("leadscoring.source", Source.objects.get().pk)).content.decode()

    assert "website" in told
    assert "1 in 24 hours, 1 in all" in told
    assert "timestamp is not a time such as" in told
    assert "&lt;b&gt;x&lt;/b&gt;" in one
    assert "ada@" not in one

"""Form services: what they send, signed as they sign it, becomes a person and an activity, once."""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from leadscoring.api import hooks as door
from leadscoring.intake import sources
from leadscoring.intake.forms import secrets
from leadscoring.intake.forms.signatures import OLD, check_signature
from leadscoring.models import Activity, Contact, Form, NotTaken, Source, SourceCount
from tests.makers import NOON, came_and_refused

pytestmark = pytest.mark.django_db
SIGNING = "sgn_0123456789"
ADDRESS = "an-address-that-nobody-guesses"


@pytest.fixture(autouse=True)
def nothing_tried_yet():
    cache.clear()


def a_service(kind, signing=SIGNING, rows=(), **fields):
    form = Form.objects.create(
        name=f"my-{kind}", kind=kind, address_hash=secrets.hash_secret(ADDRESS),
        signing_secret=secrets.encrypt_signing_secret(signing) if signing else "", **fields,
    )  # fmt: skip
    sources.open_source(form.name, Source.Kind.HOOK, NOON)
    for field, becomes, *named in rows:
        form.fields.create(name=field, becomes=becomes, property=(named or [""])[0])
    return form


# --- signatures, made as the services make them ---------------------------------------------------
def hashed(text, secret=SIGNING):
    key = secret if isinstance(secret, bytes) else secret.encode()
    return hmac.new(key, text, hashlib.sha256)


def based(text, secret=SIGNING):
    return base64.b64encode(hashed(text, secret).digest()).decode()


def signed(kind, body, at=None, secret=SIGNING):
    seconds = int(at or time.time())
    if kind == "typeform":
        return {"Typeform-Signature": f"sha256={based(body, secret)}"}
    if kind == "tally":
        return {"Tally-Signature": based(body, secret)}
    if kind == "calendly":
        text = hashed(f"{seconds}.".encode() + body, secret).hexdigest()
        return {"Calendly-Webhook-Signature": f"t={seconds},v1={text}"}
    if kind == "webflow":
        text = hashed(f"{seconds}000:".encode() + body, secret).hexdigest()
        return {"x-webflow-timestamp": f"{seconds}000", "x-webflow-signature": text}
    told = based(f"msg_1.{seconds}.".encode() + body, secret)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,bm8= v1,{told}",
    }


def post(kind, body, headers=None, address=ADDRESS, path=""):
    raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    given = signed(kind, raw) if headers is None else headers
    client = Client(raise_request_exception=False)
    return client.post(
        f"/hooks/{path or kind}/{address}", raw, content_type="application/json", headers=given
    )


# --- what they send -------------------------------------------------------------------------------
TYPEFORM = {
    "event_id": "e1", "event_type": "form_response",
    "form_response": {
        "form_id": "f", "token": "t1", "submitted_at": "2026-05-04T10:00:00Z",
        "hidden": {"utm_source": "ads", "anonymous_id": "a1"},
        "definition": {"fields": [
            {"id": "i1", "ref": "r1", "title": "Where do we reach you?", "type": "email"},
            {"id": "i2", "ref": "r2", "title": "First name", "type": "short_text"},
            {"id": "i3", "ref": "r3", "title": "How many are you?", "type": "number"},
            {"id": "i4", "ref": "r4", "title": "What for?", "type": "multiple_choice"}]},
        "answers": [
            {"type": "email", "email": "ada@example.com", "field": {"id": "i1", "ref": "r1", "type": "email"}},
            {"type": "text", "text": "Ada", "field": {"id": "i2", "ref": "r2", "type": "short_text"}},
            {"type": "number", "number": 340, "field": {"id": "i3", "ref": "r3", "type": "number"}},
            {"type": "choices", "choices": {"labels": ["Sales", "Mail"], "other": "Fun"},
             "field": {"id": "i4", "ref": "r4", "type": "multiple_choice"}}],
    },
}  # fmt: skip
TALLY = {
    "eventId": "e1", "eventType": "FORM_RESPONSE", "createdAt": "2026-05-04T10:00:01Z",
    "data": {"responseId": "r1", "submissionId": "s1", "createdAt": "2026-05-04T10:00:00Z", "fields": [
        {"key": "q1", "label": "Reach you", "type": "INPUT_EMAIL", "value": "ada@example.com"},
        {"key": "q2", "label": "First name", "type": "INPUT_TEXT", "value": "Ada"},
        {"key": "q3", "label": "utm_source", "type": "HIDDEN_FIELDS", "value": "ads"},
        {"key": "q4", "label": "What for?", "type": "MULTIPLE_CHOICE", "value": ["o2"],
         "options": [{"id": "o1", "text": "Fun"}, {"id": "o2", "text": "Sales"}]}]},
}  # fmt: skip
WEBFLOW = {
    "triggerType": "form_submission",
    "payload": {"name": "Contact", "siteId": "s", "submittedAt": "2026-05-04T10:00:00.000Z",
                "data": {"Name": "Ada Lovelace", "Email": "ada@example.com", "utm_source": "ads"}},
}  # fmt: skip


def calendly(event="invitee.created", uri="i1", **more):
    return {
        "event": event, "created_at": "2026-05-04T10:00:00.000000Z",
        "payload": {
            "uri": f"https://api.calendly.com/scheduled_events/e/invitees/{uri}",
            "email": "ada@example.com", "name": "Ada Lovelace", "created_at": "2026-05-04T10:00:00.000000Z",
            "scheduled_event": {"name": "Demo", "start_time": "2026-05-09T10:00:00.000000Z"},
            "questions_and_answers": [{"question": "Company", "answer": "Engines", "position": 0}],
            "tracking": {"utm_source": "ads", "utm_term": None}, "rescheduled": False,
            "old_invitee": None, **more,
        },
    }  # fmt: skip


SENT = {
    "typeform": TYPEFORM, "tally": TALLY, "calendly": calendly(), "webflow": WEBFLOW,
    "json": {"customer": {"email": "ada@example.com", "name": "Ada Lovelace"}, "utm_source": "ads",
             "when": "2026-05-04T10:00:00Z", "items": [{"sku": "x"}]},
}  # fmt: skip
ROWS = {"json": [("customer.email", "email"), ("customer.name", "name"), ("when", "time")]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", SENT)
def test_each_service_is_understood_over_http_and_a_repeat_changes_nothing(live_server, kind):
    a_service(kind, rows=ROWS.get(kind, ()))
    raw = json.dumps(SENT[kind], separators=(",", ":")).encode()
    for _ in range(2):
        asked = urllib.request.Request(
            f"{live_server.url}/hooks/{kind}/{ADDRESS}", data=raw,
            headers={"Content-Type": "application/json", **signed(kind, raw)},
        )  # fmt: skip
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert (answer.status, json.load(answer)) == (200, {"success": True})

    person, activity = Contact.objects.get(), Activity.objects.get()
    assert (person.email, person.first_name) == ("ada@example.com", "Ada")
    assert activity.properties["utm_source"] == "ads"
    assert activity.occurred_at == datetime.fromisoformat("2026-05-04T10:00:00Z")
    assert activity.type == ("meeting_booked" if kind == "calendly" else "form_submit")
    assert came_and_refused() == (2, 0)


def test_answers_of_typeform_are_named_by_their_questions_or_references():
    a_service(
        "typeform", rows=[("r3", "property", "company_size"), ("WHAT FOR", "property", "use")]
    )

    post("typeform", TYPEFORM)

    assert Contact.objects.get().properties == {
        "company_size": 340,
        "use": ["Sales", "Mail", "Fun"],
    }


def test_choices_of_tally_are_told_by_their_texts():
    a_service("tally")
    post("tally", TALLY)
    assert Activity.objects.get().properties["What for?"] == ["Sales"]


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("typeform", {**TYPEFORM, "event_id": "e2"}),
        ("tally", {**TALLY, "eventId": "e2", "createdAt": "2026-05-04T11:00:00Z"}),
        ("calendly", {**calendly(), "created_at": "2026-05-04T11:00:00Z"}),
    ],
)
def test_a_retry_whose_message_has_another_id_is_the_same_submission(kind, changed):
    a_service(kind)
    post(kind, SENT[kind])
    post(kind, changed)

    assert Activity.objects.count() == 1


def test_a_second_submission_is_another():
    a_service("tally")
    post("tally", TALLY)
    post("tally", json.loads(json.dumps(TALLY).replace('"r1"', '"r2"')))

    assert Activity.objects.count() == 2


def types():
    return list(Activity.objects.order_by("pk").values_list("type", flat=True))


def test_a_meeting_that_is_moved_is_neither_cancelled_nor_booked_again():
    a_service("calendly")

    post("calendly", calendly())
    post("calendly", calendly("invitee.canceled", rescheduled=True))
    post("calendly", calendly(uri="i2", old_invitee="https://api.calendly.com/i1"))
    assert types() == ["meeting_booked", "meeting_moved"]

    post(
        "calendly",
        calendly(
            "invitee.canceled", "i2", cancellation={"reason": "ill", "canceler_type": "invitee"}
        ),
    )
    assert types() == ["meeting_booked", "meeting_moved", "meeting_cancelled"]
    assert Activity.objects.latest("pk").properties["reason"] == "ill"
    assert not NotTaken.objects.exists()


# --- whom nothing is believed ---------------------------------------------------------------------
def reasons():
    return list(NotTaken.objects.order_by("pk").values_list("field", "message"))


@pytest.mark.parametrize("kind", SENT)
def test_what_is_not_signed_rightly_is_refused_and_counted(kind):
    a_service(kind)
    raw = json.dumps(SENT[kind], separators=(",", ":")).encode()
    others = signed(kind, raw, secret="another")
    altered = signed(kind, raw.replace(b"ada@", b"eve@"))
    strange = dict.fromkeys(signed(kind, raw), "t=\u00e9,v1=\u00e9")

    told = [post(kind, raw, headers).status_code for headers in ({}, others, altered, strange)]

    assert told == [401] * 4
    assert not Contact.objects.exists()
    assert came_and_refused() == (4, 4)
    assert {field for field, _ in reasons()} == {"request"}


@pytest.mark.parametrize("kind", ["calendly", "webflow", "json"])
@pytest.mark.parametrize("seconds", [-3_600, 3_600])
def test_what_was_signed_too_long_ago_is_refused(kind, seconds):
    a_service(kind)
    raw = json.dumps(SENT[kind], separators=(",", ":")).encode()

    answer = post(kind, raw, signed(kind, raw, at=time.time() + seconds))

    assert answer.status_code == 401
    assert reasons() == [("request", "The signature is more than 5 minutes old.")]


@pytest.mark.parametrize("kind", ["calendly", "webflow", "json"])
def test_a_signature_is_good_for_five_minutes(kind):
    body, sent = b"{}", int(NOON.timestamp())
    headers = signed(kind, body, at=sent)

    found = {
        late: check_signature(kind, SIGNING, headers, body, NOON + timedelta(seconds=late))
        for late in (-301, -300, 300, 301)
    }

    assert found == {-301: OLD, -300: "", 300: "", 301: OLD}


def test_a_service_that_signs_nothing_is_known_by_its_address_alone():
    a_service("webflow", signing="")

    assert post("webflow", WEBFLOW, {}).status_code == 200
    assert Contact.objects.get().first_name == "Ada"


def test_a_secret_of_standard_webhooks_is_read_as_it_is_given_out():
    key = b"0123456789abcdef"
    a_service("json", signing=f"whsec_{base64.b64encode(key).decode()}", rows=ROWS["json"])
    raw = json.dumps(SENT["json"]).encode()

    assert post("json", raw, signed("json", raw, secret=key)).status_code == 200


def test_a_secret_of_webflow_signs_the_body_however_it_is_spaced():
    a_service("webflow")
    compact = json.dumps(WEBFLOW, separators=(",", ":")).encode()

    answer = post("webflow", json.dumps(WEBFLOW, indent=1).encode(), signed("webflow", compact))

    assert answer.status_code == 200


def test_an_unknown_address_is_no_ones_and_counted_nowhere():
    a_service("typeform")

    told = [post("typeform", TYPEFORM, address="guessed").status_code,
            post("typeform", TYPEFORM, address="x" * 201).status_code,
            post("typeform", TYPEFORM, path="tally").status_code,
            post("typeform", TYPEFORM, path="other").status_code,
            post("typeform", TYPEFORM, address=f"{ADDRESS}/").status_code]  # fmt: skip

    assert told == [404] * 5
    assert not SourceCount.objects.exists()
    assert not Contact.objects.exists()


def test_secrets_are_kept_so_that_the_database_gives_them_to_nobody(settings):
    form = a_service("typeform")

    kept = f"{form.address_hash} {form.signing_secret}"
    assert ADDRESS not in kept
    assert SIGNING not in kept
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert post("typeform", TYPEFORM).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert post("typeform", TYPEFORM).status_code == 401
    assert "enter it again" in NotTaken.objects.get().message


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * (1024 * 1024 + 1), 413),
        (b"nonsense", 400),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
        (b"[]", 200),
        (b"{}", 200),
        (
            b'{"event_type": "form_response", "form_response": {"answers": [7, {"field": 1, "type": []}]}}',
            200,
        ),
        (b'{"event_type": "form_response_partial", "form_response": {}}', 200),
        (json.dumps({"form_response": {"hidden": {"email": "a@example.com\x00"}}}).encode(), 200),
    ],
)
@pytest.mark.parametrize("kind", ["typeform", "json"])
def test_a_hostile_body_is_bounded_and_counted(kind, body, status):
    a_service(kind)

    assert post(kind, body).status_code == status
    assert not Contact.objects.exists()
    assert came_and_refused() == (1, 1)


def test_a_flood_is_stopped(monkeypatch):
    monkeypatch.setattr(door, "A_MINUTE", 1)
    a_service("tally")

    answers = [post("tally", TALLY) for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 429]
    assert int(answers[1]["Retry-After"]) > 0
    assert reasons() == [("request", "came too often")]


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_only_post_is_taken_and_nothing_leads_elsewhere(method):
    a_service("calendly")
    answer = getattr(Client(), method)(f"/hooks/calendly/{ADDRESS}")
    assert answer.status_code == 405

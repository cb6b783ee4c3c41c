"""Forms of web pages: what people fill in becomes a person and an activity, once; robots get nowhere."""

import json
import time
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client

from leadscoring.api import forms as door
from leadscoring.intake import sources
from leadscoring.intake.forms.paste import TRAP
from leadscoring.intake.forms.submission import Submission, take_submission
from leadscoring.models import (
    AccessEntry,
    Activity,
    Contact,
    Form,
    NotTaken,
    Source,
    WaitingActivity,
)
from sequences.models import Suppression
from tests.leadscoring.test_segment import Sender
from tests.makers import NOON, a_contact, came_and_refused

pytestmark = pytest.mark.django_db
HTML = {"accept": "text/html,application/xhtml+xml"}
SITE = "https://www.example.com"


@pytest.fixture(autouse=True)
def nothing_tried_yet():
    cache.clear()


def a_form(name="contact", rows=(), **fields):
    form = Form.objects.create(name=name, **fields)
    sources.open_source(name, Source.Kind.FORM, NOON)
    for field, becomes, *named in rows:
        form.fields.create(name=field, becomes=becomes, property=(named or [""])[0])
    return form


def post(name="contact", headers=HTML, **values):
    return Client(raise_request_exception=False).post(f"/forms/{name}", values, headers=headers)


def ada():
    return Contact.objects.get(email="ada@example.com")


def refusals():
    return list(NotTaken.objects.order_by("pk").values_list("field", "message"))


# --- what becomes of it -------------------------------------------------------------------------
def test_a_form_without_any_mapping_makes_a_person_and_an_activity():
    a_form(thank_you="https://www.example.com/thanks")

    answer = post(email=" Ada@Example.com ", Vorname="Ada", Nachname="Lovelace", Company="Engines", employees="250+", message="Call me", utm_source="ads", topics=["a", "b"], empty="")  # fmt: skip

    assert (answer.status_code, answer["Location"]) == (303, "https://www.example.com/thanks")
    person = ada()
    assert (person.first_name, person.last_name, person.company.name) == (
        "Ada",
        "Lovelace",
        "Engines",
    )
    assert person.properties == {"company_size": "250+"}
    activity = Activity.objects.get()
    assert (activity.type, activity.source) == ("form_submit", "contact")
    assert activity.properties == {"form": "contact", "message": "Call me", "utm_source": "ads",
                                   "topics": ["a", "b"]}  # fmt: skip
    assert came_and_refused() == (1, 0)


def test_what_a_marketer_chose_wins_over_what_a_name_says():
    a_form(activity_type="demo_request",
           rows=[("f1", "email"), ("Company", "property", "parent"), ("f2", "name"),
                 ("budget", "property", "budget"), ("note", "nothing")])  # fmt: skip

    post(f1="ada@example.com", email="other@example.com", company="Holding", f2="Ada King Lovelace",
         budget="10", note="secret")  # fmt: skip

    person, activity = ada(), Activity.objects.get()
    assert (person.first_name, person.last_name, person.company) == ("Ada", "King Lovelace", None)
    assert person.properties == {"parent": "Holding", "budget": "10"}
    assert (activity.type, activity.properties) == ("demo_request", {
        "form": "contact", "email": "other@example.com"})  # fmt: skip


def test_an_empty_field_clears_nothing():
    a_contact(email="ada@example.com", first_name="Ada")
    a_form()

    post(email="ada@example.com", first_name="", phone="+1")

    assert (ada().first_name, ada().phone) == ("Ada", "+1")


def test_a_field_that_cannot_be_stored_costs_itself_alone():
    a_form()

    answer = post(email="ada@example.com", phone="1" * 60, first_name="Ada")

    assert answer.status_code == 200
    assert (ada().first_name, ada().phone) == ("Ada", "")
    assert refusals() == [("phone", "is longer than 50 characters")]
    assert came_and_refused() == (1, 1)


def test_what_a_visitor_did_before_is_theirs_once_they_fill_in_a_form():
    send = Sender()
    send("page", anonymousId="a1", messageId="p1")
    assert not Activity.objects.exists()
    a_form()

    post(email="ada@example.com", anonymous_id="a1")

    types = ada().activities.values_list("type", flat=True)
    assert sorted(types) == ["form_submit", "page_view"]


def test_a_form_of_a_visitor_without_an_address_waits():
    a_form(name="poll")
    for _ in range(2):
        post("poll", answer="yes", anonymous_id="a1")

    assert WaitingActivity.objects.get().properties == {"form": "poll", "answer": "yes"}


def test_a_form_that_says_nobody_is_sent_back_with_the_reason():
    a_form()

    nobody, wrong = post(message="hello"), post(Email="ada at example")

    assert (nobody.status_code, wrong.status_code) == (422, 422)
    assert "Email is not an e-mail address" in wrong.content.decode()
    assert not Contact.objects.exists()
    assert len(refusals()) == 2


def test_what_is_kept_of_a_refusal_says_nothing_of_the_person():
    a_form()
    post(email="ada at example", last_name="Lovelace")

    assert "Lovelace" not in json.dumps(NotTaken.objects.get().example)
    assert not AccessEntry.objects.exists()


@pytest.mark.parametrize(
    ("ticked", "suppressed"),
    [("on", True), ("yes", True), ("", False), ("0", False), ("no", False)],
)
def test_a_wish_for_no_mail_is_kept_and_an_unticked_box_is_nothing(ticked, suppressed):
    a_form(rows=[("leave_me_alone", "no_mail")])

    post(email="ada@example.com", leave_me_alone=ticked)

    assert Suppression.objects.filter(email="ada@example.com").exists() == suppressed


# --- once ---------------------------------------------------------------------------------------
def test_a_form_sent_twice_at_once_is_one_and_weeks_later_it_is_another():
    form = a_form()
    said = Submission({"email": "ada@example.com", "message": "x"})
    edge = NOON.replace(minute=9, second=59)
    for at in (edge, edge + timedelta(seconds=2), edge + timedelta(days=9)):
        take_submission(form, said, at)

    assert Activity.objects.count() == 2


def test_another_message_of_the_same_person_is_another_submission():
    a_form()
    post(email="ada@example.com", message="x")
    post(email="ada@example.com", message="y")

    assert Activity.objects.count() == 2


# --- robots, floods and forgers -----------------------------------------------------------------
def test_what_a_robot_fills_in_is_thanked_for_and_not_taken():
    a_form()
    quick = time.time()

    answers = [post(email="bot@example.com", **{TRAP: "x"}),
               post(email="bot@example.com", **{door.SHOWN_AT: str(quick)}),
               post(email="bot@example.com", **{door.SHOWN_AT: str(quick * 1000)})]  # fmt: skip
    slow = post(email="ada@example.com", **{door.SHOWN_AT: str(quick - 30)})

    assert {one.status_code for one in [*answers, slow]} == {200}
    assert [one.email for one in Contact.objects.all()] == ["ada@example.com"]
    assert ada().activities.get().properties == {"form": "contact"}
    assert NotTaken.objects.get().times == 3


def test_a_form_is_taken_from_its_websites_alone():
    a_form(origins=f"{SITE}\nhttps://shop.example.com")

    told = {
        given: post(email="ada@example.com", headers={**HTML, **headers}).status_code
        for given, headers in {
            "theirs": {"origin": SITE},
            "by referrer": {"origin": "null", "referer": f"{SITE}/contact?a=b"},
            "another": {"origin": "https://www.example.com.evil.test"},
            "another port": {"origin": f"{SITE}:444"},
            "broken": {"referer": "https://[x"},
            "none": {},
        }.items()
    }

    assert told == {"theirs": 200, "by referrer": 200, "another": 403, "another port": 403,
                    "broken": 403, "none": 403}  # fmt: skip
    assert refusals() == [("origin", "is no allowed website")]


def test_a_script_of_an_allowed_website_reads_the_answer_and_no_other_does():
    a_form(origins=SITE)
    client = Client()
    body = json.dumps({"email": "ada@example.com"})

    asked = client.options("/forms/contact", headers={"origin": SITE})
    taken = client.post(
        "/forms/contact", body, content_type="application/json", headers={"origin": SITE}
    )
    refused = client.post("/forms/contact", body, content_type="application/json",
                          headers={"origin": "https://evil.test"})  # fmt: skip

    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, SITE)
    assert (taken.json(), taken["Access-Control-Allow-Origin"]) == ({"success": True}, SITE)
    assert (refused.status_code, refused.get("Access-Control-Allow-Origin")) == (403, None)
    assert ada()


def test_a_form_leads_nowhere_but_to_its_own_page():
    a_form(thank_you="https://www.example.com/thanks")

    answer = post(email="ada@example.com", redirect="https://evil.test", next="https://evil.test")

    assert answer["Location"] == "https://www.example.com/thanks"


def test_a_flood_is_stopped_by_sender_and_in_all(monkeypatch):
    monkeypatch.setattr(door, "OF_ONE_SENDER", 2)
    a_form()

    answers = [post(email=f"a{n}@example.com") for n in range(4)]

    assert [one.status_code for one in answers] == [200, 200, 429, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert Contact.objects.count() == 2
    assert refusals() == [("sender", "sends too often")]
    monkeypatch.setattr(door, "OF_ONE_SENDER", 100)
    monkeypatch.setattr(door, "OF_ALL", 2)
    assert post(email="b@example.com").status_code == 429


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"email=ada%40example.com&x=" + b"y" * 65_536, "application/x-www-form-urlencoded", 413),
        (b"{" * 40_000, "application/json", 400),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"x": "' + b"y" * 65_536 + b'"}', "application/json", 413),
        (b"&".join(b"f%d=1" % n for n in range(101)), "application/x-www-form-urlencoded", 413),
        (b"email=%00%ff&phone=%00", "application/x-www-form-urlencoded", 422),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 422),
        (b"nonsense", "multipart/form-data", 400),
        (b"&".join(b"f%d=1" % n for n in range(1_001)), "application/x-www-form-urlencoded", 400),
    ],
)  # fmt: skip
def test_a_hostile_body_is_refused_and_counted(body, content_type, status):
    a_form()
    client = Client(raise_request_exception=False)

    answer = client.post("/forms/contact", body, content_type=content_type)

    assert answer.status_code == status
    assert not Contact.objects.exists()
    assert NotTaken.objects.count() == 1


def test_a_deep_field_is_left_out_and_costs_no_submission():
    a_form()
    body = '{"email": "ada@example.com", "x": ' + "[" * 50 + "]" * 50 + "}"

    Client().post("/forms/contact", body, content_type="application/json")

    assert ada().activities.get().properties == {"form": "contact"}


@pytest.mark.parametrize("depth", range(100, 1_000, 60))
def test_however_deep_a_body_is_it_is_answered(depth):
    a_form()
    body = '{"email": "ada@example.com", "x": ' + "[" * depth + "]" * depth + "}"

    answer = Client(raise_request_exception=False).post(
        "/forms/contact", body, content_type="application/json"
    )

    assert answer.status_code in (200, 400)
    assert came_and_refused()[0] == 1


@pytest.mark.parametrize("sign", ["\x00", "\ud800", "\u2028"])
def test_signs_that_no_table_takes_cost_no_submission(sign):
    a_form(rows=[("stop", "no_mail")])
    body = json.dumps({"email": "ada@example.com", "anonymous_id": f"a{sign}", "stop": f"now{sign}",
                       "first_name": f"A{sign}", f"y{sign}": "1", "message": f"m{sign}"})  # fmt: skip

    answer = Client().post("/forms/contact", body, content_type="application/json")

    assert answer.status_code == 200
    assert ada().first_name in ("", "A")  # some of these signs are white space
    assert ada().activities.count() == 1
    assert Suppression.objects.get().email == "ada@example.com"


def test_a_database_that_does_not_answer_is_said_so_and_asks_again(monkeypatch):
    a_form()
    monkeypatch.setattr(door, "take_submission", Mock(side_effect=OperationalError))

    answer = post(email="ada@example.com")

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "try again in a moment" in answer.content.decode()


def test_an_unknown_form_and_a_look_at_one_say_so_in_plain_words():
    a_form()
    client = Client()

    unknown, looked = post("nobody"), client.get("/forms/contact", headers=HTML)

    assert (unknown.status_code, looked.status_code, looked["Allow"]) == (404, 405, "POST, OPTIONS")
    assert "There is no such form" in unknown.content.decode()
    assert not NotTaken.objects.exists()

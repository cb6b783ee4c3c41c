"""Who may ask, how fast, and what a day may cost."""

from datetime import UTC, datetime

import pytest

from sandbox.pipedrive.pace import Blocked, Pace
from sandbox.pipedrive.refusals import Refusal
from sandbox.pipedrive.settings import Settings, Token
from tests.sandbox.pipedrive.conftest import TOKEN

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_without_a_good_token_nobody_is_let_in(pipe):
    pipe.session.headers["x-api-token"] = "another"

    answer = pipe.ask("GET", "/v1/users/me")

    assert (answer.status_code, answer.headers["x-401-by-gw"]) == (401, "true")
    assert answer.json()["errorCode"] == 401
    pipe.session.headers.pop("x-api-token")
    assert pipe.ask("GET", f"/v1/users/me?api_token={TOKEN}").status_code == 401


def test_a_permission_that_is_taken_away_is_missed(pipe):
    id_ = pipe.person()
    pipe.trouble("permission_removed", target="persons write")

    pipe.refused("PATCH", f"/v2/persons/{id_}", {"name": "A"}, 403)
    assert pipe.get(f"/v2/persons/{id_}")
    pipe.trouble("permission_removed", target="persons")
    pipe.refused("GET", f"/v2/persons/{id_}", status=403)


def test_the_user_of_the_token_says_whose_account_it_is(pipe):
    me = pipe.get("/v1/users/me")

    assert (me["company_id"], me["company_domain"]) == (9_120_045, "northwind-sandbox")
    assert [each["is_you"] for each in pipe.get("/v1/users")].count(True) == 1
    assert {each["active_flag"] for each in pipe.get("/v1/users")} == {True, False}


def test_a_user_without_admin_rights_is_told_as_such(pipe):
    before = pipe.get("/v1/users/me")["access"]
    pipe.turn(tokens={TOKEN: {"admin": False}})

    flags = [
        {each["admin"] for each in found} for found in (before, pipe.get("/v1/users/me")["access"])
    ]
    assert flags == [{True}, {False}]


def test_each_call_costs_what_its_description_says(pipe):
    def left():
        answer = pipe.ask("GET", "/v1/users/me")
        return int(answer.headers["x-daily-ratelimit-token-remaining"])

    before = left()
    pipe.person()  # 5
    pipe.get("/v2/persons")  # 10
    pipe.found("ada@lead.example")  # 20
    assert before - left() == 5 + 10 + 20 + 2


def test_a_day_that_is_used_up_refuses_everything(pipe):
    pipe.turn(daily=20)
    pipe.get("/v2/persons")

    answer = pipe.ask("GET", "/v1/users")

    assert answer.status_code == 429
    assert answer.headers["x-daily-ratelimit-token-remaining"] == "10"
    pipe.trouble("day_used_up")
    assert pipe.ask("GET", "/v1/users/me").headers["x-daily-ratelimit-token-remaining"] == "0"


def test_the_headers_of_the_day_may_lack(pipe):
    pipe.turn(daily_headers=False)

    assert "x-daily-ratelimit-token-limit" not in pipe.ask("GET", "/v1/users/me").headers


def settings(**dials):
    return Settings(tokens={"t": Token()}, **dials)


def admitted(pace, dials, now, *, search=False):
    return pace.admit(dials, "t", 10, search, now, NOON)


def test_two_rolling_seconds_have_a_limit(pipe):
    pace, dials = Pace(), settings(rate=2)
    first, second = admitted(pace, dials, 1.0), admitted(pace, dials, 2.5)
    with pytest.raises(Refusal) as refused:
        admitted(pace, dials, 2.6)
    later = admitted(pace, dials, 3.1)

    assert [each["x-ratelimit-remaining"] for each in (first, second, later)] == ["1", "0", "0"]
    assert refused.value.status == 429
    assert refused.value.headers["x-ratelimit-reset"] == "1"
    assert pace.used_today == 30


def test_a_search_has_a_limit_of_its_own_and_counts_as_a_request_too(pipe):
    pace, dials = Pace(), settings(rate=3, search_rate=1)
    admitted(pace, dials, 1.0, search=True)
    with pytest.raises(Refusal):
        admitted(pace, dials, 1.1, search=True)
    admitted(pace, dials, 1.2)
    admitted(pace, dials, 1.3)
    with pytest.raises(Refusal):
        admitted(pace, dials, 1.4)


def test_who_goes_on_in_spite_of_429_is_blocked_for_a_while(pipe):
    pace, dials = Pace(), settings(rate=1, block_after=3)
    admitted(pace, dials, 1.0)
    for _ in range(3):
        with pytest.raises(Refusal):
            admitted(pace, dials, 1.1)

    with pytest.raises(Blocked):
        admitted(pace, dials, 5.0)
    assert admitted(pace, dials, 11.2)


def test_a_block_is_a_page_and_no_json(pipe):
    pipe.trouble("blocked")

    answer = pipe.ask("GET", "/v1/users/me")

    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (403, "text/html")


@pytest.mark.parametrize(
    ("name", "body"), [("null", None), ("no_data", {"success": True, "data": None})]
)
def test_an_answer_may_have_no_data_although_the_work_is_done(pipe, name, body):
    pipe.trouble(name, times=1)

    answer = pipe.ask("POST", "/v2/persons", {"name": "Ada"})

    assert (answer.status_code, answer.json()) == (200, body)
    assert len(pipe.get("/v2/persons")) == 1


def test_who_has_left_is_listed_and_takes_nothing_new(pipe):
    pipe.trouble("owner_archived", target="7002")

    pipe.refused("POST", "/v2/persons", {"name": "Ada", "owner_id": 7002})
    pipe.turn(inactive_owners=True)
    assert pipe.post("/v2/persons", {"name": "Ada", "owner_id": 7002})["owner_id"] == 7002


def test_a_body_is_json_and_says_so(pipe):
    answers = [
        pipe.session.post(f"{pipe.url}/api/v2/persons", data="{", headers={"Content-Type": kind})
        for kind in ("text/plain", "application/json")
    ]

    assert [each.status_code for each in answers] == [415, 400]


def test_a_field_may_be_away_for_a_while_or_have_another_label(pipe):
    code = pipe.field("Score")
    id_ = pipe.person(custom_fields={code: 1})

    pipe.trouble("field_deleted", target=code)
    pipe.refused("PATCH", f"/v2/persons/{id_}", {"custom_fields": {code: 2}})
    assert pipe.get(f"/v2/persons/{id_}")["custom_fields"] == {}
    pipe.ask("DELETE", "/sandbox/faults")
    assert pipe.get(f"/v2/persons/{id_}")["custom_fields"] == {code: 1}
    pipe.trouble("field_renamed", target=code)
    assert pipe.get(f"/v2/personFields/{code}")["field_name"] == "Score (renamed)"
    pipe.ask("DELETE", "/sandbox/faults?name=field_renamed")
    assert pipe.get(f"/v2/personFields/{code}")["field_name"] == "Score"


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("day_used_up", ""),
        ("blocked", ""),
        ("token_revoked", ""),
        ("permission_removed", "persons"),
    ],
)
def test_a_switch_counts_what_it_refused(pipe, name, target):
    pipe.trouble(name, target=target)
    for _ in range(2):
        assert pipe.ask("GET", "/v2/persons").status_code >= 400

    assert pipe.sandbox.state.faults.struck[name] == 2
    pipe.ask("DELETE", "/sandbox/faults")
    assert pipe.get("/v2/persons") == []

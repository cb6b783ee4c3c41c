"""Tokens, versions, and the day's calls: who gets in."""

import gzip
import json

import pytest
import requests

from tests.sandbox.salesforce.conftest import DATA, LOGIN, SOBJECTS, Org, refusal


def test_a_token_tells_the_org_and_its_address_and_not_how_long_it_is_good(org: Org) -> None:
    told = org.log_in().json()

    assert told["instance_url"] == org.url
    assert told["id"].split("/")[-2:] == [org.sandbox.store.organization.id, org.people.integration]
    assert told["token_type"] == "Bearer"
    assert not told.keys() & {"refresh_token", "expires_in"}


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": "another"}, "invalid_client_id"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ],
)
def test_a_login_that_is_refused_says_so_in_an_object(
    org: Org, sent: dict[str, str], error: str
) -> None:
    answer = org.log_in(**sent)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_key_and_secret_may_come_in_a_header(org: Org) -> None:
    answer = requests.post(
        f"{org.url}/services/oauth2/token", data={"grant_type": LOGIN["grant_type"]},
        auth=(LOGIN["client_id"], LOGIN["client_secret"]), timeout=10,
    )  # fmt: skip

    assert answer.status_code == 200


def test_an_app_without_an_execution_user_gives_no_token(org: Org) -> None:
    org.turn("app_without_user")

    answer = org.log_in()

    assert answer.json()["error_description"] == "no client credentials user enabled"
    assert org.get(f"{DATA}/limits").status_code == 200  # those that are out go on


def test_logins_are_limited_themselves(org: Org) -> None:
    org.sandbox.settings.logins_an_hour = 2

    assert [org.log_in().status_code for _ in range(3)] == [200, 400, 400]


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic nonsense"])
def test_without_a_good_token_nothing_is_told(org: Org, authorization: str) -> None:
    assert refusal(org.get(f"{DATA}/limits", Authorization=authorization)) == (
        401,
        "INVALID_SESSION_ID",
    )


def test_sessions_end_when_nobody_uses_them(org: Org) -> None:
    org.sandbox.settings.token_seconds = 0.0

    assert refusal(org.get(f"{DATA}/limits")) == (401, "INVALID_SESSION_ID")


def test_an_ended_session_did_nothing_and_a_new_one_is_good(org: Org) -> None:
    org.turn("sessions_ended")
    body = {"LastName": "Ada", "Company": "Acme"}

    assert refusal(org.post(f"{SOBJECTS}/Lead", body)) == (401, "INVALID_SESSION_ID")
    org.log_in()

    assert org.query("SELECT Id FROM Lead") == []


def test_versions_are_told_to_everybody(org: Org) -> None:
    told = requests.get(f"{org.url}/services/data", timeout=10).json()

    assert {each["version"]: each["label"] for each in told}["67.0"] == "Summer '26"
    assert {each["version"]: each["label"] for each in told}["68.0"] == "Winter '27"


@pytest.mark.parametrize(
    ("version", "status"), [("30.0", 410), ("31.0", 200), ("68.0", 200), ("69.0", 404)]
)
def test_versions_end_and_others_are_not_there_yet(org: Org, version: str, status: int) -> None:
    assert org.get(f"/services/data/v{version}/limits").status_code == status


def test_each_answer_tells_how_many_calls_there_were(org: Org) -> None:
    org.sandbox.settings.daily = 500
    org.get(f"{DATA}/limits")

    answer = org.asked("SELECT nonsense FROM Lead")

    assert answer.status_code == 400
    assert answer.headers["Sforce-Limit-Info"].split(";")[0] == "api-usage=2/500"
    assert org.get(f"{DATA}/limits").json()["DailyApiRequests"] == {"Max": 500, "Remaining": 497}


def test_a_day_that_is_used_up_refuses_everything_but_logins(org: Org) -> None:
    org.sandbox.settings.daily = 1

    answers = [org.get(f"{DATA}/limits") for _ in range(2)]

    assert refusal(answers[1]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert "TotalRequests" in answers[1].text
    assert org.log_in().status_code == 200


def test_an_api_that_is_disabled_says_so(org: Org) -> None:
    org.turn("api_disabled")

    assert refusal(org.get(f"{DATA}/limits")) == (403, "API_DISABLED_FOR_ORG")


@pytest.mark.parametrize(
    ("url", "header", "status"), [(17_000, 0, 414), (9_000, 9_000, 431), (9_000, 0, 404)]
)
def test_urls_and_headers_have_a_longest(org: Org, url: int, header: int, status: int) -> None:
    assert org.get(f"{DATA}/{'x' * url}", X_Long="x" * header).status_code == status


def test_the_orgs_clock_may_be_another(org: Org) -> None:
    org.sandbox.settings.clock_ahead = 86_400.0

    before, after = org.get("/services/nowhere"), org.get("/services/nowhere")

    assert before.headers["Date"] <= after.headers["Date"]
    assert len(before.headers["Date"].split(",")) == 2  # one date, and not ours beside it


def test_a_body_may_be_packed(org: Org) -> None:
    body = gzip.compress(json.dumps({"LastName": "Ada", "Company": "Acme"}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}

    answer = org.session.post(f"{org.url}{SOBJECTS}/Lead", data=body, headers=headers, timeout=10)

    assert answer.status_code == 201


def test_an_answer_is_packed_for_who_can_unpack_it(org: Org) -> None:
    answers = [
        org.get(f"{SOBJECTS}/Lead/describe", Accept_Encoding=each) for each in ("gzip", "identity")
    ]

    assert [each.headers.get("Content-Encoding") for each in answers] == ["gzip", None]
    assert answers[0].json() == answers[1].json()
    assert int(answers[0].headers["Content-Length"]) * 5 < int(answers[1].headers["Content-Length"])


def test_a_body_of_another_type_is_refused(org: Org) -> None:
    answer = org.session.post(f"{org.url}{SOBJECTS}/Lead", data="LastName=Ada", timeout=10)

    assert answer.status_code == 415

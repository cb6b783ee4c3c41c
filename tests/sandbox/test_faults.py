"""Made-up trouble, the dials, and looking inside."""

import socket
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Hub

CONTACTS = "/crm/v3/objects/contacts"


def trouble(hub: Hub, kind: str, **more: Any) -> None:
    fault = {"kind": kind, "match": {"path_prefix": "/crm/v3/objects/"}} | more
    assert hub.post("/sandbox/faults", fault).status_code == 200


def names(hub: Hub) -> list[str]:
    return [each["id"] for each in hub.get(CONTACTS).json()["results"]]


def test_a_status_is_answered_so_often_and_nothing_is_done(hub: Hub) -> None:
    trouble(hub, "status", status=477, headers={"Retry-After": "7"}, body={"a": 1}, times=2)

    answers = [hub.post(CONTACTS, {"properties": {"firstname": "A"}}) for _ in range(3)]

    assert [each.status_code for each in answers] == [477, 477, 201]
    assert (answers[0].headers["Retry-After"], answers[0].json()) == ("7", {"a": 1})
    assert len(names(hub)) == 1


def test_an_answer_without_a_body_keeps_the_connection_right(hub: Hub) -> None:
    trouble(hub, "status", status=204, body="not allowed here")

    lines = f"GET {CONTACTS} HTTP/1.1\r\nHost: localhost\r\n"
    port = int(hub.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(f"{lines}\r\n{lines}Connection: close\r\n\r\n".encode())
        text = raw.makefile("rb").read().decode()

    assert text.startswith("HTTP/1.1 204")
    assert "\r\n\r\nHTTP/1.1 401" in text


@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after", 1)])
def test_a_connection_ends_before_or_after_the_work(hub: Hub, kind: str, made: int) -> None:
    trouble(hub, kind, match={"method": "POST", "path_prefix": CONTACTS})

    with pytest.raises(requests.ConnectionError):
        hub.post(CONTACTS, {"properties": {"firstname": "A"}})

    assert len(names(hub)) == made


def test_garbage_is_answered_after_the_work(hub: Hub) -> None:
    trouble(hub, "garbage")

    answer = hub.post(CONTACTS, {"properties": {"firstname": "A"}})

    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert len(names(hub)) == 1


def test_a_slow_answer_outlasts_a_short_patience(hub: Hub) -> None:
    trouble(hub, "slow", seconds=1)

    with pytest.raises(requests.ReadTimeout):
        hub.session.get(hub.url + CONTACTS, timeout=0.2)


def test_a_share_of_the_requests_is_hit(hub: Hub) -> None:
    trouble(hub, "status", status=503, share=0.5, times=None)

    codes = {hub.get(CONTACTS).status_code for _ in range(40)}

    assert codes == {200, 503}


def test_trouble_ends_when_told(hub: Hub) -> None:
    trouble(hub, "status", times=None)

    hub.ask("DELETE", "/sandbox/faults")

    assert hub.get(CONTACTS).status_code == 200
    assert hub.get("/sandbox/faults").json()["on"] == []


@pytest.mark.parametrize(
    "fault",
    [{}, {"kind": "fire"}, {"kind": "slow", "seconds": 9e9}, {"kind": "slow", "x": 1}, []],
)
def test_trouble_of_an_unknown_kind_is_refused(hub: Hub, fault: object) -> None:
    assert hub.post("/sandbox/faults", fault).status_code == 400


def test_dials_are_turned_and_shown(hub: Hub) -> None:
    wanted = {"search_lag": 2, "rate": 50, "unique_task_properties": False, "portal_id": 7}

    shown = hub.post("/sandbox/settings", wanted).json()

    assert shown == shown | wanted
    assert hub.get("/account-info/v3/details").json()["portalId"] == 7


@pytest.mark.parametrize("wanted", [{"x": 1}, {"rate": "1"}, {"rate": -1}, {"rate": True}, []])
def test_a_dial_that_is_none_is_refused(hub: Hub, wanted: object) -> None:
    assert hub.post("/sandbox/settings", wanted).status_code == 400


def test_tokens_are_given_and_taken(hub: Hub) -> None:
    hub.post("/sandbox/settings", {"tokens": {"other": {"scopes": ["crm.objects.contacts.read"]}}})

    hub_code = hub.get(CONTACTS).status_code
    hub.session.headers["Authorization"] = "Bearer other"

    assert (hub_code, hub.get(CONTACTS).status_code) == (401, 200)
    assert hub.get("/crm/v3/owners").status_code == 403


def test_what_was_asked_is_remembered(hub: Hub) -> None:
    trouble(hub, "status", status=502)
    hub.get(CONTACTS)
    hub.get(f"{CONTACTS}/1")

    log = hub.get("/sandbox/requests").json()

    assert [(each["method"], each["path"], each["status"]) for each in log] == [
        ("GET", CONTACTS, 502),
        ("GET", f"{CONTACTS}/1", 404),
    ]


def test_a_reset_forgets_everything(hub: Hub) -> None:
    hub.contact()
    trouble(hub, "status", times=None)
    hub.post("/sandbox/settings", {"rate": 3})

    hub.post("/sandbox/reset", {})

    assert names(hub) == []
    assert hub.get("/sandbox/settings").json()["rate"] == 0


def test_the_whole_state_is_shown(hub: Hub) -> None:
    id_ = hub.contact()

    assert [each["id"] for each in hub.get("/sandbox/store").json()["records"]["contacts"]] == [id_]


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
@pytest.mark.parametrize("path", ["/sandbox/reset", "/owners/712340001"])
def test_other_web_sites_cannot_touch_it(hub: Hub, path: str, headers: dict[str, str]) -> None:
    answer = requests.post(hub.url + path, data={}, headers=headers, timeout=10)

    assert answer.status_code == 403

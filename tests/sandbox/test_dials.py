"""Faults by name: what they answer, and whether the work was done."""

import json
import socket

import pytest
import requests

from sandbox.hubspot.trouble import TROUBLE
from tests.sandbox.conftest import KIM, TOKEN, Hub

CONTACTS = "/crm/v3/objects/contacts"
NEW = {"properties": {"firstname": "A"}}


def made(hub: Hub) -> int:
    hub.mend()
    return len(hub.get(CONTACTS).json()["results"])


BEFORE = [
    ("locked", 423, "LOCKED"),
    ("migrating", 477, "MIGRATION_IN_PROGRESS"),
    ("server_error", 500, "INTERNAL_ERROR"),
    ("unavailable", 503, "SERVICE_UNAVAILABLE"),
    ("gateway_timeout", 504, "GATEWAY_TIMEOUT"),
]


@pytest.mark.parametrize(("name", "status", "category"), BEFORE)
def test_a_fault_by_name_answers_as_hubspot_does_and_nothing_is_done(
    hub: Hub, name: str, status: int, category: str
) -> None:
    hub.trouble(name)

    answer = hub.post(CONTACTS, NEW)

    assert (answer.status_code, answer.json()["category"]) == (status, category)
    assert made(hub) == 0


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("server_error", 500),
        ("bad_gateway", 502),
        ("unavailable", 503),
        ("gateway_timeout", 504),
        ("origin_timeout", 524),
    ],
)
@pytest.mark.parametrize(("after", "done"), [("", 0), ("_after", 1)])
def test_a_server_error_leaves_open_whether_the_work_was_done(
    hub: Hub, name: str, status: int, after: str, done: int
) -> None:
    hub.trouble(name + after)

    assert hub.post(CONTACTS, NEW).status_code == status

    assert made(hub) == done


@pytest.mark.parametrize("name", ["bad_gateway", "origin_timeout"])
def test_what_stands_in_front_of_hubspot_answers_with_a_page(hub: Hub, name: str) -> None:
    hub.trouble(name)

    answer = hub.get(CONTACTS)

    assert answer.headers["Content-Type"] == "text/html"
    assert "<html>" in answer.text


@pytest.mark.parametrize(
    ("name", "policy", "wait"),
    [
        ("ten_secondly", "TEN_SECONDLY_ROLLING", None),
        ("ten_secondly_retry_after", "TEN_SECONDLY_ROLLING", "10"),
        ("secondly", "SECONDLY", None),
        ("secondly_retry_after", "SECONDLY", "1"),
        ("daily", "DAILY", None),
    ],
)
def test_a_limit_says_which_and_only_where_told_when_to_come_back(
    hub: Hub, name: str, policy: str, wait: str | None
) -> None:
    hub.trouble(name)

    answer = hub.get(CONTACTS)

    assert (answer.status_code, answer.json()["policyName"]) == (429, policy)
    assert answer.headers.get("Retry-After") == wait


def test_each_answer_has_a_correlation_id_of_its_own(hub: Hub) -> None:
    hub.trouble("server_error")

    ids = {hub.get(CONTACTS).json()["correlationId"] for _ in range(3)}

    assert len(ids) == 3


def test_an_account_on_the_move_says_when_to_come_back(hub: Hub) -> None:
    hub.trouble("migrating")

    assert hub.get(CONTACTS).headers["Retry-After"] == "3"


def test_a_dripping_answer_is_whole_in_the_end_and_the_work_done_at_its_start(hub: Hub) -> None:
    hub.trouble("dripping", seconds=0.3, times=1)

    with hub.session.post(hub.url + CONTACTS, json=NEW, timeout=10, stream=True) as answer:
        first = answer.raw.read(1)
        done = len(hub.sandbox.store.records["contacts"])
        whole = first + answer.raw.read()

    assert done == 1
    assert json.loads(whole)["properties"]["firstname"] == "A"


def test_a_dripping_answer_comes_in_many_pieces(hub: Hub) -> None:
    hub.contact()
    hub.trouble("dripping", seconds=0.5)
    request = f"GET {CONTACTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"

    with socket.create_connection(("127.0.0.1", int(hub.url.rpartition(":")[2])), 10) as raw:
        raw.sendall(f"{request}Connection: close\r\n\r\n".encode())
        pieces = list(iter(lambda: raw.recv(65_536), b""))

    assert b"".join(pieces).startswith(b"HTTP/1.1 200")
    assert len(pieces) > 20


def test_a_fault_by_name_strikes_until_it_is_turned_off(hub: Hub) -> None:
    hub.trouble("locked")
    codes = [hub.get(CONTACTS).status_code for _ in range(3)]

    hub.mend("locked")

    assert [*codes, hub.get(CONTACTS).status_code] == [423, 423, 423, 200]


def test_turning_one_off_leaves_the_others(hub: Hub) -> None:
    hub.trouble("locked")
    hub.trouble("token_revoked")

    hub.mend("locked")

    assert hub.get(CONTACTS).status_code == 401


def batch(hub: Hub, *, traced: bool = True) -> requests.Response:
    trace = [{"objectWriteTraceId": f"t{number}"} if traced else {} for number in range(6)]
    inputs = [{"properties": {"firstname": f"A{n}"}} | each for n, each in enumerate(trace)]
    return hub.post(f"{CONTACTS}/batch/create", {"inputs": inputs})


@pytest.mark.parametrize(
    ("name", "category"), [("partial", "INTERNAL_ERROR"), ("partial_refused", "VALIDATION_ERROR")]
)
def test_some_inputs_of_a_batch_fail_by_trace_and_the_others_are_done(
    hub: Hub, name: str, category: str
) -> None:
    hub.trouble(name)

    answer = batch(hub)

    assert (answer.status_code, answer.json()["numErrors"]) == (207, 2)
    errors = answer.json()["errors"]
    assert {each["category"] for each in errors} == {category}
    assert [each["context"]["objectWriteTraceId"] for each in errors] == [["t0"], ["t3"]]
    assert made(hub) == 4


def test_without_traces_no_input_fails_by_itself(hub: Hub) -> None:
    hub.trouble("partial")

    inputs = [NEW | {"objectWriteTraceId": "t0"}, NEW]
    mixed = hub.post(f"{CONTACTS}/batch/create", {"inputs": inputs})

    assert (batch(hub, traced=False).status_code, mixed.status_code) == (201, 201)
    assert hub.get(CONTACTS).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {"name": "fire"},
        {"name": "locked", "status": 500},
        {"name": "locked", "share": 7},
        {"name": "locked", "match": {"body": "x"}},
        {"name": "owner_archived"},
        {"name": "owner_archived", "target": "1"},
        {"name": "token_revoked", "share": 0.5},
    ],
)
def test_trouble_that_does_not_exist_is_refused(hub: Hub, sent: object) -> None:
    assert hub.post("/sandbox/faults", sent).status_code == 400


def test_everything_that_can_be_turned_on_is_listed_with_a_sentence(hub: Hub) -> None:
    names = {each["name"]: each for each in hub.get("/sandbox/faults").json()["names"]}

    assert TROUBLE.dials.keys() < names.keys()
    assert KIM in names["owner_archived"]["targets"]
    assert all(each["sentence"].endswith(".") for each in names.values())

"""The record for whoever checks from outside: every request, and counts of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from sandbox.server import journal
from sandbox.server.journal import Journal, Line
from tests.sandbox.conftest import TOKEN, Hub, link

CONTACTS = "/crm/v3/objects/contacts"
TASKS = "/crm/v3/objects/tasks"
NEW = {"properties": {"firstname": "A"}}


def log(hub: Hub, after: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hub.get(f"/sandbox/log?after={after}").json()["requests"]
    return found


def test_every_request_is_in_the_log_once_with_its_number(hub: Hub) -> None:
    hub.get(CONTACTS)
    hub.get(f"{CONTACTS}/1")

    first, second = log(hub)

    assert (first["number"], first["path"], first["status"]) == (1, CONTACTS, 200)
    assert (second["number"], second["status"], second["fault"]) == (2, 404, None)
    assert log(hub, after=1) == [second]
    assert TOKEN not in first["token"]


def test_the_log_tells_what_was_done_and_what_of_it_was_told(hub: Hub) -> None:
    hub.trouble("drop_after", times=1)
    hub.trouble("drop_before", times=1)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            hub.post(CONTACTS, NEW)

    told = [(each["fault"], each["status"], each["done"]) for each in log(hub)]

    assert told == [("drop_after", None, 201), ("drop_before", None, None)]


def test_the_log_names_the_tasks_that_were_made_even_when_nobody_was_told(hub: Hub) -> None:
    contact = hub.contact()
    sent = {"properties": {"hs_timestamp": "0"}, "associations": [link(contact, 204)]}
    hub.trouble("server_error_after", match={"path_prefix": TASKS})

    hub.post(f"{TASKS}/batch/create", {"inputs": [sent, sent]})
    hub.mend()

    ids = {each["id"] for each in hub.get(TASKS).json()["results"]}
    assert [set(each["made"]) for each in log(hub)][1] == ids
    assert len(ids) == 2


def test_only_new_tasks_of_an_upsert_are_in_the_log(hub: Hub) -> None:
    hub.define("tasks", "lead_ref", hasUniqueValue=True)
    old = hub.task(lead_ref="LS-1")
    inputs = [
        {"id": ref, "idProperty": "lead_ref", "properties": {"hs_timestamp": "0"}}
        for ref in ("LS-1", "LS-2")
    ]

    hub.post(f"{TASKS}/batch/upsert", {"inputs": inputs})

    assert len(log(hub)[-1]["made"]) == 1
    assert old not in log(hub)[-1]["made"]


def test_requests_are_counted_by_what_they_were_and_came_to(hub: Hub) -> None:
    ids = [hub.contact(f"p{number}@lead.example") for number in range(3)]
    for id_ in ids:
        hub.get(f"{CONTACTS}/{id_}")
    hub.get(f"{CONTACTS}/p1@lead.example?idProperty=email")
    hub.trouble("locked")
    hub.get(CONTACTS)

    counts = {
        (each["method"], each["path"], each["status"], each["fault"]): each["count"]
        for each in hub.get("/sandbox/counts").json()
    }

    assert counts == {
        ("POST", CONTACTS, 201, None): 3,
        ("GET", f"{CONTACTS}/{{id}}", 200, None): 4,
        ("GET", CONTACTS, 423, "locked"): 1,
    }


def test_the_log_forgets_the_oldest_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "KEPT", 3)
    monkeypatch.setattr(journal, "READ_LIMIT", 2)
    kept = Journal()
    for _ in range(5):
        kept.add(Line("GET", CONTACTS, 200, 200, None, datetime.now(UTC), TOKEN, ()))

    page = kept.after(0)

    assert (page["first"], page["last"]) == (3, 5)
    assert [each["number"] for each in page["requests"]] == [3, 4]
    assert [each["number"] for each in kept.after(4)["requests"]] == [5]


def test_paths_without_end_are_counted_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "COUNTED", 1)
    kept = Journal()
    for path in ("/crm/a", "/crm/b", "/crm/c"):
        kept.add(Line("GET", path, 404, 404, None, datetime.now(UTC), "", ()))

    assert {each["path"]: each["count"] for each in kept.counted()} == {"/crm/a": 1, "other": 2}

"""One stand-in serves many tests: a reset leaves nothing of the one before."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.conftest import TOKEN, Hub

CONTACTS = "/crm/v3/objects/contacts"
NEW = {"properties": {"firstname": "A"}}


def test_after_a_reset_it_is_as_on_the_first_day(hub: Hub) -> None:
    first = seen(hub)
    hub.contact()
    hub.define("contacts", "lead_score")
    hub.trouble("locked")
    hub.post("/sandbox/settings", {"rate": 3, "portal_id": 7, "tokens": {}})

    hub.sandbox.reset()

    assert seen(hub) == first
    assert list(hub.sandbox.state.log) == hub.get("/sandbox/log").json()["requests"] == []
    assert hub.get(CONTACTS).status_code == 200


def seen(hub: Hub) -> str:
    return json.dumps([hub.sandbox.store.dump(), hub.sandbox.settings.shown()])


def test_a_request_that_waits_in_a_fault_is_cut_and_does_nothing(hub: Hub) -> None:
    hub.trouble("slow", seconds=30)
    headers = {"Authorization": f"Bearer {TOKEN}"}

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            requests.post, hub.url + CONTACTS, json=NEW, headers=headers, timeout=25
        )
        while not hub.sandbox.state.faults.struck["slow"]:
            assert not waiting.done()
        hub.sandbox.reset()
        with pytest.raises(requests.ConnectionError):
            waiting.result(10)

    assert hub.get("/sandbox/log").json()["requests"] == []
    assert hub.sandbox.store.records["contacts"] == {}


def test_an_account_is_had_again_from_its_snapshot(hub: Hub) -> None:
    hub.define("contacts", "lead_score", hasUniqueValue=True)
    contact = hub.contact(lead_score="7")
    snapshot = hub.sandbox.snapshot()
    hub.sandbox.reset()
    hub.sandbox.restore(snapshot)

    again = hub.post(CONTACTS, {"properties": {"email": "ada@lead.example"}})
    hub.patch(f"{CONTACTS}/{contact}", {"properties": {"lead_score": "8"}})
    hub.sandbox.restore(snapshot)

    assert again.json()["message"].endswith(contact)
    assert hub.properties("contacts", contact, "lead_score")["lead_score"] == "7"

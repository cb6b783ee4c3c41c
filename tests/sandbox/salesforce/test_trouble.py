"""Each trouble of Salesforce's: it strikes as it says, and ends."""

import pytest
import requests

from sandbox.salesforce.trouble import TROUBLE
from sandbox.server.faults import Storm
from tests.sandbox.salesforce.conftest import COLLECTION, DATA, Org, typed

STATUSES = {
    name: dial for name, dial in TROUBLE.dials.items() if dial.fault["kind"].startswith("status")
}
PATHS = {"cursor_gone": f"{DATA}/query/01gHs0000001008MAA-2000"}


@pytest.mark.parametrize("name", STATUSES)
def test_a_refusal_by_name_is_answered_as_it_says_and_then_no_more(org: Org, name: str) -> None:
    fault = STATUSES[name].fault
    path = PATHS.get(name, f"{DATA}/query?q=SELECT+Id+FROM+Lead")
    usual = org.get(path).status_code
    org.trouble(name, times=1)

    struck, after = org.get(path), org.get(path)

    assert struck.status_code == fault["status"]
    if isinstance(fault["body"], str):
        assert struck.text == fault["body"]
    else:
        assert struck.json() == fault["body"]
    assert after.status_code == usual


def test_what_is_done_and_not_told_is_done(org: Org) -> None:
    org.trouble("drop_after", times=1)

    with pytest.raises(requests.ConnectionError):
        org.rows("POST", typed("Lead", LastName="Ada", Company="Acme"))

    assert len(org.query("SELECT Id FROM Lead")) == 1


@pytest.mark.parametrize("name", TROUBLE.switches)
def test_a_switch_is_on_until_it_is_turned_off(org: Org, name: str) -> None:
    org.contact("Ada")
    target = next(iter(TROUBLE.switches[name].targets(org.sandbox.state)))

    org.turn(name, target)
    on = org.get("/sandbox/faults").json()["switched"]
    org.ask("DELETE", f"/sandbox/faults?name={name}")

    assert on == [{"name": name, "target": target}]
    assert not TROUBLE.switches[name].is_on(org.sandbox.state, target) or name == "sessions_ended"


def test_a_storm_strikes_by_all_that_may_and_collections_go_on_in_part(org: Org) -> None:
    org.sandbox.state.faults.storm = Storm(
        1.0, 7, [each for each in TROUBLE.stormy() if not each.seconds]
    )
    for _ in range(60):
        try:
            org.post(COLLECTION, {"records": [typed("Lead", LastName="x", Company="x")] * 3})
        except requests.RequestException:
            continue

    struck = org.get("/sandbox/faults").json()["struck"]

    assert "rows_locked" in struck
    assert not struck.keys() & {"daily", "trigger_fails", "session_lost"}

"""What is wrong with the account or its records until it is mended."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import KIM, Hub

CONTACTS = "/crm/v3/objects/contacts"
TASKS = "/crm/v3/objects/tasks"


def around(hub: Hub, path: str = CONTACTS) -> Iterator[requests.Response]:
    """The answer before it is mended, and after."""
    yield hub.get(path)
    hub.mend()
    yield hub.get(path)


def test_a_revoked_token_is_refused_and_one_given_later_is_good(hub: Hub) -> None:
    hub.trouble("token_revoked")
    refused = hub.get(CONTACTS)
    hub.post("/sandbox/settings", {"tokens": {"new": {}}})
    hub.session.headers["Authorization"] = "Bearer new"

    assert (refused.status_code, refused.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert hub.get(CONTACTS).status_code == 200
    assert hub.get("/sandbox/faults").json()["switched"] == []


def test_an_expired_token_says_so_until_it_is_mended(hub: Hub) -> None:
    hub.trouble("token_expired")

    before, after = around(hub)

    assert (before.status_code, before.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert after.status_code == 200


def test_a_removed_scope_is_missed_by_name_until_it_is_given_again(hub: Hub) -> None:
    hub.trouble("scope_removed", target="crm.objects.owners.read")

    before, after = around(hub, "/crm/v3/owners")

    wanted = before.json()["errors"][0]["context"]["requiredGranularScopes"]
    assert (before.status_code, wanted) == (403, ["crm.objects.owners.read"])
    assert after.status_code == 200


def test_a_used_up_day_refuses_everything_and_shows_in_the_usage(hub: Hub) -> None:
    hub.trouble("day_used_up")

    before, after = around(hub)

    assert (before.status_code, before.json()["policyName"]) == (429, "DAILY")
    assert after.status_code == 200


@pytest.mark.parametrize(("kind", "more"), [("contacts", {}), ("tasks", {"hasUniqueValue": True})])
def test_a_deleted_property_is_unknown_until_it_is_restored(
    hub: Hub, kind: str, more: dict[str, Any]
) -> None:
    hub.define(kind, "lead_ref", **more)
    id_ = hub.contact(lead_ref="LS-1") if kind == "contacts" else hub.task(lead_ref="LS-1")
    path = f"/crm/v3/objects/{kind}/{id_}"

    hub.trouble("property_deleted", target=f"{kind} lead_ref")
    refused = hub.patch(path, {"properties": {"lead_ref": "LS-2"}})
    hidden = hub.properties(kind, id_, "lead_ref")
    hub.mend()

    assert "PROPERTY_DOESNT_EXIST" in refused.text
    assert "lead_ref" not in hidden
    assert hub.properties(kind, id_, "lead_ref")["lead_ref"] == "LS-1"


def test_a_unique_property_that_is_restored_knows_who_left_meanwhile(hub: Hub) -> None:
    hub.define("tasks", "lead_ref", hasUniqueValue=True)
    task = hub.task(lead_ref="LS-1")

    hub.trouble("property_deleted", target="tasks lead_ref")
    hub.ask("DELETE", f"{TASKS}/{task}")
    hub.mend()

    assert hub.task(lead_ref="LS-1") != task


def test_hubspots_own_properties_cannot_be_deleted(hub: Hub) -> None:
    sent = {"name": "property_deleted", "target": "contacts email"}

    assert hub.post("/sandbox/faults", sent).status_code == 400


def test_an_owner_leaves_and_comes_back(hub: Hub) -> None:
    hub.trouble("owner_archived", target=KIM)

    before, after = around(hub, f"/crm/v3/owners/{KIM}")

    assert (before.status_code, after.status_code) == (404, 200)


def test_what_was_mended_by_hand_is_no_trouble_any_more(hub: Hub) -> None:
    hub.trouble("owner_archived", target=KIM)

    requests.post(f"{hub.url}/owners/{KIM}", data={"archived": ""}, timeout=10)

    assert hub.get("/sandbox/faults").json()["switched"] == []

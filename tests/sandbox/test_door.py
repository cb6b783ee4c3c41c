"""Who may ask, how fast, in which version, and what happens to requests that are none."""

import http.client
from typing import Any

import pytest
import requests

from sandbox.hubspot.server import Sandbox
from sandbox.hubspot.settings import Token
from tests.sandbox.conftest import TOKEN, Hub

CONTACTS = "/crm/v3/objects/contacts"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_without_the_right_token_nothing_is_told(hub: Hub, header: str) -> None:
    answer = requests.get(hub.url + CONTACTS, headers={"Authorization": header}, timeout=10)

    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_an_expired_token_says_so(hub: Hub) -> None:
    hub.sandbox.settings.tokens[TOKEN] = Token(expired=True)

    assert hub.get(CONTACTS).json()["category"] == "EXPIRED_AUTHENTICATION"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", CONTACTS, "crm.objects.contacts.read"),
        ("POST", CONTACTS, "crm.objects.contacts.write"),
        ("POST", "/crm/v3/objects/0-27", "crm.objects.contacts.write"),
        ("POST", "/crm/v3/objects/deals/search", "crm.objects.deals.read"),
        ("GET", "/crm/v3/owners", "crm.objects.owners.read"),
        ("GET", "/crm/v3/pipelines/deals", "crm.objects.deals.read"),
        ("POST", "/crm/v3/properties/contacts", "crm.schemas.contacts.write"),
        ("POST", f"{CONTACTS}/gdpr-delete", "crm.objects.contacts.write"),
        ("POST", "/crm/v4/associations/contacts/deals/batch/read", "crm.objects.contacts.read"),
    ],
)
def test_a_token_without_the_scope_is_told_which(
    hub: Hub, method: str, path: str, scope: str
) -> None:
    hub.sandbox.settings.tokens[TOKEN] = Token(scopes=[])

    answer = hub.ask(method, path, {})

    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")
    assert scope in answer.json()["errors"][0]["context"]["requiredGranularScopes"]


def test_account_details_need_no_scope(hub: Hub) -> None:
    hub.sandbox.settings.tokens[TOKEN] = Token(scopes=[])

    assert hub.get("/account-info/v3/details").status_code == 200


def test_the_eleventh_request_at_a_rate_of_ten_is_too_many(hub: Hub) -> None:
    hub.sandbox.settings.rate = 10

    answers = [hub.get(CONTACTS) for _ in range(11)]

    assert [each.status_code for each in answers] == [200] * 10 + [429]
    left = [each.headers["X-HubSpot-RateLimit-Remaining"] for each in answers]
    assert left == [*map(str, range(9, -1, -1)), "0"]
    assert answers[0].headers["X-HubSpot-RateLimit-Max"] == "10"
    assert answers[0].headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    body = answers[-1].json()
    assert (body["policyName"], body["errorType"]) == ("TEN_SECONDLY_ROLLING", "RATE_LIMIT")
    assert "Retry-After" not in answers[-1].headers


def test_searches_and_link_batches_do_not_count_against_the_ten_seconds(hub: Hub) -> None:
    hub.sandbox.settings.rate = 1
    hub.get(CONTACTS)

    search = hub.post(f"{CONTACTS}/search", {})
    links = hub.post("/crm/v4/associations/contacts/deals/batch/read", {"inputs": [{"id": "1"}]})

    assert (search.status_code, links.status_code) == (200, 207)


def test_retry_after_can_be_switched_on(hub: Hub) -> None:
    hub.sandbox.settings.change({"rate": 1, "retry_after": True})
    hub.get(CONTACTS)

    assert int(hub.get(CONTACTS).headers["Retry-After"]) > 0


def test_a_day_has_an_end(hub: Hub) -> None:
    hub.sandbox.settings.daily = 1
    hub.get(CONTACTS)

    assert hub.get(CONTACTS).json()["policyName"] == "DAILY"


@pytest.mark.parametrize(
    ("path", "v4", "march", "september"),
    [
        ("batch/create", 201, 201, 200),
        ("batch/read", 207, 207, 200),
    ],
)
def test_association_batches_answer_as_their_version_says(
    hub: Hub, path: str, v4: int, march: int, september: int
) -> None:
    task, contact = hub.task(), hub.contact()
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}]
    item: dict[str, Any] = {"from": {"id": task}, "to": {"id": contact}, "types": types}
    if path != "batch/create":
        item = {"id": task, "from": {"id": task}, "to": [{"id": contact}]}

    places = ("v4/associations", "associations/2026-03", "associations/2026-09")
    codes = [
        hub.post(f"/crm/{place}/tasks/contacts/{path}", {"inputs": [item]}).status_code
        for place in places
    ]

    assert codes == [v4, march, september]


def test_the_newest_version_puts_errors_into_the_ordinary_answer(hub: Hub) -> None:
    body = {"inputs": [{"id": "1"}]}

    old = hub.post("/crm/objects/2026-03/contacts/batch/read", body)
    new = hub.post("/crm/objects/2026-09/contacts/batch/read", body)

    assert (old.status_code, new.status_code, new.json()["numErrors"]) == (207, 200, 1)


def test_the_newest_version_has_no_list_of_one_records_links(hub: Hub) -> None:
    path = f"{hub.contact()}/associations/deals"

    codes = [
        hub.get(f"/crm/{place}/contacts/{path}").status_code
        for place in ("v4/objects", "objects/2026-03", "objects/2026-09")
    ]

    assert codes == [200, 200, 404]


@pytest.mark.parametrize("version", ["2026-03", "2026-09"])
@pytest.mark.parametrize(
    "path",
    [
        "/crm/objects/{}/contacts",
        "/crm/owners/{}",
        "/crm/pipelines/{}/deals",
        "/crm/properties/{}/tasks",
        "/account-info/{}/details",
    ],
)
def test_dated_paths_lead_to_the_same_things(hub: Hub, path: str, version: str) -> None:
    assert hub.get(path.format(version)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/crm/v3/nothing", 404),
        ("GET", "/crm/v2/objects/contacts", 404),
        ("GET", "/crm/v4/objects/contacts", 404),
        ("PUT", CONTACTS, 405),
        ("GET", f"{CONTACTS}/1/associations/deals", 404),
    ],
)
def test_what_is_no_endpoint_is_refused(hub: Hub, method: str, path: str, status: int) -> None:
    assert hub.ask(method, path).status_code == status


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
    ],
)
def test_a_body_that_is_no_json_is_refused(hub: Hub, text: bytes, kind: str, status: int) -> None:
    headers = {"Content-Type": kind}

    answer = hub.session.post(hub.url + CONTACTS, data=text, headers=headers, timeout=10)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "99999999"}, 413),
        ({"Content-Length": "-1"}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_a_body_without_bounds_is_not_read(
    sandbox: Sandbox, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)

    connection.putrequest("POST", CONTACTS)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()

    assert connection.getresponse().status == status
    connection.close()


def test_one_connection_serves_many_requests(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    sockets = set()
    for _ in range(3):
        connection.request("GET", CONTACTS, headers={"Authorization": f"Bearer {TOKEN}"})
        connection.getresponse().read()
        sockets.add(connection.sock)

    assert len(sockets) == 1
    connection.close()

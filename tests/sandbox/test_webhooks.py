"""What the stand-in sends when it is told an address: as HubSpot's guides say, to a real server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hubspot.utils.signature import Signature

from tests.sandbox.conftest import DEAL_TO_CONTACT, Hub

SECRET = "client-secret"
CONTACTS, DEALS = "/crm/v3/objects/contacts", "/crm/v3/objects/deals"


class Listener:
    """Keeps what it is sent, and answers with the statuses it was given, then with 204."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((dict(self.headers), body))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 204)
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?from=%40b"

    @property
    def events(self) -> list[dict]:
        return [event for _, body in self.requests for event in json.loads(body)]

    def of(self, kind: str) -> list[dict]:
        return [event for event in self.events if event["subscriptionType"] == kind]


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def listen(hub: Hub, listener: Listener, **dials: object) -> None:
    given = {"webhook_url": listener.url, "webhook_secret": SECRET, "webhook_backoff": 0.02}
    assert hub.post("/sandbox/settings", given | dials).status_code == 200


def settle(hub: Hub) -> None:
    assert hub.sandbox.state.webhooks.settled()


def test_nothing_is_sent_until_it_is_told_where_to(hub, listener):
    hub.contact()
    settle(hub)

    assert listener.requests == []
    assert hub.sandbox.state.webhooks.log.maxlen


def test_requests_carry_both_signatures(hub, listener):
    listen(hub, listener)
    hub.contact()
    settle(hub)

    headers, body = listener.requests[0]
    stamp = headers["X-HubSpot-Request-Timestamp"]
    signed_as = listener.url.replace("%40", "@")
    assert Signature.is_valid(
        signature=headers["X-HubSpot-Signature-v3"], client_secret=SECRET,
        request_body=body.decode(), http_uri=signed_as, signature_version="v3", timestamp=stamp,
    )  # fmt: skip
    assert Signature.is_valid(
        signature=headers["X-HubSpot-Signature"], client_secret=SECRET,
        request_body=body.decode(), signature_version="v1",
    )  # fmt: skip


def test_an_event_has_the_fields_of_the_guide(hub, listener):
    listen(hub, listener)
    id_ = hub.contact()
    hub.patch(f"{CONTACTS}/{id_}", {"properties": {"hs_lead_status": "OPEN", "jobtitle": "VP"}})
    settle(hub)

    (made,) = listener.of("contact.creation")
    (changed,) = [
        event for event in listener.of("contact.propertyChange") if event["propertyName"] != "email"
    ]
    assert (made["objectId"], made["changeFlag"], made["attemptNumber"]) == (int(id_), "CREATED", 0)
    assert (changed["propertyName"], changed["propertyValue"]) == ("hs_lead_status", "OPEN")
    assert {"eventId", "subscriptionId", "portalId", "appId", "occurredAt"} <= made.keys()


def test_a_link_is_told_from_both_ends_when_it_is_made_and_when_it_ends(hub, listener):
    contact = hub.contact()
    deal = hub.post(
        DEALS, {"properties": {"dealname": "Acme", "dealstage": "contractsent"}}
    ).json()["id"]
    listen(hub, listener)
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": DEAL_TO_CONTACT}]
    path = f"/crm/v4/objects/deals/{deal}/associations/contacts/{contact}"
    hub.ask("PUT", path, spec)
    hub.ask("DELETE", path)
    settle(hub)

    told = [
        (each["associationType"], each["fromObjectId"], each["toObjectId"], each["associationRemoved"])
        for each in sorted(listener.events, key=lambda event: event["eventId"])
    ]  # fmt: skip
    ends = [
        ("DEAL_TO_CONTACT", int(deal), int(contact)),
        ("CONTACT_TO_DEAL", int(contact), int(deal)),
    ]
    assert told == [(*end, removed) for removed in (False, True) for end in ends]


def test_a_merge_names_all_its_records_and_an_erasure_is_told_twice(hub, listener):
    ada, bob = hub.contact(), hub.contact("bob@lead.example")
    listen(hub, listener)
    new = hub.post(f"{CONTACTS}/merge", {"primaryObjectId": ada, "objectIdToMerge": bob}).json()[
        "id"
    ]
    hub.post(f"{CONTACTS}/gdpr-delete", {"objectId": new})
    settle(hub)

    (merge,) = listener.of("contact.merge")
    assert (merge["primaryObjectId"], merge["mergedObjectIds"]) == (int(ada), [int(bob)])
    assert merge["newObjectId"] == int(new)
    assert {event["subscriptionType"] for event in listener.events} == {
        "contact.merge", "contact.deletion", "contact.privacyDeletion"
    }  # fmt: skip


def test_generic_events_name_the_type_by_its_id_but_for_erasures(hub, listener):
    listen(hub, listener, webhook_generic=True)
    id_ = hub.contact()
    hub.post(f"{CONTACTS}/gdpr-delete", {"objectId": id_})
    settle(hub)

    assert {event["objectTypeId"] for event in listener.of("object.creation")} == {"0-1"}
    assert "objectTypeId" not in listener.of("contact.privacyDeletion")[0]


def test_a_request_has_at_most_a_hundred_events(hub, listener):
    listen(hub, listener)
    inputs = [{"properties": {"email": f"p{number}@lead.example"}} for number in range(100)]
    hub.post(f"{CONTACTS}/batch/create", {"inputs": inputs})
    settle(hub)

    sizes = [len(json.loads(body)) for _, body in listener.requests]
    assert (max(sizes), sum(sizes)) == (100, 200)  # the creations, and the addresses


def test_what_is_not_taken_comes_again_with_the_number_of_the_attempt(hub, listener):
    listener.statuses = [500, 404]
    listen(hub, listener)
    hub.ask("DELETE", f"{CONTACTS}/{hub.contact()}")
    settle(hub)

    statuses = {attempt["status"] for attempt in hub.get("/sandbox/webhooks").json()}
    assert {event["attemptNumber"] for event in listener.events} >= {0, 1}
    assert statuses == {500, 404, 204}


def test_events_may_come_twice_or_never(hub, listener):
    listen(hub, listener, webhook_twice=1.0)
    hub.contact()
    settle(hub)
    twice = len(listener.of("contact.creation"))
    listen(hub, listener, webhook_twice=0.0, webhook_lost=1.0)
    hub.contact("bob@lead.example")
    settle(hub)

    assert (twice, len(listener.of("contact.creation"))) == (2, 2)


def test_the_api_does_not_wait_for_whoever_listens(hub, listener):
    released = threading.Event()

    def keep_waiting(connection, address):
        released.wait(3)  # nobody is answered meanwhile
        connection.close()

    listen(hub, listener)
    listener.server.process_request = keep_waiting

    assert hub.contact()

    released.set()


def test_a_reset_tells_nobody_any_more(hub, listener):
    listen(hub, listener)
    hub.post("/sandbox/reset", {})
    hub.contact()
    settle(hub)

    assert listener.requests == []

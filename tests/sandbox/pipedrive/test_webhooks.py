"""Webhooks: asked for over the API, told one by one, with a password and no signature."""

import json
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest


class Ear(HTTPServer):
    """Hears what is told, and answers with the statuses that it was given, then 200."""

    def __init__(self):
        self.told, self.statuses = [], []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks/pipedrive"


class _Handler(BaseHTTPRequestHandler):
    server: Ear

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told.append((self.headers.get("Authorization"), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def ear() -> Iterator[Ear]:
    with Ear() as listening:
        thread = Thread(target=listening.serve_forever, args=[0.01], daemon=True)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def asked_for(pipe, ear, **more):
    sent = {"subscription_url": ear.url, "event_action": "*", "event_object": "*", "name": "ours"}
    return pipe.post("/v1/webhooks", sent | more)


def told(pipe, ear, by="action"):
    assert pipe.sandbox.state.webhooks.settled()
    return sorted(body["meta"][by] for _, body in ear.told)


def test_a_change_is_told_with_what_was_before(pipe, ear):
    id_ = pipe.person()
    webhook = asked_for(pipe, ear, http_auth_user="us", http_auth_password="secret")

    pipe.patch(f"/v2/persons/{id_}", {"first_name": "Eda"})

    assert told(pipe, ear) == ["change"]
    ((password, body),) = ear.told
    assert password == f"Basic {b64encode(b'us:secret').decode()}"
    meta = body["meta"]
    assert (meta["entity"], meta["entity_id"], meta["company_id"]) == (
        "person",
        str(id_),
        "9120045",
    )
    assert (meta["change_source"], meta["user_id"], meta["attempt"]) == ("api", "7001", 1)
    assert meta["webhook_id"] == str(webhook["id"])
    assert body["data"]["name"] == "Eda Lind"
    assert body["previous"] == {"name": "Ada Lind", "first_name": "Ada"}


def test_a_deletion_has_no_data_and_all_that_was(pipe, ear):
    id_ = pipe.person()
    asked_for(pipe, ear)

    pipe.done("DELETE", f"/v2/persons/{id_}")

    assert told(pipe, ear) == ["delete"]
    assert ear.told[0][1]["data"] is None
    assert ear.told[0][1]["previous"]["name"] == "Ada Lind"


def test_a_merge_says_who_became_whom(pipe, ear):
    kept, gone = pipe.person(), pipe.person("a@home.example")
    asked_for(pipe, ear)

    pipe.done("PUT", f"/v1/persons/{gone}/merge", {"merge_with_id": kept})

    assert told(pipe, ear) == ["change", "delete"]
    metas = {body["meta"]["action"]: body["meta"] for _, body in ear.told}
    assert (metas["delete"]["entity_id"], metas["delete"]["merged_to_id"]) == (str(gone), str(kept))
    assert (metas["change"]["entity_id"], metas["change"]["merged_from_id"]) == (
        str(kept),
        str(gone),
    )


def test_only_what_was_asked_for_is_told(pipe, ear):
    asked_for(pipe, ear, event_action="create", event_object="deal")
    asked_for(pipe, ear, event_action="*", event_object="activity")

    person = pipe.person()
    task, deal = pipe.task(person), pipe.deal()
    pipe.patch(f"/v2/deals/{deal}", {"status": "won"})
    pipe.patch(f"/v2/activities/{task}", {"done": True})

    assert told(pipe, ear, by="entity") == ["activity", "activity", "deal"]


def test_what_is_not_taken_comes_again(pipe, ear):
    pipe.turn(webhook_backoff=0.01)
    asked_for(pipe, ear)
    ear.statuses = [500, 302]

    pipe.person()

    assert told(pipe, ear, by="attempt") == [1, 2, 3]
    (row,) = pipe.get("/v1/webhooks")
    assert row["last_http_status"] == 200


def test_three_further_attempts_are_the_last(pipe, ear):
    pipe.turn(webhook_backoff=0.001)
    asked_for(pipe, ear)
    ear.statuses = [500] * 9

    pipe.person()

    assert told(pipe, ear, by="attempt") == [1, 2, 3, 4]


def test_ten_failures_at_first_lose_what_comes_then(pipe, ear):
    pipe.turn(webhook_backoff=0.001)
    asked_for(pipe, ear)
    ear.statuses = [500] * 100
    for each in range(10):
        pipe.person(f"p{each}@lead.example")
    assert pipe.sandbox.state.webhooks.settled()
    ear.told.clear()
    ear.statuses.clear()

    pipe.person()

    assert told(pipe, ear) == []


def test_a_timestamp_may_be_seconds(pipe, ear):
    pipe.turn(webhook_seconds=True)
    asked_for(pipe, ear)
    pipe.person()

    assert len(told(pipe, ear, by="timestamp")[0]) == 10


def test_what_a_rep_does_comes_from_the_app(pipe, ear):
    id_ = pipe.task(pipe.person())
    asked_for(pipe, ear)

    pipe.session.post(f"{pipe.url}/tasks/{id_}", data={"status": "done", "back": "/"}, timeout=10)

    assert set(told(pipe, ear, by="change_source")) == {"app"}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"subscription_url": "http://127.0.0.1:1/"}, 400),
        ({"subscription_url": "nonsense"}, 400),
        ({"event_action": "updated"}, 400),
        ({"name": " "}, 400),
        ({"name": "x" * 256}, 400),
        ({"version": "1.0"}, 400),
        ({"nope": 1}, 400),
    ],
)
def test_a_webhook_that_cannot_be_is_refused(pipe, ear, more, status):
    sent = {"subscription_url": ear.url, "event_action": "*", "event_object": "*", "name": "ours"}

    answer = pipe.ask("POST", "/v1/webhooks", sent | more)

    assert answer.status_code == status
    assert answer.json()["errors"]
    assert pipe.get("/v1/webhooks") == []


def test_a_user_has_no_more_than_forty(pipe, ear):
    for _ in range(40):
        asked_for(pipe, ear)

    sent = {"subscription_url": ear.url, "event_action": "*", "event_object": "*", "name": "ours"}
    assert pipe.ask("POST", "/v1/webhooks", sent).status_code == 422


def test_a_deleted_webhook_is_told_nothing(pipe, ear):
    made = asked_for(pipe, ear)
    assert pipe.ask("DELETE", f"/v1/webhooks/{made['id']}").json()["success"] is True

    pipe.person()

    assert told(pipe, ear) == []
    assert pipe.ask("DELETE", f"/v1/webhooks/{made['id']}").status_code == 404

"""An error report says where the program failed, and names nobody."""

import json
from typing import Any

import sentry_sdk
from sentry_sdk.transport import Transport

from leadscoring.operations.error_reports import OPTIONS, without_people

ADA = "ada@engines.example"


def test_a_report_names_nobody():
    event: dict[str, Any] = {
        "transaction": "/api/v1/contacts/{path:who}",
        "request": {"method": "GET", "url": f"https://x/contacts/{ADA}", "query_string": ADA, "data": ADA,
                    "headers": {"Authorization": "Bearer secret"}},
        "breadcrumbs": {"values": [{"message": ADA}]},
        "user": {"email": ADA},
        "extra": {"celery-job": {"args": [ADA]}},
        "contexts": {"runtime": {"name": "CPython"}, "celery": {"kwargs": ADA}},
        "logentry": {"message": "%s failed", "params": [ADA], "formatted": f"{ADA} failed"},
        "exception": {"values": [{"type": "ValueError", "value": f"{ADA} is wrong",
                                  "stacktrace": {"frames": [{"function": "take", "vars": {"who": ADA}}]}}]},
    }  # fmt: skip

    kept = without_people(event)

    assert ADA not in json.dumps(kept)
    assert "secret" not in json.dumps(kept)
    assert kept["exception"]["values"][0]["type"] == "ValueError"
    assert kept["transaction"] == "/api/v1/contacts/{path:who}"


def test_what_the_real_client_sends_names_nobody():
    sent = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            sent.append(envelope.get_event())

    client = sentry_sdk.Client(
        dsn="https://key@sentry.example/1",
        release="1.0.0",
        transport=Kept,
        default_integrations=False,
        **OPTIONS,
    )
    with sentry_sdk.isolation_scope() as scope:
        scope.set_client(client)
        try:
            raise ValueError(f"{ADA} is wrong")
        except ValueError as error:
            scope.capture_exception(error)

    (event,) = sent
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert ADA not in json.dumps(event, default=str)

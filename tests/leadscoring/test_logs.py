"""Logs: a line of JSON each, and nothing in them of what people sent."""

import json
import logging
from typing import Any

import pytest
from celery import Celery
from django.test import Client

from leadscoring.operations import schema
from leadscoring.operations.logging import LOGGING, JsonFormatter
from sequences.unsubscribe import SIGNER

TOKEN = SIGNER.sign("1")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    shown = [JsonFormatter().format(record) for record in caplog.records]
    assert not any("\n" in line for line in shown)
    return [json.loads(line) for line in shown]


# No test here may use the database: every page that needs it fails, as in an outage.
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/v1/contacts/ada@example.com", "api/v1/contacts/<path:who>"),
        ("/api/v1/contacts/ada@example.com/score", "api/v1/contacts/<path:who>/score"),
        (f"/u/{TOKEN}", "u/<str:token>"),
    ],
)
def test_a_request_that_failed_is_named_by_its_route(caplog, path, route, monkeypatch):
    """The tables may not be asked here, which is what makes the request fail."""
    monkeypatch.setattr(schema, "mismatch", str)
    client = Client(raise_request_exception=False, headers={"authorization": "Bearer ada"})

    assert client.get(path).status_code == 500

    failed = [line for line in lines(caplog) if line["logger"] == "django.request"]
    assert failed[-1]["message"] == f"Internal Server Error: {route}"
    assert "ada@" not in json.dumps(failed)
    assert TOKEN not in json.dumps(failed)


def test_an_exceptions_text_is_not_told(caplog):
    try:
        raise ValueError("ada@example.com")
    except ValueError:
        logging.getLogger("leadscoring.test").exception("It went wrong.")

    (line,) = lines(caplog)
    assert (line["message"], line["error"]) == ("It went wrong.", "ValueError")
    assert "ada" not in json.dumps(line)


def test_the_text_that_celery_makes_of_a_failed_task_is_not_told(caplog):
    app = Celery(set_as_current=False)
    app.conf.task_always_eager = True

    @app.task
    def fails() -> None:
        raise ValueError("ada@example.com")

    fails.apply()

    assert [line["error"] for line in lines(caplog)] == ["ValueError"]
    assert "ada@" not in json.dumps(lines(caplog))


def test_a_request_that_gunicorn_cannot_read_is_not_repeated(caplog):
    logging.getLogger("gunicorn.error").warning(
        "Invalid request from ip=192.0.2.1: Invalid HTTP request line: 'GET /\nada@example.com é'"
    )

    assert [line["message"] for line in lines(caplog)] == ["Invalid request"]


@pytest.mark.django_db
def test_what_anybody_sends_as_a_host_is_not_repeated(capfd):
    assert Client().get("/", headers={"host": "evil.example"}).status_code == 400

    assert "evil" not in "".join(capfd.readouterr())


def test_gunicorns_lines_are_ours_too():
    loggers: Any = LOGGING["loggers"]
    ours = loggers["gunicorn.error"]

    assert (ours["handlers"], ours["propagate"]) == ([], True)


@pytest.mark.django_db
def test_what_is_not_ready_is_told_to_who_asks_and_not_to_the_log(caplog):
    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert [line for line in lines(caplog) if line["logger"] == "django.request"] == []

"""A process whose code does not fit the database's tables: nothing fails, and nothing is stored."""

import pytest
from celery import shared_task
from django.db import ProgrammingError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from leadscoring.models import Contact
from leadscoring.operations.schema_middleware import BEING_UPGRADED
from tests.makers import an_api_key

pytestmark = pytest.mark.django_db
Migrations = MigrationRecorder.Migration.objects
answered: list[object] = []


@shared_task
def ring() -> None:
    answered.append("rung")


def unapplied():
    Migrations.filter(app="crm_sync").latest("pk").delete()


def newer():
    Migrations.create(app="sequences", name="9999_of_a_later_release")


@pytest.fixture
def post():
    key, client = an_api_key()[1], Client(raise_request_exception=False)

    def post(email="ada@lead.example"):
        headers = {"Authorization": f"Bearer {key}"}
        return client.post(
            "/api/v1/contacts", {"email": email}, "application/json", headers=headers
        )

    return post


@pytest.mark.parametrize("differs", [unapplied, newer])
def test_the_api_says_when_to_ask_again_and_stores_nothing(post, differs):
    differs()

    answer = post()

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer.json()["error"]["message"] == BEING_UPGRADED
    assert not Contact.objects.exists()


@pytest.mark.parametrize("path", ["/admin/", "/u/token", "/webhooks/hubspot", "/"])
def test_pages_say_so_too(path):
    unapplied()

    answer = Client().get(path)

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


def test_machines_are_told_that_it_lives_and_why_it_is_not_ready():
    newer()

    alive, ready = Client().get("/healthz"), Client().get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, 503)
    assert "newer release" in " ".join(ready.json()["reasons"])


def test_after_the_migrations_the_same_process_serves(post):
    Migrations.filter(app="crm_sync", name="0001_first_tables").update(name="0000_before")
    before = post().status_code
    Migrations.filter(app="crm_sync", name="0000_before").update(name="0001_first_tables")

    assert (before, post().status_code) == (503, 200)


def test_a_process_of_the_old_release_that_fails_on_new_tables_says_to_ask_again(post, monkeypatch):
    assert post().status_code == 200

    def no_such_column(*args, **kwargs):
        raise ProgrammingError("column does not exist")

    monkeypatch.setattr("leadscoring.intake.take_contacts", no_such_column)
    own_fault = post("ben@lead.example").status_code
    newer()

    assert (own_fault, post("ben@lead.example").status_code) == (500, 503)


@pytest.mark.parametrize(("differs", "expected"), [(lambda: None, ["rung"]), (unapplied, [])])
def test_a_task_waits_for_the_tables(differs, expected):
    answered.clear()
    differs()

    ring.apply()

    assert answered == expected

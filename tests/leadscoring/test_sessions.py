"""Who does nothing for twelve hours logs in again; who works stays in."""

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

pytestmark = pytest.mark.django_db
HOUR = 3600


@pytest.fixture
def client() -> Client:
    User.objects.create_superuser("root", password="a long password")
    return Client()


def is_in(client: Client) -> bool:
    return client.get("/admin/password_change/").status_code == 200


@pytest.mark.parametrize(
    ("hours", "stays"), [([11], True), ([13], False), ([8, 16, 24], True), ([8, 16, 29], False)]
)
def test_a_session_ends_after_twelve_hours_without_use(client, hours, stays):
    with time_machine.travel("2026-05-04T08:00:00Z", tick=False) as clock:
        began = clock.move_to
        client.login(username="root", password="a long password")
        seen = True
        for hour in hours:
            began(f"2026-05-0{4 + (8 + hour) // 24}T{(8 + hour) % 24:02}:00:00Z")
            seen = is_in(client)

    assert seen is stays


def test_a_page_soon_after_another_writes_nothing(client):
    client.login(username="root", password="a long password")
    before = Session.objects.get().expire_date

    is_in(client)

    assert Session.objects.get().expire_date == before
    assert settings.SESSION_COOKIE_AGE == 12 * HOUR

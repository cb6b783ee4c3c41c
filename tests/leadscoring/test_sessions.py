"""Who does nothing for twelve hours logs in again; who works stays in."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils.timezone import now

from tests.log_in import is_in, send, set_up_app

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_log_in")]
HOUR = 3600


@pytest.fixture
def client() -> Client:
    User.objects.create_superuser("root", password="a long password")
    return Client()


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


# --- one's own sessions -----------------------------------------------------------------------
def logged_in(name: str, agent: str = "Firefox") -> Client:
    client = Client(headers={"user-agent": agent})
    assert send(client, name, "a long password").status_code == 302
    return client


def test_somebody_sees_the_own_sessions_and_ends_one(client):
    User.objects.create_superuser("bob", password="a long password")
    here, there, other = (
        logged_in("root", "Firefox"), logged_in("root", "Old telephone"), logged_in("bob", "Bobs")
    )  # fmt: skip
    page = here.get("/admin/account/")
    shown = page.content.decode()
    assert "Old telephone" in shown
    assert "Bobs" not in shown

    [chosen] = [one for one in page.context["sessions"] if one.user_agent == "Old telephone"]
    here.post("/admin/account/sessions/end/", {"session": chosen.pk})

    assert [is_in(each) for each in (here, there, other)] == [True, False, True]


def test_all_others_are_ended_at_once(client):
    here, there, telephone = logged_in("root"), logged_in("root"), logged_in("root")

    here.post("/admin/account/sessions/end/")

    assert [is_in(each) for each in (here, there, telephone)] == [True, False, False]


def test_nobody_ends_the_session_of_another(client):
    User.objects.create_superuser("bob", password="a long password")
    root, bob = logged_in("root"), logged_in("bob")
    theirs = root.get("/admin/account/").context["sessions"][0]

    bob.post("/admin/account/sessions/end/", {"session": theirs.pk})

    assert is_in(root)


def test_a_new_password_ends_the_others_and_not_the_one_where_it_was_changed(client):
    here, there = logged_in("root"), logged_in("root")

    done = here.post(
        "/admin/password_change/",
        {
            "old_password": "a long password",
            "new_password1": "an even longer one",
            "new_password2": "an even longer one",
        },
    )

    assert done.status_code == 302
    assert [is_in(each) for each in (here, there)] == [True, False]
    assert len(here.get("/admin/account/").context["sessions"]) == 1


def test_a_superuser_ends_the_sessions_of_whose_password_they_change(client):
    bob = User.objects.create_superuser("bob", password="a long password")
    root, theirs = logged_in("root"), logged_in("bob")
    form = {"password1": "an even longer one", "password2": "an even longer one"}

    done = root.post(f"/admin/auth/user/{bob.pk}/password/", form)

    assert done.status_code == 302
    assert [is_in(each) for each in (root, theirs)] == [True, False]


def test_a_superuser_ends_the_sessions_of_whom_they_deactivate(client):
    bob = User.objects.create_superuser("bob", password="a long password")
    root, theirs = logged_in("root"), logged_in("bob")

    root.post(f"/admin/auth/user/{bob.pk}/change/", {"username": "bob", "is_staff": "on"})

    bob.refresh_from_db()
    assert not bob.is_active
    assert [is_in(each) for each in (root, theirs)] == [True, False]


def test_a_session_that_is_over_is_not_shown(client):
    with time_machine.travel("2026-05-04T08:00:00Z", tick=False):
        logged_in("root", "Yesterday")
    with time_machine.travel("2026-05-05T08:00:00Z", tick=False):
        today = logged_in("root", "Today")
        shown = today.get("/admin/account/").content.decode()

    assert "Today" in shown
    assert "Yesterday" not in shown


def test_who_ends_sessions_is_asked_for_the_password_when_the_last_time_is_long_ago(client):
    here, other = logged_in("root"), logged_in("root")

    with time_machine.travel(now() + timedelta(minutes=16)):
        asked = here.post("/admin/account/sessions/end/")

    assert asked["Location"].startswith("/admin/account/confirm/?next=%2Fadmin%2Faccount%2F")
    assert is_in(other)


@pytest.mark.parametrize("page", ["", "app/add/", "passkeys/add/"])
def test_a_page_of_ones_account_is_kept_nowhere(client, page):
    assert "no-store" in logged_in("root").get(f"/admin/account/{page}")["Cache-Control"]


@pytest.mark.parametrize("page", ["recovery-codes/", "recovery-codes/download/"])
def test_recovery_codes_are_kept_nowhere(client, page):
    here = logged_in("root")
    set_up_app(here)

    answer = here.get(f"/admin/account/{page}")

    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)

"""Who gives rights or erases people has proved in the last 15 minutes who they are."""

from urllib.parse import quote

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client

from leadscoring import api_keys
from leadscoring.models import ApiKey, Contact
from tests.log_in import PASSWORD, code_now, send, set_up_app, somebody

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_log_in")]
NINE, LATER = "2026-05-04T09:00:00Z", "2026-05-04T09:16:00Z"


@pytest.fixture
def client() -> Client:
    """Ada, a superuser, logged in at nine."""
    somebody(is_superuser=True)
    client = Client()
    with time_machine.travel(NINE, tick=False):
        send(client)
    return client


def sensitive() -> list[tuple[str, dict[str, object] | None]]:
    """Address and what is sent to it; None: it is read."""
    key, _ = api_keys.create_key("website")
    group, contact = Group.objects.earliest("pk"), Contact.objects.create(email="ada@example.com")
    user = User.objects.get()
    chosen = {"index": 0, "confirmed": "yes"}
    return [
        ("/admin/leadscoring/apikey/add/", None),
        ("/admin/leadscoring/apikey/add/", {"name": "new"}),
        (f"/admin/leadscoring/apikey/{key.pk}/change/", {"name": "renamed"}),
        ("/admin/leadscoring/apikey/", chosen | {"action": "revoke", "_selected_action": key.pk}),
        ("/admin/auth/user/add/", None),
        ("/admin/auth/user/add/", {"username": "new"}),
        (f"/admin/auth/user/{user.pk}/change/", {"username": "renamed"}),
        (f"/admin/auth/user/{user.pk}/password/", {"password1": "x"}),
        (f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"}),
        ("/admin/auth/group/add/", {"name": "new"}),
        (f"/admin/auth/group/{group.pk}/change/", {"name": "renamed"}),
        (f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"}),
        (
            "/admin/leadscoring/contact/",
            chosen | {"action": "erase_contacts", "_selected_action": contact.pk},
        ),
    ]


def asked(client: Client, address: str, sent: dict[str, object] | None) -> bool:
    answer = client.get(address) if sent is None else client.post(address, sent)
    confirm = f"/admin/account/confirm/?next={quote(address, safe='')}"
    return answer.status_code == 302 and answer["Location"] == confirm


def test_what_gives_rights_or_erases_asks_again_after_a_quarter_of_an_hour(client):
    pages = sensitive()
    keys, users, groups = ApiKey.objects.all(), User.objects.all(), Group.objects.all()
    before = [list(rows.order_by("pk").values()) for rows in (keys, users, groups)]

    with time_machine.travel(LATER, tick=False):
        answers = {(address, sent is None): asked(client, address, sent) for address, sent in pages}

    assert [page for page, was_asked in answers.items() if not was_asked] == []
    assert before == [list(rows.order_by("pk").values()) for rows in (keys, users, groups)]
    assert Contact.objects.filter(email="ada@example.com").exists()


def test_soon_after_log_in_nothing_asks(client):
    with time_machine.travel("2026-05-04T09:14:00Z", tick=False):
        answers = {address: asked(client, address, sent) for address, sent in sensitive()}

    assert [address for address, was_asked in answers.items() if was_asked] == []


def test_what_is_only_looked_at_does_not_ask(client):
    with time_machine.travel(LATER, tick=False):
        for address in ("auth/user/", "auth/group/", "leadscoring/apikey/", "leadscoring/contact/"):
            assert client.get(f"/admin/{address}").status_code == 200


def test_the_password_leads_back_to_what_was_asked_for(client):
    address = "/admin/leadscoring/apikey/add/"
    with time_machine.travel(LATER, tick=False):
        page = client.get(address, follow=True)
        assert b"Is it you?" in page.content

        wrong = client.post("/admin/account/confirm/", {"password": "wrong", "next": address})
        assert asked(client, address, None)
        right = client.post("/admin/account/confirm/", {"password": PASSWORD, "next": address})

        assert wrong.status_code == 200
        assert right["Location"] == address
        assert not asked(client, address, None)


def test_a_code_is_proof_too(client):
    with time_machine.travel(NINE, tick=False):
        secret = set_up_app(client)

    with time_machine.travel(LATER, tick=False):
        page = client.get("/admin/account/confirm/?next=/admin/auth/user/add/")
        assert b"/admin/account/confirm/code/" in page.content
        client.post("/admin/account/confirm/code/", {"code": code_now(secret)})

        assert client.get("/admin/auth/user/add/").status_code == 200


def test_nobody_is_led_elsewhere(client):
    sent = {"password": PASSWORD, "next": "https://evil.example/"}

    with time_machine.travel(LATER, tick=False):
        answer = client.post("/admin/account/confirm/", sent)

    assert answer["Location"] == "/admin/"


def test_a_session_made_without_the_form_counts_from_when_it_was_made():
    client = Client()
    with time_machine.travel(NINE, tick=False):
        client.force_login(somebody(is_superuser=True))

    with time_machine.travel(NINE, tick=False):
        assert not asked(client, "/admin/auth/user/add/", None)
    with time_machine.travel(LATER, tick=False):
        assert asked(client, "/admin/auth/user/add/", None)


def test_a_form_with_anothers_password_is_not_kept(client):
    with time_machine.travel(LATER, tick=False):
        client.post("/admin/auth/user/add/", {"username": "new", "password1": "hidden word"})

        assert "hidden word" not in str(dict(client.session))


def test_who_may_not_open_a_page_is_not_asked():
    client = Client()
    with time_machine.travel(NINE, tick=False):
        client.force_login(somebody("bob", is_staff=False))

    with time_machine.travel(LATER, tick=False):
        answer = client.get("/admin/auth/user/add/")

    assert answer["Location"].startswith("/admin/login/")

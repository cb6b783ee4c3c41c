"""Apps, passkeys and recovery codes: set up, asked for, required, lost."""

import json
import logging
from datetime import timedelta
from unittest import mock

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now

from leadscoring.log_in import events
from leadscoring.log_in.adapter import SecondFactorAdapter
from tests.log_in import code_now, is_in, send, set_up_app, somebody

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_log_in")]
CODE = "/admin/login/code/"


@pytest.fixture
def secret() -> str:
    """Ada has an app that shows codes of this secret."""
    client = Client()
    client.force_login(somebody(is_superuser=True))
    return set_up_app(client)


def at_the_code(client: Client | None = None) -> Client:
    client = client or Client()
    answer = send(client, next="/admin/auth/user/")
    assert answer["Location"] == CODE
    return client


def test_who_has_an_app_gives_its_code_too(secret):
    client = at_the_code()
    assert not is_in(client)

    answer = client.post(CODE, {"code": code_now(secret)})

    assert answer["Location"] == "/admin/auth/user/"
    assert is_in(client)


@pytest.mark.parametrize("code", ["000000", "", "x" * 500, "\0"])
def test_a_wrong_code_lets_nobody_in(secret, code):
    client = at_the_code()

    assert client.post(CODE, {"code": code}).status_code == 200
    assert not is_in(client)


def test_a_code_lets_in_once(secret):
    code = code_now(secret)
    at_the_code().post(CODE, {"code": code})
    client = at_the_code()

    answer = client.post(CODE, {"code": code})

    assert answer.status_code == 200
    assert not is_in(client)


def test_codes_are_not_guessed(secret):
    client = at_the_code()

    answers = [client.post(CODE, {"code": f"00000{n}"}) for n in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1]["Retry-After"]
    assert client.post(CODE, {"code": code_now(secret)}).status_code == 429


def test_codes_are_limited_and_let_in_once_while_redis_is_away(secret, settings):
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}
    }
    code = code_now(secret)
    at_the_code().post(CODE, {"code": code})
    client = at_the_code()

    answers = [client.post(CODE, {"code": code}).status_code for _ in range(6)]

    assert answers == [200] * 5 + [429]


def test_a_recovery_code_lets_in_once(secret):
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()

    for expected in (True, False):
        client = at_the_code()
        client.post(CODE, {"code": codes[0]})
        assert is_in(client) is expected


def test_a_wrong_code_is_noted_with_whose_it_was(secret, caplog):
    caplog.set_level(logging.INFO)
    client = at_the_code()
    caplog.clear()

    client.post(CODE, {"code": "000000"})

    [line] = [each for each in caplog.records if each.name == events.__name__]
    assert line.facts["event"] == "refused"
    assert line.facts["user"] == User.objects.get().pk
    assert "000000" not in caplog.text


def test_setting_up_and_removing_are_noted(caplog):
    caplog.set_level(logging.INFO)
    client = Client()
    client.force_login(somebody())

    # The signals wait for the end of the transaction, which is the test's.
    with mock.patch("django.db.transaction.on_commit", lambda call, **_: call()):
        set_up_app(client)
        client.post("/admin/account/recovery-codes/new/")
    client.post("/admin/account/app/remove/")

    said = [each.facts["event"] for each in caplog.records if each.name == events.__name__]
    assert said[-5:-3] == ["second_factor_added"] * 2
    assert said[-3:] == ["recovery_codes_made", *["second_factor_removed"] * 2]
    assert not Authenticator.objects.exists()


def test_recovery_codes_are_downloaded_as_they_are_shown(secret):
    client = Client()
    client.force_login(User.objects.get())
    shown = client.get("/admin/account/recovery-codes/").context["unused_codes"]

    file = client.get("/admin/account/recovery-codes/download/").content.decode()

    assert len(shown) == 10
    assert file.split() == shown


def test_the_database_alone_gives_nobody_a_code(secret):
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))

    assert secret not in kept


def test_with_another_secret_key_no_code_is_right_and_no_page_fails(secret, settings):
    settings.SECRET_KEY = "another" * 10
    client = at_the_code()

    assert client.post(CODE, {"code": code_now(secret)}).status_code == 200
    assert SecondFactorAdapter().decrypt("x") != SecondFactorAdapter().decrypt("x")


def test_codes_outlive_a_change_of_the_secret_key_that_names_the_former_one(secret, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    client = at_the_code()

    assert client.post(CODE, {"code": code_now(secret)}).status_code == 302


def test_a_passkey_belongs_to_the_public_address(settings):
    settings.BASE_URL = "https://leads.example:8443"
    client = Client(headers={"host": "localhost"})
    client.force_login(somebody())

    asked = client.get("/admin/account/passkeys/add/").context["js_data"]["creation_options"]

    assert asked["publicKey"]["rp"]["id"] == "leads.example"


@pytest.mark.parametrize(
    "made_up",
    ["", "x", "{}", "[]", "7", '{"id": 1, "response": null}', '{"id": "x", "rawId": "x", "response": {}}'],
)  # fmt: skip
def test_what_is_no_passkey_is_refused(secret, made_up):
    client = at_the_code()

    for address in (CODE, "/admin/account/confirm/passkey/", "/admin/account/passkeys/add/"):
        assert client.post(address, {"credential": made_up}).status_code in (200, 302)
    assert not is_in(client)


@pytest.mark.parametrize("made_up", ["{}", "[]", "7", '{"id": 1, "response": null}'])
def test_what_is_no_passkey_is_not_added(made_up):
    client = Client()
    client.force_login(somebody())
    client.get("/admin/account/passkeys/add/")

    sent = {"credential": made_up, "name": "x"}

    assert client.post("/admin/account/passkeys/add/", sent).status_code == 200
    assert not Authenticator.objects.exists()


def test_anothers_passkey_cannot_be_seen_renamed_or_removed(secret):
    theirs = Authenticator.objects.create(
        user=User.objects.get(), type="webauthn", data={"name": "x", "credential": {}}
    )
    client = Client()
    client.force_login(somebody("bob"))

    for verb in ("rename", "remove"):
        for ask in (client.get, client.post):
            assert ask(f"/admin/account/passkeys/{theirs.pk}/{verb}/").status_code == 404


# --- required ---------------------------------------------------------------------------------
def test_who_must_have_one_sets_it_up_before_anything_else(settings):
    settings.REQUIRE_SECOND_FACTOR = True
    client = Client()
    client.force_login(somebody(is_superuser=True))

    for path in ("/admin/", "/admin/leadscoring/contact/", "/admin/password_change/"):
        assert client.get(path)["Location"] == "/admin/account/"
    assert b"Set up a second factor first" in client.get("/admin/account/").content

    set_up_app(client)

    assert client.get("/admin/").status_code == 200


def test_nobody_must_have_one_by_default():
    client = Client()
    client.force_login(somebody())

    assert client.get("/admin/").status_code == 200


def test_programs_need_none(settings):
    settings.REQUIRE_SECOND_FACTOR = True

    assert Client().get("/api/v1/contacts/ada@example.com").status_code == 401
    assert Client().get("/healthz").status_code == 200


# --- lost -------------------------------------------------------------------------------------
def test_the_command_helps_who_lost_it(secret, capsys):
    call_command("remove_second_factor", "ada")

    assert "removed" in capsys.readouterr().out
    client = Client()
    assert send(client)["Location"] == "/admin/"
    assert is_in(client)


def test_a_superuser_helps_who_lost_it(secret):
    bob = Client()
    bob.force_login(somebody("bob", is_superuser=True))
    chosen = {
        "action": "remove_second_factors", "_selected_action": User.objects.get(username="ada").pk,
        "index": 0,
    }  # fmt: skip

    page = bob.post("/admin/auth/user/", chosen)
    assert b"Be sure who asked you" in page.content
    bob.post("/admin/auth/user/", chosen | {"confirmed": "yes"})

    assert not Authenticator.objects.exists()


def test_somebody_else_does_not(secret):
    bob = somebody("bob")
    bob.user_permissions.set(Permission.objects.filter(codename__endswith="_user"))
    client = Client()
    client.force_login(bob)

    client.post(
        "/admin/auth/user/",
        {
            "action": "remove_second_factors", "index": 0, "confirmed": "yes",
            "_selected_action": User.objects.get(username="ada").pk,
        },
    )  # fmt: skip

    assert Authenticator.objects.count() == 2


def test_removing_it_needs_a_recent_password(secret):
    client = at_the_code()
    client.post(CODE, {"code": code_now(secret)})

    with time_machine.travel(now() + timedelta(minutes=16)):
        answer = client.post("/admin/account/app/remove/")

    assert answer["Location"].startswith("/admin/account/confirm/")
    assert Authenticator.objects.filter(type="totp").exists()

"""The company's directory lets in who has an account here, and nobody else."""

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from tests.leadscoring.directory import CLIENT, Directory, running_directory
from tests.log_in import PASSWORD, is_in, set_up_app, somebody

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_log_in")]
BEGIN = "/admin/login/company/"
CALLBACK = "/admin/login/company/callback/"


@pytest.fixture
def directory(settings: Any) -> Iterator[Directory]:
    with running_directory() as running:
        settings.OIDC_ISSUER = running.url
        [app] = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
        own = {"server_url": running.url, "oauth_pkce_enabled": True}
        there = {
            "client_id": CLIENT["client_id"],
            "secret": CLIENT["client_secret"],
            "settings": own,
        }
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app | there]}}
        yield running


def through(client: Client, address: str = BEGIN) -> Any:
    """Go to the directory as a browser does, and come back."""
    away = client.get(address)
    assert away.status_code == 302, away.content
    if not away["Location"].startswith("http"):
        return away
    there = urlsplit(away["Location"])
    connection = http.client.HTTPConnection(there.netloc, timeout=10)
    connection.request("GET", f"{there.path}?{there.query}")
    back = urlsplit(connection.getresponse().headers["Location"])
    connection.close()
    return client.get(f"{back.path}?{back.query}")


def test_who_has_an_account_gets_in_and_is_led_on(directory):
    somebody(email="Ada@Northwind.example")
    client = Client()

    answer = through(client, f"{BEGIN}?next=/admin/auth/user/")

    assert answer["Location"] == "/admin/auth/user/"
    assert is_in(client)


def test_the_account_stays_as_it_is(directory):
    somebody(email="ada@northwind.example")

    through(Client())

    assert User.objects.get().check_password(PASSWORD)
    assert not SocialAccount.objects.exists()


def test_the_button_is_on_the_page(directory):
    page = Client().get("/admin/login/?next=/admin/auth/user/").content.decode()

    assert f'href="{BEGIN}?next=%2Fadmin%2Fauth%2Fuser%2F"' in page


@pytest.mark.parametrize(
    ("accounts", "told"),
    [
        ([], {}),
        ([{"email": "other@northwind.example"}], {}),
        ([{"email": ""}], {"email": ""}),
        ([{"is_staff": False}], {}),
        ([{"is_active": False}], {}),
        ([{}, {}], {}),
        ([{}], {"email_verified": False}),
        ([{}], {"email_verified": "no"}),
        ([{}], {"email_verified": None}),
        ([{}], {"email": None}),
        ([{}], {"sub": "2"}),
    ],
)
def test_nobody_else_gets_in(directory, accounts, told):
    for number, fields in enumerate(accounts):
        somebody(f"ada{number}", **({"email": "ada@northwind.example"} | fields))
    directory.person |= told
    client = Client()

    answer = through(client)

    assert answer["Location"] == "/admin/login/"
    assert b"did not let you in" in client.get("/admin/login/").content
    assert not is_in(client)
    assert User.objects.count() == len(accounts)


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://evil.example"}, {"aud": "another"}, {"exp": 1}, {"sub": "2"}],
)
def test_a_token_for_somebody_or_something_else_is_not_taken(directory, claims):
    somebody(email="ada@northwind.example")
    directory.claims = claims
    client = Client()

    assert through(client)["Location"] == "/admin/login/"
    assert not is_in(client)


@pytest.mark.parametrize("page", ["openid-configuration", "token", "userinfo"])
def test_a_directory_that_answers_nonsense_lets_nobody_in(directory, page):
    somebody(email="ada@northwind.example")
    directory.broken = {page}
    client = Client()

    assert through(client)["Location"] == "/admin/login/"
    assert not is_in(client)


def test_a_directory_that_is_away_lets_nobody_in(directory, settings):
    [app] = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    app["settings"] = {"server_url": "http://127.0.0.1:9"}

    assert Client().get(BEGIN)["Location"] == "/admin/login/"


@pytest.mark.parametrize("query", ["", "?code=7", "?code=7&state=made-up", "?error=access_denied"])
def test_who_did_not_begin_here_is_not_let_in(directory, query):
    client = Client()

    assert client.get(f"{CALLBACK}{query}")["Location"] == "/admin/login/"


@pytest.mark.parametrize("query", ["process=connect", "process=redirect&next=/admin/"])
def test_nobody_ties_another_identity_to_an_account(directory, query):
    client = Client()
    client.force_login(somebody(email="bob@northwind.example"))

    through(client, f"{BEGIN}?{query}")

    assert not SocialAccount.objects.exists()


def test_who_has_a_second_factor_here_gives_it_too(directory):
    owner = Client()
    owner.force_login(somebody(email="ada@northwind.example"))
    set_up_app(owner)
    assert Authenticator.objects.exists()
    client = Client()

    assert through(client)["Location"] == "/admin/login/code/"
    assert not is_in(client)


def test_who_has_no_password_proves_it_to_the_company_again(directory):
    User.objects.create_superuser("ada", "ada@northwind.example")
    client = Client()
    with time_machine.travel("2026-05-04T09:00:00Z", tick=False):
        through(client)

    with time_machine.travel("2026-05-04T09:16:00Z", tick=False):
        asked = client.get("/admin/auth/user/add/")
        assert asked["Location"].startswith(BEGIN)
        back = through(client, asked["Location"])
        assert back["Location"] == "/admin/auth/user/add/"
        assert client.get("/admin/auth/user/add/").status_code == 200

    assert directory.asked[-1]["prompt"] == "login"


@pytest.mark.parametrize("path", [BEGIN, CALLBACK, "/admin/login/other/callback/"])
def test_without_a_directory_there_is_no_such_page(path):
    assert Client().get(path).status_code == 404

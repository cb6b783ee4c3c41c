"""A wrong or missing setting stops the start with one sentence that names it."""

import subprocess
import sys

import pytest

from sandbox.demo.stage import CHECKOUT

pytestmark = pytest.mark.processes

GOOD = {
    "SECRET_KEY": "made-up-for-this-test-0123456789-abcdefghijk",
    "DEBUG": "off",
    "BASE_URL": "https://leads.example",
    "ALLOWED_HOSTS": "leads.example",
    "CSRF_TRUSTED_ORIGINS": "https://leads.example",
    "DATABASE_URL": "postgres://user:hidden-word@127.0.0.1:9/leads",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "EMAIL_URL": "smtp://127.0.0.1:25",
    "HUBSPOT_ACCESS_TOKEN": "",
    "HUBSPOT_BASE_URL": "https://api.hubapi.com",
    "CRM_POLL_SECONDS": "60",
    "CRM_MAX_AGE_SECONDS": "900",
    "HUBSPOT_REQUESTS_PER_10S": "100",
}


def started(show: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    """A start of Django with exactly these settings; `show` is an expression to print."""
    program = f"from leadscoring import settings; print({show})"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=CHECKOUT, env={"PATH": "/usr/bin:/bin", **GOOD, **settings},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("DEBUG", "perhaps"),
        ("REQUIRE_SECOND_FACTOR", "perhaps"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "hidden-word"),
        ("BASE_URL", "leads.example"),
        ("BASE_URL", "ftp://leads.example"),
        ("ALLOWED_HOSTS", "*"),
        ("CSRF_TRUSTED_ORIGINS", "leads.example"),
        ("DATABASE_URL", "mysql://user:hidden-word@127.0.0.1/leads"),
        ("DATABASE_URL", "sqlite:///leads.db"),
        ("DATABASE_URL", "hidden-word"),
        ("REDIS_URL", "amqp://hidden-word@127.0.0.1"),
        ("BASE_URL", ""),
        ("EMAIL_URL", ""),
        ("EMAIL_URL", "hidden-word"),
        ("EMAIL_URL", "consolemail://"),
        ("EMAIL_URL", "dummymail://"),
        ("DEFAULT_FROM_EMAIL", "hidden-word"),
        ("ANYMAIL", "hidden-word"),
        ("ANYMAIL", '["hidden-word"]'),
        ("ANYMAIL", '{"WEBHOOK_SECRET": "hidden-word"}'),
        ("SENTRY_DSN", "hidden-word"),
        ("HUBSPOT_ACCESS_TOKEN", "hidden-word with spaces"),
        ("HUBSPOT_BASE_URL", "api.hubapi.com"),
        ("HUBSPOT_API_VERSION", "v3"),
        ("SALESFORCE_LOGIN_URL", "hidden-word"),
        ("SALESFORCE_LOGIN_URL", "http://example.my.salesforce.com"),
        ("SALESFORCE_CLIENT_SECRET", "hidden-word with spaces"),
        ("SALESFORCE_API_VERSION", "hidden-word"),
        ("PIPEDRIVE_API_TOKEN", "hidden-word with spaces"),
        ("PIPEDRIVE_BASE_URL", "api.pipedrive.com"),
        ("CRM", "nobody"),
        ("CRM", "../hubspot"),
        ("CRM_POLL_SECONDS", "soon"),
        ("CRM_POLL_SECONDS", "0"),
        ("CRM_MAX_AGE_SECONDS", "-1"),
        ("HUBSPOT_REQUESTS_PER_10S", "many"),
        ("ACCESS_LOG_DAYS", "0"),
        ("ANONYMOUS_DAYS", "0"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence_that_names_it_and_hides_its_value(
    name, value
):
    start = started(**{name: value})

    assert start.returncode == 2, start.stderr
    assert start.stderr.count("\n") == 1
    assert start.stderr.startswith("Not started: ")
    assert name in start.stderr
    assert "hidden-word" not in start.stderr


def test_credentials_of_two_crms_need_a_word_which():
    two = {"HUBSPOT_ACCESS_TOKEN": "hidden-word", "PIPEDRIVE_API_TOKEN": "hidden-word"}

    start = started(**two)

    assert start.returncode == 2
    assert start.stderr == (
        "Not started: CRM must say which: there are credentials of hubspot and pipedrive.\n"
    )
    assert started("settings.CRM", CRM="hubspot", **two).stdout == "hubspot\n"


OIDC = {
    "OIDC_ISSUER": "https://login.example",
    "OIDC_CLIENT_ID": "leads",
    "OIDC_CLIENT_SECRET": "hidden-word",
}


@pytest.mark.parametrize(
    "wrong", [*({name: ""} for name in OIDC), {"OIDC_ISSUER": "http://login.example"}]
)
def test_the_companys_log_in_is_set_as_a_whole_and_over_https(wrong):
    start = started(**OIDC | wrong)

    assert start.returncode == 2
    assert next(iter(wrong)) in start.stderr
    assert "hidden-word" not in start.stderr
    assert started("settings.OIDC_ISSUER", **OIDC).stdout == "https://login.example\n"


def test_mail_can_be_switched_off():
    assert started("settings.MAIL_OFF", EMAIL_URL="off").stdout == "True\n"


def test_for_a_try_mails_are_printed_and_links_lead_to_this_machine():
    show = "settings.EMAIL_BACKEND.split('.')[-2], settings.BASE_URL"

    tried = started(show, DEBUG="on", EMAIL_URL="", BASE_URL="")

    assert tried.stdout == "console http://localhost:8000\n"


def test_good_settings_start():
    assert started(show="'started'").stdout == "started\n"


def test_https_outside_turns_on_what_keeps_cookies_and_pages_safe():
    names = "SECURE_SSL_REDIRECT SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SECURE_HSTS_SECONDS SECURE_PROXY_SSL_HEADER"
    show = f"[bool(getattr(settings, name)) for name in {names.split()}]"

    assert started(show).stdout == "[True, True, True, True, True]\n"
    assert (
        started(show, BASE_URL="http://leads.example").stdout
        == "[False, False, False, False, False]\n"
    )


@pytest.mark.parametrize(
    ("address", "given", "proxies"),
    [
        ("https://leads.example", {}, 1),
        ("http://leads.example", {}, 0),
        ("https://leads.example", {"TRUSTED_PROXIES": "2"}, 2),
        ("https://leads.example", {"TRUSTED_PROXIES": "0"}, 0),
    ],
)
def test_a_site_with_tls_stands_behind_one_proxy_unless_said_otherwise(address, given, proxies):
    start = started("settings.ALLAUTH_TRUSTED_PROXY_COUNT", BASE_URL=address, **given)

    assert start.stdout == f"{proxies}\n"


def test_a_command_that_cannot_start_exits_2_with_the_sentence():
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=CHECKOUT, env={"PATH": "/usr/bin:/bin", **GOOD, "SECRET_KEY": "short"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)

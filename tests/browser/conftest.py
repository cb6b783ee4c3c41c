"""The admin in a real browser, under its content security policy. Skipped loudly where there is no Chromium."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, ConsoleMessage, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.in_flight import in_flight

__all__ = ["in_flight"]

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture
def people(transactional_db: None, settings: Settings) -> None:
    """A crowd, somebody with the longest of names, and a superuser."""
    # This file is read before there are settings, which models need.
    from django.contrib.auth.models import User

    from crm_sync.models import Account
    from leadscoring import api_keys
    from leadscoring.models import AccessEntry, Company, Contact
    from tests.bench import crowd

    # Slow to guess is slow to make and to check, in each test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    list(crowd.make(120, now() - timedelta(minutes=1)))
    Contact.objects.filter(pk=Contact.objects.earliest("pk").pk).update(
        first_name=LONG, last_name=LONG, email=f"{LONG[:60].lower()}@example.com", job_title=LONG,
        company=Company.objects.create(name=LONG), properties={LONG: LONG},
    )  # fmt: skip
    api_keys.create_key("website")
    AccessEntry.objects.create(
        at=now(), way="person", place="contacts", by="anna",
        people=list(Contact.objects.values_list("pk", flat=True)),
    )  # fmt: skip
    Account.objects.create(account_id="77", seen_at=now())
    User.objects.create_superuser("root", password="root")


@pytest.fixture
def scheme() -> Literal["light", "dark"]:
    """Which colours the person's system prefers."""
    return "light"


@pytest.fixture
def page(browser: Browser, people: None, live_server: LiveServer, scheme: Any) -> Iterator[Page]:
    """The home page, signed in by hand; no script may fail and nothing be refused on any page."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    context = browser.new_context(
        base_url=live_server.url, color_scheme=scheme, viewport={"width": 1400, "height": 900}
    )
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", note)
    opened.goto("/admin/login/")
    opened.fill("#id_username", "root")
    opened.fill("#id_password", "root")
    opened.click("button[type=submit]")
    opened.wait_for_selector("#loop")
    yield opened
    context.close()
    assert errors == []

"""Setting up a second factor and logging in with it, in a real browser."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.log_in import PASSWORD, code_now, forget_tries


@pytest.fixture
def page(
    browser: Browser, transactional_db: None, live_server: LiveServer, settings: Settings
) -> Iterator[Page]:
    """The log-in page; no script may fail and nothing be refused on any page."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.BASE_URL = live_server.url
    forget_tries()
    User.objects.create_superuser("root", password=PASSWORD)
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    context = browser.new_context(base_url=live_server.url, viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", note)
    opened.goto("/admin/")
    yield opened
    context.close()
    assert errors == []


def log_in(page: Page) -> None:
    page.fill("#id_username", "root")
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")


def log_out(page: Page) -> None:
    page.goto("/admin/")
    with page.expect_navigation():
        page.evaluate("document.getElementById('logout-form').submit()")
    page.goto("/admin/")


def test_an_app_is_set_up_and_asked_for(page: Page) -> None:
    log_in(page)
    page.click("text=root >> nth=0")
    page.click("text=Account security >> nth=0")
    page.click("text=Set up an app")
    assert page.evaluate("document.querySelector('.ls-qr').naturalWidth > 0")
    secret = page.inner_text("#secret")
    page.fill("#id_code", code_now(secret))
    page.click("text=Switch on")
    expect(page.locator("#recovery_codes li")).to_have_count(10)

    log_out(page)
    log_in(page)
    page.fill("#id_code", "000000")
    page.click("button:has-text('Log in')")
    expect(page.locator("#code_errors")).to_contain_text("not right")
    page.fill("#id_code", code_now(secret))
    page.click("button:has-text('Log in')")

    page.wait_for_selector("#loop")


def test_a_passkey_is_added_and_asked_for(page: Page) -> None:
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True,
                     "isUserVerified": True, "automaticPresenceSimulation": True}},
    )  # fmt: skip
    log_in(page)
    page.goto("/admin/account/passkeys/add/")
    page.fill("#id_name", "Laptop")
    page.click("#add_passkey")
    page.wait_for_selector("#recovery_codes")
    page.goto("/admin/account/")
    expect(page.locator("text=Laptop")).to_be_visible()

    log_out(page)
    log_in(page)
    page.click("#use_passkey")

    page.wait_for_selector("#loop")


@pytest.mark.parametrize("width", [390, 1400])
def test_no_page_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    addresses = ["account/", "account/app/add/", "account/passkeys/add/", "account/confirm/"]

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    log_in(page)
    page.wait_for_selector("#loop")
    for address in addresses:
        page.goto(f"/admin/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address

"""A pasted form in a real browser, on a website of another origin: without any script, and with one."""

from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Error, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

SEND = """async address => {
    const answer = await fetch(address, {method: "POST", body: new FormData(document.forms[0])});
    return [answer.status, await answer.json()];
}"""


@dataclass
class Website:
    """A website by two names, of which the form allows the first."""

    port: int
    html: str = ""

    @property
    def allowed(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stranger(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture
def website(
    transactional_db: None, live_server: LiveServer, settings: Settings
) -> Iterator[Website]:
    """A website with the HTML that the page of a form shows."""
    from leadscoring.intake.forms.paste import form_html
    from leadscoring.models import Form

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            thanks = self.path == "/thanks"
            self.wfile.write(b"<h1>Many thanks</h1>" if thanks else site.html.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Website(server.server_port)
    cache.clear()
    settings.BASE_URL = live_server.url
    form = Form.objects.create(
        name="contact", origins=site.allowed, thank_you=f"{site.allowed}/thanks"
    )
    form.fields.create(name="Your mail", becomes="email")
    form.fields.create(name="No mails, please", becomes="no_mail")
    site.html = form_html(form)
    Thread(target=server.serve_forever, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


def visit(browser: Browser, site: str, scripts: bool) -> Page:
    """Open the page of a website with the form on it, and fill it in."""
    page = browser.new_context(java_script_enabled=scripts).new_page()
    page.goto(f"{site}/contact")
    page.fill("input[type=email]", "ada@example.com")
    return page


def people() -> list[tuple[str | None, list[str]]]:
    from leadscoring.models import Contact

    return [
        (one.email, list(one.activities.values_list("type", flat=True)))
        for one in Contact.objects.order_by("pk")
    ]


def test_a_pasted_form_needs_no_script_and_leads_to_the_thank_you_page(
    browser: Browser, website: Website
) -> None:
    from sequences.models import Suppression

    page = visit(browser, website.allowed, scripts=False)
    assert not page.locator("input[name=your_fax]").is_visible()
    page.click("text=Send")

    expect(page.locator("h1")).to_have_text("Many thanks")
    assert page.url == f"{website.allowed}/thanks"
    assert people() == [("ada@example.com", ["form_submit"])]
    assert not Suppression.objects.exists()
    page.context.close()


def test_a_double_click_is_one_submission_and_a_ticked_wish_is_kept(
    browser: Browser, website: Website
) -> None:
    from sequences.models import Suppression

    page = visit(browser, website.allowed, scripts=False)
    page.check("input[type=checkbox]")
    page.dblclick("text=Send", no_wait_after=True)

    expect(page.locator("h1")).to_have_text("Many thanks")
    assert people() == [("ada@example.com", ["form_submit"])]
    assert Suppression.objects.get().email == "ada@example.com"
    page.context.close()


def test_a_script_of_an_allowed_website_sends_it_and_of_another_cannot(
    browser: Browser, website: Website, live_server: LiveServer
) -> None:
    address = f"{live_server.url}/forms/contact"
    page = visit(browser, website.allowed, scripts=True)
    stranger = visit(browser, website.stranger, scripts=True)

    assert page.evaluate(SEND, address) == [200, {"success": True}]
    with pytest.raises(Error, match="Failed to fetch"):
        stranger.evaluate(SEND, address)
    stranger.click("text=Send")
    expect(stranger.locator("h1")).to_have_text("This could not be sent")

    assert people() == [("ada@example.com", ["form_submit"])]
    page.context.close()
    stranger.context.close()

"""The snippet in a real browser, on pages of another host under a strict content security policy.

Skipped loudly where there is no Chromium.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from leadscoring import api_keys
from leadscoring.intake.forms.paste import form_html
from leadscoring.models import Activity, Contact, Form, Visitor, WaitingActivity

FORM = """<form data-lead-event="Demo Requested" action="/thanks" method="post">
    <input type="email" name="mail"><input name="first_name" value="Ada"><input name="card" value="4111">
    <button>Send</button></form>"""
LINKS = """<a href="/pricing" data-lead-event="Pricing Opened">Pricing</a>
    <button type="button" data-lead-consent="yes">Agree</button>
    <button type="button" data-lead-consent="no">Do not agree</button>"""


class Site(ThreadingHTTPServer):
    """The pages of a company: each has the snippet, and nothing inline but data."""

    daemon_threads = True

    def __init__(self, ours: str, write_key: str) -> None:
        super().__init__(("127.0.0.1", 0), PageOfSite)
        self.ours = ours
        self.script = f'data-key="{write_key}"'
        self.body = FORM + LINKS
        self.policy = f"default-src 'none'; script-src {ours}; connect-src {ours}"

    def address(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"


class PageOfSite(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        site = self.server
        page = f"""<!doctype html><title>{self.path}</title>
            <script async src="{site.ours}/s.js" {site.script}></script>{site.body}"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", site.policy)
        self.send_header("Referrer-Policy", "unsafe-url")
        self.end_headers()
        self.wfile.write(page.encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site(live_server: LiveServer) -> Iterator[Site]:
    with Site(live_server.url, api_keys.create_key("website", write_only=True)[1]) as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A browser in which no script may fail and the pages' policy refuses nothing."""
    errors: list[str] = []
    context = browser.new_context()
    context.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    context.on("weberror", lambda failed: errors.append(str(failed.error)))
    yield context
    context.close()
    assert [one for one in errors if "favicon" not in one and "Failed to load" not in one] == []


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    return visitor.new_page()


@pytest.fixture
def sent(visitor: BrowserContext) -> list[Request]:
    """What is asked of us beside the script."""
    asked: list[Request] = []
    visitor.on("request", lambda one: asked.append(one) if "/v1/" in one.url else None)
    return asked


def soon(found: Callable[[], Any]) -> Any:
    """Return what is found as soon as there is something, within ten seconds."""
    for _ in range(200):
        if it := found():
            return it
        time.sleep(0.05)
    return found()


def ready(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function("window.leads && window.leads.on")


def seen() -> list[str]:
    """The addresses that visitors looked at, oldest first; whose they are is not known yet."""
    views = WaitingActivity.objects.filter(type="page_view").order_by("occurred_at")
    return [re.sub(r"^http://[^/]*", "", str(one.properties["url"])) for one in views]


def acts(email: str = "ada@example.com") -> list[str]:
    found = Activity.objects.filter(contact__email=email).order_by("occurred_at")
    return list(found.values_list("type", flat=True))


def traces(page: Page) -> tuple[int, list[str]]:
    """What the browser keeps: how many cookies, and the names in the page's storages."""
    names = page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    return len(page.context.cookies()), names


def submit(page: Page, email: str = "ada@example.com") -> None:
    page.fill("[type=email]", email)
    page.click("form button")


def test_a_pasted_form_joins_what_its_visitor_looked_at_before(
    page: Page, site: Site, settings: Settings, live_server: LiveServer
) -> None:
    settings.BASE_URL = live_server.url
    site.body = form_html(Form.objects.create(name="contact", origins=site.address("")))
    ready(page, site.address("/pricing"))
    assert soon(seen) == ["/pricing"]

    submit(page)

    assert soon(lambda: acts() if "form_submit" in acts() else None) == ["page_view", "form_submit"]


def test_before_consent_there_is_no_trace(page: Page, site: Site, sent: list[Request]) -> None:
    site.script += ' data-consent="required" data-email="ada@example.com"'
    ready(page, site.address("/?utm_source=news"))
    page.evaluate("leads('track', 'Watched'); leads('identify', {email: 'ada@example.com'})")
    page.click("text=Pricing")
    submit(page)
    page.wait_for_url("**/thanks")
    ready(page, site.address("/last"))
    page.wait_for_timeout(300)

    assert traces(page) == (0, [])
    assert sent == []
    assert not Visitor.objects.exists()


def test_with_consent_and_a_form_earlier_views_count_at_their_times(page: Page, site: Site) -> None:
    site.script += ' data-consent="required"'
    before = now()
    ready(page, site.address("/?utm_source=news&utm_campaign=spring"))
    page.click("text=Agree >> nth=0")
    page.wait_for_function("localStorage.leads_id")
    page.click("text=Pricing")
    page.wait_for_url("**/pricing")
    assert soon(lambda: len(seen()) == 2)
    between = now()

    submit(page)

    assert soon(lambda: len(acts()) == 5)
    assert acts() == ["page_view", "pricing_opened", "page_view", "demo_requested", "page_view"]
    ada = Contact.objects.get()
    assert (ada.first_name, ada.properties.get("card")) == ("Ada", None)
    first = ada.activities.earliest("occurred_at")
    assert first.properties["utm_campaign"] == "spring"
    assert before - timedelta(seconds=1) < first.occurred_at < between
    second = ada.activities.filter(type="page_view").order_by("occurred_at")[1]
    assert second.properties["referrer"].endswith("?utm_source=news&utm_campaign=spring")
    assert page.context.cookies() == []


def test_consent_that_is_withdrawn_takes_all_with_it(
    page: Page, site: Site, sent: list[Request]
) -> None:
    site.script += ' data-consent="required"'
    ready(page, site.address())
    page.evaluate("leads('consent', true)")
    assert soon(seen) == ["/"]

    page.click("text=Do not agree")
    asked = len(sent)
    page.click("text=Pricing")
    ready(page, site.address("/more"))
    page.wait_for_timeout(300)

    assert traces(page) == (0, [])
    assert len(sent) == asked
    assert seen() == ["/"]


def test_without_a_question_a_no_is_remembered(page: Page, site: Site) -> None:
    ready(page, site.address())
    assert soon(seen) == ["/"]

    page.click("text=Do not agree")
    ready(page, site.address("/more"))
    page.wait_for_timeout(300)

    assert traces(page) == (0, ["leads_consent"])
    assert seen() == ["/"]
    page.click("text=Agree >> nth=0")
    assert soon(lambda: seen() == ["/", "/more"])


@pytest.mark.parametrize(
    "wish",
    [
        "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})",
        "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})",
        "Object.defineProperty(navigator, 'userAgent', {value: 'Mozilla/5.0 (compatible; Googlebot/2.1)'})",
    ],
    ids=["Global Privacy Control", "Do Not Track", "a robot"],
)
def test_who_does_not_want_to_be_followed_is_not(
    page: Page, site: Site, sent: list[Request], wish: str
) -> None:
    page.add_init_script(wish)
    ready(page, site.address())
    page.evaluate("leads('consent', true); leads('identify', {email: 'ada@example.com'})")
    page.click("text=Pricing")
    page.wait_for_url("**/pricing")
    page.wait_for_timeout(300)

    assert traces(page) == (0, [])
    assert sent == []


def test_an_application_of_one_page_counts_each_address_once(page: Page, site: Site) -> None:
    ready(page, site.address("/app"))
    for step in (
        "history.pushState({}, '', '/app/a'); document.title = 'A'",
        "history.replaceState({}, '', '/app/a')",
        "location.hash = 'place'",
        "location.hash = '#/inbox'",
        "history.pushState({}, '', '/passed'); history.replaceState({}, '', '/app/b')",
    ):
        page.evaluate(step)
        page.wait_for_timeout(200)
    page.go_back()

    assert soon(lambda: len(seen()) == 5)
    assert seen() == ["/app", "/app/a", "/app/a#/inbox", "/app/b", "/app/a#/inbox"]
    views = WaitingActivity.objects.order_by("occurred_at")
    assert views[1].properties["title"] == "A"
    assert views[1].properties["referrer"] == site.address("/app")


def test_calls_made_before_the_script_is_there_are_kept(page: Page, site: Site) -> None:
    page.add_init_script(
        "window.leads = function () { (leads.q = leads.q || []).push(arguments) };"
        "leads('identify', {email: 'ada@example.com'}); leads('track', 'Watched a Film', {minutes: 3})"
    )
    ready(page, site.address())

    assert soon(lambda: len(acts()) == 2)
    film = Activity.objects.get(type="watched_a_film")
    assert film.properties["minutes"] == 3


def test_who_is_signed_in_is_said_without_a_line_of_script(page: Page, site: Site) -> None:
    site.script += ' data-email="ada@example.com" data-user-id="7"'
    ready(page, site.address())

    assert soon(acts) == ["page_view"]
    assert Contact.objects.get().external_id == "7"


def test_what_happens_as_the_page_closes_arrives(page: Page, site: Site) -> None:
    ready(page, site.address())
    assert soon(seen) == ["/"]
    page.evaluate("leads('track', 'Left')")
    page.close(run_before_unload=True)

    assert soon(lambda: WaitingActivity.objects.filter(type="left").count()) == 1


def test_what_could_not_be_sent_is_sent_later_and_counts_once(
    page: Page, site: Site, visitor: BrowserContext
) -> None:
    visitor.route("**/v1/batch", lambda route: route.fulfill(status=503))
    ready(page, site.address())
    page.evaluate("leads('track', 'Watched')")
    page.wait_for_timeout(300)
    assert len(traces(page)[1]) == 3

    visitor.unroute("**/v1/batch")
    ready(page, site.address("/later"))

    assert soon(lambda: seen() == ["/", "/later"])
    assert WaitingActivity.objects.filter(type="watched").count() == 1
    assert soon(lambda: traces(page)[1] == ["leads_id"])


def test_an_answer_that_is_lost_doubles_nothing(
    page: Page, site: Site, visitor: BrowserContext
) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    visitor.route("**/v1/batch", lose, times=1)
    with page.expect_event("requestfailed"):
        ready(page, site.address())
    assert seen() == ["/"]

    assert soon(lambda: traces(page)[1] == ["leads_id"])
    assert seen() == ["/"]


def test_without_storage_a_page_is_counted_all_the_same(page: Page, site: Site) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden') }})"
    )
    ready(page, site.address())

    assert soon(seen) == ["/"]


def test_from_one_domain_to_another_it_is_one_visitor(page: Page, site: Site) -> None:
    site.script += ' data-domains="localhost 127.0.0.1"'
    site.body += f'<a id="other" href="{site.address("/there?a=1&b", "localhost")}">There</a>'
    ready(page, site.address("/here"))
    assert soon(seen) == ["/here"]

    with page.expect_response("**/v1/link"):
        page.hover("#other")
    with page.expect_response("**/v1/join"):
        page.click("#other")
    page.wait_for_function("window.leads && window.leads.on")
    submit(page)

    assert page.url.endswith("/thanks")
    assert soon(lambda: len(acts()) == 4)
    views = Activity.objects.filter(type="page_view").order_by("occurred_at")
    assert [str(one.properties["url"]).rpartition("/")[2] for one in views] == [
        "here",
        "there?a=1&b",
        "thanks",
    ]
    assert not Activity.objects.filter(properties__url__contains="leads_link").exists()


def test_a_marketer_makes_a_website_and_sees_the_first_event_arrive(
    browser: Browser, visitor: BrowserContext, site: Site, live_server: LiveServer, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.BASE_URL = live_server.url
    User.objects.create_superuser("root", password="root")
    desk = browser.new_context(base_url=live_server.url)
    admin = desk.new_page()
    admin.goto("/admin/login/?next=/admin/leadscoring/website/add/")
    admin.fill("#id_username", "root")
    admin.fill("#id_password", "root")
    admin.click("button[type=submit]")
    admin.fill("[name=name]", "Shop")
    admin.fill("[name=hosts]", "127.0.0.1")
    admin.click("[name=_save]")
    admin.click("text=Copy")
    expect(admin.locator("[data-copy]")).to_have_text("Copied")
    expect(admin.locator("#arrival")).to_contain_text("waiting")
    line = admin.input_value("#snippet")

    site.script = " ".join(re.findall(r'data-[a-z]+="[^"]*"', line))
    page = visitor.new_page()
    ready(page, site.address("/first"))
    page.click("text=Agree >> nth=0")

    expect(admin.locator("#arrival")).to_contain_text("it works", timeout=10_000)
    expect(admin.locator("#arrival")).to_contain_text(site.address("/first"))
    desk.close()

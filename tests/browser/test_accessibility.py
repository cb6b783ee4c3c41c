"""axe-core finds nothing on any page, in light and dark, on a wide screen and on a phone.

The pages are those of the URL conf: a new one is looked at without being named here.
"""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from crm_sync.mapping.lead_link import lead_url
from crm_sync.models import Handoff, Outcome, RejectingStatus
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.api_keys import create_key
from leadscoring.intake.rejections import Rejection
from leadscoring.intake.sources import record_sent
from leadscoring.models import ActivityType, ApiKey, Contact, Form, ModelVersion, Website
from sequences.models import Delivery, Suppression
from sequences.unsubscribe import SIGNER
from tests.admin_pages import signed_in
from tests.makers import an_upload

Scheme = Literal["light", "dark"]
WIDE, PHONE = 1400, 390
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# No other rule asks which colours a page has.
RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """async ([part, rules, axe]) => {
    if (!window.axe) (0, eval)(axe);
    const found = await window.axe.run(part || document, {runOnly: rules, resultTypes: ["violations"]});
    return found.violations.flatMap(one => one.nodes.map(node => `${one.id} (${one.impact}): ${node.html}`));
}"""
# Endless ones turn while something loads.
AS_AFTER_ALL_MOVES = """dark => {
    document.documentElement.classList.toggle("dark", dark);
    for (const move of document.getAnimations())
        if (move.effect.getComputedTiming().endTime < Infinity) move.finish();
}"""
# Parts of addresses that are no row's key.
ARGUMENTS = {"app_label": "crm_sync", "way": "up"}
# Addresses that answer programs or lead elsewhere, parts of pages, and Swagger's description of the API.
NO_PAGES = (
    "admin:search",
    "api-1:",
    "anymail:",
    "admin:view_on_site",
    "clicked",
    "opened",
    "static_of_another_release",
    "admin:leadscoring_modelversion_progress",
    "admin:leadscoring_website_arrival",
    "admin:leadscoring_import_live",
    "company_log_in",
    "segment_",
    "snippet",
    "source_config",
    "website_",
    "tracker_settings",
    "receive_form",
    "receive_hook",
    "openid_connect_callback",
    "mfa_edit_webauthn",  # of a passkey, which a device makes
    "mfa_remove_webauthn",
)
# Of what this user, or this import, does not have.
NOT_YET = ("mfa_", "admin:leadscoring_import_rejected")
# Differ from model to model in words alone.
ALIKE = ("admin/object_history.html", "admin/delete_confirmation.html")
VISITORS = ("unsubscribe", "lead", "account_login", "admin:login", "admin:logout")


@pytest.fixture
def rows(people: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of each model, and short lists: their rows are alike, and axe looks at each."""
    monkeypatch.setattr(AppModelAdmin, "list_per_page", 4)
    contact, handoff, at = Contact.objects.earliest("pk"), Handoff.objects.earliest("pk"), now()
    Suppression.objects.create(email="no@example.com", reason="by_hand", created_at=at)
    Outcome.objects.create(handoff=handoff, model=ModelVersion.objects.get(), since=at, seen_at=at)
    RejectingStatus.objects.get_or_create(status="UNQUALIFIED")
    ActivityType.objects.get_or_create(name="demo_request", defaults={"label": "Demo Request"})
    key, text = create_key("shop", write_only=True)
    Website.objects.create(api_key=key, write_key=text, domains=["shop.example"])
    sent, wrong = [{"type": "track", "userId": "u"}], [Rejection(0, "event", "is missing")]
    form = Form.objects.create(name="contact", origins="https://www.example.com")
    form.fields.create(name="your mail", becomes="email")
    record_sent(ApiKey.objects.earliest("pk").name, "", sent, wrong, at)
    an_upload("Email,First name\nada@example.com,Ada\n", by="root")
    LogEntry.objects.log_actions(
        User.objects.get().pk, [contact], CHANGE, change_message="Changed."
    )


@pytest.fixture
def visitor(browser: Browser, rows: None, live_server: LiveServer) -> Iterator[Page]:
    """Somebody who is not signed in."""
    context = browser.new_context(base_url=live_server.url)
    yield context.new_page()
    context.close()


def views(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from views(each, f"{space}{each.namespace}:" if each.namespace else space)
        elif each.name:
            yield space + each.name, each


def arguments(name: str, pattern: URLPattern) -> dict[str, Any]:
    """What stands in an address: the first row of the model that a page of the admin is of."""
    wanted = list(pattern.pattern.regex.groupindex)
    models = {f"admin:{m._meta.app_label}_{m._meta.model_name}_": m for m in apps.get_models()}
    model = next((model for start, model in models.items() if name.startswith(start)), None)
    first = model and model._default_manager.order_by("pk").first()
    given = dict(ARGUMENTS, **dict.fromkeys(("object_id", "pk", "id"), first.pk) if first else {})
    assert set(wanted) <= set(given), (
        f"Say how to get to {name}: make a row of it, or name its arguments."
    )
    return {key: given[key] for key in wanted}


def addresses() -> Iterator[str]:
    """Every address that shows a page to a superuser; of those that differ in words alone the first."""
    client, seen = signed_in(User.objects.get(username="root")), set()
    for name, pattern in views(get_resolver()):
        if name.startswith(NO_PAGES) or name in VISITORS:
            continue
        address = reverse(name, kwargs=arguments(name, pattern))
        answer = client.get(address)
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        if is_page and answer.status_code == 200:
            template = answer.templates[0].name if answer.templates else ""
            if template not in ALIKE or template not in seen:
                yield address
            seen.add(template)
        else:  # a redirect leads to another of these; refusals are alike, and visitors see one
            known = (200, 301, 302, 403, 405, *([404] if name.startswith(NOT_YET) else []))
            assert answer.status_code in known, address


def faults(page: Page, scheme: Scheme, width: int, part: str = "") -> list[str]:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.evaluate(AS_AFTER_ALL_MOVES, scheme == "dark")
    rules = RULES if scheme == "light" else RULES_OF_COLOURS
    found: list[str] = page.evaluate(RUN, [part, rules, AXE_SCRIPT])
    return [f"{page.url}, {scheme}, {width}: {fault}" for fault in found]


def faults_in_both(page: Page, width: int = WIDE, part: str = "") -> list[str]:
    return [*faults(page, "light", width, part), *faults(page, "dark", width, part)]


def test_axe_finds_nothing_on_any_page(rows: None, page: Page) -> None:
    found: list[str] = []
    for address in addresses():
        page.goto(address)
        for box in page.locator("input.action-select").all()[:1]:
            box.check()  # shows what can be done with rows
        found += [*faults(page, "light", WIDE), *faults(page, "dark", WIDE, part="#main")]
        if page.locator("#result_list, form[id$=_form]").count():
            found += faults(page, "light", PHONE)

    assert not found, "\n".join(found)


def test_axe_finds_nothing_in_what_opens(rows: None, page: Page) -> None:
    found: list[str] = []
    page.get_by_role("button", name="root").click()
    found += faults_in_both(page, part="#nav-sidebar")
    page.goto("/admin/leadscoring/contact/")
    page.click("text=Filters")
    found += faults_in_both(page, part="#changelist-filter")
    page.goto("/admin/sequences/sequence/add/")
    page.click("text=Add another")
    page.click("button[name=_continue]")
    expect(page.locator("body")).to_contain_text("This field is required")
    found += faults_in_both(page)
    page.goto("/admin/crm_sync/handoff/")
    page.check("input.action-select >> nth=0")
    page.select_option("select[name=action]", "withdraw")
    page.click("button[name=index]")
    expect(page.locator("#reason")).to_be_visible()
    found += faults_in_both(page)

    assert not found, "\n".join(found)


def test_axe_finds_nothing_for_who_is_not_signed_in_or_may_do_nothing(
    visitor: Page, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []

    def look() -> None:
        found.extend([*faults_in_both(visitor), *faults(visitor, "light", PHONE)])

    unsubscribe = f"/u/{SIGNER.sign(str(Delivery.objects.earliest('pk').pk))}"
    handoff = Handoff.objects.earliest("pk")
    lead = reverse("lead", args=[handoff.contact_id, lead_url(handoff, now()).split("/")[-2]])
    for address, words in (
        ("/admin/login/", "Log in"),
        (lead, "When handed over on"),
        (unsubscribe, "Stop these e-mails?"),
        ("/u/cut-off", "This link is not valid"),
        ("/no/such/page", "There is no such page"),
    ):
        visitor.goto(address)
        expect(visitor.locator("main")).to_contain_text(words)
        look()
    visitor.goto(unsubscribe)
    visitor.click("button")
    expect(visitor.locator("main")).to_contain_text("You are unsubscribed")
    look()
    visitor.goto("/admin/login/")
    visitor.fill("#id_username", "root")
    visitor.fill("#id_password", "wrong")
    visitor.click("button[type=submit]")
    expect(visitor.locator("main")).to_contain_text("do not let you in")
    look()
    visitor.context.clear_cookies()
    visitor.fill("#id_password", "root")
    visitor.click("button[type=submit]")
    expect(visitor.locator("main")).to_contain_text("This was not sent")
    look()
    monkeypatch.setattr("sequences.views.delivery_of_token", lambda token: 1 / 0)
    visitor.goto(unsubscribe)
    expect(visitor.locator("main")).to_contain_text("Something went wrong here")
    look()

    nobody = User.objects.create_user("nobody", is_staff=True)
    session = signed_in(nobody).cookies["sessionid"].value
    visitor.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    monkeypatch.undo()
    for address, words in (
        ("/admin/", "Nothing to see yet"),
        ("/admin/leadscoring/contact/", "You may not open this page"),
    ):
        visitor.goto(address)
        expect(visitor.locator("main")).to_contain_text(words)
        look()
    visitor.set_viewport_size({"width": WIDE, "height": 900})
    visitor.goto("/admin/")
    visitor.get_by_role("button", name="nobody").press("Enter")
    visitor.click("text=Log out")
    expect(visitor.locator("main").last).to_contain_text("Log in again")
    look()

    assert not found, "\n".join(found)


def test_a_keyboard_reaches_all_of_a_list_and_opens_what_a_mouse_does(
    rows: None, page: Page
) -> None:
    page.goto("/admin/leadscoring/contact/")
    page.wait_for_selector("#result_list")
    reached: list[str] = []

    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    expect(page.locator(":focus")).to_be_in_viewport()
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        seen = page.evaluate(FOCUSED)
        assert seen["shown"], seen
        reached.append(seen["what"])
        if "action-select" in reached:
            break

    assert [what for what in ("searchbar", "Filters", "action-toggle") if what not in reached] == []
    page.keyboard.press("Space")
    page.locator("select[name=action]").focus()
    expect(page.locator("select[name=action]")).to_be_focused()

    page.get_by_role("button", name="root").press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.get_by_role("button", name="Dark").press("Space")
    expect(page.locator("html.dark")).to_have_count(1)


# What has the focus, and whether one sees so.
FOCUSED = """() => {
    const at = document.activeElement, style = getComputedStyle(at), around = at.closest(".shadow-xs") || at;
    const ring = one => getComputedStyle(one).outlineStyle !== "none" || getComputedStyle(one).boxShadow !== "none";
    const box = at.getBoundingClientRect();
    return {
        what: at.id || (at.matches(".action-select") ? "action-select" : at.innerText.trim().split(/\\s/)[0]),
        html: at.outerHTML.slice(0, 200),
        shown: box.width > 0 && (ring(at) || ring(around)),
    };
}"""

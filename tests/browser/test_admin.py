"""The admin in a real browser, under its content security policy, in both colour schemes.

Skipped loudly where there is no Chromium.
"""

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from crm_sync.models import (
    Deal,
    FieldMapping,
    Handoff,
    Owner,
    RoutingRule,
    RulePlace,
    Stage,
)
from leadscoring.models import AccessEntry, Activity, ApiKey, Company, Contact, ModelVersion
from sequences.models import Delivery, Enrollment, Sequence, Step, Suppression
from tests.admin_pages import page as address_of

MODELS = (Contact, Company, Activity, ModelVersion, ApiKey, Sequence, Enrollment, Delivery, Handoff, Deal, Stage,
          Owner, RoutingRule, FieldMapping, AccessEntry)  # fmt: skip


def addresses() -> list[str]:
    """Every page: home, each list, the first row of each, each form for a new one."""
    firsts = {model._meta.label_lower: model._default_manager.earliest("pk").pk for model in MODELS}
    added = ["leadscoring.contact", "leadscoring.modelversion", "leadscoring.apikey", "sequences.sequence",
             "sequences.suppression", "crm_sync.fieldmapping", "crm_sync.routingrule"]  # fmt: skip
    return [
        "/admin/",
        "/admin/crm_sync/fieldmapping/plan/",
        *(address_of(f"crm_sync.{name}") for name in ("outcome", "rejectingstatus")),
        *(address_of(label) for label in firsts),
        *(address_of(label, pk) for label, pk in firsts.items()),
        *(f"{address_of(label)}add/" for label in added),
        *(address_of(f"auth.{name}") for name in ("user", "group")),
        address_of("auth.user", User.objects.get().pk),
        address_of("auth.group", Group.objects.earliest("pk").pk),
    ]


@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1400, "light")])
def test_no_page_is_wider_than_the_screen_and_no_script_fails(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})

    for address in addresses():
        answer = page.goto(address)

        assert answer is not None
        assert answer.ok, address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_on_a_phone_a_list_shows_a_person_in_two_lines(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    wanted = {
        "leadscoring.contact": ["who", "score_", "mail"],
        "crm_sync.handoff": ["who", "score", "state"],
        "sequences.enrollment": ["who", "state_", "sequence"],
        "sequences.delivery": ["who", "subject_", "state_", "left"],
    }

    for label, fields in wanted.items():
        page.goto(address_of(label))
        row = page.locator("#result_list tr.data-row").first
        place = row.bounding_box()

        assert place is not None
        assert place["height"] < 72, label
        assert place["x"] + place["width"] <= 390, label
        for field in fields:
            expect(row.locator(f".field-{field}")).to_be_visible()
        expect(row.locator("td:visible, th:visible")).to_have_count(len(fields) + 1)


def test_times_are_in_the_browsers_zone_until_another_is_chosen(
    page: Page, browser: Browser, live_server: LiveServer
) -> None:
    elsewhere = browser.new_context(
        base_url=live_server.url,
        timezone_id="Asia/Tokyo",
        storage_state=page.context.storage_state(),
    )
    tab = elsewhere.new_page()
    tab.goto("/admin/")

    tab.goto("/admin/time-zone/")
    expect(tab.locator(".ls-card")).to_contain_text("JST")
    tab.select_option("select[name=zone]", "Asia/Kolkata", force=True)
    tab.click("button:has-text('Save')")

    expect(tab.locator(".ls-card")).to_contain_text("IST")
    tab.goto("/admin/crm_sync/handoff/")
    assert "IST" in str(tab.locator("#result_list time").first.get_attribute("title"))
    elsewhere.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_are_those_that_the_system_prefers(page: Page, scheme: str) -> None:
    page.wait_for_selector("html[x-data]:not([x-cloak])")

    ground = page.evaluate("getComputedStyle(document.querySelector('.ls-card')).backgroundColor")

    assert (ground == "rgb(255, 255, 255)") is (scheme == "light")


def test_from_home_to_the_people_behind_a_figure(page: Page) -> None:
    page.click(".ls-station:has-text('Handed off')")

    expect(page.locator(".ls-total").first).to_be_visible()
    assert "ask=handed-off" in page.url


def test_a_stuck_handoff_is_withdrawn_from_the_list(page: Page) -> None:
    stuck = Handoff.objects.needing_attention().earliest("pk")
    page.goto("/admin/crm_sync/handoff/")
    page.click("text=Needs attention >> nth=0")

    page.check(f"input.action-select[value='{stuck.pk}']")
    page.select_option("select[name=action]", "withdraw")
    page.click("button[name=index]")
    page.fill("#reason", "A competitor")
    page.click("button:has-text('Keep here')")

    expect(page.locator("body")).to_contain_text("1 kept here")
    stuck.refresh_from_db()
    assert stuck.reason == "Kept here by root: A competitor"


def test_a_stuck_handoff_is_resent_from_its_page(page: Page) -> None:
    stuck = Handoff.objects.needing_attention().earliest("pk")
    page.goto(address_of("crm_sync.handoff", stuck.pk))

    page.click("button:has-text('Resend now')")

    expect(page.locator("body")).to_contain_text("1 on their way again")
    assert page.url.endswith(address_of("crm_sync.handoff", stuck.pk))


def test_people_are_filtered_by_their_stage(page: Page) -> None:
    page.goto("/admin/leadscoring/contact/")

    page.click("a:has-text('Filters')")
    page.select_option("select[name=stage]", "mql", force=True)
    page.click("text=Apply filters")
    page.wait_for_url("**stage=mql**")

    shown = page.locator("#result_list td.field-stage")
    assert set(shown.all_inner_texts()) == {"MQL"}


def test_a_model_is_drafted_and_published(page: Page) -> None:
    page.goto(address_of("leadscoring.modelversion", ModelVersion.objects.get().pk))
    page.click("text=Change it in a new draft")
    page.fill("#id_source", page.input_value("#id_source").replace("handoff: 70", "handoff: 65"))
    page.click("button[name=_continue]")
    page.click("text=Publish…")
    expect(page.locator("body")).to_contain_text("Counted over all 120 people")

    page.click("button:has-text('Publish')")

    expect(page.locator("body")).to_contain_text("default v2 is live")
    assert ModelVersion.objects.get(version=2).quiet


def test_a_mail_is_added_to_a_sequence(page: Page) -> None:
    sequence = Sequence.objects.get(name="Nurture")
    page.goto(address_of("sequences.sequence", sequence.pk))

    page.click("text=Add another")
    for name, value in (
        ("position", "4"),
        ("wait", "2 weeks"),
        ("subject", "Last one"),
        ("body", "Hello"),
    ):
        page.fill(f"[name=steps-3-{name}]", value)
    page.click("button[name=_continue]")

    expect(page.locator(".ls-mails")).to_contain_text("Last one")
    assert Step.objects.get(sequence=sequence, position=4).wait.days == 14


def test_a_stages_effect_is_chosen_previewed_and_saved(page: Page) -> None:
    stage = Stage.objects.get(label="In talks")
    page.goto(address_of("crm_sync.stage"))

    page.click(f"#stage-{stage.pk} label:has-text('Pauses')")
    page.click("text=See what that changes")
    expect(page.locator("#foreseen")).to_contain_text("Pauses 1 person now.")
    page.click("button:has-text('Save')")

    expect(page.locator("body")).to_contain_text("1 stage saved.")
    stage.refresh_from_db()
    assert (stage.effect, stage.set_by) == ("pause", "root")


def test_a_key_is_made_and_shown(page: Page) -> None:
    page.goto("/admin/leadscoring/apikey/add/")

    page.fill("#id_name", "shop")
    page.click("button[name=_save]")

    assert page.input_value("#key").startswith(ApiKey.objects.get(name="shop").prefix)


def test_somebody_is_suppressed_by_hand(page: Page) -> None:
    page.goto("/admin/sequences/suppression/add/")

    page.fill("#id_email", "No@Example.com")
    page.click("button[name=_save]")

    expect(page.locator("#result_list")).to_contain_text("no@example.com")
    assert Suppression.objects.get().reason == "by_hand"


def test_a_territory_is_made_and_moved_before_the_others(page: Page) -> None:
    rep = Owner.objects.earliest("pk")
    page.goto("/admin/crm_sync/routingrule/add/")

    page.select_option("select[name=kind]", "territory", force=True)
    page.fill("input[name=name]", "DACH")
    page.fill("textarea[name=condition]", "profile: {country__in: [DE, AT, CH]}")
    page.click("text=Add another Rep")
    page.select_option("select[name=places-0-owner]", str(rep.pk), force=True)
    page.click("button[name=_save]")
    page.click("button[aria-label='Up DACH']")
    page.click("button[aria-label='Up DACH']")

    expect(page.locator("#result_list tbody tr, #result_list tbody").first).to_contain_text(
        f"When country is DE, AT or CH: in turn to {rep}."
    )
    assert RoutingRule.objects.values_list("name", flat=True)[0] == "DACH"
    assert RulePlace.objects.get().owner == rep


def test_a_reps_working_days_are_ticked(page: Page) -> None:
    rep = Owner.objects.earliest("pk")
    page.goto(address_of("crm_sync.owner", rep.pk))

    page.uncheck("input[name=working_days][value='5']")
    page.select_option("select[name=country]", "DE", force=True)
    page.click("button[name=_save]")

    expect(page.locator("body")).to_contain_text("Mon–Thu, 9:00–17:00")
    rep.refresh_from_db()
    assert (rep.working_days, rep.country) == ("1234", "DE")

"""The pages in a real browser: dragging, choosing, pressing, on a desk and on a phone."""

import pytest
from playwright.sync_api import Page

from tests.sandbox.conftest import KIM, Hub


def test_a_card_is_dragged_to_another_column(hub: Hub, page: Page) -> None:
    deal = hub.deal(hub.contact())
    page.goto(f"{hub.url}/deals")

    page.locator(f"#deal-{deal}").drag_to(page.locator("[data-stage=closedwon]"))

    page.wait_for_selector(f"[data-stage=closedwon] #deal-{deal}")
    assert hub.properties("deals", deal, "dealstage")["dealstage"] == "closedwon"


def test_a_card_is_moved_from_the_keyboard(hub: Hub, page: Page) -> None:
    deal = hub.deal(hub.contact())
    page.goto(f"{hub.url}/deals")

    page.focus(f"#deal-{deal} select[name=dealstage]")
    page.keyboard.press("ArrowDown")

    page.wait_for_selector(f"[data-stage=qualifiedtobuy] #deal-{deal}")


def test_a_task_is_completed_and_new_ones_turn_up_by_themselves(hub: Hub, page: Page) -> None:
    task = hub.task(hubspot_owner_id=KIM)
    page.goto(hub.url)
    page.click(f"#task-{task} button")
    page.wait_for_selector(f"#task-{task}", state="detached")

    new = hub.task(hubspot_owner_id=KIM)

    page.wait_for_selector(f"#task-{new}")


@pytest.mark.parametrize("width", [400, 1400])
def test_no_page_is_wider_than_the_screen(hub: Hub, page: Page, width: int) -> None:
    contact = hub.contact(company="Donaudampfschifffahrtsgesellschaft" * 3, hubspot_owner_id=KIM)
    hub.task(contact, hs_task_subject="x" * 200, hs_task_body="y" * 300, hubspot_owner_id=KIM)
    hub.deal(contact, dealname="z" * 200)
    page.set_viewport_size({"width": width, "height": 900})

    for path in (
        "/",
        "/contacts",
        f"/contacts/{contact}",
        "/deals",
        "/owners",
        "/trouble",
        "/nope",
    ):
        page.goto(hub.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path

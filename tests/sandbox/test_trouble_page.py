"""The page of trouble: switches that do what HTTP does, over HTTP and in a browser."""

import pytest
import requests
from playwright.sync_api import Page

from sandbox.hubspot.trouble import TROUBLE
from sandbox.server.trouble import Dial, Switch
from tests.sandbox.conftest import KIM, Hub, Tags

CONTACTS = "/crm/v3/objects/contacts"


def seen(hub: Hub, path: str = "/trouble") -> str:
    answer = requests.get(hub.url + path, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.text


def press(hub: Hub, path: str, **form: str) -> requests.Response:
    return requests.post(
        hub.url + path, data=form, headers={"Origin": hub.url}, timeout=10, allow_redirects=False
    )


def on(page: str) -> int:
    """How many switches of the page are on."""
    return sum(("aria-checked", "true") in attrs for _, attrs in Tags(page).found)


def test_everything_that_can_go_wrong_is_on_the_page_with_its_sentence(hub: Hub) -> None:
    page = seen(hub)

    everything: list[Dial | Switch] = [*TROUBLE.dials.values(), *TROUBLE.switches.values()]
    for each in everything:
        assert each.sentence.replace("'", "&#39;") in page, each.name


def test_a_fault_is_turned_on_and_off_and_says_how_often_it_struck(hub: Hub) -> None:
    press(hub, "/trouble", name="locked", turn="on", percent="100")
    code = hub.get(CONTACTS).status_code
    page = seen(hub)
    press(hub, "/trouble", name="locked", turn="off", percent="100")

    assert (code, on(page), "struck once" in page) == (423, 1, True)
    assert hub.get(CONTACTS).status_code == 200
    assert on(seen(hub)) == 0


def test_the_slider_is_the_share_of_the_requests(hub: Hub) -> None:
    press(hub, "/trouble", name="slow", turn="on", percent="20", seconds="1.5")
    press(hub, "/trouble", name="slow", percent="30", seconds="2")

    (fault,) = hub.get("/sandbox/faults").json()["on"]
    assert (fault["share"], fault["seconds"]) == (0.3, 2)


def test_a_storm_is_turned_on_and_off(hub: Hub) -> None:
    press(hub, "/trouble/storm", turn="on", percent="5", seed="7")
    storm = hub.get("/sandbox/storm").json()
    press(hub, "/trouble/storm", turn="off", percent="5", seed="7")

    assert (storm["share"], storm["seed"]) == (0.05, 7)
    assert hub.get("/sandbox/storm").json() == {}


def test_an_owner_leaves_and_is_brought_back(hub: Hub) -> None:
    press(hub, "/trouble/owner_archived", turn="on", target=KIM)
    gone = hub.get(f"/crm/v3/owners/{KIM}").status_code
    press(hub, "/trouble/owner_archived", turn="off", target=KIM)

    assert (gone, hub.get(f"/crm/v3/owners/{KIM}").status_code) == (404, 200)


def test_one_button_turns_everything_off(hub: Hub) -> None:
    press(hub, "/trouble", name="locked", turn="on", percent="100")
    press(hub, "/trouble/token_revoked", turn="on")
    press(hub, "/trouble/storm", turn="on", percent="100", seed="1")

    press(hub, "/trouble/end")

    assert hub.get(CONTACTS).status_code == 200
    assert "Nothing is switched on." in seen(hub)


def test_every_page_says_how_much_is_switched_on(hub: Hub) -> None:
    hub.trouble("locked")
    hub.trouble("token_revoked")

    assert '<span class="chip alarm" title="switched on now">2</span>' in seen(hub, "/contacts")


def test_what_was_set_by_kind_is_told_too(hub: Hub) -> None:
    hub.post("/sandbox/faults", {"kind": "garbage", "times": None})

    assert "Set over HTTP besides: garbage: 1." in seen(hub)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/trouble", {"name": "fire", "percent": "1"}),
        ("/trouble", {"name": "locked", "percent": "many"}),
        ("/trouble", {"name": "locked", "percent": "101"}),
        ("/trouble", {"name": "slow", "percent": "1", "seconds": "nan"}),
        ("/trouble/storm", {"percent": "1"}),
        ("/trouble/fire", {}),
        ("/trouble/owner_archived", {"target": "1"}),
    ],
)
def test_a_form_that_cannot_be_is_refused_in_words(
    hub: Hub, path: str, form: dict[str, str]
) -> None:
    answer = press(hub, path, **form)

    assert (answer.status_code, "That did not work" in answer.text) == (400, True)
    assert on(seen(hub)) == 0


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_other_web_sites_cannot_make_trouble(hub: Hub, headers: dict[str, str]) -> None:
    form = {"name": "locked", "turn": "on", "percent": "100"}
    answer = requests.post(f"{hub.url}/trouble", data=form, headers=headers, timeout=10)

    assert answer.status_code == 403
    assert on(seen(hub)) == 0


def test_a_switch_is_pressed_and_its_slider_moved(hub: Hub, page: Page) -> None:
    page.goto(f"{hub.url}/trouble")
    page.click("#locked .toggle")
    page.wait_for_selector("#locked[data-on=true]")

    page.focus("#locked [type=range]")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("#locked[data-on=true]:not(.moving)")

    assert [each["share"] for each in hub.get("/sandbox/faults").json()["on"]] == [0.07]
    assert page.locator("#locked output").inner_text() == "7 %"


def test_a_strike_shows_by_itself(hub: Hub, page: Page) -> None:
    hub.trouble("locked")
    page.goto(f"{hub.url}/trouble")

    hub.get(CONTACTS)

    page.wait_for_selector("#locked :text('struck once')")

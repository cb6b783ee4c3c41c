"""The pages: what a rep sees and does, over HTTP."""

import pytest
import requests

from tests.sandbox.conftest import ANA, KIM, TOM_ARCHIVED, Hub, Tags

EVIL = '"><script>alert(1)</script>'


def seen(hub: Hub, path: str) -> str:
    answer = requests.get(hub.url + path, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.text


def press(hub: Hub, path: str, **form: str) -> requests.Response:
    """Send a form as the pages do; no token, but from the server's own page."""
    headers = {"Origin": hub.url}
    return requests.post(
        hub.url + path, data=form, headers=headers, timeout=10, allow_redirects=False
    )


def test_every_page_says_that_this_is_not_hubspot(hub: Hub) -> None:
    contact = hub.contact()

    for path in ("/", "/contacts", f"/contacts/{contact}", "/deals", "/owners", "/trouble"):
        assert "A local stand-in for trying out, not HubSpot." in seen(hub, path)


def test_a_rep_sees_the_own_open_tasks_and_completes_one(hub: Hub) -> None:
    contact = hub.contact(firstname="Ada", company="Acme")
    task = hub.task(contact, hs_task_subject="Call Ada today", hubspot_owner_id=KIM)
    hub.task(hs_task_subject="Not yours", hubspot_owner_id=ANA)

    before = seen(hub, f"/?owner={KIM}")
    answer = press(hub, f"/tasks/{task}", status="COMPLETED", back=f"/?owner={KIM}")
    after = seen(hub, f"/?owner={KIM}")

    assert "Call Ada today" in before
    assert "Not yours" not in before
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/?owner={KIM}")
    assert "Call Ada today" not in after
    assert "Call Ada today" in seen(hub, f"/?owner={KIM}&show=done")
    assert hub.properties("tasks", task, "hs_task_status")["hs_task_status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("path", "form"), [("", {"status": "COMPLETED"}), ("/contacted", {})], ids=["done", "logged"]
)
def test_a_rep_who_was_at_work_has_contacted_the_lead(
    hub: Hub, path: str, form: dict[str, str]
) -> None:
    contact, other = hub.contact(), hub.contact("bo@lead.example")
    task = hub.task(contact)

    press(hub, f"/tasks/{task}{path}", **form)

    when = [last_contacted(hub, each) for each in (contact, other)]
    assert (when[0] is not None, when[1]) == (True, None)


def test_a_task_that_is_opened_again_is_no_contact(hub: Hub) -> None:
    contact = hub.contact()
    task = hub.task(contact, hs_task_status="COMPLETED")

    press(hub, f"/tasks/{task}", status="NOT_STARTED")

    assert last_contacted(hub, contact) is None


def last_contacted(hub: Hub, contact: str) -> str | None:
    return hub.properties("contacts", contact, "notes_last_contacted")["notes_last_contacted"]


def test_tasks_of_nobody_and_of_reps_who_left_are_not_lost(hub: Hub) -> None:
    hub.task(hs_task_subject="For nobody")
    hub.task(hs_task_subject="For Tom", hubspot_owner_id=TOM_ARCHIVED)

    page = seen(hub, "/")

    assert "No owner" in page
    assert "Tom Berg (archived)" in page


def test_a_contacts_page_shows_every_property_with_its_label(hub: Hub) -> None:
    hub.define("contacts", "lead_score", label="Lead score", type="number", fieldType="number")
    contact = hub.contact(lead_score="82", jobtitle="VP Sales", hubspot_owner_id=KIM)

    page = seen(hub, f"/contacts/{contact}")

    for text in ("Lead score", "82", "VP Sales", "Kim Park", "ada@lead.example"):
        assert text in page


def test_a_rep_changes_owner_stage_status_and_opt_out(hub: Hub) -> None:
    contact = hub.contact(lifecyclestage="opportunity")
    form = {
        "hubspot_owner_id": ANA,
        "lifecyclestage": "lead",
        "hs_lead_status": "CONNECTED",
        "hs_email_optout": "true",
    }

    assert press(hub, f"/contacts/{contact}", **form).status_code == 303

    assert hub.properties("contacts", contact, *form).items() >= form.items()


def test_a_rep_makes_a_deal_and_moves_it_over_the_board(hub: Hub) -> None:
    contact = hub.contact()
    form = {"dealname": "Annual plan", "amount": "1200", "dealstage": "148830203"}
    press(hub, f"/contacts/{contact}/deals", **form, hubspot_owner_id=KIM)
    deal = hub.get("/crm/v3/objects/deals").json()["results"][0]["id"]

    press(hub, f"/deals/{deal}", dealstage="148830205")

    found = hub.properties("deals", deal, "pipeline", "hs_is_closed_won")
    assert (found["pipeline"], found["hs_is_closed_won"]) == ("74830011", "true")
    assert "EUR 1,200" in seen(hub, "/deals?pipeline=74830011")
    links = hub.get(f"/crm/v4/objects/contacts/{contact}/associations/deals").json()["results"]
    assert [each["toObjectId"] for each in links] == [int(deal)]


def test_an_owner_is_archived_and_brought_back(hub: Hub) -> None:
    states = []
    for archived in ("yes", ""):
        press(hub, f"/owners/{KIM}", archived=archived)
        states.append(hub.get(f"/crm/v3/owners/{KIM}").status_code)

    assert states == [404, 200]


def test_a_contact_is_archived_and_restored(hub: Hub) -> None:
    contact = hub.contact()
    states = []
    for archived in ("yes", ""):
        press(hub, f"/contacts/{contact}/archive", archived=archived)
        states.append(hub.get(f"/crm/v3/objects/contacts/{contact}").status_code)

    assert states == [404, 200]


def test_a_contact_whose_email_was_taken_stays_archived(hub: Hub) -> None:
    contact = hub.contact("ada@lead.example")
    hub.ask("DELETE", f"/crm/v3/objects/contacts/{contact}")
    hub.contact("ada@lead.example")

    assert press(hub, f"/contacts/{contact}/archive", archived="").status_code == 400


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/tasks/1", {"status": "COMPLETED"}, 404),
        ("/deals/1", {"dealstage": "closedwon"}, 404),
        ("/owners/1", {}, 404),
        ("/contacts/1", {}, 404),
        ("/nope", {}, 404),
    ],
)
def test_a_form_for_what_does_not_exist_is_refused(
    hub: Hub, path: str, form: dict[str, str], status: int
) -> None:
    assert press(hub, path, **form).status_code == status


@pytest.mark.parametrize(
    "form", [{"dealstage": "nowhere"}, {"amount": "x"}, {"hubspot_owner_id": "1"}]
)
def test_a_form_with_a_bad_value_is_refused_in_words(hub: Hub, form: dict[str, str]) -> None:
    answer = press(hub, f"/deals/{hub.deal()}", **form)

    assert (answer.status_code, "That did not work" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/\\evil", "/a\r\nX: 1"]
)
def test_nobody_is_led_to_another_site(hub: Hub, back: str) -> None:
    answer = press(hub, f"/tasks/{hub.task()}", status="COMPLETED", back=back)

    assert answer.headers["Location"] == "/"
    assert "X" not in answer.headers


def test_whatever_was_sent_is_shown_as_text(hub: Hub) -> None:
    names = {"firstname": EVIL, "lastname": EVIL, "company": EVIL, "jobtitle": EVIL}
    contact = hub.contact(**names)
    hub.task(contact, hs_task_subject=EVIL, hs_task_body=EVIL, hubspot_owner_id=KIM)
    hub.deal(contact, dealname=EVIL)

    for path in ("/", "/contacts", f"/contacts/{contact}", "/deals", "/owners", "/trouble"):
        assert scripts(seen(hub, path)) == 1
    assert scripts(seen(hub, "/contacts?q=" + EVIL)) == 1


def scripts(page: str) -> int:
    """How many script elements a page has; its own is one."""
    return [tag for tag, _ in Tags(page).found].count("script")


def test_text_that_is_no_text_is_shown_all_the_same(hub: Hub) -> None:
    contact = hub.contact(firstname="A\ud800\x00B", company="\u202e")

    assert "A?" in seen(hub, f"/contacts/{contact}")


def test_pages_need_the_servers_own_name(hub: Hub) -> None:
    answer = requests.get(hub.url, headers={"Host": "evil.example"}, timeout=10)

    assert answer.status_code == 403


def test_pages_load_nothing_from_elsewhere(hub: Hub) -> None:
    answer = requests.get(hub.url, timeout=10)

    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    for name in ("sandbox.css", "sandbox.js", "icon.svg"):
        assert requests.get(f"{hub.url}/static/{name}", timeout=10).status_code == 200
    assert requests.get(f"{hub.url}/static/../server.py", timeout=10).status_code == 404


def test_a_record_has_an_address_for_people(hub: Hub) -> None:
    contact = hub.contact()
    made = [("contacts", contact), ("tasks", hub.task(contact)), ("deals", hub.deal(contact))]

    urls = [hub.get(f"/crm/v3/objects/{kind}/{id_}").json()["url"] for kind, id_ in made]

    assert [requests.get(url, timeout=10).status_code for url in urls] == [200, 200, 200]

"""The stand-in as a process of its own, its file, and its pages."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page

from sandbox.salesforce.server import Sandbox
from tests.sandbox.salesforce.conftest import CLIENT_ID, CLIENT_SECRET, REFERENCE, Org


def test_it_says_where_it_listens_and_ends_when_told() -> None:
    command = [sys.executable, "-m", "sandbox.salesforce", "--port", "0"]
    command += ["--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    url = process.stdout.readline().split()[-1]

    told = requests.get(f"{url}/services/data", timeout=10).json()
    process.send_signal(signal.SIGTERM)

    with process:
        assert (told[-1]["version"], process.wait(timeout=10)) == ("68.0", 0)


def test_its_data_outlive_it_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "org.json"
    with Sandbox(CLIENT_ID, CLIENT_SECRET, file=file) as first:
        there = Org(first)
        there.field("Activity.Reference__c", REFERENCE)
        task = there.task(there.lead("Ada"), Reference__c="LS-1", ActivityDate="2026-05-04")
        dumped = first.store.dump()
        there.session.close()

    with Sandbox(CLIENT_ID, CLIENT_SECRET, file=file) as second:
        again = Org(second)
        found = again.query("SELECT Id FROM Task WHERE Reference__c = 'LS-1'")
        more = again.lead("Bo")
        again.session.close()

        assert [each["Id"] for each in found] == [task]
        assert more not in str(dumped)


@pytest.mark.parametrize("path", ["/", "/contacts", "/deals", "/owners", "/trouble"])
def test_its_pages_are_there(org: Org, path: str) -> None:
    org.task(org.lead("Ada", OwnerId=org.people.kim), OwnerId=org.people.kim)

    answer = requests.get(org.url + path, timeout=10)

    assert answer.status_code == 200
    assert "not Salesforce" in answer.text


def test_the_address_of_a_record_leads_to_its_page(org: Org) -> None:
    ada = org.lead("Ada")

    for path in (f"/{ada}", f"/lightning/r/Lead/{ada}/view"):
        assert "ada@lead.example" in requests.get(org.url + path, timeout=10).text
    assert requests.get(f"{org.url}/nonsense", timeout=10).status_code == 404


def test_a_rep_completes_a_task_and_converts_the_lead(org: Org, page: Page) -> None:
    ada = org.lead("Ada", OwnerId=org.people.kim)
    org.task(
        ada,
        OwnerId=org.people.kim,
        Subject="Call Ada",
        Description="Why <b>so</b>:\nhttps://leads.example/7#t",
    )

    page.goto(org.url)
    body = page.locator(".task .body")
    assert "Why <b>so</b>:" in body.inner_text()
    assert body.locator("a").get_attribute("href") == "https://leads.example/7#t"
    page.get_by_role("button", name="Complete").click()
    page.goto(f"{org.url}/contacts/{ada}")
    page.get_by_text("Make a deal").click()
    page.get_by_role("button", name="Make the deal").click()

    assert org.query("SELECT IsClosed FROM Task WHERE Subject = 'Call Ada'")[0]["IsClosed"] is True
    (lead,) = org.query("SELECT IsConverted, ConvertedContactId FROM Lead")
    assert lead["IsConverted"] is True
    assert page.url.endswith(lead["ConvertedContactId"])
    page.goto(f"{org.url}/deals")
    assert page.locator(".card.deal h3").inner_text() == "Acme: new deal"


def test_a_deal_is_moved_on_the_board(org: Org, page: Page) -> None:
    contact = org.contact("Ada")
    form = {"Name": "Big", "Amount": "12000", "StageName": "Prospecting", "OwnerId": org.people.kim}
    requests.post(f"{org.url}/contacts/{contact}/deals", data=form, timeout=10)

    page.goto(f"{org.url}/deals")
    with page.expect_navigation():  # the page sends it by itself
        page.locator(".card.deal select[name=StageName]").select_option("Closed Won")

    (deal,) = org.query("SELECT StageName, IsWon, Amount FROM Opportunity")
    assert (deal["StageName"], deal["IsWon"], deal["Amount"]) == ("Closed Won", True, 12_000)


def test_changes_of_a_lead_are_the_reps_own_and_no_rule_moves_it(org: Org) -> None:
    ada = org.lead("Ada")
    form = {
        "OwnerId": org.people.ana,
        "Status": "Working - Contacted",
        "HasOptedOutOfEmail": "true",
    }

    requests.post(f"{org.url}/contacts/{ada}", data=form, timeout=10)

    (row,) = org.query("SELECT OwnerId, Status, HasOptedOutOfEmail FROM Lead")
    assert (row["OwnerId"], row["Status"], row["HasOptedOutOfEmail"]) == (
        org.people.ana,
        form["Status"],
        True,
    )

"""A marketer brings a spreadsheet, sees what it would do, takes it in, and takes it back, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from leadscoring.intake.uploads import work
from leadscoring.models import Contact, Import
from sequences.models import Suppression
from tests.browser.test_accessibility import PHONE, faults, faults_in_both
from tests.spreadsheets import write_xlsx

ROWS = 1000


@pytest.fixture
def spreadsheet(tmp_path: Path) -> Path:
    """A thousand people, one without an address, ten of whom want no mail."""
    header = ["Name of the person", "E-Mail", "Company", "Employees", "Unsubscribed", "Joined"]
    rows = [
        [f"Ada {n}", "nobody" if n == 7 else f"ada{n}@import.example", f"Firm {n % 40}", 10 * n, "yes" if n < 10 else "", "2026-01-03"]
        for n in range(ROWS)
    ]  # fmt: skip
    return write_xlsx(tmp_path / "Fair in Köln.xlsx", {"Leads": [header, *rows]})


def let_work(page: Page) -> None:
    """What a worker does meanwhile; the page finds out by itself."""
    expect(page.locator("#live")).to_be_visible()
    while work.go_on():
        pass


def test_a_spreadsheet_is_uploaded_mapped_checked_imported_and_undone(
    page: Page, spreadsheet: Path
) -> None:
    before, found = Contact.objects.count(), []

    page.click("text=Imports")
    page.click("text=Add import")
    found += [*faults_in_both(page), *faults(page, "light", PHONE)]
    page.set_input_files("#id_file", spreadsheet)
    page.click("button:has-text('Upload')")

    expect(page.locator("#main")).to_contain_text("What is in the columns")
    expect(page.get_by_label("What “E-Mail” is")).to_have_value("email")
    expect(page.get_by_label("What “Unsubscribed” is")).to_have_value("wish")
    page.get_by_label("What “Name of the person” is").select_option("first_name")
    page.get_by_label("What “Joined” is").select_option("Leave out")
    found += [*faults_in_both(page), *faults(page, "light", PHONE)]
    page.click("button:has-text('Check it')")
    let_work(page)

    expect(page.locator("#main")).to_contain_text("What the import would do")
    expect(page.locator("#main")).to_contain_text("999 new people")
    expect(page.locator("#main")).to_contain_text("9 addresses that go under Do not mail")
    expect(page.locator("#main")).to_contain_text("Line 9: email: is not an e-mail address")
    assert Contact.objects.count() == before
    found += [*faults_in_both(page), *faults(page, "light", PHONE)]
    page.click("button:has-text('Import')")
    let_work(page)

    expect(page.locator("#main")).to_contain_text("999 new people")
    assert Contact.objects.count() == before + ROWS - 1
    assert Contact.objects.get(email="ada8@import.example").first_name == "Ada 8"
    assert Suppression.objects.count() == 9
    with page.expect_download() as download:
        page.click("text=Download all of them")
    rejected = download.value.path().read_text(encoding="utf-8-sig")
    assert "Ada 7,nobody,Firm 7,70,yes,2026-01-03,9,email: is not" in rejected
    found += [*faults_in_both(page), *faults(page, "light", PHONE)]
    page.click("text=Undo…")
    expect(page.locator("#main")).to_contain_text("999 new people are taken away")
    found += [*faults_in_both(page), *faults(page, "light", PHONE)]
    page.click("button:has-text('Undo it')")
    let_work(page)

    expect(page.locator("#main")).to_contain_text("999 people taken away")
    assert Contact.objects.count() == before
    assert not Suppression.objects.exists()
    page.click("h1 a:has-text('Imports')")
    expect(page.locator("#result_list")).to_contain_text("Fair in Köln.xlsx")
    assert Import.objects.get().state == "undone"
    assert not found, "\n".join(found)


def test_mended_rows_go_in_with_the_columns_as_chosen_before(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("Mail,Who\nnobody,Ada\n")
    page.goto("/admin/leadscoring/import/add/")
    page.set_input_files("#id_file", file)
    page.click("button:has-text('Upload')")
    page.get_by_label("What “Who” is").select_option("last_name")
    page.click("button:has-text('Check it')")
    let_work(page)
    page.click("button:has-text('Import')")
    let_work(page)
    with page.expect_download() as download:
        page.click("text=Download all of them")
    mended = tmp_path / "mended.csv"
    mended.write_text(
        download.value.path().read_text("utf-8-sig").replace("nobody", "ada@x.example")
    )

    page.goto("/admin/leadscoring/import/add/")
    page.set_input_files("#id_file", mended)
    page.click("button:has-text('Upload')")
    expect(page.locator("#main")).to_contain_text("Chosen as for the last file")
    page.click("button:has-text('Check it')")
    let_work(page)
    page.click("button:has-text('Import')")
    let_work(page)

    expect(page.locator("#main")).to_contain_text("1 new person")
    assert Contact.objects.get(email="ada@x.example").last_name == "Ada"

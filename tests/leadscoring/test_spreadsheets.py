"""Spreadsheets go in as other files do; what is hostile or too large is refused and harms no process of ours."""

import subprocess
from datetime import datetime
from io import StringIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from leadscoring.intake.csv_import import spreadsheet
from leadscoring.intake.csv_import.encoding import UnreadableFile
from leadscoring.intake.csv_import.reader import open_table
from leadscoring.models import Contact
from tests.leadscoring.test_imports import activities, people, put_aside
from tests.spreadsheets import MAIN, sheet_xml, write_xlsx

pytestmark = pytest.mark.processes

HEADER = ["Email", "First Name", "Number of employees"]


def rows_of(path: Path, sheet: str = "") -> list[list[str]]:
    table = open_table(path, sheet=sheet)
    try:
        return [row.cells for row in table.rows]
    finally:
        table.close()


def test_cells_are_read_as_people_see_them(tmp_path):
    moment = datetime(2026, 5, 1, 10, 30)
    row = [moment, 250.0, 12.5, 491701234567.0, True, "x", 0.1 + 0.2, 1.234]
    path = write_xlsx(tmp_path / "a.xlsx", {"Sheet": [[f"c{n}" for n in range(8)], row]})

    assert rows_of(path) == [
        ["2026-05-01T10:30:00", "250", "12.5", "491701234567", "true", "x", "0.3", "1.234"]
    ]


def test_the_first_sheet_with_rows_is_read_or_the_one_that_is_named(tmp_path):
    sheets = {"Notes": [], "People": [["a"], ["1"]], "Old & gone": [["a"], ["2"]]}
    path = write_xlsx(tmp_path / "a.xlsx", sheets)

    assert rows_of(path) == [["1"]]
    assert rows_of(path, "Old & gone") == [["2"]]
    with pytest.raises(UnreadableFile, match="has no sheet 'Other'; there are: Notes, People"):
        open_table(path, sheet="Other")


@pytest.mark.django_db
def test_people_of_a_spreadsheet_go_in_and_rejected_rows_name_their_line(tmp_path):
    rows = [HEADER, ["ada@example.com", "Ada", 250], [], ["nobody", "Ben"], ["cy@example.com", "", 1.234]]  # fmt: skip
    path = write_xlsx(tmp_path / "people.xlsx", {"Leads": rows})

    answer, code = people(path)

    sizes = dict(Contact.objects.values_list("email", "properties__company_size"))
    assert sizes == {"ada@example.com": "250", "cy@example.com": "1.234"}
    assert (answer["sheet"], answer["created"], code) == ("Leads", 2, 1)
    [aside] = put_aside(answer)
    assert (aside["Email"], aside["line"]) == ("nobody", "4")


@pytest.mark.django_db
def test_days_of_a_spreadsheet_are_read_in_the_zone_of_the_file(tmp_path):
    did = datetime(2026, 5, 1, 10, 30)
    rows = [["Email", "Event", "Date"], ["ada@example.com", "Demo", did]]
    path = write_xlsx(tmp_path / "acts.xlsx", {"Sheet": rows})

    activities(path, "--time-zone", "Europe/Berlin")

    [at] = Contact.objects.get().activities.values_list("occurred_at", flat=True)
    assert at.isoformat() == "2026-05-01T08:30:00+00:00"


@pytest.mark.django_db
def test_the_command_takes_a_sheet_by_name(tmp_path):
    sheets = {"A": [["Email"], ["a@example.com"]], "B": [["Email"], ["b@example.com"]]}
    path = write_xlsx(tmp_path / "people.xlsx", sheets)

    people(path, "--sheet", "B")

    assert Contact.objects.get().email == "b@example.com"
    with pytest.raises(CommandError, match="has no sheet 'C'"):
        call_command("import_contacts", str(path), "--sheet", "C", stdout=StringIO())


def a_bomb(path: Path) -> Path:
    """Some kilobytes that unpack to gigabytes."""
    with ZipFile(write_xlsx(path, {"Sheet": [["a"]]}), "a", ZIP_DEFLATED) as archive:
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
            part.write(f'<sst xmlns="{MAIN}"><si><t>'.encode())
            for _ in range(2500):
                part.write(b"x" * (1 << 20))
            part.write(b"</t></si></sst>")
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            archive.read("xl/_rels/workbook.xml.rels").decode().replace(
                "</Relationships>",
                '<Relationship Id="rId9" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
            ),
        )  # fmt: skip
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_unpacks_to_gigabytes_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="too much memory"):
        open_table(a_bomb(tmp_path / "bomb.xlsx"))


def test_two_cells_far_from_each_other_are_refused_rather_than_all_between(tmp_path):
    corners = sheet_xml([["a"]]).replace(
        "</sheetData>",
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
    )
    path = write_xlsx(tmp_path / "corners.xlsx", {"Sheet": corners})

    with pytest.raises(UnreadableFile, match="too much memory"):
        rows_of(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", b"\xd0\xcf\x11\xe0" + b"\0" * 600])
def test_a_damaged_spreadsheet_is_refused(tmp_path, content):
    path = tmp_path / "people.xlsx"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile, match="damaged"):
        open_table(path)


def test_a_large_spreadsheet_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MOST_BYTES", 100)

    with pytest.raises(UnreadableFile, match="save the sheet as CSV"):
        open_table(write_xlsx(tmp_path / "a.xlsx", {"Sheet": [["a"]]}))


def test_the_reading_process_gets_none_of_our_secrets(tmp_path, monkeypatch):
    given = {}
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **kw: given.update(kw) or real(*a, **kw))

    open_table(write_xlsx(tmp_path / "a.xlsx", {"Sheet": [["a"]]})).close()

    assert given["env"] == {}

"""The pages of imports: whose they are, what they take from a form, and what they show of a file."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from leadscoring.models import AccessEntry, Contact, Import, ImportPart, RejectedRow
from leadscoring.operations import upload_limit
from tests.admin_pages import HOSTILE, as_, as_superuser, page
from tests.leadscoring.test_uploads import PEOPLE, imported, move
from tests.makers import an_upload

pytestmark = pytest.mark.django_db
ADD = f"{page('leadscoring.import')}add/"


def of(row: Import) -> str:
    return page("leadscoring.import", row.pk)


@pytest.fixture
def mara() -> Client:
    client = as_("Marketing")
    User.objects.filter(username="Marketing").update(username="mara")
    return client


def upload(client: Client, content: bytes, name: str = "leads.csv", kind: str = "people") -> str:
    """The page that answers an upload."""
    file = SimpleUploadedFile(name, content)
    return client.post(ADD, {"kind": kind, "file": file}, follow=True).content.decode()


def send(client: Client, row: Import, step: str, **fields: str) -> Import:
    client.post(of(row), {"step": step, **fields})
    row.refresh_from_db()
    return row


def test_a_marketer_uploads_a_file_and_is_shown_its_columns(mara):
    shown = upload(mara, PEOPLE.encode())

    row = Import.objects.get()
    assert (row.name, row.by, row.state) == ("leads.csv", "mara", "columns")
    assert "ada@example.com" in shown
    assert row.choices["columns"] == {"0": "email", "1": "first_name", "2": "company", "3": "property:plan"}  # fmt: skip


def test_an_import_is_its_makers_and_a_superusers(mara):
    row = an_upload(PEOPLE, by="somebody else")

    assert mara.get(of(row)).status_code == 404
    assert mara.post(of(row), {"step": "check"}).status_code == 404
    assert mara.get(f"/admin/leadscoring/import/{row.pk}/live/").status_code == 404
    assert mara.get(f"/admin/leadscoring/import/{row.pk}/rejected.csv").status_code == 404
    assert "leads.csv" not in mara.get(page("leadscoring.import")).content.decode()
    assert as_superuser().get(of(row)).status_code == 200


def test_who_may_not_import_does_not(mara):
    ops = as_("Operations")

    assert ops.get(ADD).status_code == 403
    assert upload(ops, PEOPLE.encode())
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"\0\0\0\0", "The file is not text"),
        (b"\n\n", "the file is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(mara, content, said):
    assert said in upload(mara, content)
    assert not ImportPart.objects.exists()
    assert not Import.objects.exists()


@pytest.mark.processes
def test_a_damaged_spreadsheet_is_refused_with_a_sentence(mara):
    assert "damaged" in upload(mara, b"PK\x03\x04 nothing", "leads.xlsx")
    assert not Import.objects.exists()


def test_a_request_that_is_too_large_is_refused_before_it_is_read(mara, monkeypatch):
    monkeypatch.setattr(upload_limit, "MOST_BYTES", 100)

    for client, address in ((mara, ADD), (Client(), "/admin/login/")):
        file = io.BytesIO(b"x" * 200)
        file.name = "leads.csv"
        assert client.post(address, {"kind": "people", "file": file}).status_code == 400
    assert not Import.objects.exists()


def test_names_and_cells_are_shown_and_not_run(mara):
    shown = upload(mara, f"Email,{HOSTILE}\nada@example.com,{HOSTILE}\n".encode(), f"{HOSTILE}.csv")

    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown
    row = move(Import.objects.get(), "checking")
    assert "<script>alert(1)" not in mara.get(of(row)).content.decode()


def test_what_is_not_offered_counts_for_nothing(mara):
    row = an_upload(PEOPLE)
    fields = {"column-0": "email", "column-1": "pk", "column-3": "property:score", "zone": "../etc", "decimal": "x", "time_form": "%s"}  # fmt: skip

    row = send(mara, row, "check", **fields)

    assert row.choices["columns"] == {"0": "email", "1": "", "2": "", "3": ""}
    assert (row.choices["zone"], row.choices["decimal"], row.choices["time_form"]) == (
        "UTC",
        "",
        "",
    )
    assert row.state == "checking"


def test_columns_that_cannot_be_are_said_and_not_checked(mara):
    row = an_upload(PEOPLE)

    answer = mara.post(of(row), {"step": "check", "column-1": "first_name"}, follow=True)

    assert "Choose the column that has the e-mail address or the id." in answer.content.decode()
    assert Import.objects.get().state == "columns"


def test_another_delimiter_reads_the_file_again(mara):
    row = an_upload("Email;First name\nada@example.com;Ada,B\n")
    assert len(row.choices["columns"]) == 2

    row = send(mara, row, "check", delimiter=",", **{"column-0": "email"})

    assert (row.state, row.choices["delimiter"]) == ("columns", ",")
    assert list(row.choices["columns"]) == ["0"]


def test_an_encoding_that_is_not_sure_is_asked_about_and_can_be_chosen(mara):
    text = "Email,Name\n" + "".join(f"a{n}@example.com,Dvořák Žižka\n" for n in range(3))

    upload(mara, text.encode("cp1250"))
    row = Import.objects.get()
    row = send(mara, row, "check", encoding="cp1250")

    assert "Dvořák" in mara.get(of(row)).content.decode()


def test_buttons_that_are_out_of_date_do_nothing(mara):
    row = an_upload(PEOPLE)

    for step in ("import", "undo", "stop", "columns", "made up"):
        assert send(mara, row, step).state == "columns"
    done = imported(PEOPLE)
    for step in ("import", "check", "stop", "columns"):
        assert send(mara, done, step).state == "done"
    Import.objects.filter(pk=done.pk).update(pruned_at=now())
    assert send(mara, done, "undo").state == "done"


def test_an_import_that_is_stopped_keeps_what_is_in_and_can_be_undone(mara):
    row = an_upload(PEOPLE)
    Import.objects.filter(pk=row.pk).update(state="running", started_at=now(), done=1)

    row = send(mara, row, "stop")

    assert (row.state, row.problem) == ("done", "Stopped by hand.")
    assert "Undo…" in mara.get(of(row)).content.decode()


def test_the_page_asks_how_far_it_is_and_is_loaded_anew_at_the_end(mara):
    row = an_upload(PEOPLE)
    Import.objects.filter(pk=row.pk).update(state="running", started_at=now(), done=1, rows=2)
    live = f"/admin/leadscoring/import/{row.pk}/live/"

    during = mara.get(live)
    Import.objects.filter(pk=row.pk).update(state="done")
    after = mara.get(live)

    assert "1 of 2 rows" in during.content.decode()
    assert "HX-Refresh" not in during.headers
    assert after.headers["HX-Refresh"] == "true"


def test_rejected_rows_come_back_as_a_file_that_no_spreadsheet_runs(mara):
    row = imported("Email,First name\n=cmd(),Ada\nnobody,Ben,more\n")

    answer = mara.get(f"/admin/leadscoring/import/{row.pk}/rejected.csv")

    assert answer.content.decode("utf-8-sig").splitlines() == [
        "Email,First name,line,reason",
        "'=cmd(),Ada,2,email: is not an e-mail address",
        'nobody,Ben,3,"row: has 3 cells, the header has 2 (also: more)"',
    ]
    RejectedRow.objects.all().delete()
    assert mara.get(f"/admin/leadscoring/import/{row.pk}/rejected.csv").status_code == 404


def test_undoing_is_shown_before_it_is_done(mara):
    row = imported(PEOPLE)

    shown = mara.get(f"{of(row)}?undo=yes").content.decode()

    assert "Undo this import?" in shown
    assert Contact.objects.count() == 2
    assert send(mara, row, "undo").state == "undoing"


def test_whom_a_refusal_names_stands_in_the_access_log(mara):
    ada = Contact.objects.create(email="ada@example.com", external_id="1")
    row = imported("Email,External id\nben@example.com,1\n")
    assert f"contact {ada.pk} (" in RejectedRow.objects.get().reason

    mara.get(of(row))
    mara.get(f"/admin/leadscoring/import/{row.pk}/rejected.csv")

    assert [entry.people for entry in AccessEntry.objects.all()] == [[ada.pk]] * 2

"""CSV files as people really have them go in; what cannot is put aside, to be mended."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from leadscoring.models import Activity, Contact, Score
from tests.makers import a_contact, an_activity

pytestmark = pytest.mark.django_db

PEOPLE = "Email,First Name\nada@example.com,Ada\nben@example.com,Ben\n"
ACTIVITIES = "Email,Event,Timestamp,url\nada@example.com,Page View,2026-05-01T10:00:00Z,/pricing\n"


@pytest.fixture
def file(tmp_path):
    def make(text: str | bytes, name: str = "people.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


def run(command, path, *options):
    """The answer of a command and its exit code."""
    out, code = StringIO(), 0
    try:
        call_command(command, str(path), "--json", *options, stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    return json.loads(out.getvalue()), code


def people(path, *options):
    return run("import_contacts", path, *options)


def activities(path, *options):
    return run("import_activities", path, *options)


def refused(path, *options):
    with pytest.raises(CommandError) as caught:
        call_command("import_contacts", str(path), *options)
    assert caught.value.returncode == 2
    return str(caught.value)


def put_aside(answer):
    text = Path(answer["errors_file"]).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def emails():
    return list(Contact.objects.order_by("email").values_list("email", flat=True))


# --- what real files look like -----------------------------------------------------------------
def test_people_go_in_and_again_change_nothing(file):
    path = file(PEOPLE)

    first, second = people(path), people(path)

    assert (first[0]["created"], first[0]["rejected"], first[1]) == (2, 0, 0)
    assert (second[0]["unchanged"], second[1]) == (2, 0)
    assert Score.objects.count() == 2


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(file, sign):
    people(file(PEOPLE.replace(",", sign)))

    assert emails() == ["ada@example.com", "ben@example.com"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_usual_encoding_is_found(file, encoding):
    people(file("Email,First Name\nada@example.com,Zoë\n".encode(encoding)))

    assert Contact.objects.get().first_name == "Zoë"


def test_an_encoding_that_somebody_names_is_taken_and_shown(file):
    answer, _ = people(
        file("Email,First Name\na@example.com,Иван\n".encode("cp1251")), "--encoding", "cp1251"
    )

    assert (Contact.objects.get().first_name, answer["encoding"]) == ("Иван", "cp1251")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_understood(file, end):
    people(file(PEOPLE.replace("\n", end)))

    assert len(emails()) == 2


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("Record ID,First Name,Last Name,Email,Company name", ("external_id", "first_name", "last_name", "email", "company")),
        ("E-mail Address,Job Title,Country/Region,Phone Number", ("email", "job_title", "country", "phone")),
        ("Contact ID,Email,Account Name,Title,Mailing Country", ("external_id", "email", "company", "job_title", "country")),
        ("Given Name,Family Name,E-mail 1 - Value,Organization 1 - Name", ("first_name", "last_name", "email", "company")),
        ("EMAIL,FNAME,LNAME", ("email", "first_name", "last_name")),
    ],
)  # fmt: skip
def test_columns_are_found_by_the_names_that_exports_give_them(file, header, fields):
    row = ",".join("a@example.com" if name == "email" else "x" for name in fields)

    answer, _ = people(file(f"{header}\n{row}\n"))

    assert answer["columns"] == dict(zip(fields, header.split(","), strict=True))


def test_a_column_that_is_no_field_becomes_a_property(file):
    people(file("Email,Lead Source,Number of Employees,Größe\nada@example.com,Fair,340,XL\n"))

    assert Contact.objects.get().properties == {
        "lead_source": "Fair", "company_size": "340", "größe": "XL"
    }  # fmt: skip


def test_a_column_can_be_named_where_the_guess_fails(file):
    path = file("Wer,Wo\nada@example.com,Chile\n")

    people(path, "--map", "email=Wer", "--map", "country=Wo")

    assert Contact.objects.get().country == "Chile"


@pytest.mark.parametrize(
    "title",
    [
        "Person - Email - Work", "Adresse e-mail", "E-Mail-Adresse", "Correo electrónico", "Indirizzo e-mail",
        "E-mailadres", "Endereço de e-mail", "Adres e-mail", "E-postadress", "Sähköpostiosoite",
        "Eメール", "Ｅメール", "EMAIL", "E-mail 1 - Value",
    ],
)  # fmt: skip
def test_the_address_is_found_beside_an_id(file, title):
    people(file(f"ID,{title}\n7,ada@example.com\n"))

    assert emails() == ["ada@example.com"]


def test_an_id_alone_is_asked_about(file):
    path = file("ID,Postfach\n7,ada@example.com\n")

    sentence = refused(path)
    people(path, "--map", "email=Postfach")

    assert "--map email=COLUMN" in sentence
    assert "Addresses are in: Postfach" in sentence
    assert emails() == ["ada@example.com"]


@pytest.mark.parametrize("options", [["--map", "external_id=ID"], []])
def test_an_id_alone_is_taken_when_somebody_says_so(file, options):
    people(file(f"{'ID' if options else 'external_id'},Name\n7,Ada\n"), *options)

    assert Contact.objects.get().external_id == "7"


def test_columns_beyond_a_hundred_are_left_out_and_named(file):
    titles = [f"c{n}" for n in range(150)]
    path = file(f"Email,{','.join(titles)}\nada@example.com{',x' * 150}\n")

    answer, code = people(path)

    assert (code, len(Contact.objects.get().properties)) == (0, 100)
    assert answer["left_out"] == titles[100:]


def test_the_columns_of_rules_and_the_filled_ones_go_before_others(file):
    titles = [f"c{n}" for n in range(150)]
    path = file(f"Email,{','.join(titles)},Employees\nada@example.com{',' * 60}{',x' * 90},9\n")

    people(path)

    assert len(Contact.objects.get().properties) == 91


def test_only_mapped_takes_nothing_else(file):
    answer, _ = people(
        file("Email,Phone,Note\nada@example.com,1,x\n"), "--map", "email=Email", "--only-mapped"
    )

    contact = Contact.objects.get()
    assert (contact.phone, contact.properties, answer["columns"]) == ("", {}, {"email": "Email"})


def test_a_column_that_is_there_twice_can_be_chosen_by_its_number(file):
    path = file("Email,Email,Phone,Phone\na@example.com,b@example.com,1,2\n")

    assert "choose one with --map email=#1" in refused(path)
    answer, _ = people(path, "--map", "email=#2")

    contact = Contact.objects.get()
    assert (contact.email, contact.phone) == ("b@example.com", "1")
    assert "--map phone=#4 takes another" in answer["notes"][0]


def test_several_addresses_in_a_cell_are_noted(file):
    answer, _ = people(
        file('Email\n"Ada <ada@example.com>; ben@example.com"\nmailto:cy@example.com\n')
    )

    assert emails() == ["ada@example.com", "cy@example.com"]
    assert answer["notes"] == ["Cells with several addresses, of which the first is taken: 1."]


def test_numbers_as_people_write_them_give_points_and_others_are_said(file):
    sizes = ["1.234", "250+", "501-1000", "1 234", "many"]
    rows = "".join(f"a{n}@example.com,{size}\n" for n, size in enumerate(sizes))

    answer, _ = people(file(f"Email,Employees\n{rows}"))

    fits = [row.fit > 0 for row in Score.objects.order_by("contact__email")]
    assert fits == [True, True, True, True, False]
    assert "1.234 as 1234" in answer["notes"][0]
    assert "'many'" in answer["notes"][1]


def test_an_empty_cell_changes_nothing(file):
    a_contact(email="ada@example.com", phone="1")

    people(file("Email,Phone\nada@example.com,\n"))

    assert Contact.objects.get().phone == "1"


def test_excels_hint_blank_lines_and_empty_columns_at_the_end_are_no_trouble(file):
    answer, code = people(file("sep=;\r\nEmail;First Name;;\r\n\r\nada@example.com;Ada;;\r\n"))

    assert (answer["created"], answer["rejected"], code) == (1, 0, 0)


def test_a_cell_may_have_lines(file):
    people(file('Email,Note\nada@example.com,"one\ntwo, ""three"""\nben@example.com,x\n'))

    notes = Contact.objects.order_by("email").values_list("properties__note", flat=True)
    assert list(notes) == ['one\ntwo, "three"', "x"]


# --- what cannot be right ------------------------------------------------------------------------
def test_a_bad_row_is_put_aside_with_line_and_reason_and_goes_in_when_it_is_mended(file):
    path = file(PEOPLE + "nobody,Cy\n")

    answer, code = people(path)

    [row] = put_aside(answer)
    assert (answer["created"], answer["rejected"], code) == (2, 1, 1)
    assert row == {
        "Email": "nobody", "First Name": "Cy", "line": "4",
        "reason": "email: is not an e-mail address",
    }  # fmt: skip
    errors = Path(answer["errors_file"])
    assert errors.name == "people.errors.csv"
    errors.write_text(errors.read_text().replace("nobody", "cy@example.com"))
    assert people(errors)[0]["created"] == 1


def test_no_file_of_errors_is_made_when_there_are_none(file):
    answer, _ = people(file(PEOPLE))

    assert answer["errors_file"] is None
    assert not (file("x", "other.csv").parent / "people.errors.csv").exists()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ada@example.com", "has 1 cells, the header has 2"),
        ("ada@example.com,Ada,Lind", "has 3 cells, the header has 2"),
        ('ada@example.com,"Ada', "has a quote that is never closed"),
        ('ada@example.com,"Ada"x', "has text behind a closing quote"),
        ("Email,First Name", "is the header again"),
        (f"ada@example.com,{'x' * 140_000}", "has a cell of more than 131,072 characters"),
        (f"ada@example.com,{'x' * 10_000_000}", "is longer than 1,048,576 characters"),
        (f"ada@example.com,{'x' * 201}", "is longer than 200 characters"),
        ("ada@example.com,A\x07da", "contains the control character U+0007"),
        (",Ada", "is missing, and so is external_id"),
    ],
)
def test_a_broken_row_spoils_only_itself(file, row, reason):
    answer, code = people(
        file(f"Email,First Name\nben@example.com,Ben\n{row}\ncy@example.com,Cy\n")
    )

    assert (emails(), code) == (["ben@example.com", "cy@example.com"], 1)
    assert (answer["rejected"], answer["rejections"][0]["line"]) == (1, 3)
    assert reason in answer["rejections"][0]["reason"]


def test_a_byte_that_is_not_utf8_spoils_only_its_row(file):
    text = "Email,First Name\nada@example.com,Zoë\nben@example.com,Zoé\n".encode()

    answer, _ = people(file(text + b"cy@example.com,Zo\xeb\n"))

    assert emails() == ["ada@example.com", "ben@example.com"]
    assert "no sign in utf-8" in answer["rejections"][0]["reason"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("ada@example.com,Ada\nben@example.com,Ben\n", "no header"),
        ("Name,Town\nAda,Oslo\n", "No column is known as email"),
        ("Email,Email\na@example.com,b@example.com\n", "there 2 times"),
        (b"Email\n\0\1\2", "not text"),
        ("a" * 200_000, "cell of more than"),
        ("Email," + "a" * 200_000 + "\n", "cell of more than"),
        ("x" * 2_000_000, "longer than"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(file, text, sentence):
    assert sentence in refused(file(text))


@pytest.mark.parametrize(
    "arguments",
    [
        ["{file}", "--map", "email=Post", "--map", "first_name=Wer"],
        ["{file}", "--map", "email=Post", "first_name=Wer"],
        ["--map", "email=Post", "--map", "first_name=Wer", "{file}"],
        ["--map", "email=Post", "first_name=Wer", "{file}"],
    ],
)
def test_columns_are_named_in_any_usual_order(file, arguments):
    path = file("Post,Wer\nada@example.com,Ada\n")

    call_command("import_contacts", *(each.format(file=path) for each in arguments), "--json")

    assert Contact.objects.get().first_name == "Ada"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--map", "email=Mail"], "Column 'Mail' is not there"),
        (["--map", "email=Email", "--map", "email=Email"], "twice"),
    ],
)
def test_a_mapping_that_cannot_be_right_is_refused(file, options, sentence):
    assert sentence in refused(file(PEOPLE), *options)


def test_the_imported_file_is_never_overwritten_by_its_errors(file):
    path = file("Email\nnobody\n")

    assert "another file" in refused(path, "--errors", str(path))
    assert path.read_text() == "Email\nnobody\n"


FORMULA = "=cmd|'/C calc'!A0"


def test_a_formula_is_stored_as_text(file):
    people(file(f'Email,First Name\nada@example.com,"{FORMULA}"\n'))

    assert Contact.objects.get().first_name == FORMULA


@pytest.mark.parametrize(
    "cell", [FORMULA, "+47 1", "-1", "@x", "'=x", "''+1", "\t=x", "\n=x", "＝x", "'plain"]
)
def test_a_formula_in_the_file_of_errors_is_harmless_and_comes_back_as_it_was(file, cell):
    answer, _ = people(file(f'Email,Note\nnobody,"{cell}"\n'))
    errors = Path(answer["errors_file"])

    [row] = put_aside(answer)
    errors.write_text(errors.read_text().replace("nobody", "ada@example.com"))
    people(errors)

    assert row["Note"][0] not in "=+-@\t\r\n＝"
    assert Contact.objects.get().properties == {"note": cell.strip()}


# --- activities ----------------------------------------------------------------------------------
def test_activities_without_ids_go_in_once_however_often_the_file_is_imported(file):
    twice_the_same = ACTIVITIES + ACTIVITIES.splitlines()[1] + "\n"

    first, second = activities(file(twice_the_same))[0], activities(file(twice_the_same))[0]

    assert (first["accepted"], first["duplicates"]) == (2, 0)
    assert (second["accepted"], second["duplicates"]) == (0, 2)


def test_an_activity_keeps_its_type_time_and_other_columns(file):
    activities(file(ACTIVITIES))

    stored = Activity.objects.get()
    assert (stored.type, stored.source, stored.properties) == (
        "page_view",
        "import",
        {"url": "/pricing"},
    )
    assert stored.occurred_at.isoformat() == "2026-05-01T10:00:00+00:00"


def test_event_ids_of_the_file_are_kept_and_belong_to_the_named_source(file):
    activities(file("Event ID,Email,Type\n7,ada@example.com,demo_request\n"), "--source", "shop")

    assert Activity.objects.values_list("source", "event_id").get() == ("shop", "7")


def test_a_file_whose_times_have_no_offset_is_read_with_the_time_zone_it_asks_for(file):
    path = file(ACTIVITIES.replace("2026-05-01T10:00:00Z", "01.05.2026 12:00"))

    with pytest.raises(CommandError, match="--time-zone"):
        call_command("import_activities", str(path))
    activities(path, "--time-zone", "Europe/Berlin")

    assert Activity.objects.get().occurred_at.isoformat() == "2026-05-01T10:00:00+00:00"


def test_one_time_without_an_offset_spoils_its_row_only(file):
    row = ACTIVITIES.splitlines()[1]
    answer, _ = activities(file(f"{ACTIVITIES}{row}2\n{row.replace('00Z', '00')}\n"))

    assert (answer["accepted"], answer["rejected"]) == (2, 1)
    assert "--time-zone" in answer["rejections"][0]["reason"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--time-zone", "Mars/Base"], "is not a time zone"),
        (["--time-format", "often"], "is neither day-first"),
        (["--encoding", "hex"], "is not an encoding"),
    ],
)
def test_an_option_that_cannot_be_right_is_refused(file, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("import_activities", str(file(ACTIVITIES)), *options)


# --- dry runs ------------------------------------------------------------------------------------
def everything():
    """All that an import could leave behind."""
    return [list(model.objects.order_by("pk").values()) for model in (Contact, Activity, Score)]


def same(answer):
    """What a dry run foretells: all but the time it takes, the file of errors and ids not given yet."""
    document, code = answer
    refused = [(one["line"], one["reason"].split(":")[0]) for one in document["rejections"]]
    counts = {name: value for name, value in document.items() if isinstance(value, int)}
    return {**counts, "dry_run": None, "rows_per_second": None}, refused, document["columns"], code


def test_a_dry_run_of_people_says_what_the_real_run_then_does(file):
    a_contact(email="ada@example.com", external_id="1", company="Alder")
    a_contact(email="ben@example.com", first_name="Ben")
    path = file(
        "Email,Record ID,First Name,Company\n"
        "ada@example.com,1,Ada,ALDER\nben@example.com,,Ben,\ncy@example.com,3,Cy,Birch\n"
        "cy@example.com,3,Cy,birch\ncy@example.com,1,,\nnobody,,,\nold@example.com,,,\n"
    )
    before = everything()

    rehearsed = people(path, "--dry-run")

    assert (everything(), path.with_suffix(".errors.csv").exists()) == (before, False)
    assert same(rehearsed) == same(people(path))
    assert {k: rehearsed[0][k] for k in ("created", "updated", "unchanged", "rejected")} == {
        "created": 2, "updated": 1, "unchanged": 2, "rejected": 2
    }  # fmt: skip


def test_a_dry_run_of_activities_says_what_the_real_run_then_does(file):
    an_activity(a_contact(email="ada@example.com"), source="import", event_id="1")
    path = file(
        "Event ID,Email,Type\n1,ada@example.com,page_view\n2,new@example.com,page_view\n"
        "2,new@example.com,page_view\n3,nobody,page_view\n"
    )
    before = everything()

    rehearsed = activities(path, "--dry-run")

    assert everything() == before
    assert same(rehearsed) == same(activities(path))
    assert (rehearsed[0]["accepted"], rehearsed[0]["duplicates"]) == (1, 2)


def test_a_dry_run_knows_of_one_batch_in_the_next(file, monkeypatch):
    monkeypatch.setattr("leadscoring.intake.csv_import.importer.BATCH", 1)
    path = file("Email,Record ID,First Name\nada@example.com,1,\n,1,Ada\nben@example.com,2,\n")

    answer, _ = people(path, "--dry-run")

    assert (answer["created"], answer["updated"], answer["rejected"]) == (2, 1, 0)


# --- keys ----------------------------------------------------------------------------------------
def test_a_key_is_printed_once_and_its_name_is_used_once():
    out = StringIO()
    call_command("create_api_key", "website", "--json", stdout=out)

    with pytest.raises(SystemExit, match="1"):
        call_command("create_api_key", "website", stderr=StringIO())

    key = json.loads(out.getvalue())["key"]
    assert key.startswith("ls_")
    assert len(key) == 46

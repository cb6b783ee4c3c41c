"""Cells and titles as people and exports write them."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from leadscoring.intake.csv_import.encoding import UnreadableFile, detect_encoding
from leadscoring.intake.csv_import.values import (
    TimeReader,
    addresses_in,
    choose_time_reader,
    decimal_sign,
    plain_thousands,
)
from leadscoring.intake.csv_import.wishes import find_wish_columns

BERLIN = ZoneInfo("Europe/Berlin")


# --- addresses -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("ada@example.com", ["ada@example.com"]),
        ("Ada Lind <ada@example.com>", ["ada@example.com"]),
        ('"Lind, Ada" <mailto:ada@example.com>', ["ada@example.com"]),
        ("mailto:ada@example.com?subject=x", ["ada@example.com"]),
        ("MAILTO:ada@example.com", ["ada@example.com"]),
        ("'ada@example.com", ["ada@example.com"]),
        ("'ada@example.com'", ["ada@example.com"]),
        ("<ada@example.com>", ["ada@example.com"]),
        ("o'brien@example.com", ["o'brien@example.com"]),
        ("ada@example.com; ben@example.com", ["ada@example.com", "ben@example.com"]),
        ("ada@example.com,ada@example.com", ["ada@example.com"]),
        ("Ada <ada@example.com>, Ben <ben@example.com>", ["ada@example.com", "ben@example.com"]),
        ("Ada <ada@example.com>; ben@example.com", ["ada@example.com", "ben@example.com"]),
        ("nobody", ["nobody"]),
    ],
)
def test_the_addresses_of_a_cell(cell, addresses):
    assert addresses_in(cell) == addresses


# --- times ---------------------------------------------------------------------------------------
NOON = datetime(2025, 12, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-31T12:00:00Z", "2025-12-31 12:00:00 UTC", "2025-12-31 13:00", "2025/12/31 13:00:00",
        "31.12.2025 13:00", "31.12.2025, 13:00:00", "31.12.25 13:00", "1767182400", "1767182400000",
        "1767182400000000", "46022.5416666667", "46022,5416666667", "2025-12-31T13:00:00.123",
    ],
)  # fmt: skip
def test_a_time_is_read_however_it_is_written(text):
    assert TimeReader(BERLIN).read(text).replace(microsecond=0) == NOON


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("day-first", "31/12/2025 1:00 PM"),
        ("month-first", "12/31/2025 1:00 pm"),
        ("month-first", "12-31-2025 13:00"),
        ("%H:%M on %d %b %Y", "13:00 on 31 Dec 2025"),
    ],
)
def test_a_time_is_read_in_the_form_that_was_chosen(form, text):
    assert TimeReader(BERLIN, form).read(text) == NOON


@pytest.mark.parametrize(
    ("reader", "text", "option"),
    [
        (TimeReader(), "31.12.2025", "--time-zone"),
        (TimeReader(), "46022", "--time-zone"),
        (TimeReader(BERLIN), "03/04/2025", "--time-format"),
        (TimeReader(BERLIN), "yesterday", "--time-format"),
        (TimeReader(BERLIN), "31.02.2025", "--time-format"),
        (TimeReader(BERLIN), "99999999999999999", "--time-format"),
    ],
)
def test_a_time_that_cannot_be_read_names_the_option(reader, text, option):
    with pytest.raises(ValueError, match=option):
        reader.read(text)


@pytest.mark.parametrize(
    ("cells", "day", "month"),
    [(["03/04/2025", "31/12/2025"], 3, 4), (["03/04/2025", "12/31/2025"], 4, 3)],
)
def test_one_day_beyond_twelve_tells_for_the_whole_column(cells, day, month):
    read = choose_time_reader("Date", cells, BERLIN, "").read(cells[0])

    assert (read.day, read.month) == (day, month)


@pytest.mark.parametrize("cells", [["03/04/2025"], ["31/12/2025", "12/31/2025"]])
def test_a_column_that_does_not_tell_day_from_month_is_asked_about(cells):
    with pytest.raises(UnreadableFile, match="--time-format"):
        choose_time_reader("Date", cells, BERLIN, "")


def test_a_few_bad_times_are_no_question_for_the_file():
    choose_time_reader("Date", ["2025-12-31", "2025-12-30", "soon"], BERLIN, "")


# --- numbers -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cells", "plain"),
    [
        (["1.234", "50"], ["1234", "50"]),
        (["1.234", "12,5"], ["1234", "12,5"]),
        (["1.234", "12.5"], ["1.234", "12.5"]),
        (["1,234", "12,5"], ["1.234", "12,5"]),
        (["1,234", "50"], ["1,234", "50"]),
        (["0.125"], ["0.125"]),
        (["1.001-5.000", "1.000+"], ["1001-5000", "1000+"]),
        (["1.234.567", "1,234"], ["1.234.567", "1.234"]),
    ],
)
def test_thousands_and_decimals_are_told_apart_by_the_column(cells, plain):
    sign = decimal_sign(cells)

    assert [plain_thousands(cell, sign) for cell in cells] == plain


# --- encodings -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp932", ["田中太郎", "鈴木一郎", "東京株式会社", "営業部長"]),
        ("cp1250", ["Łukasz Żółć", "Příliš žluťoučký", "Čapek", "Gęślą"]),
        ("cp1251", ["Иван Петров", "Москва", "Анна Каренина", "Ольга"]),
        ("cp1253", ["Γιώργος Παπαδόπουλος", "Αθήνα", "Μαρία", "Ελένη"]),
        ("cp1252", ["François Müller", "Jürgen Groß", "Peña", "Zoë"]),
        ("cp1252", ["Zoë"]),
        ("utf-8", ["Zoë"]),
    ],
)
def test_an_encoding_is_detected(encoding, names, tmp_path):
    path = tmp_path / "people.csv"
    text = "Email,Name\n" + "".join(f"a{n}@example.com,{name}\n" for n, name in enumerate(names))
    path.write_bytes(text.encode(encoding))

    found, lines = detect_encoding(path)

    assert (text.encode(encoding).decode(found), lines) == (text, len(names) + 1)


def test_an_encoding_that_is_not_sure_is_asked_about_with_what_the_file_would_say(tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_bytes("Email,Name\na@example.com,Иван Петров\n".encode("cp1251"))

    with pytest.raises(UnreadableFile, match="--encoding cp1251 reads 'Иван'"):
        detect_encoding(path)


def test_an_encoding_that_the_file_cannot_be_in_is_refused(tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text("Email,Name\n")

    with pytest.raises(UnreadableFile, match="not in utf-16"):
        detect_encoding(path, "utf-16")


# --- who wants no mail ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "title",
    [
        "Unsubscribed from all email", "Opted out of email: Marketing Information", "Email Opt Out",
        "HASOPTEDOUTOFEMAIL", "UNSUB_TIME", "Do Not Contact", "do_not_email", "hs_email_optout",
        "Von allen E-Mails abgemeldet", "Désabonné de tous les e-mails", "Canceló la suscripción a todos los correos",
        "Annullata l'iscrizione a tutte le e-mail", "Afgemeld voor alle e-mails", "Cancelou a inscrição em todos os e-mails",
        "Wypisany ze wszystkich e-maili", "Avregistrerad från all e-post", "Peruuttanut kaikkien sähköpostien tilauksen",
        "すべてのEメールの配信停止",
    ],
)  # fmt: skip
def test_a_column_of_those_who_want_no_mail_is_found(title):
    [column] = find_wish_columns(["Email", title], {})

    assert column.title == title
    assert not column.bounced
    for cell in ("true", "1", "WAHR", "Oui", "2025-05-01 10:00:00", "x"):
        assert column.read(cell, TimeReader()), cell
    for cell in ("", "false", "0", "FALSCH", "Non", "never"):
        assert column.read(cell, TimeReader()) is None, cell


@pytest.mark.parametrize("title", ["Email hard bounce reason", "EMAILBOUNCEDREASON", "CLEAN_TIME", "Bounced", "Invalid email address"])  # fmt: skip
def test_a_column_of_addresses_that_refused_mail_is_found(title):
    assert [one.bounced for one in find_wish_columns([title], {})] == [True]


@pytest.mark.parametrize(
    ("title", "cell", "bounced"),
    [
        ("Person - Marketing status", "unsubscribed", False),
        ("Status", "Bounced", True),
        ("Email Marketing Consent Status", "Opted out", False),
        ("Status", "cleaned", True),
    ],
)
def test_a_word_of_a_status_says_so(title, cell, bounced):
    [column] = find_wish_columns([title], {})

    assert column.read(cell, TimeReader()).bounced is bounced
    assert column.read("Subscribed", TimeReader()) is None
    assert column.read("Qualified", TimeReader()) is None
    assert column.read("Soft bounced", TimeReader()) is None


@pytest.mark.parametrize(
    "title",
    ["Fax Opt Out", "Do Not Call", "Emails Bounced", "Unsubscribe rate", "Email", "Note", "SMS opted out", "Unsubscribe link"],
)  # fmt: skip
def test_a_column_about_something_else_is_none(title):
    assert find_wish_columns([title], {}) == []


def test_a_column_that_was_named_otherwise_is_nothing_but_that():
    assert find_wish_columns(["Unsubscribed"], {"left_trial": 0}) == []
    assert find_wish_columns(["Mist"], {"unsubscribed": 0}) != []

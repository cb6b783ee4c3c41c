"""Files say who wants no mail: columns of exports, and lists of other tools."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from leadscoring.erasing import erase_contact
from leadscoring.models import Contact
from sequences.models import Enrollment, Suppression
from sequences.suppression import suppress_addresses
from tests.sequences.makers import NOON, a_contact, a_sequence

pytestmark = pytest.mark.django_db
Reason = Suppression.Reason


def run(command: str, folder: Path, text: str, *options: str) -> dict[str, Any]:
    path, out = folder / "people.csv", StringIO()
    path.write_text(text)
    with suppress(SystemExit):  # some rows were rejected
        call_command(command, str(path), "--json", *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def held() -> dict[str, str]:
    return dict(Suppression.objects.order_by("email").values_list("email", "reason"))


PEOPLE = (
    "Email,Unsubscribed from all email,Email hard bounce reason\n"
    "ada@example.com,true,\nben@example.com,false,\ncy@example.com,,UNKNOWN_USER\n"
)


def test_who_unsubscribed_elsewhere_is_suppressed_before_a_sequence_lets_them_in(tmp_path):
    a_sequence(enter_when={"lifecycle__in": ["subscriber", "lead"]})

    answer = run("import_contacts", tmp_path, PEOPLE)

    assert held() == {"ada@example.com": Reason.UNSUBSCRIBED, "cy@example.com": Reason.BOUNCED}
    assert (answer["suppressed"], answer["created"]) == (2, 3)
    assert answer["no_mail_columns"] == ["Unsubscribed from all email", "Email hard bounce reason"]
    entered = Enrollment.objects.values_list("contact__email", flat=True)
    assert list(entered) == ["ben@example.com"]


def test_a_dry_run_says_how_many_and_suppresses_nobody(tmp_path):
    assert run("import_contacts", tmp_path, PEOPLE, "--dry-run")["suppressed"] == 2
    assert held() == {}


def test_a_wish_counts_of_a_row_that_is_refused_and_of_each_address_in_a_cell(tmp_path):
    run(
        "import_contacts",
        tmp_path,
        f'Email,First name,Status\n"ada@example.com; ben@example.com",{"x" * 201},Unsubscribed\n',
    )

    assert set(held()) == {"ada@example.com", "ben@example.com"}


def test_a_wish_beside_an_id_alone_is_of_the_address_that_is_known(tmp_path):
    Contact.objects.create(email="ada@example.com", external_id="7")

    run("import_contacts", tmp_path, "external_id,Opted out\n7,yes\n8,yes\n")

    assert set(held()) == {"ada@example.com"}


def test_a_column_that_was_named_as_a_property_is_no_wish(tmp_path):
    run("import_contacts", tmp_path, PEOPLE, "--map", "left=Unsubscribed from all email")

    assert set(held()) == {"cy@example.com"}


def test_an_activity_of_unsubscribing_is_a_wish_and_a_single_bounce_is_none(tmp_path):
    run(
        "import_activities",
        tmp_path,
        "Email,Event\nada@example.com,Unsubscribed\nben@example.com,Bounced\n",
    )

    assert set(held()) == {"ada@example.com"}


# --- lists ---------------------------------------------------------------------------------------
def test_every_row_of_a_plain_list_is_suppressed_with_reason_and_time(tmp_path):
    contact = a_contact()

    answer = run(
        "import_suppressions",
        tmp_path,
        f"Email,Reason,Date\n{contact.email},moved on,2025-05-01\nben@example.com,Hard bounce,\nnobody,,\n",
        "--time-zone",
        "UTC",
    )

    assert held() == {contact.email: Reason.UNSUBSCRIBED, "ben@example.com": Reason.BOUNCED}
    row = Suppression.objects.get(email=contact.email)
    assert (row.detail, row.created_at) == ("moved on", datetime(2025, 5, 1, tzinfo=UTC))
    assert (answer["suppressed"], answer["rejected"]) == (2, 1)
    assert "is not an e-mail address" in answer["rejections"][0]["reason"]


def test_of_everybody_in_a_file_only_those_are_suppressed_who_asked(tmp_path):
    answer = run("import_suppressions", tmp_path, PEOPLE)

    assert held() == {"ada@example.com": Reason.UNSUBSCRIBED, "cy@example.com": Reason.BOUNCED}
    assert (answer["suppressed"], answer["unaffected"]) == (2, 1)


def test_an_export_of_those_who_left_tells_when(tmp_path):
    run(
        "import_suppressions",
        tmp_path,
        "Email Address,UNSUB_TIME,UNSUB_REASON\nada@example.com,2025-05-01 10:00:00,\n",
        "--time-zone",
        "UTC",
    )

    assert Suppression.objects.get().created_at == datetime(2025, 5, 1, 10, tzinfo=UTC)


def test_a_dry_run_of_a_list_says_what_the_real_run_then_does(tmp_path):
    suppress_addresses(["ada@example.com"], Reason.BY_HAND, NOON, by="ada")
    text = "Email\nada@example.com\nben@example.com\nben@example.com\n"

    rehearsed = run("import_suppressions", tmp_path, text, "--dry-run")
    assert set(held()) == {"ada@example.com"}
    real = run("import_suppressions", tmp_path, text)

    counts = ("suppressed", "known", "unaffected", "rejected")
    assert {name: rehearsed[name] for name in counts} == {name: real[name] for name in counts}
    assert (real["suppressed"], real["known"]) == (1, 2)
    assert held()["ada@example.com"] == Reason.BY_HAND


def test_an_enrollment_ends_when_its_person_is_in_a_list(tmp_path):
    contact = a_contact()
    a_sequence(enter_when={"lifecycle__in": ["subscriber", "lead"]})
    run("import_contacts", tmp_path, f"Email,Phone\n{contact.email},1\n")
    assert Enrollment.objects.get().is_active

    run("import_suppressions", tmp_path, f"Email\n{contact.email.upper()}\n")

    assert not Enrollment.objects.get().is_active


def test_nothing_is_kept_of_an_erased_address(tmp_path):
    erase_contact(a_contact(email="ada@example.com").pk, NOON)

    run("import_suppressions", tmp_path, "Email\nada@example.com\n")

    assert held() == {}


def test_people_read_how_the_file_was_read_and_who_wants_no_mail(tmp_path):
    path, out = tmp_path / "people.csv", StringIO()
    titles = [f"c{n}" for n in range(101)]
    path.write_text(
        f"Email,Opted out,{','.join(titles)}\nada@example.com,yes{',x' * 101}\n",
        encoding="utf-8-sig",
    )

    call_command("import_contacts", str(path), "--dry-run", stdout=out)

    said = out.getvalue()
    assert "Read as utf-8-sig, cells apart by ,;" in said
    assert "1 addresses want no mail (by 'Opted out'): they would go under Do not mail." in said
    assert "2 columns are left out, 100 fit: c99, c100." in said

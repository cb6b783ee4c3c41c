"""Uploaded files: looked at, checked, taken in by parts that survive their worker, and taken back again."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils.timezone import now

from leadscoring.erasing import erase_contact
from leadscoring.intake import take_activities, take_contacts
from leadscoring.intake.csv_import.encoding import UnreadableFile
from leadscoring.intake.uploads import reading, running, store, undo, work
from leadscoring.intake.uploads.choices import kind_of, problem_of
from leadscoring.merging import merge_contacts
from leadscoring.models import (
    Activity,
    Company,
    Contact,
    Identifier,
    Import,
    ImportChange,
    ImportPart,
    ImportWish,
    RejectedRow,
    Score,
)
from leadscoring.scoring import check_scores
from sequences.models import Suppression
from sequences.suppression import suppress_addresses
from tests.crm_sync.makers import a_handoff
from tests.makers import an_upload

pytestmark = pytest.mark.django_db
PEOPLE = "Email,First name,Company,Plan\nada@example.com,Ada,Alder,pro\nben@example.com,Ben,,free\n"
ACTIVITIES = "Email,Event,Date,url\nada@example.com,Page View,2026-05-01 10:00,/pricing\n"


def move(row: Import, state: str) -> Import:
    """Have workers do what a state asks for, all of it."""
    row.state, row.turn_at, row.started_at = Import.State(state), now(), row.started_at or now()
    row.save(update_fields=["state", "turn_at", "started_at"])
    while work.go_on():
        pass
    row.refresh_from_db()
    return row


def imported(text: str, kind: str = "people", **choices: Any) -> Import:
    return move(an_upload(text, kind, **choices), "running")


def undone(row: Import) -> Import:
    return move(row, "undoing")


def people() -> dict[str, tuple[str, dict[str, str]]]:
    rows = Contact.objects.order_by("email").values_list("email", "first_name", "properties")
    return {email: (name, properties) for email, name, properties in rows}


# --- in ------------------------------------------------------------------------------------------
def test_checking_says_what_would_happen_and_changes_nothing():
    take_contacts([{"email": "ada@example.com"}], now())

    row = move(an_upload(PEOPLE + "nobody,,,\n"), "checking")

    assert row.state == "checked"
    assert row.forecast["counts"] == {
        "created": 1, "updated": 1, "unchanged": 0, "rejected": 1, running.SUPPRESSED: 0,
    }  # fmt: skip
    assert row.forecast["rejections"][0]["line"] == 4
    assert list(people()) == ["ada@example.com"]


def test_a_file_goes_in_and_what_is_rejected_is_kept_with_its_reason():
    row = imported(PEOPLE + "nobody,Cy,,\n")

    assert (row.state, row.done, row.counts["created"], row.counts["rejected"]) == ("done", 3, 2, 1)
    assert people() == {
        "ada@example.com": ("Ada", {"plan": "pro"}),
        "ben@example.com": ("Ben", {"plan": "free"}),
    }
    assert Score.objects.count() == 2
    [rejected] = RejectedRow.objects.values_list("line", "cells", "reason")
    assert rejected == (4, ["nobody", "Cy", "", ""], "email: is not an e-mail address")


def test_what_was_chosen_for_a_column_holds():
    columns = {"0": "email", "1": "", "2": "property:employer", "3": "job_title"}

    imported(PEOPLE, columns=columns)

    ada = Contact.objects.get(email="ada@example.com")
    assert (ada.first_name, ada.properties, ada.job_title) == ("", {"employer": "Alder"}, "pro")


def test_a_column_that_asks_for_no_mail_does_so_unless_it_is_left_out():
    text = "Email,Unsubscribed\nada@example.com,yes\n"

    imported(text, columns={"0": "email", "1": ""})
    assert not Suppression.objects.exists()
    row = imported(text)

    assert Suppression.objects.get().email == "ada@example.com"
    assert row.counts[running.SUPPRESSED] == 1


def test_times_and_numbers_are_read_as_chosen():
    text = "Email,Event,Date,seats\nada@example.com,Seen,03/04/2026 10:00,x\n"

    imported(text, "activities", zone="Europe/Berlin", time_form="day-first")

    assert Activity.objects.get().occurred_at.isoformat() == "2026-04-03T08:00:00+00:00"
    text = "Email,Employees\nben@example.com,1.234\n"
    imported(text, decimal=".")
    assert Contact.objects.get(email="ben@example.com").properties == {"company_size": "1.234"}


def test_the_next_file_with_the_same_columns_gets_what_was_chosen_for_the_last():
    columns = {"0": "email", "1": "", "2": "company", "3": ""}
    imported(PEOPLE, columns=columns)
    second = an_upload(PEOPLE)
    look = reading.look_at(second, now())

    assert reading.choices_of_last(second, look)["columns"] == columns
    assert reading.choices_of_last(an_upload("Email\na@example.com\n"), look) is not None
    other = an_upload("Email,Other\na@example.com,x\n")
    assert reading.choices_of_last(other, reading.look_at(other, now())) is None


def test_the_time_that_no_clock_tells_stops_the_check_with_what_to_choose():
    row = move(an_upload(ACTIVITIES.replace("2026-05-01", "03/04/2026"), "activities"), "checking")

    assert row.state == "columns"
    assert "choose the order of day and month" in row.problem
    assert "--" not in row.problem


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"0": "", "1": "first_name"}, "Choose the column that has the e-mail address or the id."),
        ({"0": "email", "1": "email"}, "Two columns are “E-mail address”: choose one of them."),
        ({"0": "email", "1": "property:a", "2": "property:a"}, "Two columns are the property “a”: choose one of them."),
        ({"0": "email", "1": "wish", "2": "wish", "3": ""}, ""),
        ({"0": "email", **{str(n): f"property:p{n}" for n in range(1, 102)}}, "At most 100 columns can be properties: leave some out."),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_are_named(columns, problem):
    assert problem_of(kind_of(Import(kind="people")), columns) == problem


def test_a_property_never_takes_the_place_of_a_field():
    look = reading.look_at(
        an_upload("Email,Person - Email - Home,E-mail\na@example.com,,\n"), now()
    )

    targets = [column.target for column in look.columns]
    assert targets[0] == "email"
    assert problem_of(kind_of(Import(kind="people")), look.targets) == ""
    assert len({*targets}) == 3


# --- what comes from outside ----------------------------------------------------------------------
def test_a_file_that_is_empty_or_too_large_is_not_kept(monkeypatch):
    user = User.objects.create_user("mara")
    monkeypatch.setattr(store, "MOST_BYTES", 10)

    for size in (0, 11):
        with pytest.raises(store.RefusedUpload):
            store.keep_upload("people", "leads.csv", size, [b"x" * size], user, now())

    assert not ImportPart.objects.exists()


def test_a_file_of_several_pieces_is_read_as_one(monkeypatch):
    monkeypatch.setattr(store, "PIECE", 7)
    row = an_upload(PEOPLE)
    assert row.parts.count() > 5

    move(row, "running")

    assert len(people()) == 2
    assert not row.parts.exists()  # it is in


@pytest.mark.parametrize("text", ["", "\0\0\0", ",".join(f"c{n}" for n in range(400)) + "\n"])
def test_what_is_no_table_that_a_person_can_look_at_is_refused(text):
    user = User.objects.create_user("mara")
    row = store.keep_upload("people", "x.csv", 1, [text.encode()], user, now())

    with pytest.raises(UnreadableFile):
        reading.look_at(row, now())


def test_a_file_with_too_many_rows_is_refused_when_it_is_checked(monkeypatch):
    monkeypatch.setattr(running, "MOST_ROWS", 1)

    assert "split it" in move(an_upload(PEOPLE), "checking").problem


def test_a_long_file_is_checked_by_its_beginning(monkeypatch):
    monkeypatch.setattr(running, "CHECKED_ROWS", 1)

    row = move(an_upload(PEOPLE), "checking")

    assert (row.forecast["beginning"], row.forecast["counts"]["created"]) == (1, 1)


def test_an_import_that_fails_each_time_is_stopped_with_a_word(monkeypatch):
    monkeypatch.setattr(work, "take_in", lambda *a: 1 / 0)
    row = an_upload(PEOPLE)
    row.state, row.started_at = Import.State.RUNNING, now()
    row.save()

    for _ in range(running.MOST_TRIES):
        with pytest.raises(ZeroDivisionError):
            work.go_on()
    work.go_on()

    row.refresh_from_db()
    assert (row.state, row.problem) == ("done", running.GAVE_UP)


# --- workers -------------------------------------------------------------------------------------
def test_turns_go_on_where_the_last_one_stood(monkeypatch):
    monkeypatch.setattr(running, "PART", 1)
    monkeypatch.setattr(work, "TURN_SECONDS", 0.0)
    row = an_upload(PEOPLE)
    row.state, row.started_at = Import.State.RUNNING, now()
    row.save()

    stood = []
    while work.go_on(0.0):
        row.refresh_from_db()
        stood.append(row.done)

    assert stood == [1, 2]
    row.refresh_from_db()
    assert (row.state, row.counts["created"]) == ("done", 2)


def test_a_late_worker_is_told_so():
    row = an_upload(PEOPLE)
    row.state, row.started_at = Import.State.RUNNING, now()
    row.save()
    Import.objects.filter(pk=row.pk).update(done=1)

    with pytest.raises(running.Overtaken):
        running.take_in(row, now, lambda: False)

    assert people() == {}


EQUAL = "ada@example.com,Page View,2026-05-01 10:00,/pricing\n"
WORKER = "import django; django.setup(); from leadscoring.intake.uploads import running, work; running.PART = 2; work.go_on()"


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_no_row_and_takes_none_twice(tmp_path):
    row = an_upload("Email,Event,Date,url\n" + EQUAL * 5, "activities")
    row.state, row.started_at = Import.State.RUNNING, now()
    row.save()
    settings = connection.settings_dict
    address = f"postgres://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    reached = tmp_path / "reached"
    environment = {
        **os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "leadscoring.settings",
        "PAUSE_AT": "import_part_stored", "PAUSE_FILE": str(reached),
    }  # fmt: skip
    root = Path(__file__).parent.parent.parent
    worker = subprocess.Popen([sys.executable, "-c", WORKER], env=environment, cwd=root)
    while not reached.exists():
        assert worker.poll() is None
        time.sleep(0.05)
    worker.send_signal(signal.SIGKILL)
    worker.wait()

    row.refresh_from_db()
    stood = row.done
    while work.go_on():
        pass

    row.refresh_from_db()
    assert (stood, row.done, row.state) == (2, 5, "done")
    assert row.counts["accepted"] == Activity.objects.count() == 5
    assert sum(len(change.activities) for change in ImportChange.objects.all()) == 5


# --- undo ----------------------------------------------------------------------------------------
def test_undoing_takes_people_away_whom_the_file_made_and_their_company():
    row = imported(PEOPLE)
    plan = undo.plan_undo(row)

    row = undone(row)

    assert (plan.people, plan.staying) == (2, 0)
    assert (row.state, row.undone["people"]) == ("undone", 2)
    assert not Contact.objects.exists()
    assert not Company.objects.exists()
    assert not Score.objects.exists()
    assert not ImportChange.objects.exists()
    assert imported(PEOPLE).counts["created"] == 2  # nobody is shut out


def test_undoing_puts_fields_back_that_are_still_as_the_file_left_them():
    take_contacts(
        [{"email": "ada@example.com", "first_name": "Adele", "company": "Old", "properties": {"plan": "free", "x": "1"}}],
        now(),
    )  # fmt: skip
    row = imported(PEOPLE.splitlines()[0] + "\nada@example.com,Ada,Alder,pro\n")
    ada = Contact.objects.get()
    assert (ada.first_name, ada.company.name, ada.properties["plan"]) == ("Ada", "Alder", "pro")
    take_contacts([{"email": "ada@example.com", "properties": {"plan": "team"}}], now())

    assert undo.plan_undo(row).changed == 1
    row = undone(row)

    ada = Contact.objects.get()
    assert (ada.first_name, ada.company.name) == ("Adele", "Old")
    assert ada.properties == {"plan": "team", "x": "1"}
    assert (row.undone["changed"], row.undone["kept"]) == (1, 1)
    assert not Company.objects.filter(name="Alder").exists()
    assert ada.profile_changes.order_by("-at").first().fields["first_name"] == "Adele"


def test_a_person_changed_twice_by_a_file_is_as_before(monkeypatch):
    monkeypatch.setattr(running, "PART", 1)
    take_contacts([{"email": "ada@example.com", "first_name": "Adele"}], now())
    row = imported("Email,First name\nada@example.com,Ada\nada@example.com,Ade\n")

    undone(row)

    assert people()["ada@example.com"] == ("Adele", {})


def test_a_person_made_and_changed_by_a_file_goes(monkeypatch):
    monkeypatch.setattr(running, "PART", 1)

    undone(imported("Email,First name\nada@example.com,Ada\nada@example.com,Ade\n"))

    assert people() == {}


def test_undoing_takes_activities_away_and_scores_follow():
    at, later = now() - timedelta(days=9), now() - timedelta(days=1)
    visit = {"email": "ada@example.com", "type": "page_view", "properties": {"url": "/pricing"}}
    take_activities([{**visit, "event_id": "1", "occurred_at": at.isoformat()}], "web", at)
    acts = f"Page View,{later:%Y-%m-%d %H:%M},/pricing\n"
    text = f"Email,Event,Date,url\nada@example.com,{acts}ben@example.com,{acts}"
    row = imported(text, "activities")
    assert Activity.objects.count() == 3
    high = Score.objects.get(contact__email="ada@example.com").total

    plan, row = undo.plan_undo(row), undone(row)

    assert (plan.activities, plan.people, row.undone["activities"]) == (2, 1, 2)
    assert Activity.objects.get().source == "web"
    ada = Contact.objects.get()
    assert ada.last_activity_at == at
    assert 0 < Score.objects.get().total < high
    assert not [one for chunk in check_scores() for one in chunk]


def test_activities_that_were_known_before_stay():
    imported(ACTIVITIES, "activities")

    undone(imported(ACTIVITIES, "activities"))

    assert Activity.objects.count() == 1


@pytest.mark.parametrize("what", ["act", "edit", "handoff", "identifier", "merge"])
def test_somebody_to_whom_something_happened_since_stays(what):
    row = imported(PEOPLE)
    ada = Contact.objects.get(email="ada@example.com")
    if what == "act":
        act = {"email": ada.email, "type": "page_view", "event_id": "1"}
        take_activities([act], "web", now())
    elif what == "edit":
        take_contacts([{"email": ada.email, "job_title": "CTO"}], now())
    elif what == "handoff":
        a_handoff(ada)
    elif what == "identifier":
        Identifier.objects.create(contact=ada, source="shop", value="7")
    else:
        take_contacts([{"email": "old@example.com"}], now())
        merge_contacts(ada.pk, Contact.objects.get(email="old@example.com").pk, now())

    plan = undo.plan_undo(row)
    row = undone(row)

    assert plan.staying == (what != "merge")  # who was merged was not made by the file alone
    assert list(people()) == ["ada@example.com"]


def test_ids_of_a_file_are_taken_back():
    take_contacts([{"email": "ada@example.com"}], now())
    row = imported("Email,Record ID\nada@example.com,17\n", id_source="old-crm")
    assert Identifier.objects.get().value == "17"

    undone(row)

    assert not Identifier.objects.exists()
    own = imported("Email,Record ID\nada@example.com,17\n")
    assert Contact.objects.get().external_id == "17"
    undone(own)
    assert Contact.objects.get().external_id is None


def test_undoing_takes_addresses_out_of_do_not_mail_unless_somebody_said_so_again(monkeypatch):
    monkeypatch.setattr(running, "PART", 1)
    text = "Email\nada@example.com\nben@example.com\ncy@example.com\nada@example.com\n"
    bounced, wish = Suppression.Reason.BOUNCED, Suppression.Reason.UNSUBSCRIBED
    suppress_addresses(["cy@example.com"], bounced, now(), by="a test")
    row = imported(text, "no_mail")
    assert Suppression.objects.filter(reason=wish).count() == 3
    suppress_addresses(["ben@example.com"], wish, now(), by="themselves")

    plan, row = undo.plan_undo(row), undone(row)

    left = dict(Suppression.objects.values_list("email", "reason"))
    assert left == {"ben@example.com": wish, "cy@example.com": bounced}
    assert (plan.addresses, row.undone["addresses"]) == (2, 2)


def test_nothing_of_an_erased_person_is_kept_of_an_import():
    imported("Email,Unsubscribed\nada@example.com,yes\n")
    imported("Email,Age\n,7\nx Ada@example.com ben@,8\n")

    erase_contact(Contact.objects.get().pk, now())

    assert not ImportWish.objects.exists()
    assert not ImportChange.objects.exists()
    assert not ImportPart.objects.exists()  # since they are imported


def test_a_turn_that_ends_in_the_middle_of_undoing_is_gone_on_with(monkeypatch):
    row = imported(PEOPLE)
    monkeypatch.setattr(undo, "PART", 1)
    row.state = Import.State.UNDOING
    row.save()

    left = []
    while work.go_on(0.0):
        left.append(Contact.objects.count())

    assert left == [1, 0]


# --- later ---------------------------------------------------------------------------------------
def test_after_thirty_days_the_numbers_are_left_alone():
    row, young = imported(PEOPLE + "nobody,,,\n"), imported("Email\ncy@example.com\n")
    left = an_upload(PEOPLE)
    old = Import.objects.exclude(pk=young.pk)
    old.update(created_at=now() - timedelta(days=31))

    store.prune_imports(now())

    row.refresh_from_db()
    assert row.pruned_at
    assert row.counts["created"] == 2
    assert not left.parts.exists()
    assert not RejectedRow.objects.exists()
    assert ImportChange.objects.get().imported == young


def test_nothing_is_noted_of_what_comes_in_otherwise():
    take_contacts([{"email": "ada@example.com"}], now())

    assert not ImportChange.objects.exists()

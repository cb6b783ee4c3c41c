"""A backup that was taken while all runs is restored on an empty machine, and nothing is done twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from crm_sync.circuit_breaker import BreakerState, breaker_state
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Breaker, Handoff, OptOut
from crm_sync.pull.poll import pull_changes
from crm_sync.push.batch import push_due
from crm_sync.push.opt_outs import push_opt_outs
from crm_sync.reconcile.after_restore import take_over
from crm_sync.reconcile.run import reconcile
from crm_sync.task_tracking.track import track_tasks
from leadscoring.common.clock import database_time
from leadscoring.devservers import Postgres, run_server
from leadscoring.models import Contact, DatabaseIdentity
from leadscoring.operations import health, restore
from sequences.enrolling import enroll_contacts
from sequences.models import Delivery, Enrollment, Sequence
from sequences.resolve import count_as_sent
from sequences.restore import skip_used_ids
from sequences.sending.send import send_due
from sequences.unsubscribe import unsubscribe_url
from tests.makers import an_api_key
from tests.operations import databases
from tests.port.hubspot_side import TASKS, HubSpotSide
from tests.sequences.makers import NOW, a_sequence, an_enrollment, noon

LATER = timedelta(minutes=30)


@dataclass
class Installation:
    """What its processes do, one after the other: the clients' requests, the worker's tasks."""

    crm: Any
    key: str
    sent: list[dict[str, str]] = field(default_factory=list)

    def post(self, path: str, body: Any) -> None:
        answer = Client().post(
            f"/api/v1/{path}",
            body,
            "application/json",
            headers={"Authorization": f"Bearer {self.key}"},
        )
        assert answer.status_code == 200, answer.content

    def crosses(self, *names: str) -> None:
        for name in names:
            self.post("contacts", known(name))
            activity = {
                "email": address(name),
                "type": "demo_request",
                "event_id": name,
                "source": "web",
            }
            self.sent.append(activity)
            self.post("activities", activity)

    def works(self, later: timedelta = timedelta(0)) -> None:
        """A worker's turns, until there is nothing left to do."""
        at = database_time() + later
        pull_changes(self.crm, at)
        for _ in range(3):
            deliver_due(self.crm, at)
        track_tasks(self.crm, at)
        push_due(self.crm, at)
        push_opt_outs(self.crm, at)
        send_due(lambda: at)

    def enters(self, sequence: Sequence, *names: str) -> None:
        people = Contact.objects.filter(email__in=[address(name) for name in names])
        enroll_contacts(sequence, people, database_time(), by="ada")


def address(name: str) -> str:
    return f"{name}@lead.example"


def known(name: str) -> dict[str, Any]:
    return {"email": address(name), "first_name": name, "company": f"{name} Inc", "phone": "1",
            "job_title": "VP Marketing", "properties": {"company_size": 300}}  # fmt: skip


def tasks_of(there: HubSpotSide) -> Counter[str]:
    """How many tasks hang on each contact, by the first name in the subject."""
    listed = there.ask("GET", f"{TASKS}?limit=100&properties=hs_task_subject")["results"]
    return Counter(
        each["properties"]["hs_task_subject"].split(": ")[1].split(",")[0] for each in listed
    )


@pytest.fixture(scope="module")
def empty_machine() -> Iterator[str]:
    with run_server(Postgres) as server:
        yield server.url


@pytest.fixture
def house(transactional_db, crm, settings) -> Installation:
    cache.clear()
    return Installation(crm, an_api_key()[1])


def test_what_was_done_after_the_backup_is_not_done_again(
    house, there, mail_server, empty_machine, tmp_path
):
    readers = [f"reader{number}" for number in range(4)]
    house.post("contacts", [known(name) | {"job_title": ""} for name in readers])
    house.crosses("before")
    house.enters(a_sequence(NOW, timedelta(days=3)), *readers)
    house.works()
    house.enters(a_sequence(NOW, timedelta(minutes=10)), "before", *readers)
    house.crosses("waits1", "waits2")

    backup = databases.dump(databases.url_of(connection.settings_dict), tmp_path)

    house.works()
    house.crosses("later1", "later2")
    house.works(later=timedelta(minutes=11))  # the second mails are due
    unsubscribe(address("before"))
    house.works()
    tasks, mails = tasks_of(there), len(mail_server.taken)
    lost_at = database_time() + timedelta(minutes=11)
    assert tasks == dict.fromkeys(["before", "waits1", "waits2", "later1", "later2"], 1)
    assert mails == 4 + 5 + 5
    assert OptOut.objects.filter(told_at__isnull=False).count() == 1

    databases.restore(backup, empty_machine, tmp_path)
    cache.clear()
    with databases.connected_to(empty_machine):
        house.works()
        house.crosses("later1")  # its client sends it again, before and after it is confirmed
        house.works()
        held = tasks_of(there), len(mail_server.taken)
        reasons = Client().get("/readyz").json()["reasons"]

        done = take_over(house.crm, lost_at, until=lost_at)
        house.crosses("later2", "new")
        for later in (15, 30, 45):
            house.works(timedelta(minutes=later))

        assert (held, restore.RESTORED in reasons) == ((tasks, mails), True)
        # The reading of the CRM has stopped the sequences of who unsubscribed by then.
        assert (done.tasks, done.adopted, done.kept, done.mails) == (5, 2, 2, 8)
        assert tasks_of(there) == {**tasks, "new": 1}
        assert len(mail_server.taken) == mails
        assert states("before") == {"stopped"}
        assert by_status() == {"delivered": 6}
        compared = reconcile(house.crm, database_time() + LATER)
        assert (compared.findings, compared.error) == ([], "")

        decided = count_as_sent(Delivery.objects.unclear(), database_time(), by="ada")

        assert decided == len(readers)
        assert not Delivery.objects.needing_a_person().exists()
        assert states("reader0") == {"active", "finished"}


def unsubscribe(email: str) -> None:
    mail = Delivery.objects.filter(email=email).latest("pk")
    Client().post(unsubscribe_url(mail).removeprefix("http://testserver"))


def states(name: str) -> set[str]:
    theirs = Enrollment.objects.filter(contact__email=address(name))
    return set(theirs.values_list("state", flat=True))


def by_status() -> dict[str, int]:
    return dict(Counter(Handoff.objects.values_list("status", flat=True)))


# --- noticed ------------------------------------------------------------------------------------
def test_a_restore_into_the_same_database_is_noticed_too(transactional_db, empty_machine, tmp_path):
    restore.record_first()
    backup = databases.dump(databases.url_of(connection.settings_dict), tmp_path)
    with psycopg.connect(empty_machine, autocommit=True) as server:
        server.execute("CREATE DATABASE in_place")
    here = empty_machine.rpartition("/")[0] + "/in_place"

    databases.restore(backup, here, tmp_path)
    with databases.connected_to(here):
        elsewhere = restore.reason_to_hold()
        restore.confirm()
        confirmed = restore.reason_to_hold()
    databases.restore(backup, here, tmp_path, "--clean")
    with databases.connected_to(here):
        in_place = restore.reason_to_hold()

    assert (elsewhere, confirmed, in_place) == (restore.RESTORED, "", restore.RESTORED)


@pytest.mark.django_db
def test_a_database_without_an_identity_gets_its_own_and_keeps_it():
    DatabaseIdentity.objects.all().delete()

    first, again = restore.reason_to_hold(), restore.reason_to_hold()

    assert (first, again, DatabaseIdentity.objects.count()) == ("", "", 1)


# --- held ---------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("work", Breaker.Work)
def test_after_a_restore_only_reading_the_crm_goes_on(crm, work):
    restore.hold()

    asked = breaker_state(crm, work, database_time())

    assert asked is (BreakerState.CLOSED if work == Breaker.Work.PULL else BreakerState.OPEN)


@pytest.mark.django_db
def test_after_a_restore_the_crm_is_told_no_wish_and_nothing_is_repaired_there(crm, there):
    restore.hold()

    told, compared = push_opt_outs(crm, database_time()), reconcile(crm, database_time())

    assert (told, compared.error, list(there.sandbox.state.log)) == (0, restore.RESTORED, [])


@pytest.mark.django_db
def test_the_home_page_says_what_waits_and_what_to_do():
    restore.hold()

    (problem, *_) = health.collect_problems(database_time())

    assert problem.what.startswith("The database was restored from a backup")
    assert "manage.py after_restore" in problem.fix


# --- confirmed ----------------------------------------------------------------------------------
@pytest.mark.django_db
def test_without_a_restore_the_command_changes_nothing():
    with pytest.raises(CommandError, match="No restore was noticed"):
        call_command("after_restore")


@pytest.mark.django_db
def test_a_move_on_which_nothing_ran_since_the_dump_is_confirmed_by_a_word(capsys):
    restore.hold()

    call_command("after_restore", "--nothing-since")

    assert restore.reason_to_hold() == ""


@pytest.mark.django_db
def test_with_the_crm_away_all_stays_held(crm, there, settings, capsys):
    settings.HUBSPOT_ACCESS_TOKEN, settings.HUBSPOT_BASE_URL = there.token, there.url
    there.trouble("status", status=500, times=100)

    with pytest.raises(SystemExit):
        call_command("after_restore", "--unnoticed")

    assert restore.reason_to_hold() == restore.RESTORED
    assert "run this again" in capsys.readouterr().err


@pytest.mark.django_db
def test_no_later_mail_has_the_number_of_one_that_was_lost(mail_server):
    before = an_enrollment()
    send_due(noon)
    lost = Delivery.objects.get().pk

    skip_used_ids()
    an_enrollment()
    send_due(noon)

    assert Delivery.objects.exclude(enrollment=before).get().pk > lost + 1_000_000

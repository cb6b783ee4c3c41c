"""What only several threads or processes, and one that is killed, can show."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from leadscoring.models import Activity
from sequences.enrolling import enroll_contacts
from sequences.mail_activities import store_missing_sent
from sequences.models import LEASE, Delivery, Enrollment
from sequences.resolve import send_again
from sequences.sending.send import send_due
from tests.sequences.conftest import MailServer
from tests.sequences.makers import a_mailable_contact, a_sequence, again, an_enrollment, crm_read

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
PATIENCE = 60.0
WORK = """
import django; django.setup()
from django.utils.timezone import now
from sequences.sending.send import send_due
while send_due(now):  # a turn is over after some seconds, whatever is left
    pass
"""


def a_worker(server: MailServer, **environment: str) -> subprocess.Popen[bytes]:
    """A process of its own that sends what is due, and ends."""
    database = connection.settings_dict
    at = f"{database['HOST']}:{database['PORT']}" if database["PORT"] else ""
    url = f"postgres://{database['USER']}:{database['PASSWORD']}@{at}/{database['NAME']}"
    return subprocess.Popen(
        [sys.executable, "-c", WORK],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {"DATABASE_URL": url, "EMAIL_URL": f"smtp://127.0.0.1:{server.port}"}
        | environment,
    )


def until(happened: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_several_workers_at_once_send_each_step_once(mail_server: MailServer) -> None:
    people = [a_mailable_contact() for _ in range(40)]
    crm_read(now())
    enroll_contacts(a_sequence(), people, now(), by="ada")

    def work(_: int) -> int:
        sent = 0
        try:
            while turn := send_due(now):  # a turn is over after some seconds, whatever is left
                sent += turn
            return sent
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        sent = sum(pool.map(work, range(4)))

    assert sent == len(mail_server.taken) == 40
    assert set(Counter(mail["To"] for mail in mail_server.taken).values()) == {1}
    assert Delivery.objects.sent().count() == 40


def test_several_processes_at_once_send_each_step_once(mail_server: MailServer) -> None:
    people = [a_mailable_contact() for _ in range(30)]
    crm_read(now())
    enroll_contacts(a_sequence(), people, now(), by="ada")

    workers = [a_worker(mail_server) for _ in range(2)]

    assert [worker.wait(PATIENCE) for worker in workers] == [0, 0]
    assert set(Counter(mail["To"] for mail in mail_server.taken).values()) == {1}
    assert Delivery.objects.sent().count() == 30


@pytest.mark.parametrize(("place", "left"), [("mail claimed", 0), ("mail sent", 1)])
def test_a_worker_killed_around_the_send_leaves_no_second_mail(
    mail_server: MailServer, tmp_path: Path, place: str, left: int
) -> None:
    contact = a_mailable_contact()
    crm_read(now())
    enrollment = an_enrollment(contact, at=now())
    reached = tmp_path / "reached"

    worker = a_worker(mail_server, PAUSE_AT=place, PAUSE_FILE=str(reached))
    until(reached.exists)
    worker.send_signal(signal.SIGKILL)
    worker.wait(PATIENCE)
    later = now() + LEASE
    crm_read(later)
    send_due(lambda: later)
    send_due(lambda: later + LEASE)

    delivery = Delivery.objects.get()
    assert len(mail_server.taken) == left
    assert delivery.state == Delivery.State.UNCLEAR
    assert again(enrollment).state == Enrollment.State.PAUSED


def test_what_a_killed_worker_sent_is_an_activity_once_later(
    mail_server: MailServer, tmp_path: Path
) -> None:
    contact = a_mailable_contact()
    crm_read(now())
    enrollment = an_enrollment(contact, at=now())
    reached = tmp_path / "reached"

    worker = a_worker(mail_server, PAUSE_AT="mail recorded", PAUSE_FILE=str(reached))
    until(reached.exists)
    worker.kill()
    worker.wait(PATIENCE)
    assert again(enrollment).next_position == 2
    assert not Activity.objects.exists()
    stored = [
        store_missing_sent(now()),
        store_missing_sent(now() + LEASE),
        store_missing_sent(now() + LEASE),
    ]

    assert stored == [0, 1, 0]
    assert Activity.objects.get().contact == contact
    assert len(mail_server.taken) == 1


def test_an_activity_that_was_stored_but_not_marked_is_stored_no_second_time(
    mail_server: MailServer,
) -> None:
    contact = a_mailable_contact()
    crm_read(now())
    an_enrollment(contact, at=now())
    send_due(now)

    Delivery.objects.update(activity_stored=False)
    store_missing_sent(now() + LEASE)

    assert Activity.objects.count() == 1
    assert not Delivery.objects.without_activity().exists()


def test_what_a_killed_worker_left_goes_on_when_a_person_says_so(
    mail_server: MailServer, tmp_path: Path
) -> None:
    contact = a_mailable_contact()
    crm_read(now())
    an_enrollment(contact, at=now())
    reached, later = tmp_path / "reached", now() + LEASE

    worker = a_worker(mail_server, PAUSE_AT="mail claimed", PAUSE_FILE=str(reached))
    until(reached.exists)
    worker.kill()
    worker.wait(PATIENCE)
    crm_read(later + LEASE)
    send_due(lambda: later + LEASE)
    send_again(Delivery.objects.all(), later + LEASE, by="ada")
    send_due(lambda: later + LEASE)

    assert len(mail_server.taken) == 1
    assert mail_server.taken[0]["Message-ID"] == Delivery.objects.get().message_id

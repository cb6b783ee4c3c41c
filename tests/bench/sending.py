"""How fast mails of sequences leave: python -m tests.bench.sending

One worker against a real mail server (aiosmtpd, a process of its own) and an embedded PostgreSQL
that keeps its promises (fsync on). Compared in the same run with the naive way: a connection for
each mail, its activity stored and scored with it, no claim before the mail leaves and no gate.
The two take turns, so that whatever else the machine does falls on both; medians of the rounds.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from leadscoring import devservers
from tests.conftest import SETTINGS

ROUNDS, MAILS = 10, 100
BODY = """Hello {{ first_name|default:'there' }},

teams like the one at {{ company|default:'your company' }} begin with **three things**:

1. [connect the form](https://shop.example/docs/form?from={{ company }})
2. look at the first week
3. ask us

Your score with us is {{ score }}. See you!
"""


@contextmanager
def mail_server() -> Iterator[int]:
    """A real one that takes every mail and keeps none; its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}",
         "-c", "aiosmtpd.handlers.Sink"]
    )  # fmt: skip
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


def crowd(name: str, at: datetime) -> None:
    """People whom nothing forbids a mail, in a sequence whose first mail is due."""
    from leadscoring.intake import take_contacts
    from leadscoring.models import Contact, CrmState
    from sequences.enrolling import enroll_contacts
    from sequences.models import Sequence, Step

    take_contacts(
        [
            {"email": f"{name}{number}@company.example", "first_name": "Ada",
             "company": f"Company {number % 50}", "job_title": "VP Marketing"}
            for number in range(MAILS)
        ],
        at,
    )  # fmt: skip
    people = Contact.objects.filter(email__startswith=name)
    CrmState.objects.bulk_create(
        [CrmState(contact=person, effect="none", since=at, seen_at=at) for person in people]
    )
    sequence = Sequence.objects.create(name=name)
    for position in (1, 2):
        Step.objects.create(
            sequence=sequence, position=position, wait=timedelta(days=position - 1),
            subject="{{ first_name }}, three ways to start", body=BODY,
        )  # fmt: skip
    enroll_contacts(sequence, people, at, by="bench")


def naive(at: datetime) -> int:
    from django.db import transaction

    from leadscoring.intake import take_activities
    from sequences.models import Delivery, Enrollment
    from sequences.sending.claim import new_message_id
    from sequences.sending.compose import compose_mail

    for row in Enrollment.objects.due(at).order_by("pk"):
        with transaction.atomic():
            step = row.step_after(row.next_position - 1)
            assert step is not None
            delivery = Delivery.objects.create(
                enrollment=row, position=step.position, email=row.contact.email,
                message_id=new_message_id(), claimed_at=at, sent_at=at, state="sent",
            )  # fmt: skip
            compose_mail(step, row.contact, delivery).send()
            row.go_past(step.position, at, "bench")
            row.save()
            event = {"email": row.contact.email, "type": "email_sent", "event_id": str(row.pk)}
            assert take_activities([event], "bench", at).accepted == 1
    return MAILS


def ours(at: datetime) -> int:
    from django.utils.timezone import now

    from sequences.sending.send import send_due

    left = 0
    while sent := send_due(now):
        left += sent
    return left


@dataclass(slots=True)
class Measured:
    """What the rounds of one way took, each of MAILS mails."""

    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    queries: int = 0

    def __str__(self) -> str:
        rate, cost = MAILS / median(self.seconds), median(self.busy) / MAILS * 1000
        queries = self.queries / len(self.seconds) / MAILS
        return f"{rate:6.1f} mails/s   of a mail: {cost:4.1f} ms of our process, {queries:4.1f} queries"


def round_of(name: str, way: Callable[[datetime], int], taken: Measured) -> None:
    from django.db import connection
    from django.utils.timezone import now

    from leadscoring import crm_state
    from leadscoring.models import Activity, CrmFreshness

    def count(execute: Any, *rest: Any) -> Any:
        taken.queries += 1
        return execute(*rest)

    crowd(name, now())
    crm_state.set_freshness(dict.fromkeys(CrmFreshness.Kind.values, now()))
    before, began, busy = Activity.objects.count(), time.perf_counter(), time.process_time()
    with connection.execute_wrapper(count):
        left = way(now())
    taken.seconds.append(time.perf_counter() - began)
    taken.busy.append(time.process_time() - busy)
    assert left == Activity.objects.count() - before == MAILS


def main() -> None:
    import django

    with devservers.run_servers(durable=True) as services, mail_server() as port:
        os.environ.update(
            SETTINGS
            | {"DATABASE_URL": services.database_url, "REDIS_URL": services.redis_url,
               "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
        )  # fmt: skip
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        ways = {"claimed, gate asked, sent, recorded, scored": ours, "the naive way": naive}
        taken = {what: Measured() for what in ways}
        for number in range(ROUNDS):
            for what, way in ways.items():
                round_of(f"{way.__name__}{number}x", way, taken[what])
        for what, measured in taken.items():
            sys.stdout.write(f"{what:<46} {measured}\n")


if __name__ == "__main__":
    main()

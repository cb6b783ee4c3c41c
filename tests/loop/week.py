"""A week in simulated time: sales work in the CRM, the poller reads it, and nurture mail goes out.

    python -m tests.loop.week --seed 7 --people 500 --poll 60

plays a longer one than the tests do, and says what went on in it.

Everything is real but the time: the stand-in is asked over HTTP, mail goes through an SMTP server. In the
middle of the week the poller is dead for a day. Outside of the hours in which sales and marketing work,
a step is longer: the CRM is read seldom then, and mail that is due waits for the morning.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from random import Random
from typing import Any

import pytest
from django.conf import settings

from tests.loop.sales import STAGES, Sales
from tests.loop.wrong import Log, Mail

MONDAY = datetime(2026, 5, 4, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OPENS = 9 * HOUR
AT_NIGHT = 6 * HOUR
JUST_BEFORE = timedelta(seconds=1)
ACTS = (0, 1, 2, 3)  # what sales do in one step
INDEX_LAG = 20.0  # seconds of simulated time


@dataclass(slots=True)
class Clock:
    """The one simulated time, the CRM's and ours."""

    at: datetime = MONDAY

    def now(self, zone: object = None) -> datetime:
        return self.at


@dataclass(slots=True)
class Week:
    """`poll`: between two pulls. `hours`: in which people work. `dead`: the day, from 0, without a pull."""

    crm: Any
    clock: Clock
    sales: Sales
    random: Random
    taken: list[EmailMessage]  # by the mail server
    poll: timedelta
    hours: timedelta
    days: int = 7
    dead: int = 3
    mails: list[Mail] = field(default_factory=list)
    reads: list[datetime] = field(default_factory=list)
    sequences: list[Any] = field(default_factory=list)

    def live(self) -> Log:
        self.begin()
        for start, length in self.steps():
            self.step(start, length)
        bound = timedelta(seconds=settings.CRM_MAX_AGE_SECONDS)
        return Log(self.mails, self.sales.said, self.reads, bound, self.poll)

    def steps(self) -> Iterator[tuple[datetime, timedelta]]:
        at, end = MONDAY + OPENS, MONDAY + self.days * DAY
        while at < end:
            since_midnight = at - at.replace(hour=0, minute=0)
            open_for, opens_in = since_midnight - OPENS, (OPENS - since_midnight) % DAY
            length = self.poll if timedelta(0) <= open_for < self.hours else min(AT_NIGHT, opens_in)
            yield at, length
            at += length

    # --- what goes on

    def begin(self) -> None:
        """Everybody is known here; a marketer has set what the stages mean."""
        from crm_sync.deals.stage_policy import set_effects
        from crm_sync.models import Stage
        from tests.sequences.makers import a_contact

        self.clock.at = MONDAY + OPENS - timedelta(minutes=1)
        for address in self.sales.addresses:
            a_contact(address)
        self.sequences = self.some_sequences()
        self.sales.begin()
        self.read()
        rows = Stage.objects.filter(archived=False)
        wanted = {row.pk: STAGES[row.pipeline_id, row.stage_id] for row in rows}
        set_effects(wanted, "marketer", self.clock.at)  # type: ignore[arg-type]

    def some_sequences(self) -> list[Any]:
        """One with a mail a day, one with many within the hours of work."""
        from tests.sequences.makers import a_sequence

        return [
            a_sequence(timedelta(0), *[wait] * many) for wait, many in ((DAY, 6), (HOUR / 3, 8))
        ]

    def step(self, start: datetime, length: timedelta) -> None:
        """Sales do something at any instants of it; mail is sent just before the pull, and after it."""
        if length == self.poll:
            self.enroll(start)
        for at in sorted(
            start + length * self.random.random() for _ in range(self.random.choice(ACTS))
        ):
            self.clock.at = at
            self.sales.do_something()
        self.clock.at = start + length - JUST_BEFORE
        self.send()
        self.clock.at = start + length
        if (start - MONDAY).days != self.dead:
            self.read()
            if start.minute == 0:
                self.write()
        self.send()

    def enroll(self, at: datetime) -> None:
        """Some of those who are not in a sequence, in each step, all through the week."""
        from leadscoring.models import Contact
        from sequences.enrolling import enroll_contacts
        from sequences.models import Enrollment

        sequence = self.random.choice(self.sequences)
        inside = Enrollment.objects.open().filter(sequence=sequence).values("contact")
        free = list(Contact.objects.exclude(pk__in=inside).order_by("pk"))
        some = self.random.sample(free, min(len(free), max(1, len(self.sales.addresses) // 100)))
        enroll_contacts(sequence, some, at, by="ada")

    def read(self) -> None:
        from crm_sync.pull.poll import pull_changes
        from leadscoring.models import Contact

        report = pull_changes(self.crm, self.clock.at)
        assert report is not None
        assert report.error == ""
        self.reads.append(self.clock.at)
        self.sales.seen |= set(
            Contact.objects.exclude(enrollments=None).values_list("email", flat=True)
        )

    def write(self) -> None:
        """Once an hour, what else goes to the CRM: a lead now and then, and what is new of people."""
        from crm_sync.handoff.deliver import deliver_due
        from crm_sync.push.batch import push_due
        from crm_sync.push.opt_outs import push_opt_outs
        from crm_sync.task_tracking.track import track_tasks

        self.somebody_is_ready()
        for work in (deliver_due, push_due, track_tasks, push_opt_outs):
            work(self.crm, self.clock.at)

    def somebody_is_ready(self) -> None:
        from leadscoring.models import Contact
        from tests.crm_sync.makers import a_handoff

        free = list(Contact.objects.filter(handoffs=None).order_by("pk"))
        if free:
            at = self.clock.at
            a_handoff(self.random.choice(free), crossed_at=at, due_at=at)

    def send(self) -> None:
        """The clock stands still meanwhile: each mail left now."""
        from sequences.sending.send import send_due

        before = len(self.taken)
        send_due(self.clock.now)
        self.mails += [Mail(str(mail["To"]), self.clock.at) for mail in self.taken[before:]]


def main() -> int:
    """The test with more of everything: it has a database, a mail server and a CRM of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("seed", 1), ("people", 200), ("poll", 60), ("hours", 8)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    for name, value in vars(parser.parse_args()).items():
        os.environ[f"WEEK_{name.upper()}"] = str(value)
    return pytest.main(["-q", "-s", "tests/loop/test_week.py", "-k", "no_mail"])


if __name__ == "__main__":
    sys.exit(main())

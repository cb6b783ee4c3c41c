"""A day within the tokens of the smallest plan: a thousand people, fifty leads, five hundred changes.

    python -m pytest -q -s tests/crm_sync/pipedrive/test_day.py

The tasks are those of beat, at beat's times, and the requests are real; the time of the stand-in, of Redis and
of ours goes on minute by minute. What people do in the web app uses no tokens.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from redis import Redis

from crm_sync import initial_data, tasks
from crm_sync.account import check_account
from crm_sync.connect import connect
from crm_sync.models import Deal, Handoff, Link
from crm_sync.pipedrive.records import person_fields, person_writes
from crm_sync.pipedrive.transport import rate_limit
from crm_sync.pull.poll import pull_changes
from leadscoring.celery import app
from leadscoring.models import Contact
from leadscoring.operations import heartbeat
from tests.crm_sync.makers import a_contact, a_handoff, a_score
from tests.port.pipedrive_side import DEALS, TOKEN, PipedriveSide

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

PEOPLE, IN_DEALS, LEADS, CHANGES, TOKENS = 1_000, 200, 50, 500, 30_000
MIDNIGHT, MINUTE = datetime(2026, 5, 4, tzinfo=UTC), timedelta(minutes=1)
OPENS, CLOSES = 8 * 60, 18 * 60  # the minutes of the day in which people work
STAGES = ("11", "12", "13", "14", "15")  # of pipeline 1
UNLIMITED = 10_000


@dataclass
class Clock:
    """The simulated time: of the stand-in, of the tasks, and of what Redis keeps for a while."""

    redis: Redis
    at: datetime = MIDNIGHT

    def now(self, zone: object = None) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic() + (self.at - MIDNIGHT).total_seconds()

    def pass_a_minute(self) -> None:
        self.at += MINUTE
        for key in self.redis.scan_iter(count=1_000):
            if (left := self.redis.pttl(key)) > 0:
                self.redis.pexpire(key, max(1, left - 60_000))


@dataclass
class Day:
    """`spent`: tokens by task. `seen_after`: how long it took until a deal's new stage was known here."""

    there: PipedriveSide
    clock: Clock
    random: Random
    record_ids: list[str] = field(default_factory=list)
    stage_of: dict[str, str] = field(default_factory=dict)
    changed_at: dict[str, datetime] = field(default_factory=dict)
    seen_after: list[timedelta] = field(default_factory=list)
    spent: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def in_the_web_app(self) -> Iterator[None]:
        pace: Any = self.there.sandbox.state.pace
        before = pace.used_today
        yield
        pace.used_today = before

    def begin(self) -> None:
        """Everybody is known on both sides, since yesterday."""
        addresses = [f"known{number}@lead.example" for number in range(PEOPLE)]
        self.record_ids = [self.there.add_contact(address) for address in addresses]
        for record_id in self.random.sample(self.record_ids, IN_DEALS):
            stage = self.random.choice(STAGES)
            self.stage_of[self.there.add_deal("Deal", ("1", stage), record_id)] = stage
        initial_data.replace_mapping()
        call_command("crm_setup", stdout=StringIO())
        crm, people = connect(), [a_contact(address) for address in addresses]
        ids = {"account_id": check_account(crm, self.clock.at).account_id, "seen_at": self.clock.at}
        Link.objects.bulk_create(
            Link(contact=contact, record_id=record_id, **ids)
            for contact, record_id in zip(people, self.record_ids, strict=True)
        )
        report = pull_changes(crm, self.clock.at, full=True)
        assert report is not None
        assert report.error == ""

    def live(self) -> None:
        leads, changes = self.minutes_of(LEADS), self.minutes_of(CHANGES)
        for minute in range(24 * 60):
            for process in heartbeat.PROCESSES:  # all is well: else the audit runs each hour
                heartbeat.record_heartbeat(process, self.clock.at)
            for _ in range(leads[minute]):
                self.somebody_is_ready()
            with self.in_the_web_app():
                for _ in range(changes[minute]):
                    self.sales_do_something()
            for entry in app.conf.beat_schedule.values():
                if minute * 60 % max(entry["schedule"], 60) == 0:
                    self.wake(entry["task"])
            self.look()
            self.clock.pass_a_minute()

    def minutes_of(self, many: int) -> Counter[int]:
        return Counter(self.random.randrange(OPENS, CLOSES) for _ in range(many))

    def wake(self, task: str) -> None:
        module, _, name = task.rpartition(".")
        if module == tasks.__name__:
            before = self.there.sandbox.state.pace.used_today
            getattr(tasks, name)()
            self.spent[name] += self.there.sandbox.state.pace.used_today - before

    def somebody_is_ready(self) -> None:
        """One of two is known there, and in no deal: sales is at work with those who are."""
        in_deals = Deal.contacts.through.objects.values("contact")
        free = Contact.objects.filter(handoffs=None).exclude(link=None).exclude(pk__in=in_deals)
        known = free.order_by("pk").first()
        contact = known if known and self.random.random() < 0.5 else a_contact(company="Acme")
        a_score(contact)
        a_handoff(contact, crossed_at=self.clock.at, due_at=self.clock.at)

    def sales_do_something(self) -> None:
        """Most often a deal goes to another stage; else a person gets another owner."""
        if self.random.random() < 0.7:
            deal_id = self.random.choice(list(self.stage_of))
            stage = self.random.choice([one for one in STAGES if one != self.stage_of[deal_id]])
            self.there.ask("PATCH", f"{DEALS}/{deal_id}", {"stage_id": int(stage)})
            self.stage_of[deal_id], self.changed_at[deal_id] = stage, self.clock.at
        else:
            owners = [self.there.active_owner, self.there.other_owner]
            record_id, owner_id = self.random.choice(self.record_ids), self.random.choice(owners)
            self.there.change(record_id, owner_id=int(owner_id))

    def look(self) -> None:
        here = Deal.objects.filter(deal_id__in=self.changed_at).values_list("deal_id", "stage_id")
        for deal_id, stage in here:
            if stage == self.stage_of[deal_id]:
                self.seen_after.append(self.clock.at - self.changed_at.pop(deal_id))


@pytest.fixture
def day(pipedrive_sandbox, settings, monkeypatch) -> Day:
    """Only the day's tokens are limited, which no headers tell before the first answer."""
    there = PipedriveSide(pipedrive_sandbox)
    settings.CRM, settings.PIPEDRIVE_API_TOKEN = "pipedrive", TOKEN
    settings.PIPEDRIVE_BASE_URL = there.url
    clock = Clock(Redis.from_url(os.environ["REDIS_URL"]))
    monkeypatch.setattr("sandbox.server.http.datetime", clock)
    monkeypatch.setattr(tasks, "database_time", clock.now)
    for module in (rate_limit, person_fields, person_writes):
        monkeypatch.setattr(module, "monotonic", clock.monotonic)
    monkeypatch.setattr(rate_limit, "SMALLEST_BURST", UNLIMITED)
    searches = rate_limit.SEARCHES._replace(most=UNLIMITED)
    monkeypatch.setattr(rate_limit, "SEARCHES", searches)
    pipedrive_sandbox.settings.daily = TOKENS
    made = Day(there, clock, Random(1))
    with made.in_the_web_app():
        made.begin()
    return made


def test_a_day_fits_into_the_tokens_of_the_smallest_plan(day):
    day.live()
    used, seen = sum(day.spent.values()), sorted(day.seen_after)
    waited = [row.delivered_at - row.crossed_at for row in Handoff.objects.delivered()]
    figures = (
        f"{used:,} of {TOKENS:,} tokens: {dict(day.spent.most_common())}; stages seen after "
        f"{seen[len(seen) // 2]}, at most {seen[-1]}; leads after {max(waited)}"
    )
    print(figures)  # noqa: T201 -- for whoever runs it by hand

    assert used == day.there.sandbox.state.pace.used_today < 0.9 * TOKENS  # nothing had to wait
    assert len(waited) == Handoff.objects.count() == LEADS
    assert max(waited) < 2 * MINUTE
    assert day.changed_at == {}
    assert seen[-1] < timedelta(minutes=15)

"""No mail to somebody whose deal forbids it: a week of sales, a dead poller in its middle, and a checker.

The checker must find what the gate prevents: so it is shown weeks whose gate is open, too.
"""

import os
from datetime import timedelta
from random import Random

import pytest

from crm_sync.hubspot.transport import buckets
from crm_sync.transport.rate_limit_script import NO_LIMIT, Bucket
from sequences import gate
from sequences.policy import Go
from tests.crm_sync.conftest import account_set_up, crm, there
from tests.loop.sales import Sales
from tests.loop.week import DAY, INDEX_LAG, MONDAY, Clock, Week
from tests.loop.wrong import wrong_mails
from tests.sequences.conftest import mail_server

__all__ = ["account_set_up", "crm", "mail_server", "there"]

pytestmark = pytest.mark.django_db(transaction=True)

SEED = int(os.environ.get("WEEK_SEED", "1"))
PEOPLE = int(os.environ.get("WEEK_PEOPLE", "60"))
POLL = timedelta(seconds=int(os.environ.get("WEEK_POLL", "600")))
KINDS = 11  # of the fourteen things that sales do: a rare one may not come up with every seed
HOURS = timedelta(hours=int(os.environ.get("WEEK_HOURS", "2")))


@pytest.fixture
def a_week(crm, there, mail_server, monkeypatch):
    """`days`: how many. Simulated time is the stand-in's too; what is real time is not waited for."""
    clock, random = Clock(), Random(SEED)
    monkeypatch.setattr("sandbox.server.http.datetime", clock)
    for name in ("search", "associations"):
        monkeypatch.setitem(
            buckets.BUCKETS,
            name,
            (Bucket(name, 1, NO_LIMIT),),
        )
    dials = there.sandbox.settings
    dials.search_rate, dials.search_lag = 0, INDEX_LAG
    addresses = [f"person{number}@lead.example" for number in range(PEOPLE)]
    sales = Sales(there, clock.now, random, addresses)
    print(f"seed {SEED}, {PEOPLE} people, a poll each {POLL}")  # noqa: T201 -- for whoever runs it by hand
    return lambda **more: Week(crm, clock, sales, random, mail_server.taken, POLL, HOURS, **more)


def mails_on(log, day):
    return [mail for mail in log.mails if (mail.at - MONDAY) // DAY == day]


def test_no_mail_of_a_week_is_wrong_and_the_poller_is_dead_for_a_day(a_week):
    week = a_week()
    log = week.live()
    a_day = [len(mails_on(log, day)) for day in range(week.days)]
    print(f"mails a day: {a_day}; {len(log.reads)} reads; what sales did: {week.sales.done}")  # noqa: T201 -- for whoever runs it by hand

    assert wrong_mails(log) == []
    assert all(a_day[: week.dead])
    assert all(a_day[week.dead + 1 :])
    assert len(week.sales.done) >= KINDS


def test_a_gate_that_never_asks_how_old_the_crms_word_is_is_found(a_week, monkeypatch):
    monkeypatch.setattr(gate, "stale_hold", lambda *_: None)
    monkeypatch.setattr("sequences.policy.stale_hold", lambda *_: None)

    log = a_week(days=2, dead=1).live()

    assert any("too long ago" in each for each in wrong_mails(log))


def test_a_gate_that_lets_everybody_through_is_found(a_week, monkeypatch):
    monkeypatch.setattr(gate, "decide", lambda *_: Go())

    log = a_week(days=1, dead=-1).live()

    assert any("has a deal" in each for each in wrong_mails(log))

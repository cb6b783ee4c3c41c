"""The CRM gone for an hour while leads come in: nothing is lost, nobody is asked, the hottest go first."""

from datetime import timedelta
from random import Random

import pytest

from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Breaker, Handoff
from crm_sync.models.handoff import queue_position
from crm_sync.pull.poll import pull_changes
from crm_sync.receivers import new_reference
from leadscoring.models import Contact
from tests.crm_sync.makers import MONDAY

pytestmark = pytest.mark.django_db(transaction=True)

LEADS, MINUTES = 5_000, 60


def leads_come_in(at, count, random):
    """So many people cross at an instant, with scores of all heights."""
    numbers = range(Contact.objects.count(), Contact.objects.count() + count)
    people = Contact.objects.bulk_create(Contact(email=f"p{each}@lead.example") for each in numbers)
    totals = [round(random.uniform(70, 100), 2) for _ in people]
    Handoff.objects.bulk_create(
        Handoff(
            contact=person,
            cycle=1,
            reference=new_reference(),
            total=total,
            grade="A1",
            crossed_at=at,
            due_at=at,
            turn_at=queue_position(at, total),
        )
        for person, total in zip(people, totals, strict=True)
    )


def sweep(crm, at):
    while deliver_due(crm, at):
        pass


@pytest.fixture
def an_hour_later(crm, there):
    """The CRM answers nothing but 503 for an hour; beat sweeps every 10 seconds."""
    random = Random(5)
    pull_changes(crm, MONDAY)
    there.sandbox.state.log.clear()
    there.trouble("status", status=503, times=None)
    for minute in range(MINUTES):
        at = MONDAY + timedelta(minutes=minute)
        leads_come_in(at, LEADS * (minute + 1) // MINUTES - LEADS * minute // MINUTES, random)
        for second in range(0, 60, 10):
            sweep(crm, at + timedelta(seconds=second))
    asked = len(there.sandbox.state.log)
    there.ask("DELETE", "/sandbox/faults")
    return asked, MONDAY + timedelta(minutes=MINUTES)


def test_nobody_is_asked_to_do_anything_and_little_is_asked_in_vain(an_hour_later):
    asked, _ = an_hour_later

    assert Handoff.objects.waiting().count() == LEADS
    assert asked < 4 * MINUTES


def test_it_drains_by_itself_the_hottest_first(crm, there, an_hour_later):
    _, at = an_hour_later
    hottest = Handoff.objects.order_by("-total").values_list("total", flat=True)[:100]
    hot = min(hottest)

    while Handoff.objects.delivered().count() < 100:
        deliver_due(crm, at)
        at += timedelta(seconds=5)
    first = list(Handoff.objects.delivered().values_list("total", flat=True))
    while Handoff.objects.waiting().exists():
        sweep(crm, at)
        at += timedelta(seconds=10)

    # An hour more of waiting is worth a point, and one place in ten is for the newest.
    assert sum(total >= hot - 1 for total in first) >= len(first) * 9 / 10
    assert Handoff.objects.delivered().count() == len(there.sandbox.store.records["tasks"]) == LEADS
    assert at < MONDAY + timedelta(minutes=MINUTES + 10)
    assert not Breaker.objects.exists()

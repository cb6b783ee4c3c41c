"""After the CRM's trouble: what waited because of it comes back at once, what is a row's own does not."""

from datetime import timedelta
from random import Random

import pytest

from crm_sync.account import read_account
from crm_sync.circuit_breaker import record_failure
from crm_sync.handoff.deliver import deliver_due
from crm_sync.handoff.eligibility import MOST_FAILURES
from crm_sync.handoff.tried_tasks import SETTLE
from crm_sync.models import Breaker, Handoff
from crm_sync.models.handoff import ALONE
from crm_sync.port import CrmBusy
from crm_sync.pull.poll import pull_changes
from sandbox.server.faults import Fault
from tests.crm_sync.handoff.test_outage import leads_come_in, sweep
from tests.crm_sync.makers import MONDAY, a_handoff

pytestmark = pytest.mark.django_db

CONTACTS = "/crm/v3/objects/contacts"
TASKS = "/crm/v3/objects/tasks"
AWAY = CrmBusy("The CRM did not answer.")
HANDOFFS = Breaker.Work.HANDOFFS
SWEEP = 10  # seconds between two sweeps, as beat rings
KINDS = ("status", "status_after", "drop_before", "drop_after", "garbage", "partial")


def after(seconds: float):
    return MONDAY + timedelta(seconds=seconds)


def blow(there, share: float) -> None:
    """Such a share of all requests goes wrong, each in one of the ways that a CRM has."""
    for kind in KINDS:
        there.trouble(kind, status=503, times=None, share=share / len(KINDS))


def stop_blowing(there) -> None:
    there.ask("DELETE", "/sandbox/faults")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7])
def test_after_five_minutes_of_faults_all_is_delivered_within_a_minute(crm, there, share):
    pull_changes(crm, MONDAY)
    random, end = Random(3), 300
    blow(there, share)
    for second in range(0, end, SWEEP):
        leads_come_in(after(second), 600 * SWEEP // end, random)
        sweep(crm, after(second))
    stop_blowing(there)

    waited = 0
    while Handoff.objects.waiting().exists() and waited < 600:
        sweep(crm, after(end + waited))
        waited += SWEEP

    assert Handoff.objects.delivered().count() == len(there.sandbox.store.records["tasks"]) == 600
    assert waited <= 60
    assert not Breaker.objects.exists()


def test_what_fails_between_successes_comes_back_with_the_next_one(crm, there):
    """The circuit breaker never opens, so it cannot be what brings them back."""
    read_account(crm, MONDAY)
    failed = [a_handoff(attempts=8) for _ in range(3)]
    there.trouble("status", status=503, times=1)
    deliver_due(crm, MONDAY)
    waiting = Handoff.objects.waiting().count()
    a_handoff(crossed_at=after(1), due_at=after(1))

    deliver_due(crm, after(1))
    deliver_due(crm, after(2))

    assert waiting == len(failed)
    assert not Handoff.objects.waiting().exists()


def test_cut_answers_to_a_whole_batch_of_tasks_are_trouble_that_all_share(crm, there):
    """The adapter answers them row by row; they still count as one failure of all."""
    read_account(crm, MONDAY)
    for _ in range(3):
        a_handoff()
    there.trouble("drop_after", f"{TASKS}/batch/create", times=1)

    deliver_due(crm, MONDAY)

    assert Breaker.objects.get().failures == 1
    assert {row.waits_for_crm for row in Handoff.objects.all()} == {True}


def test_a_probe_takes_a_row_that_waits_though_it_is_not_due(crm, there):
    read_account(crm, MONDAY)
    a_handoff(due_at=after(300), waits_for_crm=True)
    for _ in range(4):
        record_failure(crm, HANDOFFS, AWAY, MONDAY)

    deliver_due(crm, after(31))

    assert Handoff.objects.get().status == "delivered"
    assert not Breaker.objects.exists()


def test_one_success_brings_all_forward_that_wait_for_it_and_the_hottest_go_first(crm):
    for total in (70.0, 99.0, 80.0):
        a_handoff(total=total, due_at=after(300), waits_for_crm=True, failures=2)
    own = a_handoff(due_at=after(300), failures=ALONE + 3)
    held = a_handoff(due_at=after(300), waits_for_crm=True, claim="0" * 32)

    count = Handoff.objects.bring_forward(MONDAY, reset_failures=False)

    claimed = Handoff.objects.claim(at=MONDAY)
    assert (count, [row.total for row in claimed]) == (3, [99.0, 80.0, 70.0])
    assert {row.due_at for row in Handoff.objects.filter(pk__in=[own.pk, held.pk])} == {after(300)}
    assert not Handoff.objects.filter(waits_for_crm=True).exclude(pk=held.pk).exists()


def test_many_that_wait_are_brought_forward_by_few_statements(django_assert_num_queries):
    leads_come_in(after(600), 300, Random(1))
    Handoff.objects.update(waits_for_crm=True)

    with django_assert_num_queries(1 + 2):  # and the savepoint around it
        Handoff.objects.bring_forward(MONDAY, reset_failures=True)

    assert Handoff.objects.due(MONDAY).count() == 300


class Poison:
    """A fault of one record: whatever names it is answered with a 500."""

    storm = None

    def __init__(self, email: str) -> None:
        self.email, self.struck = email.encode(), 0

    def strike(self, method: str, path: str, body: bytes):
        if not path.endswith("/batch/upsert") or self.email not in body:
            return None
        self.struck += 1
        return Fault("status", status=500)


def test_a_row_that_kills_its_batch_ends_alone_in_its_own_back_off(crm, there):
    """Others succeed all the time, and none of them brings it forward for ever."""
    pull_changes(crm, MONDAY)
    poison = a_handoff(total=100.0)
    there.sandbox.state.faults = killer = Poison(poison.contact.email)
    random, minutes = Random(2), 10
    for second in range(0, 60 * minutes, SWEEP):
        leads_come_in(after(second), 5, random)
        sweep(crm, after(second))
        if second == 60:
            early = Handoff.objects.waiting().count()
            hot = killer.struck

    poison.refresh_from_db()
    assert early <= 6  # the poison and at most those who came last
    assert not Handoff.objects.waiting().exclude(pk=poison.pk).exists()
    assert (poison.status, poison.waits_for_crm) == ("waiting", False)
    assert poison.failures > ALONE
    assert killer.struck - hot <= minutes / 5 + 6  # 10, 20, 40, … 300 s


def test_a_row_whose_trouble_is_its_own_needs_a_person_in_the_end(crm, there):
    pull_changes(crm, MONDAY)
    poison = a_handoff(total=100.0, failures=MOST_FAILURES - 4)
    there.sandbox.state.faults = Poison(poison.contact.email)
    for minute in range(30):
        at = after(60 * minute)
        a_handoff(crossed_at=at, due_at=at)
        sweep(crm, at)

    poison.refresh_from_db()
    assert poison.status == "needs_attention"
    assert "HubSpot did not answer when asked to create or update contacts" in poison.reason


def test_being_brought_forward_does_not_shorten_the_wait_of_a_task_that_may_be_there(crm, there):
    """The CRM takes the request late: a second task would be a double."""
    read_account(crm, MONDAY)
    row = a_handoff()
    there.trouble("drop_after", f"{TASKS}/batch/create", times=1)
    deliver_due(crm, MONDAY)
    Handoff.objects.update(waits_for_crm=True)
    Handoff.objects.bring_forward(after(1), reset_failures=True)

    deliver_due(crm, after(1))

    row.refresh_from_db()
    assert (row.status, row.waits_for_crm) == ("waiting", False)
    assert row.due_at == row.task_tried_at + SETTLE
    deliver_due(crm, row.due_at)
    row.refresh_from_db()
    assert (row.status, len(there.tasks())) == ("delivered", 1)

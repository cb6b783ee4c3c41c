"""Trouble that all share: when it holds, for how long, who tries again, and what ends it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from crm_sync.circuit_breaker import (
    BreakerState,
    admission,
    breaker_reason,
    breaker_state,
    open_breakers_now,
    record_failure,
    reset,
)
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Breaker, Handoff
from crm_sync.port import CrmBusy, CrmDenied, CrmPaced
from crm_sync.problems.current import breaker_problems, check_crm_access
from crm_sync.push.batch import push_due
from crm_sync.task_tracking.track import track_tasks
from tests.crm_sync.makers import MONDAY, a_handoff

pytestmark = pytest.mark.django_db

HANDOFFS, PULL = Breaker.Work.HANDOFFS, Breaker.Work.PULL
CRM = SimpleNamespace(identity="a token", connected=True)
OTHER = SimpleNamespace(identity="another token", connected=True)
AWAY = CrmBusy("The CRM did not answer.")
REVOKED = CrmDenied("The token is revoked.")


def after(seconds: float):
    return MONDAY + timedelta(seconds=seconds)


def outage(failures: int, error=AWAY):
    for _ in range(failures):
        record_failure(CRM, HANDOFFS, error, MONDAY)


def test_a_single_failure_stops_nothing():
    outage(failures=1)

    assert breaker_state(CRM, HANDOFFS, MONDAY) is BreakerState.CLOSED
    assert open_breakers_now(CRM, MONDAY) == []


def test_several_failures_in_a_row_hold_for_a_while_that_grows():
    outage(failures=3)
    first = Breaker.objects.get().until

    outage(failures=2)

    assert MONDAY < first < Breaker.objects.get().until <= after(30)
    assert breaker_state(CRM, HANDOFFS, MONDAY) is BreakerState.OPEN


def test_what_works_between_two_failures_starts_the_count_anew():
    outage(failures=2)
    reset(CRM, HANDOFFS, MONDAY)
    outage(failures=2)

    assert breaker_state(CRM, HANDOFFS, MONDAY) is BreakerState.CLOSED


def test_what_the_crm_says_of_all_requests_holds_at_once_and_as_long_as_it_asks():
    outage(1, CrmBusy("Slow down.", 40, shared=True))

    assert breaker_state(CRM, HANDOFFS, after(39)) is BreakerState.OPEN
    assert breaker_state(CRM, HANDOFFS, after(41)) is not BreakerState.OPEN


def test_a_refusal_of_the_account_holds_and_is_told_with_its_beginning():
    outage(1, REVOKED)
    record_failure(CRM, HANDOFFS, REVOKED, after(90))

    (breaker,) = open_breakers_now(CRM, after(90))
    assert (breaker.since, breaker.denied) == (MONDAY, True)
    assert breaker_reason(CRM, HANDOFFS, after(90)) == "The token is revoked."


def test_after_a_hold_one_tries_for_all():
    outage(1, REVOKED)

    doors = [breaker_state(CRM, HANDOFFS, after(61)) for _ in range(3)]

    assert doors == [BreakerState.HALF_OPEN, BreakerState.OPEN, BreakerState.OPEN]


def test_one_who_tries_and_dies_leaves_the_turn_to_another():
    outage(1, REVOKED)
    breaker_state(CRM, HANDOFFS, after(61))

    assert breaker_state(CRM, HANDOFFS, after(130)) is BreakerState.HALF_OPEN


def test_a_trial_without_a_result_goes_to_another_within_seconds():
    outage(1, REVOKED)

    with admission(CRM, HANDOFFS, after(61)) as state:
        assert state is BreakerState.HALF_OPEN
        assert breaker_state(CRM, HANDOFFS, after(64)) is BreakerState.OPEN

    assert breaker_state(CRM, HANDOFFS, after(62)) is BreakerState.OPEN
    assert breaker_state(CRM, HANDOFFS, after(64)) is BreakerState.HALF_OPEN


def test_a_trial_that_failed_waits_as_long_as_its_failure_says():
    outage(1, REVOKED)

    with admission(CRM, HANDOFFS, after(61)):
        record_failure(CRM, HANDOFFS, REVOKED, after(62))

    assert breaker_state(CRM, HANDOFFS, after(119)) is BreakerState.OPEN


def test_who_was_not_to_make_the_trial_does_not_end_it():
    outage(1, REVOKED)
    breaker_state(CRM, HANDOFFS, after(61))

    with admission(CRM, HANDOFFS, after(61)) as state:
        assert state is BreakerState.OPEN

    assert breaker_state(CRM, HANDOFFS, after(64)) is BreakerState.OPEN


class Full:
    """A CRM whose budget of requests is used up by others."""

    identity, connected = CRM.identity, True

    def with_priority(self, *_: object) -> "Full":
        return self

    def room(self) -> float:
        return 0.0

    def __getattr__(self, name: str):
        def refuse(*_: object, **__: object):
            raise CrmPaced("Used up for the moment.", 8.0)

        return refuse


@pytest.mark.parametrize(
    ("work", "go"),
    [
        (Breaker.Work.HANDOFFS, deliver_due),
        (Breaker.Work.PUSH, push_due),
        (Breaker.Work.TASKS, track_tasks),
    ],
    ids=["handoffs", "push", "tasks"],
)
def test_no_room_for_the_request_of_a_trial_costs_seconds_and_not_a_minute(work, go):
    a_handoff()
    record_failure(CRM, work, REVOKED, MONDAY)

    go(Full(), after(61))

    assert breaker_state(CRM, work, after(64)) is BreakerState.HALF_OPEN


def test_other_credentials_are_not_held():
    outage(1, REVOKED)

    assert breaker_state(OTHER, HANDOFFS, MONDAY) is BreakerState.CLOSED
    assert open_breakers_now(OTHER, MONDAY) == []


def test_other_credentials_take_over_the_place():
    outage(1, REVOKED)

    record_failure(OTHER, HANDOFFS, AWAY, MONDAY)

    assert (Breaker.objects.get().failures, Breaker.objects.get().denied) == (1, False)


def test_one_kind_of_work_does_not_hold_another():
    outage(1, REVOKED)

    assert breaker_state(CRM, PULL, MONDAY) is BreakerState.CLOSED


def test_a_failure_already_on_its_way_does_not_hide_a_refusal():
    outage(1, REVOKED)
    record_failure(CRM, HANDOFFS, AWAY, after(1))

    assert [breaker.denied for breaker in open_breakers_now(CRM, after(1))] == [True]


def test_rows_that_failed_during_an_outage_are_not_to_blame():
    row = a_handoff(failures=5, waits_for_crm=True)
    outage(failures=4)

    reset(CRM, HANDOFFS, MONDAY)

    row.refresh_from_db()
    assert row.failures == 0
    assert not Breaker.objects.exists()


def test_rows_that_failed_on_their_own_stay_suspects():
    row = a_handoff(failures=5, waits_for_crm=True)
    outage(failures=2)

    reset(CRM, HANDOFFS, MONDAY)

    assert Handoff.objects.get(pk=row.pk).failures == 5


@pytest.fixture
def connected(monkeypatch):
    """The connection that pages and checks ask about is the one that is held."""
    crm = SimpleNamespace(identity="a token", connected=True)
    monkeypatch.setattr("crm_sync.problems.current.connect", lambda: crm)


def test_a_refusal_is_one_alarm_however_many_works_it_holds(connected):
    outage(1, REVOKED)
    record_failure(CRM, PULL, REVOKED, after(5))

    alarms = list(breaker_problems(after(130)))

    assert [alarm.what for alarm in alarms] == [
        "Handoffs and reading the CRM: held back for 2 min. The token is revoked."
    ]
    assert alarms[0].fix == "It goes on by itself as soon as the cause is gone."


def test_what_refuses_us_makes_the_service_not_ready_and_an_outage_does_not(connected):
    outage(3)
    assert check_crm_access(MONDAY) == ""

    outage(1, REVOKED)

    assert check_crm_access(MONDAY) == "The token is revoked."

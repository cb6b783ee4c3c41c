"""Who gets a lead, and until when they should have called."""

from datetime import UTC, datetime

import pytest

from crm_sync.models import Owner
from crm_sync.routing import Reps, due_at
from tests.crm_sync.makers import MONDAY


def rep(owner_id, last=None, **fields):
    return Owner(owner_id=owner_id, last_lead_at=last, seen_at=MONDAY, **fields)


def choose(reps, kept="", own=""):
    choice = reps.choose(kept=kept, own=own, at=MONDAY)
    return choice and (choice.owner.owner_id, choice.because)


def test_the_contacts_owner_comes_first():
    reps = Reps([rep("kim"), rep("ana", takes_leads=False)])

    assert choose(reps, own="ana") == ("ana", "owns the contact in the CRM")


def test_an_owner_who_is_away_for_good_is_passed_over():
    reps = Reps([rep("kim"), rep("ana", active=False)])

    assert choose(reps, own="ana") == ("kim", "was longest without a lead")


def test_the_turn_goes_round_within_one_batch():
    reps = Reps([rep("a"), rep("b"), rep("c", last=MONDAY)])

    assert [choose(reps)[0] for _ in range(7)] == ["a", "b", "c", "a", "b", "c", "a"]


def test_a_lead_by_ownership_counts_as_a_turn():
    reps = Reps([rep("a"), rep("b")])
    choose(reps, own="a")

    assert choose(reps)[0] == "b"


def test_a_retry_keeps_the_owner_and_takes_no_turn():
    reps = Reps([rep("a"), rep("b")])

    assert choose(reps, kept="b") == ("b", "chosen before")
    assert choose(reps)[0] == "a"


def test_an_owner_chosen_before_who_has_left_is_replaced():
    reps = Reps([rep("a"), rep("b", active=False)])

    assert choose(reps, kept="b")[0] == "a"


def test_the_fallback_gets_what_nobody_else_takes():
    reps = Reps([rep("a", takes_leads=False), rep("boss", takes_leads=False, is_fallback=True)])

    assert choose(reps) == ("boss", "is the fallback: nobody else takes leads")


def test_nobody_is_an_answer():
    assert choose(Reps([rep("a", takes_leads=False), rep("b", active=False)])) is None


@pytest.mark.parametrize(
    ("since", "zone", "grade", "due"),
    [
        ("2026-05-04T10:00", "UTC", "A1", "2026-05-04T11:00"),
        ("2026-05-04T10:00", "UTC", "A2", "2026-05-04T12:00"),
        ("2026-05-04T10:00", "UTC", "D4", "2026-05-04T14:00"),
        ("2026-05-04T16:30", "UTC", "A1", "2026-05-05T09:30"),
        ("2026-05-04T14:00", "UTC", "C1", "2026-05-05T10:00"),
        ("2026-05-04T03:00", "UTC", "A1", "2026-05-04T10:00"),
        ("2026-05-04T17:00", "UTC", "A1", "2026-05-05T10:00"),
        ("2026-05-08T16:59", "UTC", "A1", "2026-05-11T09:59"),
        ("2026-05-09T12:00", "UTC", "A1", "2026-05-11T10:00"),
        ("2026-05-10T23:59", "UTC", "B2", "2026-05-11T13:00"),
        ("2026-05-04T20:00", "America/New_York", "A1", "2026-05-04T21:00"),
        ("2026-05-04T21:30", "America/New_York", "A1", "2026-05-05T14:00"),
        (
            "2026-03-27T16:30",
            "Europe/Berlin",
            "A1",
            "2026-03-30T08:00",
        ),  # summer time began between
        ("2026-05-04T10:00", "No/Where", "A1", "2026-05-04T11:00"),
        ("2026-05-04T10:00", "../etc/passwd", "A1", "2026-05-04T11:00"),
    ],
)
def test_due_in_the_reps_working_hours(since, zone, grade, due):
    at = datetime.fromisoformat(since).replace(tzinfo=UTC)

    assert due_at(at, zone, grade).isoformat()[:16] == due

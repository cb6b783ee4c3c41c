"""The ledger in figures."""

from datetime import timedelta

import pytest
from django.db import connection

from crm_sync import ledger_stats
from crm_sync.ledger_stats import ClockStats, TaskStats
from crm_sync.models import Handoff, HandoffTask
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_rep, numbers

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def delivered(crossed=-10 * MINUTE, took=SECOND, touched=None, owner_id="1", **task):
    """Crossed so long before Monday at ten, took so long to a task, and so long to a touch."""
    made = MONDAY + crossed + took
    return a_handoff(
        status="delivered",
        record_id="9",
        owner_id=owner_id,
        task_id=f"t{next(numbers)}",
        task_tried_at=made,
        crossed_at=MONDAY + crossed,
        delivered_at=made,
        task={"touched_at": None if touched is None else made + touched, **task},
    )


# --- the backlog and its pace


def test_nothing_waits_and_nothing_is_unknown():
    found = ledger_stats.backlog_stats(MONDAY)

    assert (found.waiting, found.attention, found.oldest, found.minutes) == (0, 0, None, 0.0)


def test_when_nothing_moves_nobody_can_say_how_long_it_takes():
    a_handoff(crossed_at=MONDAY - HOUR)
    delivered(-HOUR)

    found = ledger_stats.backlog_stats(MONDAY)

    assert (found.waiting, found.oldest, found.minutes) == (1, MONDAY - HOUR, None)


def test_what_waits_is_gone_in_so_many_minutes_at_the_pace_of_the_last_five():
    for _ in range(6):
        a_handoff()
    for minutes in (4, 3, 2, 1):
        delivered(-minutes * MINUTE, took=timedelta(0))

    found = ledger_stats.backlog_stats(MONDAY)

    assert (found.per_minute, found.minutes) == (1.0, 6.0)


def test_a_backlog_that_began_to_move_just_now_is_not_taken_for_a_slow_one():
    for _ in range(100):
        delivered(-30 * SECOND, took=timedelta(0))

    assert ledger_stats.deliveries_per_minute(MONDAY) == 100.0


def test_a_task_that_was_looked_at_again_does_not_count_as_new():
    delivered(-HOUR, seen_at=MONDAY)

    assert ledger_stats.deliveries_per_minute(MONDAY) == 0.0


# --- why and how long


def test_causes_are_told_with_their_number_and_the_oldest():
    for minutes in (5, 9):
        a_handoff(reason="The CRM is busy.", crossed_at=MONDAY - minutes * MINUTE)
    a_handoff(status="needs_attention", reason="No rep takes leads.")
    delivered()

    assert ledger_stats.waiting_causes() == [
        {"status": "waiting", "reason": "The CRM is busy.", "n": 2, "oldest": MONDAY - 9 * MINUTE},
        {"status": "needs_attention", "reason": "No rep takes leads.", "n": 1, "oldest": MONDAY},
    ]


def test_ages_are_counted_from_the_crossing():
    for age in (30 * SECOND, 14 * MINUTE, 15 * MINUTE, 59 * MINUTE, 2 * HOUR, 25 * HOUR):
        a_handoff(crossed_at=MONDAY - age)

    assert [number for _, number in ledger_stats.waiting_ages(MONDAY)] == [1, 1, 2, 1, 1]


# --- the clocks


def test_the_two_clocks_of_a_day_and_of_a_week():
    for seconds in (1, 2, 3):
        delivered(-HOUR, took=seconds * SECOND, touched=seconds * HOUR)
    delivered(-50 * HOUR, took=9 * SECOND)
    a_handoff(status="withdrawn", reason="Already a customer.", crossed_at=MONDAY - 50 * HOUR)

    day, week = ledger_stats.window_stats(MONDAY)

    assert day.to_task == ClockStats(3, 2 * SECOND, 3 * SECOND)
    assert day.to_touch == ClockStats(3, 2 * HOUR, 3 * HOUR)
    assert (week.to_task.leads, week.to_touch.leads, week.delivered) == (4, 3, 4)
    assert (day.withdrawn, week.withdrawn) == (0, 1)


def test_before_the_first_lead_the_clocks_stand_still():
    day, _ = ledger_stats.window_stats(MONDAY)

    assert day.to_task == ClockStats(0, None, None)


def test_the_slowest_are_named_and_who_still_waits_is_among_them():
    quick = delivered(-2 * HOUR, touched=MINUTE)
    waiting = delivered(-5 * HOUR)
    slow = delivered(-9 * HOUR, took=HOUR, touched=6 * HOUR)
    delivered(-9 * HOUR, state="closed")

    assert ledger_stats.slowest_to_touch(MONDAY) == [slow, waiting, quick]
    assert ledger_stats.slowest_to_task(MONDAY)[0] == slow


def test_reps_are_measured_each_by_their_own():
    a_rep("1", name="Kim Bauer")
    delivered(-3 * HOUR, touched=MINUTE)
    delivered(-2 * HOUR)
    delivered(-2 * HOUR, owner_id="gone", touched=HOUR)

    kim, gone = ledger_stats.rep_stats(MONDAY)

    assert (kim["name"], kim["leads"], kim["touched"], kim["median"]) == ("Kim Bauer", 2, 1, MINUTE)
    assert MONDAY - kim["untouched_since"] == 2 * HOUR - SECOND
    assert (gone["name"], gone["untouched_since"]) == ("gone", None)


def test_a_lead_that_was_given_to_another_rep_counts_for_them_from_then_on():
    a_rep("1", name="Kim")
    given_at = MONDAY - 5 * MINUTE
    delivered(-HOUR, touched=HOUR - 3 * MINUTE, given_at=given_at)
    delivered(-HOUR, touched=MINUTE, given_at=given_at, state="started")
    delivered(-HOUR, given_at=given_at)

    (kim,) = ledger_stats.rep_stats(MONDAY)

    assert (kim["leads"], kim["touched"], kim["median"]) == (3, 1, 2 * MINUTE + SECOND)
    assert kim["untouched_since"] == given_at


def test_untouched_tasks_past_their_time_are_overdue():
    delivered(due_at=MONDAY - SECOND)
    delivered(due_at=MONDAY + SECOND)
    delivered(due_at=MONDAY - SECOND, touched=SECOND)
    delivered(due_at=MONDAY - SECOND, state="done")

    assert ledger_stats.task_stats(MONDAY) == TaskStats(untouched=2, started=1, overdue=1)
    assert HandoffTask.objects.overdue(MONDAY).count() == 1
    assert Handoff.objects.with_overdue_task(MONDAY).count() == 1


# --- what it costs


def fill(delivered_rows, waiting_rows):
    """Rows by the ten thousand, spread over a year; written by the database itself."""
    contact = a_contact()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO crm_sync_handoff (contact_id, cycle, reference, total, grade, reasons, crossed_at,
                turn_at, status, reason, attempts, failures, due_at, account_id, record_id, owner_id,
                owner_reason, left_out, task_tried_at, task_guarded, task_id, delivered_at)
            SELECT %(contact)s, n, 'LS-' || n, 82, 'A1', '[]', moment, moment,
                CASE WHEN done THEN 'delivered' ELSE 'waiting' END, '', 0, 0, moment, 'p', '9',
                '1', '', '{}', moment, false, CASE WHEN done THEN n::text ELSE '' END,
                CASE WHEN done THEN moment END
            FROM (SELECT n, n <= %(delivered)s AS done,
                    %(at)s::timestamptz - n * interval '1 year' / %(all)s AS moment
                  FROM generate_series(1, %(all)s) AS n) AS made
            """,
            {
                "contact": contact.pk,
                "delivered": delivered_rows,
                "all": delivered_rows + waiting_rows,
                "at": MONDAY,
            },
        )
        cursor.execute(
            """
            INSERT INTO crm_sync_handofftask (handoff_id, state, seen_at, text_subject, text_total, text_grade)
            SELECT id, CASE WHEN cycle % 50 = 0 THEN 'open' ELSE 'done' END, delivered_at, '', total, grade
            FROM crm_sync_handoff WHERE status = 'delivered'
            """
        )
        cursor.execute("ANALYZE crm_sync_handoff, crm_sync_handofftask")


def test_a_year_of_leads_is_never_read_as_a_whole(django_assert_num_queries):
    fill(20_000, 100)

    with django_assert_num_queries(12) as asked:
        ledger_stats.window_stats(MONDAY)
        ledger_stats.backlog_stats(MONDAY)
        ledger_stats.waiting_ages(MONDAY)
        ledger_stats.waiting_causes()
        ledger_stats.task_stats(MONDAY)
        ledger_stats.slowest_to_task(MONDAY)
        ledger_stats.slowest_to_touch(MONDAY)
        ledger_stats.rep_stats(MONDAY)

    assert [query for query in asked.captured_queries if reads_all(query["sql"])] == []


def reads_all(sql):
    """Whether a query goes through the ledger from end to end."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return any("Seq Scan on crm_sync_handoff" in line for (line,) in cursor.fetchall())

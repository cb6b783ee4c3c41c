"""The ledger's rows: claimed, recorded, put off, sent again; and what can never be in them."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from crm_sync.models import Handoff, HandoffTask
from crm_sync.models.handoff import LEASE
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff

pytestmark = pytest.mark.django_db


def test_a_claimed_row_is_in_nobody_elses_hands():
    a_handoff()

    first = Handoff.objects.claim(at=MONDAY)
    second = Handoff.objects.claim(at=MONDAY)

    assert (len(first), len(second)) == (1, 0)


def test_a_dead_workers_rows_fall_due_again():
    row = a_handoff()
    Handoff.objects.claim(at=MONDAY)

    again = Handoff.objects.claim(at=MONDAY + LEASE)

    assert again == [row]
    assert again[0].attempts == 2


def test_the_hottest_go_first():
    warm, hot = a_handoff(total=71.0), a_handoff(total=95.0)

    claimed = Handoff.objects.claim(at=MONDAY, limit=1)

    assert claimed == [hot]
    assert Handoff.objects.claim(at=MONDAY, limit=1) == [warm]


def test_a_single_lead_does_not_wait_for_a_backlog_of_hotter_ones():
    for _ in range(12):
        a_handoff(total=99.0)
    fresh = a_handoff(total=71.0, crossed_at=MONDAY + timedelta(seconds=1))

    claimed = Handoff.objects.claim(at=MONDAY, limit=10)

    assert fresh in claimed


def test_nobody_is_overtaken_for_ever():
    patient = a_handoff(total=70.0, crossed_at=MONDAY - timedelta(days=2))
    a_handoff(total=99.0)

    assert Handoff.objects.claim(at=MONDAY, limit=1) == [patient]


def test_suspects_go_when_no_others_are_due_and_in_ever_smaller_companies():
    sound = [a_handoff() for _ in range(3)]
    for failures in (3, 4, 5):
        for _ in range(30):
            a_handoff(failures=failures)

    sizes = [len(Handoff.objects.claim(at=MONDAY)) for _ in range(5)]

    assert sizes == [len(sound), 25, 5, 6, 6]


def test_a_claim_reads_no_more_rows_than_it_takes_and_does_it_in_four_statements(
    django_assert_num_queries,
):
    for _ in range(5):
        a_handoff()

    with django_assert_num_queries(4 + 2):  # and the savepoint around them
        Handoff.objects.claim(at=MONDAY)


def test_a_person_takes_back_what_a_dead_worker_held():
    row = a_handoff()
    Handoff.objects.claim(at=MONDAY)

    held = Handoff.objects.all().withdraw("Wrong person.", MONDAY)
    taken = Handoff.objects.all().withdraw("Wrong person.", MONDAY + LEASE)

    row.refresh_from_db()
    assert (held, taken, row.status) == (0, 1, "withdrawn")


def test_what_may_have_been_made_is_not_taken_back():
    a_handoff(task_tried_at=MONDAY)

    assert Handoff.objects.all().withdraw("Wrong person.", MONDAY) == 0


def test_a_late_worker_writes_nothing():
    a_handoff()
    late = Handoff.objects.claim(at=MONDAY)
    (ours,) = Handoff.objects.claim(at=MONDAY + LEASE)
    late[0].withdraw("too late")

    last_written = Handoff.objects.record(late)

    ours.refresh_from_db()
    assert last_written == []
    assert ours.status == "waiting"


def test_a_step_of_many_rows_is_one_statement(django_assert_num_queries):
    for _ in range(50):
        a_handoff()
    rows = Handoff.objects.claim(at=MONDAY)
    for row in rows:
        row.record_id = f"record of {row.pk}"

    with django_assert_num_queries(1):
        Handoff.objects.record(rows)

    assert Handoff.objects.exclude(record_id="").count() == 50


def test_a_recorded_row_that_goes_on_stays_claimed_and_others_are_let_go():
    a_handoff(total=90), a_handoff(total=80), a_handoff(total=75)
    going, put_off, withdrawn = rows = Handoff.objects.claim(at=MONDAY)
    put_off.postpone("Not now.", MONDAY + timedelta(minutes=1))
    withdrawn.withdraw("Already a customer.")

    Handoff.objects.record(rows)

    claims = [Handoff.objects.get(pk=row.pk).claim for row in (going, put_off, withdrawn)]
    assert claims == [going.claim, None, None]


def test_what_a_crm_says_fits_the_column_whatever_it_says():
    a_handoff()
    (row,) = Handoff.objects.claim(at=MONDAY)
    row.give_up("\0 \ud800 " + "x" * 5000)

    assert Handoff.objects.record([row]) == [row]


# --- the row of a task


def claimed_and_delivered(*task_ids, at=MONDAY):
    """Rows that are due, claimed and delivered in memory, the hottest first; nothing is written."""
    rows = Handoff.objects.claim(at=at)
    for row, task_id in zip(rows, task_ids, strict=True):
        row.record_id, row.owner_id, row.task_tried_at = "1", "2", at
        row.deliver(task_id, f"Hot lead {task_id}", at, due_at=at + LEASE)
    return rows


def handoffs_with_task():
    return list(HandoffTask.objects.values_list("handoff", flat=True))


def test_a_delivered_row_gets_its_tasks_row_in_the_same_statement(django_assert_num_queries):
    row, waits = a_handoff(total=91.0, grade="A2"), a_handoff(due_at=MONDAY + LEASE)
    rows = claimed_and_delivered("7")

    with django_assert_num_queries(1):
        Handoff.objects.record(rows)

    task = HandoffTask.objects.get()
    assert (task.handoff, task.state, task.touched_at) == (row, "open", None)
    assert (task.seen_at, task.due_at) == (MONDAY, MONDAY + LEASE)
    assert (task.text_subject, task.text_total, task.text_grade) == ("Hot lead 7", 91.0, "A2")
    assert waits.task_or_none is None


def test_a_step_on_the_way_makes_no_tasks_row():
    a_handoff()
    rows = Handoff.objects.claim(at=MONDAY)
    rows[0].record_id = "1"

    Handoff.objects.record(rows)

    assert handoffs_with_task() == []


def test_a_late_worker_writes_no_tasks_row_and_another_writes_it_once():
    a_handoff(), a_handoff()
    late = claimed_and_delivered("7", "8")
    ours = claimed_and_delivered("9", "10", at=MONDAY + LEASE)
    Handoff.objects.record(ours[:1])

    assert Handoff.objects.record(late) == []

    assert handoffs_with_task() == [ours[0].pk]
    assert Handoff.objects.record(ours) == ours[1:]
    assert set(HandoffTask.objects.values_list("text_subject", flat=True)) == {
        "Hot lead 9",
        "Hot lead 10",
    }


def test_a_row_whose_tasks_row_cannot_be_written_is_not_delivered():
    a_handoff()
    rows = claimed_and_delivered("7")
    rows[0].task.state = "unheard of"

    with pytest.raises(IntegrityError, match="known_state"), transaction.atomic():
        Handoff.objects.record(rows)

    assert Handoff.objects.get().status == "waiting"


def test_a_row_that_is_reopened_has_no_tasks_row_and_gets_a_new_one_when_it_is_delivered_again():
    row, other = a_handoff(total=95.0), a_handoff()
    Handoff.objects.record(claimed_and_delivered("7", "8"))
    HandoffTask.objects.update(touched_at=MONDAY, text_total=99.0)

    reopened = Handoff.objects.filter(pk=row.pk).reopen_delivered(
        "It is gone.", MONDAY, certain=True
    )

    assert (reopened, handoffs_with_task()) == (1, [other.pk])
    Handoff.objects.record(claimed_and_delivered("9"))
    again = HandoffTask.objects.get(handoff=row)
    assert (again.text_subject, again.text_total, again.touched_at) == ("Hot lead 9", 95.0, None)


def test_what_is_not_delivered_is_not_reopened():
    a_handoff(reason="The CRM is busy.")

    assert Handoff.objects.all().reopen_delivered("It is gone.", MONDAY, certain=True) == 0

    assert Handoff.objects.get().reason == "The CRM is busy."


def test_a_look_at_a_task_that_was_reopened_meanwhile_leaves_the_row_alone():
    row = a_handoff()
    Handoff.objects.record(claimed_and_delivered("7"))
    look = HandoffTask.objects.select_related("handoff").get()
    look.state, look.handoff.reason = "closed", "Task closed: already a customer."
    Handoff.objects.all().reopen_delivered("It is gone.", MONDAY, certain=True)

    HandoffTask.objects.record_checks([look], {look.pk: MONDAY})

    row.refresh_from_db()
    assert (row.status, row.reason, handoffs_with_task()) == ("waiting", "It is gone.", [])


# --- what a person does, and what can never be


def test_resend_makes_a_given_up_row_due_at_once():
    a_handoff(status="needs_attention", reason="No rep takes leads.", attempts=9, failures=9)

    assert Handoff.objects.all().resend(MONDAY) == 1

    (row,) = Handoff.objects.claim(at=MONDAY)
    assert (row.attempts, row.failures, row.reason) == (1, 1, "")


def test_resend_leaves_alone_what_is_delivered_or_in_a_workers_hands():
    a_handoff(
        status="delivered",
        record_id="1",
        owner_id="2",
        task_id="3",
        task_tried_at=MONDAY,
        delivered_at=MONDAY,
    )
    a_handoff()
    Handoff.objects.claim(at=MONDAY)

    assert Handoff.objects.all().resend(MONDAY) == 0


@pytest.mark.parametrize(
    "impossible",
    [
        {"status": "delivered"},
        {"status": "needs_attention"},
        {"status": "withdrawn"},
        {"task_id": "7"},
    ],
)
def test_what_can_never_be_is_refused_by_the_database(impossible):
    with pytest.raises(IntegrityError):
        a_handoff(**impossible)


def test_a_second_crossing_in_one_cycle_makes_no_second_handoff():
    ada = a_contact()
    a_handoff(ada)

    with pytest.raises(IntegrityError):
        a_handoff(ada)

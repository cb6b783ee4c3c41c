"""What reps do to their tasks, and what becomes of tasks that nobody has begun; through the real adapter."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm_sync.circuit_breaker import breaker_reason
from crm_sync.handoff.deliver import deliver_due
from crm_sync.hubspot.timestamps import format_instant
from crm_sync.models import Breaker, Deal, Handoff, HandoffTask, Stage
from crm_sync.port import CrmBudget
from crm_sync.pull.poll import pull_changes
from crm_sync.task_tracking import track
from crm_sync.task_tracking.track import track_tasks
from leadscoring.models import Company, Contact, Lifecycle, Score
from tests.crm_sync.makers import MONDAY, PRICING, TITLE, a_contact, a_handoff, a_score

pytestmark = pytest.mark.django_db

TASKS = "/crm/v3/objects/tasks"
SUBJECT = "Hot lead: Ada Byron, Engines (score 82, A1)"


def after(minutes=0, **more):
    return MONDAY + timedelta(minutes=minutes, **more)


@pytest.fixture
def row(crm):
    """Ada's handoff, delivered on Monday at ten."""
    ada = a_contact("ada@engines.example", "Engines", first_name="Ada", last_name="Byron")
    a_score(ada)
    made = a_handoff(ada)
    deliver_due(crm, MONDAY)
    made.refresh_from_db()
    assert made.task.state == "open"
    return made


def task_of(there, row):
    names = "hs_task_subject,hs_task_body,hs_task_status,hubspot_owner_id"
    return there.ask("GET", f"{TASKS}/{row.task_id}?properties={names}")["properties"]


def change(there, row, **properties):
    there.ask("PATCH", f"{TASKS}/{row.task_id}", {"properties": properties})


def spoke(there, row, at):
    """The rep logged a call; HubSpot itself keeps when the last one was."""
    with there.sandbox.state.lock:
        record = there.sandbox.state.store.find("contacts", row.record_id)
        record.write("notes_last_contacted", format_instant(at), at)


def last_written(there):
    """Calls that change tasks."""
    return [
        each["path"]
        for each in there.sandbox.state.log
        if "/tasks" in each["path"] and each["path"].endswith(("/update", "/create", "/upsert"))
    ]


def looked(crm, row, at=None):
    track_tasks(crm, at or after(5))
    row.refresh_from_db()
    return row.task.state


def never_written(**before):
    """As if a worker had died before it wrote down what came of its look."""
    HandoffTask.objects.update(**before)
    Handoff.objects.update(reason="")


def scores(row, **fields):
    Score.objects.filter(contact=row.contact_id).update(**fields)


# --- what the rep did ---------------------------------------------------------------------------


def test_an_untouched_task_stays_open_and_is_not_written_to(crm, there, row):
    there.sandbox.state.log.clear()

    assert looked(crm, row) == "open"

    assert (row.task.touched_at, row.task.seen_at) == (None, after(5))
    assert last_written(there) == []


def test_a_task_that_the_rep_did_is_done_when_they_did_it(crm, there, row):
    there.finish(row.task_id)
    done_at = crm.tasks([row.task_id])[row.task_id].done_at

    assert looked(crm, row) == "done"

    assert row.task.touched_at == done_at


@pytest.mark.parametrize("status", ["IN_PROGRESS", "WAITING", "DEFERRED"])
def test_a_task_whose_status_was_moved_was_begun(crm, there, row, status):
    change(there, row, hs_task_status=status)

    assert looked(crm, row) == "started"

    assert row.task.touched_at == after(5)


@pytest.mark.parametrize(
    "fields", [{"hs_task_subject": "Call Ada"}, {"hubspot_owner_id": "712340002"}]
)
def test_a_task_that_was_reworded_or_passed_on_was_begun(crm, there, row, fields):
    change(there, row, **fields)

    assert looked(crm, row) == "started"


def test_a_task_that_was_begun_stays_begun(crm, there, row):
    change(there, row, hs_task_status="WAITING")
    looked(crm, row)
    change(there, row, hs_task_status="NOT_STARTED")

    assert looked(crm, row, after(10)) == "started"

    assert row.task.touched_at == after(5)


def test_a_word_with_the_contact_after_the_handoff_is_a_first_touch(crm, there, row):
    spoke(there, row, after(3))

    assert looked(crm, row) == "open"

    assert row.task.touched_at == after(3)


def test_a_word_with_the_contact_before_the_handoff_is_none(crm, there, row):
    spoke(there, row, after(-1))

    looked(crm, row)

    assert row.task.touched_at is None


def test_the_first_of_two_touches_counts(crm, there, row):
    spoke(there, row, after(3))
    looked(crm, row)
    there.finish(row.task_id)

    assert looked(crm, row, after(10)) == "done"

    assert row.task.touched_at == after(3)


def test_a_deleted_task_is_noted_and_never_made_again(crm, there, row):
    there.ask("DELETE", f"{TASKS}/{row.task_id}")
    scores(row, total=99.0)

    assert looked(crm, row) == "deleted"

    looked(crm, row, after(10))
    deliver_due(crm, after(10))
    assert there.tasks() == []


# --- a score that goes on rising ----------------------------------------------------------------


def test_a_second_rise_is_told_in_place(crm, there, row):
    scores(row, total=95.0, contributions=[{**PRICING, "because": "Asked for a demo on 4 May"}])

    looked(crm, row)

    task = task_of(there, row)
    assert there.tasks() == ["Hot lead: Ada Byron, Engines (score 95, A1)"]
    assert "Asked for a demo on 4 May" in task["hs_task_body"]
    assert f"ref {row.reference}" in task["hs_task_body"]
    assert (row.task.text_total, row.task.text_subject) == (95.0, task["hs_task_subject"])
    assert (row.total, row.task.state) == (82.0, "open")


def test_the_same_rise_is_told_once(crm, there, row):
    scores(row, total=95.0)
    looked(crm, row)
    there.sandbox.state.log.clear()

    looked(crm, row, after(10))

    assert last_written(there) == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"total": 91.9}, False),
        ({"total": 92.0}, True),
        ({"total": 60.0}, False),
        ({"total": 99.0, "cycle": 2}, False),
    ],
)
def test_ten_points_more_in_the_same_cycle_are_worth_telling(crm, there, row, fields, told):
    scores(row, **fields)

    looked(crm, row)

    assert (there.tasks() != [SUBJECT]) is told


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [("B2", "A2", True), ("B2", "B1", True), ("B2", "A1", True), ("B2", "A3", False), ("B2", "C1", False), ("A1", "A1", False)],
)  # fmt: skip
def test_a_better_grade_is_worth_telling(crm, there, row, before, now, told):
    HandoffTask.objects.update(text_grade=before)
    scores(row, grade=now, total=83.0)

    looked(crm, row)

    assert ("score 83" in there.tasks()[0]) is told


@pytest.mark.parametrize(
    "fields",
    [{"hs_task_subject": "Call Ada"}, {"hs_task_status": "IN_PROGRESS"}, {"hubspot_owner_id": "712340002"}],
)  # fmt: skip
def test_a_task_that_the_rep_has_begun_keeps_its_text(crm, there, row, fields):
    change(there, row, **fields)
    before = task_of(there, row)
    scores(row, total=99.0)

    looked(crm, row)

    assert task_of(there, row) == before


def test_a_note_that_the_rep_wrote_into_the_text_is_never_lost(crm, there, row):
    noted = task_of(there, row)["hs_task_body"].replace(
        "<p>ref", "<p>Rang on Monday, back on Friday</p><p>ref"
    )
    change(there, row, hs_task_body=noted)
    scores(row, total=99.0)

    looked(crm, row)

    assert task_of(there, row)["hs_task_body"] == noted


def test_a_text_that_the_crm_marked_up_otherwise_is_still_ours(crm, there, row):
    dressed = task_of(there, row)["hs_task_body"].replace("<p>", '<p dir="auto">\n')
    change(there, row, hs_task_body=f"<div>{dressed}</div>")
    scores(row, total=99.0)

    looked(crm, row)

    assert "score 99" in there.tasks()[0]


def test_a_worker_that_died_after_telling_a_rise_took_no_rep_for_the_author(crm, there, row):
    scores(row, total=95.0)
    Contact.objects.update(first_name="Augusta")
    looked(crm, row)
    never_written(text_subject=SUBJECT, text_total=82.0)

    assert looked(crm, row, after(10)) == "open"

    assert row.task.text_total == 95.0
    assert there.tasks() == ["Hot lead: Augusta Byron, Engines (score 95, A1)"]


# --- a task that has lost its point -------------------------------------------------------------


def a_deal(row):
    Stage.objects.create(
        pipeline_id="p", pipeline="Sales", stage_id="s", label="Demo", effect="none"
    )
    deal = Deal.objects.create(
        deal_id="1", name="Engines 2026", pipeline_id="p", stage_id="s", seen_at=MONDAY
    )
    deal.contacts.add(row.contact_id)


def disqualify(row):
    rival = {**TITLE, "because": "Competitor: rival.example (disqualified)"}
    scores(row, disqualified=True, contributions=[rival])


def make_customer(row):
    Contact.objects.update(lifecycle_stage=Lifecycle.CUSTOMER)


POINTLESS = [
    (a_deal, "Sales is at work already: Deal “Engines 2026” is in Demo (Sales)."),
    (disqualify, "Disqualified meanwhile: Competitor: rival.example (disqualified)"),
    (make_customer, "Already a customer."),
]


@pytest.mark.parametrize(("happen", "reason"), POINTLESS)
def test_an_untouched_task_that_lost_its_point_is_closed_with_the_reason(
    crm, there, row, happen, reason
):
    happen(row)

    assert looked(crm, row) == "closed"

    task = task_of(there, row)
    assert task["hs_task_status"] == "COMPLETED"
    assert task["hs_task_body"].startswith(f"<p>Nothing to do any more: {reason}</p>")
    assert f"ref {row.reference}" in task["hs_task_body"]
    assert (row.reason, row.task.touched_at) == (f"Task closed: {reason}", None)


@pytest.mark.parametrize(("won", "words"), [(True, "was won"), (False, "was lost")])
def test_a_deal_that_was_made_and_decided_between_two_looks_closes_the_task(
    crm, there, row, won, words
):
    stage = there.won_stage if won else there.lost_stage
    there.add_deal("Acme", stage, row.record_id)
    Handoff.objects.filter(pk=row.pk).update(delivered_at=now() - timedelta(hours=1))
    pull_changes(crm, now())

    assert looked(crm, row, now()) == "closed"

    assert f"Deal “Acme” {words}" in row.reason


def test_a_deal_that_was_decided_before_the_handoff_closes_nothing(crm, there, row):
    there.add_deal("Acme", there.lost_stage, row.record_id)
    Handoff.objects.filter(pk=row.pk).update(delivered_at=now() + timedelta(minutes=1))
    pull_changes(crm, now())

    assert looked(crm, row, now() + timedelta(minutes=5)) == "open"


def test_of_two_open_tasks_of_one_person_the_older_is_closed(crm, there, row):
    """They crossed again before the rep had begun, or two people turned out to be one."""
    newer = a_handoff(row.contact, cycle=2)
    deliver_due(crm, after(1))

    assert looked(crm, row) == "closed"

    assert row.reason == "Task closed: A newer task is about the same person."
    newer.refresh_from_db()
    assert newer.task.state == "open"
    assert task_of(there, newer)["hs_task_status"] == "NOT_STARTED"


def test_an_older_task_that_the_rep_has_begun_stays(crm, there, row):
    a_handoff(row.contact, cycle=2)
    deliver_due(crm, after(1))
    there.begin(row.task_id)

    assert looked(crm, row) == "started"


@pytest.mark.parametrize(("happen", "reason"), POINTLESS)
def test_a_task_that_the_rep_has_begun_is_theirs_to_close(crm, there, row, happen, reason):
    change(there, row, hs_task_status="IN_PROGRESS")
    happen(row)

    assert looked(crm, row) == "started"

    assert task_of(there, row)["hs_task_status"] == "IN_PROGRESS"


def test_a_task_of_somebody_the_rep_has_spoken_with_is_theirs_to_close(crm, there, row):
    spoke(there, row, after(3))
    a_deal(row)

    assert looked(crm, row) == "open"

    assert task_of(there, row)["hs_task_status"] == "NOT_STARTED"


def test_a_worker_that_died_after_closing_took_no_rep_for_the_one_who_did(crm, there, row):
    a_deal(row)
    looked(crm, row)
    never_written(state="open")

    assert looked(crm, row, after(10)) == "closed"

    assert row.task.touched_at is None


def test_a_task_that_was_closed_and_opened_again_by_a_person_is_theirs(crm, there, row):
    a_deal(row)
    looked(crm, row)
    never_written(state="open")
    change(there, row, hs_task_status="NOT_STARTED")

    assert looked(crm, row, after(10)) == "started"


def test_what_was_seen_long_ago_is_no_ground_for_a_change(crm, there, row, monkeypatch):
    monkeypatch.setattr(track, "GOOD_FOR", -1.0)
    a_deal(row)

    assert looked(crm, row) == "open"

    assert task_of(there, row)["hs_task_status"] == "NOT_STARTED"


# --- many, again and again ----------------------------------------------------------------------


def test_a_hundred_and_twenty_tasks_take_two_batches_of_calls_and_queries(
    crm, there, django_assert_max_num_queries
):
    Company.objects.create(name="Engines")
    for _ in range(120):
        a_score(a_handoff(a_contact(company="Engines")).contact)
    deliver_due(crm, MONDAY)
    deliver_due(crm, MONDAY)
    Score.objects.update(total=99.0)
    there.sandbox.state.log.clear()

    with django_assert_max_num_queries(40):
        assert track_tasks(crm, after(5)) == 120

    assert len(there.sandbox.state.log) == 2 * 3  # tasks, contacts, changes
    assert HandoffTask.objects.filter(text_total=99.0).count() == 120


def test_fresh_tasks_are_looked_at_each_minute_and_old_ones_each_hour(crm, row):
    for minutes, number in ((0.5, 0), (1.1, 1), (1.6, 0), (2.1, 1)):
        assert track_tasks(crm, after(minutes)) == number

    late = after(days=2)
    assert track_tasks(crm, late) == 1
    assert track_tasks(crm, late + timedelta(minutes=59)) == 0
    assert track_tasks(crm, late + timedelta(minutes=60)) == 1


def test_a_small_budget_is_asked_for_tasks_as_often_as_it_allows(crm, row, monkeypatch):
    """20 of 30,000 a day, of which fresh tasks have a twelfth: every twelve minutes."""
    small = replace(crm.capabilities, tasks_cost=20, daily_allowance=30_000)
    monkeypatch.setattr(type(crm), "capabilities", small)
    monkeypatch.setattr(type(crm), "budget", lambda self: CrmBudget(None, None, 0, None))

    looked_at = [track_tasks(crm, after(minutes)) for minutes in (5, 11, 13, 20, 26)]

    assert looked_at == [0, 0, 1, 0, 1]
    late = after(days=2)
    assert track_tasks(crm, late) == 1
    assert track_tasks(crm, late + timedelta(minutes=59)) == 0


def test_one_that_is_due_takes_along_what_is_due_next_so_that_one_request_reads_all(crm):
    rows = [a_handoff() for _ in range(3)]
    deliver_due(crm, MONDAY)
    for number, each in enumerate(rows):
        HandoffTask.objects.filter(pk=each.pk).update(seen_at=after(number / 3))

    assert [track_tasks(crm, after(minutes)) for minutes in (0.9, 1, 1.5, 2)] == [0, 3, 0, 3]


def test_the_longest_not_looked_at_come_first_and_a_turn_is_bounded(crm, monkeypatch):
    monkeypatch.setattr(track, "MOST", 2)
    rows = [a_handoff() for _ in range(3)]
    deliver_due(crm, MONDAY)
    for minutes, each in enumerate(rows):
        HandoffTask.objects.filter(pk=each.pk).update(seen_at=after(minutes))

    assert track_tasks(crm, after(30)) == 2

    assert list(HandoffTask.objects.order_by("pk").values_list("seen_at", flat=True)) == [
        after(30), after(30), after(2)]  # fmt: skip


def test_a_look_that_is_older_than_another_writes_nothing(row):
    late = HandoffTask.objects.select_related("handoff").get()
    late.state, late.text_total, late.handoff.reason = "deleted", 1.0, "Seen too long ago."
    HandoffTask.objects.update(seen_at=after(3), state="started")

    HandoffTask.objects.record_checks([late], {late.pk: MONDAY})

    row.refresh_from_db()
    assert (row.task.state, row.task.text_total, row.reason) == ("started", 82.0, "")


def test_a_task_that_the_crm_does_not_change_holds_up_no_other_and_says_so(crm, there):
    rows = [a_handoff() for _ in range(3)]
    for each in rows:
        a_score(each.contact)
    deliver_due(crm, MONDAY)
    Score.objects.update(total=95.0)
    refused = {"category": "VALIDATION_ERROR", "message": "too long"}
    there.trouble("partial", f"{TASKS}/batch/update", times=None, body=refused)

    track_tasks(crm, after(5))

    told = Handoff.objects.filter(reason="").values_list("task__text_subject", flat=True)
    assert sum("score 95" in subject for subject in told) == 2
    assert Handoff.objects.get(reason__startswith="The CRM did not take").task.state == "open"


def test_a_change_that_failed_by_chance_is_made_at_the_next_look(crm, there, row):
    scores(row, total=95.0)
    there.trouble("status", f"{TASKS}/batch/update", status=502)

    looked(crm, row)
    looked(crm, row, after(10))

    assert "score 95" in there.tasks()[0]


def test_trouble_that_all_share_is_told_once_and_ends_by_itself(crm, there, row):
    there.revoke()
    track_tasks(crm, after(5))

    assert "token" in breaker_reason(crm, Breaker.Work.TASKS, after(5)).lower()

    there.sandbox.state.log.clear()
    assert track_tasks(crm, after(5, seconds=10)) == 0
    assert not there.sandbox.state.log


@pytest.mark.parametrize(("room", "left"), [(3_000.0, 1), (0.0, 0)])
def test_who_could_not_ask_does_not_say_that_it_works(crm, monkeypatch, room, left):
    Breaker.objects.create(
        work="tasks", identity=crm.identity, reason="x", since=MONDAY, until=MONDAY
    )
    monkeypatch.setattr(type(crm), "room", lambda self: room)

    track_tasks(crm, after(5))

    assert Breaker.objects.count() == left


def test_nothing_is_asked_when_there_is_nothing_to_look_at(crm, there):
    track_tasks(crm, MONDAY)
    there.sandbox.state.log.clear()

    assert track_tasks(crm, after(5)) == 0

    assert not there.sandbox.state.log

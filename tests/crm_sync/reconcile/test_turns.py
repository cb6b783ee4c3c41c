"""The daily comparison in turns: each ends soon, and the next goes on where it stood."""

import json
from datetime import timedelta

import pytest

from crm_sync.models import ComparisonRun, Report, reports
from crm_sync.reconcile.comparison import Comparison, Discrepancy
from crm_sync.reconcile.run import LONGEST_COUNTDOWN, TRIES, reconcile, reconcile_turn
from crm_sync.reconcile.steps import ComparisonSteps
from crm_sync.reconcile.survey import Survey
from tests.crm_sync.makers import MONDAY
from tests.crm_sync.reconcile.test_reconcile import (
    LATER,
    change,
    erase,
    fresh_status,
    made,
    row,
    task_ids,
    twin,
)
from tests.port.hubspot_side import TASKS

__all__ = ["row"]

pytestmark = pytest.mark.django_db
STEP = 0.0  # seconds for which no turn does more than one step


def turns(crm, at=LATER, most=50):
    """All turns to the end; how many there were."""
    for number in range(1, most):
        if reconcile_turn(crm, at + timedelta(minutes=number), STEP) is None:
            return number
    raise AssertionError("it has no end")


def report():
    return reports.last_report(Report.Kind.COMPARISON)


def add_unknown(there, number):
    body = f"<p>ref LS-{number:012}</p>"
    return made(there, [], hs_timestamp="2026-05-04T09:00:00Z", hs_task_body=body)


def test_turns_find_and_repair_what_one_go_does(crm, there, row):
    twin(there, row)
    change(there, row.task_id, hubspot_owner_id="")
    for number in range(130):
        add_unknown(there, number)
    planned = reconcile(crm, LATER, plan=True).as_dict()

    number = turns(crm)

    assert number > 4  # two pages, and each kind of what does not agree
    document = report().document
    assert (document["found"], document["wrong"]) == (
        132,
        {**planned["wrong"], "duplicate": 0, "on_nobody": 0},
    )
    assert document["repaired"] == {
        "deleted in the CRM": 1,
        "put on its contact and given to its rep": 1,
    }
    assert row.task_id in task_ids(there)
    assert not ComparisonRun.objects.exists()


def test_a_turn_goes_on_behind_the_page_at_which_the_last_one_ended(crm, there, row):
    for number in range(250):
        add_unknown(there, number)
    reconcile_turn(crm, LATER, STEP)
    there.sandbox.state.log.clear()

    reconcile_turn(crm, LATER, STEP)

    calls = [each["path"] for each in there.sandbox.state.log]
    assert [path for path in calls if path.startswith(TASKS)] == [TASKS]  # one page and no more
    assert ComparisonRun.objects.get().document["survey"]["found"] == 200


def test_what_was_lost_is_found_over_several_turns(crm, there, row):
    erase(there, row.task_id)

    turns(crm)

    assert fresh_status(row) == "waiting"
    assert report().document["repaired"] == {"waits to be delivered again": 1}


def test_a_task_made_after_the_first_turn_is_not_looked_for(crm, there, row):
    for number in range(130):
        add_unknown(there, number)
    reconcile_turn(crm, LATER, STEP)
    erase(there, row.task_id)  # as if the page on which it would be had been read already
    ComparisonRun.objects.update(document=without(row, ComparisonRun.objects.get().document))
    type(row).objects.filter(pk=row.pk).update(delivered_at=LATER + timedelta(seconds=1))

    turns(crm)

    assert fresh_status(row) == "delivered"
    assert report().document["missing"] == []


def without(row, document):
    """As if the row's task had not been on the pages that were read."""
    document["survey"]["seen"].remove(row.pk)
    return document


def test_what_was_read_a_day_ago_is_read_again(crm, there, row):
    for number in range(250):
        add_unknown(there, number)
    reconcile_turn(crm, LATER, STEP)

    reconcile_turn(crm, LATER + timedelta(days=1, seconds=1), STEP)

    kept = ComparisonRun.objects.get()
    assert kept.document["survey"]["found"] == 100
    assert kept.started_at == LATER + timedelta(days=1, seconds=1)


def test_no_comparison_begins_before_its_time_and_one_under_way_goes_on(crm, there, row):
    turns(crm)

    assert reconcile_turn(crm, LATER + timedelta(hours=1), STEP) is None
    assert not ComparisonRun.objects.exists()


def test_a_busy_crm_is_asked_again_soon_and_the_place_is_kept(crm, there, row):
    for number in range(130):
        add_unknown(there, number)
    reconcile_turn(crm, LATER, STEP)
    there.trouble("status", TASKS, status=503, times=1)

    waits = reconcile_turn(crm, LATER, STEP)

    kept = ComparisonRun.objects.get().document
    assert 0 < waits <= LONGEST_COUNTDOWN
    assert (kept["survey"]["found"], kept["tries"]) == (100, 1)
    turns(crm)
    assert (report().error, report().document["found"]) == ("", 131)


def test_a_crm_that_stays_away_is_told_and_the_sweep_goes_on(crm, there, row):
    reconcile_turn(crm, LATER, STEP)
    reconcile_turn(crm, LATER, STEP)
    add_unknown(there, 1)
    assert turns(crm, LATER + timedelta(days=1)) > 1
    there.trouble("status", "/account-info", status=503, times=TRIES)
    later = LATER + timedelta(days=3)

    waits = [reconcile_turn(crm, later, STEP) for _ in range(TRIES)]
    told = report().error
    turns(crm, later)

    assert [wait is None for wait in waits] == [False] * (TRIES - 1) + [True]
    assert (bool(told), report().error) == (True, "")


def test_the_command_ends_what_was_under_way(crm, there, row):
    for number in range(130):
        add_unknown(there, number)
    reconcile_turn(crm, LATER, STEP)

    found = reconcile(crm, LATER)

    assert (found.found, ComparisonRun.objects.exists()) == (131, False)


def test_of_a_hundred_thousand_tasks_only_ids_are_kept():
    """Half a year of a large team, and none of it agrees."""
    survey = Survey(found=100_000)
    for number in range(100_000):
        survey.seen.add(number)
        survey.open_on[str(151_000_000_000 + number)] = [str(454_000_000_000 + number)]
    run = ComparisonSteps(MONDAY, Comparison(plan=False), survey, "454000100000")
    run.found.unknown += [Discrepancy("x" * 300, "y" * 300) for _ in range(100_000)]

    kept = json.loads(json.dumps(run.as_document()))

    assert len(json.dumps(kept)) < 5_000_000
    again = ComparisonSteps.of_document(MONDAY, kept)
    assert (again.survey, again.place) == (survey, run.place)
    assert again.found.wrong_by_list["unknown"] == 100_000

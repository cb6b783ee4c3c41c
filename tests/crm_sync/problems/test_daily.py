"""The daily looks: when they are made, and what of them is on the home page."""

from datetime import timedelta

import pytest

from crm_sync import tasks
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Report, reports
from crm_sync.problems import daily_reports
from crm_sync.reconcile.run import reconcile
from leadscoring.celery import app
from leadscoring.common.clock import database_time
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score
from tests.crm_sync.reconcile.test_reconcile import made, twin
from tests.port.hubspot_side import TOKEN

pytestmark = pytest.mark.django_db

AUDIT, COMPARISON = Report.Kind.AUDIT, Report.Kind.COMPARISON
DAY = timedelta(days=1)


def keep(kind=COMPARISON, at=MONDAY, document=None, **more):
    reports.store_report(kind, at, document or {}, **({"wrong": 0} | more))


def told(at=MONDAY):
    return [problem.what for problem in daily_reports.daily_problems(at)]


# --- when -----------------------------------------------------------------------------------------
def test_a_look_is_due_at_first_and_then_once_a_day():
    before = reports.is_report_due(COMPARISON, MONDAY)
    keep()

    due = [
        reports.is_report_due(COMPARISON, MONDAY + after) for after in (timedelta(hours=23), DAY)
    ]
    assert (before, due) == (True, [False, True])


@pytest.mark.parametrize("trouble", [{"wrong": 1}, {"error": "The CRM is away."}])
def test_while_something_is_wrong_a_look_is_due_every_hour(trouble):
    keep(**trouble)

    assert not reports.is_report_due(COMPARISON, MONDAY + timedelta(minutes=59))
    assert reports.is_report_due(COMPARISON, MONDAY + timedelta(minutes=60))


def test_beat_rings_for_both():
    names = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert {"crm_sync.tasks.audit_crm", "crm_sync.tasks.reconcile_handoffs"} <= names


@pytest.fixture
def connected(crm, there, settings):
    settings.HUBSPOT_ACCESS_TOKEN, settings.HUBSPOT_BASE_URL = TOKEN, there.sandbox.url
    return there


def test_a_ring_looks_when_it_is_time_and_not_again_the_same_day(connected):
    for task in (tasks.audit_crm, tasks.reconcile_handoffs):
        task()
    first = [reports.last_report(kind) for kind in (AUDIT, COMPARISON)]
    Report.objects.update(wrong=0, error="")
    for task in (tasks.audit_crm, tasks.reconcile_handoffs):
        task()

    assert [reports.last_report(kind).at for kind in (AUDIT, COMPARISON)] == [
        each.at for each in first
    ]
    assert database_time() - first[0].at < timedelta(minutes=1)


# --- what the row says ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({}, "4 h ago, clean"),
        ({"repaired": 2}, "4 h ago, 2 repaired"),
        ({"wrong": 3, "repaired": 2}, "4 h ago, 2 repaired, 3 to be mended"),
        ({"error": "HubSpot is away."}, "4 h ago, could not be made: HubSpot is away."),
    ],
)
def test_the_last_look_is_told_in_a_line(found, says):
    keep(**found)

    assert reports.last_report(COMPARISON).told(MONDAY + timedelta(hours=4)) == says


def test_a_look_that_failed_keeps_the_time_of_the_last_that_did_not():
    keep()
    keep(at=MONDAY + DAY, error="HubSpot is away.")

    assert reports.last_report(COMPARISON).looked_at == MONDAY


def test_a_long_list_is_cut_in_the_row():
    keep(document={"unknown": list(range(1000))})

    assert len(reports.last_report(COMPARISON).document["unknown"]) == reports.MOST_ITEMS


# --- the home page --------------------------------------------------------------------------------
def test_clean_looks_and_none_at_all_are_silence():
    nothing = told()
    keep()
    keep(AUDIT)

    assert (nothing, told()) == ([], [])


def test_what_does_not_agree_is_told_with_its_number_and_what_to_do(crm, there):
    row = a_handoff(a_contact())
    a_score(row.contact)
    deliver_due(crm, MONDAY)
    row.refresh_from_db()
    twin(there, row, hs_task_status="COMPLETED")
    made(there, [], hs_timestamp="2026-05-04T09:00:00Z", hs_task_body="ref LS-7K3M9QX2V4TB")

    reconcile(crm, MONDAY)

    problems = list(daily_reports.daily_problems(MONDAY))
    assert [problem.what for problem in problems] == [
        "1 task of ours in the CRM beside another for the same lead.",
        "1 task in the CRM with a reference that is not known here.",
    ]
    assert "complete or delete" in problems[0].fix
    assert problems[0].url.startswith("/admin/crm_sync/handoff/")


def test_what_was_repaired_needs_nobody(crm, there):
    row = a_handoff(a_contact())
    deliver_due(crm, MONDAY)
    row.refresh_from_db()
    twin(there, row)

    reconcile(crm, MONDAY)

    assert told() == []


def test_what_the_crm_lacks_is_told_as_the_audit_found_it():
    flaw = {"severity": "error", "what": "The token may not read contacts.", "fix": "Give it."}
    keep(AUDIT, document={"flaws": [flaw]}, wrong=1)

    (problem,) = daily_reports.daily_problems(MONDAY)

    assert (problem.severity, problem.what) == ("error", "The token may not read contacts.")
    assert problem.fix.startswith("Give it.")


def test_a_look_that_nobody_makes_any_more_or_that_fails_is_told():
    keep()
    keep(AUDIT)
    late = told(MONDAY + 3 * DAY)
    keep(at=MONDAY + DAY, error="HubSpot is away.")

    assert late == [
        "The connection to the CRM was last checked 3 days ago.",
        "The list of handoffs was last compared with the CRM 3 days ago.",
    ]
    assert told(MONDAY + DAY) == [
        "The list of handoffs could not be compared with the CRM: HubSpot is away."
    ]

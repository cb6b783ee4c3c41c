"""What the home page says needs a person."""

from datetime import timedelta
from typing import Any

import pytest

from crm_sync.models import PullReport, Reassignment, Round, Stage
from crm_sync.problems import current
from leadscoring.crm_state import set_freshness
from leadscoring.operations.health import collect_problems as all_problems
from tests.admin_pages import as_superuser
from tests.crm_sync.makers import MONDAY, a_delivered, a_handoff, a_rep

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(settings):
    settings.HUBSPOT_ACCESS_TOKEN = "made-up"
    set_freshness(dict.fromkeys(["contacts", "associations", "deals"], MONDAY))


def told(at=MONDAY):
    return [problem.what for problem in current.crm_problems(at)]


def test_all_well_is_silence(connected):
    a_rep()
    a_handoff()

    assert told() == []


def test_no_crm_is_one_problem_not_three():
    assert told() == ["No CRM is connected: leads that are ready wait here, and mail is held."]
    assert current.crm_problems(MONDAY)[0].what in [each.what for each in all_problems(MONDAY)]


def test_handoffs_that_need_a_person_are_told_by_cause(connected):
    for reason in ("No rep takes leads.", "No rep takes leads.", "No e-mail address."):
        a_handoff(status="needs_attention", reason=reason)

    assert told() == [
        "2 leads not handed to sales: No rep takes leads.",
        "1 lead not handed to sales: No e-mail address.",
    ]


def test_the_problem_leads_to_the_page_where_it_is_mended(connected):
    a_handoff(status="needs_attention", reason="No rep takes leads.")

    (problem,) = current.crm_problems(MONDAY)

    assert problem.url.startswith("/admin/crm_sync/handoff/")


def test_a_rep_who_left_with_open_tasks_is_told(connected):
    a_rep("1", name="Lee", active=False)
    a_rep("2", name="Kim")
    for number in range(2):
        a_handoff(status="delivered", record_id="9", owner_id="1", task_id=str(number),
                  task_tried_at=MONDAY, delivered_at=MONDAY)  # fmt: skip

    assert told() == ["Lee is not active in the CRM any more and has 2 open tasks."]
    (problem,) = current.crm_problems(MONDAY)
    opened = as_superuser().get(problem.url)
    assert problem.fix == "Open the rep and press Give open tasks to others."
    assert 'value="give_tasks">Give open tasks to others…</button>' in opened.content.decode()


def test_tasks_that_are_being_given_to_others_are_told_no_more(connected):
    a_rep("1", name="Lee", active=False)
    a_rep("2")
    a_delivered(MONDAY)

    Reassignment.objects.ask(["1"], "2", "anna", MONDAY)

    assert told() == []


def test_a_cause_that_says_what_to_press_is_not_told_twice(connected):
    a_handoff(status="needs_attention", reason="No rep: name one, then press Resend.")

    assert [each.fix for each in current.crm_problems(MONDAY)] == [""]


def test_a_lead_that_waits_too_long_is_told_with_its_cause(connected):
    a_handoff(crossed_at=MONDAY - timedelta(minutes=16), reason="HubSpot asks us to slow down.")
    a_handoff(crossed_at=MONDAY - timedelta(minutes=14))

    assert told() == [
        "1 lead on the way to sales for more than 15 minutes: HubSpot asks us to slow down."
    ]


def test_a_property_that_leads_went_without_is_told_for_a_day(connected):
    done: dict[str, Any] = {
        "record_id": "1",
        "owner_id": "2",
        "task_tried_at": MONDAY,
        "delivered_at": MONDAY,
    }
    for number in range(3):
        a_handoff(
            status="delivered",
            task_id=str(number),
            left_out={"lead_score": "there is no such property"},
            **done,
        )

    assert told() == ["Leads went to the CRM without lead_score: there is no such property."]


def test_nobody_who_takes_leads_is_told_before_a_lead_is_lost_in_it(connected):
    a_rep(takes_leads=False)
    a_rep(active=False)

    assert told() == ["No rep takes leads: who has no owner in the CRM cannot be handed off."]


def test_a_stage_that_nobody_has_set_is_told(connected):
    Stage.objects.create(pipeline_id="p", pipeline="Sales", stage_id="s", label="Legal", effect="")

    assert told() == [
        "Nobody has set what the deal stage Legal (Sales) does: its contacts' mail is held."
    ]


def test_a_pull_that_failed_and_one_that_is_too_old_are_told(connected):
    PullReport.objects.create(started_at=MONDAY, error="HubSpot does not accept the access token.")

    assert told(MONDAY + timedelta(minutes=16)) == [
        "The CRM could not be read: HubSpot does not accept the access token.",
        "What is known of the CRM is 16 minutes old: mail is held.",
    ]


def test_a_crm_that_is_being_read_for_the_first_time_is_told_with_how_far_it_is(settings):
    settings.HUBSPOT_ACCESS_TOKEN = "made-up"
    Round.objects.create(kind="records", began_at=MONDAY, people=12_000)

    assert told() == [
        "The CRM is being read for the first time, 12,000 people so far: mail is held until all are."
    ]


def test_a_crm_that_was_never_read_is_told(settings):
    settings.HUBSPOT_ACCESS_TOKEN = "made-up"

    assert told() == ["The CRM was never read: mail is held until it is."]

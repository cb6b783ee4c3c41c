"""What sales makes of a lead comes back: as an outcome, as an activity, and as a cool-down."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Deal, Handoff, Link, Outcome, RejectingStatus
from crm_sync.outcomes.evaluate import (
    decide_finding,
    evaluate_outcomes,
    rejecting_status,
    remember_lead_statuses,
)
from crm_sync.pull.poll import pull_changes
from crm_sync.tasks import weigh_outcomes
from leadscoring.common.clock import database_time
from leadscoring.models import Activity, Score
from leadscoring.scoring import rescore_locked
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_rep, a_score

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = MONDAY + DAY


def told(lead_status="IN_PROGRESS", contact=None, cycle=1, at=MONDAY, **fields):
    """A handoff that sales was told of at `at`, with the lead status the contact had before."""
    contact = contact or a_contact(**fields)
    number = f"{contact.pk}-{cycle}"
    row = a_handoff(contact, cycle=cycle, status="delivered", record_id=number, owner_id="rep",
                    task_id=number, task_tried_at=at, delivered_at=at, crossed_at=at)  # fmt: skip
    seen = {"record_id": number, "account_id": "1", "lead_status": lead_status, "seen_at": at}
    link, _ = Link.objects.update_or_create(contact=contact, defaults=seen)
    remember_lead_statuses([(row, link)])
    return row


def seen(row, at=LATER, **fields):
    """The CRM was looked at again."""
    Link.objects.filter(contact=row.contact).update(seen_at=at, **fields)


def a_deal(row, made_at=MONDAY + HOUR, **fields):
    number = f"d{Deal.objects.count()}"
    deal = Deal.objects.create(
        deal_id=number, name="Acme", made_at=made_at, changed_at=LATER, seen_at=LATER, **fields
    )
    deal.contacts.add(row.contact)
    return deal


def weighed(row, at=LATER):
    evaluate_outcomes(at)
    return Outcome.objects.get(handoff=row)


def types(row):
    rows = Activity.objects.filter(contact=row.contact, source="crm")
    return list(rows.order_by("occurred_at", "type").values_list("type", flat=True))


def test_what_sales_typed_and_a_clock_that_is_ahead_keep_no_outcome_from_being_told():
    row = told()
    a_deal(row, made_at=LATER + 3 * HOUR, lost_reason="too\x0bexpensive", closed=True)
    Deal.objects.update(name="na\x0bme")
    seen(row)

    weighed(row, LATER + HOUR)

    assert set(types(row)) == {"sales_deal", "sales_lost"}
    lost = Activity.objects.get(type="sales_lost")
    assert (lost.properties["deal"], lost.properties["reason"]) == ("na me", "too expensive")


# --- what it has come to


@pytest.mark.parametrize(
    ("deals", "refused", "state", "reason"),
    [
        ([], "", "pending", ""),
        ([], "BAD_TIMING", "refused", "BAD_TIMING"),
        ([{}], "", "deal", ""),
        ([{}], "BAD_TIMING", "deal", ""),
        ([{"closed": True, "won": True}], "", "won", ""),
        ([{"closed": True, "lost_reason": "Price"}], "", "lost", "Price"),
        ([{"closed": True, "lost_reason": "Price"}, {}], "", "deal", ""),
        ([{"closed": True}, {}, {"closed": True, "won": True}], "", "won", ""),
    ],
)
def test_the_best_that_came_of_a_lead_is_its_outcome(deals, refused, state, reason):
    rows = [Deal(deal_id=str(n), made_at=MONDAY, **deal) for n, deal in enumerate(deals)]

    found = decide_finding(rows, refused, LATER)

    assert (found.state, found.reason) == (state, reason)


@pytest.mark.parametrize(
    ("state", "before", "now", "by"),
    [
        ("pending", "IN_PROGRESS", "UNQUALIFIED", "UNQUALIFIED"),
        ("pending", "UNQUALIFIED", "UNQUALIFIED", ""),
        ("pending", "UNQUALIFIED", "BAD_TIMING", "BAD_TIMING"),
        ("pending", "IN_PROGRESS", "CONNECTED", ""),
        ("refused", "UNQUALIFIED", "UNQUALIFIED", "UNQUALIFIED"),
        ("refused", "UNQUALIFIED", "OPEN", ""),
    ],
)
def test_only_a_status_set_since_the_handoff_refuses_it(state, before, now, by):
    row = Outcome(state=state, lead_status=before)

    assert rejecting_status(row, now, {"UNQUALIFIED", "BAD_TIMING"}) == by


def test_a_lead_status_that_refuses_is_told_once_with_its_reason():
    row = told()
    seen(row, lead_status="UNQUALIFIED")

    outcome = weighed(row)
    seen(row, at=LATER + HOUR)
    evaluate_outcomes(LATER + HOUR)

    assert (outcome.state, outcome.reason, outcome.since) == ("refused", "UNQUALIFIED", LATER)
    (activity,) = Activity.objects.filter(contact=row.contact)
    assert (activity.type, activity.source) == ("sales_refused", "crm")
    assert activity.event_id == f"{row.reference}-refused"
    assert activity.properties["reason"] == "UNQUALIFIED"


def test_which_statuses_refuse_is_for_people_to_say():
    row = told()
    RejectingStatus.objects.all().delete()
    RejectingStatus.objects.create(status="TOO_SMALL")
    seen(row, lead_status="UNQUALIFIED")
    before = weighed(row).state

    seen(row, lead_status="TOO_SMALL", at=LATER + HOUR)

    assert (before, weighed(row, LATER + HOUR).state) == ("pending", "refused")


def test_a_lead_refused_long_ago_is_not_refused_by_the_same_status_when_handed_off_again():
    row = told(lead_status="UNQUALIFIED")
    seen(row)

    assert weighed(row).state == "pending"


def test_a_deal_made_after_the_handoff_is_its_own_and_one_from_before_is_not():
    old, new = told(), told()
    a_deal(old, made_at=MONDAY - HOUR)
    a_deal(new)
    seen(old)
    seen(new)

    assert (weighed(old).state, weighed(new).state) == ("pending", "deal")


def test_a_deal_is_of_the_last_handoff_before_it():
    first = told()
    second = told(contact=first.contact, cycle=2, at=MONDAY + 40 * DAY)
    a_deal(first, made_at=MONDAY + 41 * DAY)
    seen(first, at=MONDAY + 42 * DAY)

    evaluate_outcomes(MONDAY + 42 * DAY)

    states = Outcome.objects.order_by("handoff__cycle").values_list("state", flat=True)
    assert list(states) == ["pending", "deal"]
    assert types(second) == ["sales_deal"]


def test_a_refusal_is_of_the_last_handoff_and_one_of_an_earlier_stays():
    first = told()
    seen(first, lead_status="UNQUALIFIED")
    evaluate_outcomes(LATER)
    second = told(lead_status="OPEN", contact=first.contact, cycle=2, at=MONDAY + 40 * DAY)
    third = told(lead_status="OPEN", contact=first.contact, cycle=3, at=MONDAY + 80 * DAY)
    seen(first, lead_status="BAD_TIMING", at=MONDAY + 81 * DAY)

    evaluate_outcomes(MONDAY + 81 * DAY)

    reasons = {row.pk: row.reason for row in Outcome.objects.all()}
    assert reasons == {first.pk: "UNQUALIFIED", second.pk: "", third.pk: "BAD_TIMING"}


def test_a_lost_deal_is_told_as_a_deal_and_as_lost_with_the_reason():
    row = told()
    a_deal(row, closed=True, lost_reason="Too small")
    seen(row)

    outcome = weighed(row)

    assert (outcome.state, outcome.reason) == ("lost", "Too small")
    assert types(row) == ["sales_deal", "sales_lost"]


def test_a_deal_that_is_won_in_the_end_is_told_step_by_step_each_once():
    row = told()
    deal = a_deal(row)
    seen(row)
    evaluate_outcomes(LATER)
    Deal.objects.filter(pk=deal.pk).update(closed=True, won=True)
    seen(row, at=LATER + HOUR)

    outcome = weighed(row, LATER + HOUR)

    assert outcome.state == "won"
    assert types(row) == ["sales_deal", "sales_won"]


def test_what_sales_did_is_not_what_the_person_did():
    row = told()
    seen(row, lead_status="UNQUALIFIED")
    evaluate_outcomes(LATER)

    row.contact.refresh_from_db()

    assert row.contact.last_activity_at is None


# --- when it is weighed


def test_only_contacts_that_the_crm_was_asked_about_since_are_weighed():
    row = told()
    seen(row)

    assert (evaluate_outcomes(LATER), evaluate_outcomes(LATER)) == (1, 0)


def test_a_lead_is_watched_for_a_year():
    row = told()
    seen(row, at=MONDAY + 366 * DAY)

    assert evaluate_outcomes(MONDAY + 366 * DAY) == 0


def test_handoffs_from_before_outcomes_were_kept_get_theirs():
    row = told()
    Outcome.objects.all().delete()
    a_deal(row)

    assert weighed(row).state == "deal"


def test_many_are_weighed_in_parts_with_as_many_queries_as_few():
    rows = [told() for _ in range(12)]

    def queries(most):
        for row in rows:
            seen(row, at=LATER + HOUR * Activity.objects.count() + HOUR, lead_status="UNQUALIFIED")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert evaluate_outcomes(LATER, most) == most
        return len(asked)

    assert queries(2) == queries(10)


# --- the cool-down


def test_a_refused_lead_does_not_cross_again_before_its_cool_down_is_over():
    row = told()
    score = a_score(row.contact, armed=True, total=10, crossed_at=MONDAY - 90 * DAY)
    seen(row, lead_status="BAD_TIMING")

    evaluate_outcomes(LATER)

    score.refresh_from_db()
    assert score.armed is False
    rescore_locked([row.contact_id], LATER + 29 * DAY)
    assert Score.objects.get(contact=row.contact).armed is False
    rescore_locked([row.contact_id], LATER + 31 * DAY)
    assert Score.objects.get(contact=row.contact).armed is True


# --- from end to end


def test_what_a_rep_does_in_the_crm_comes_back(crm, there):
    a_rep("712340001")
    refused, lost = (a_handoff(a_contact(f"{who}@lead.example")) for who in ("no", "lost"))
    for row in (refused, lost):
        a_score(row.contact)
    deliver_due(crm, database_time())
    refused, lost = (Handoff.objects.get(pk=row.pk) for row in (refused, lost))
    there.set(refused.record_id, hs_lead_status="UNQUALIFIED")
    deal = there.add_deal("Acme", there.lost_stage, lost.record_id)
    there.explain_loss(deal, "Price")

    pull_changes(crm, database_time(), full=True)
    evaluate_outcomes(database_time())

    outcomes = {row.pk: (row.state, row.reason) for row in Outcome.objects.all()}
    assert outcomes == {refused.pk: ("refused", "UNQUALIFIED"), lost.pk: ("lost", "Price")}


def test_the_task_goes_on_until_all_is_weighed(monkeypatch):
    at = database_time()
    rows = [told(at=at - DAY) for _ in range(3)]
    for row in rows:
        seen(row, at=at - HOUR, lead_status="UNQUALIFIED")
    monkeypatch.setattr(
        "crm_sync.tasks.evaluate_outcomes", lambda at: evaluate_outcomes(at, most=2)
    )

    weigh_outcomes()

    assert {row.state for row in Outcome.objects.all()} == {"refused"}

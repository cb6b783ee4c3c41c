"""How right our picture of the CRM is: what differs is counted by field and age, and put right."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm_sync.models import Breaker, Drift, Link
from crm_sync.pull.drift import drift_last_month, is_drift_due, measure_daily, measure_drift_sample
from crm_sync.pull.poll import pull_changes
from leadscoring.models import CrmState
from tests.crm_sync.makers import MONDAY, a_contact

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def ada(crm, there):
    """Somebody whom we and the CRM know alike."""
    record_id = there.add_contact("ada@engines.example", owner_id=there.active_owner)
    there.add_deal("Engine", there.open_stage, record_id)
    ada = a_contact("ada@engines.example")
    Link.objects.create(contact=ada, account_id="20250001", record_id=record_id, seen_at=MONDAY)
    pull_changes(crm, MONDAY, full=True)
    return ada


def record(ada):
    return Link.objects.get(contact=ada).record_id


def test_what_is_alike_does_not_differ(crm, ada):
    drift = measure_drift_sample(crm, MONDAY + HOUR)

    assert (drift.looked, drift.differed, drift.fields) == (1, 0, {})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lifecyclestage": "opportunity"}, "lifecycle stage"),
        ({"hs_lead_status": "OPEN"}, "lead status"),
        ({"hubspot_owner_id": ""}, "owner"),
        ({"hs_email_optout": "true"}, "opt-out"),
    ],
)
def test_a_field_that_differs_is_counted_by_its_name(crm, there, ada, change, field):
    there.set(record(ada), **change)

    drift = measure_drift_sample(crm, MONDAY + HOUR)

    assert (drift.differed, drift.fields) == (1, {field: 1})
    assert 3500 < drift.oldest_seconds < 3700


def test_a_deal_that_we_do_not_know_differs_and_is_put_right(crm, there, ada):
    there.add_deal("Second engine", there.won_stage, record(ada))

    first, second = (
        measure_drift_sample(crm, MONDAY + HOUR),
        measure_drift_sample(crm, MONDAY + 2 * HOUR),
    )

    assert (first.fields, second.differed) == ({"deals": 1}, 0)
    assert CrmState.objects.get(contact=ada).effect == "stop"


def test_a_record_that_is_gone_differs(crm, there, ada):
    there.archive(record(ada))

    assert measure_drift_sample(crm, MONDAY + HOUR).differed == 1
    assert Link.objects.get(contact=ada).gone_at


def test_a_sample_is_no_larger_than_asked_and_all_means_all(crm, there, ada):
    for number in range(3):
        record_id = there.add_contact(f"p{number}@engines.example")
        contact = a_contact(f"p{number}@engines.example")
        Link.objects.create(
            contact=contact, account_id="20250001", record_id=record_id, seen_at=MONDAY
        )

    sample, everybody = (
        measure_drift_sample(crm, MONDAY + HOUR, size=2),
        measure_drift_sample(crm, MONDAY + 2 * HOUR, None),
    )

    assert (sample.looked, everybody.looked, everybody.everybody) == (2, 4, True)


def test_once_a_day_is_enough_and_a_month_is_drawn():
    Drift.objects.create(at=MONDAY, looked=100, differed=2)

    assert [is_drift_due(MONDAY + HOUR), is_drift_due(MONDAY + 25 * HOUR)] == [False, True]
    assert [drift.share for drift in drift_last_month(MONDAY + HOUR)] == [2.0]
    assert drift_last_month(MONDAY + timedelta(days=31)) == []


def test_the_daily_sample_is_taken_once_and_not_against_a_hold(crm, there, ada):
    assert measure_daily(crm, MONDAY + HOUR)
    assert measure_daily(crm, MONDAY + 2 * HOUR) is None
    there.revoke()

    assert measure_daily(crm, MONDAY + 30 * HOUR) is None
    assert Breaker.objects.get().denied


def test_the_home_page_says_how_right_the_picture_is(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("ops"))
    at = now()
    Drift.objects.create(at=at, looked=200, differed=3, fields={"owner": 3}, oldest_seconds=40)

    page = client.get("/admin/").content.decode()

    assert "<b>197 of 200</b> people looked at are the same" in page
    assert "owner (3)" in page

from datetime import UTC, datetime

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.audit import token_kind
from crm_sync.port import CrmProperty
from tests.port.hubspot_side import TOKEN

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("pat-eu1-0123", "service key"),
        ("CKzZ" + "x" * 80, "OAuth"),
        ("01234567-89ab-cdef-0123-456789abcdef", "API key"),
        ("secret", "unknown"),
    ],
)
def test_the_kind_of_a_token_is_told_as_far_as_can_be(token, kind):
    assert kind in token_kind(token)


@pytest.mark.parametrize(
    ("scope", "stops"),
    [
        ("crm.objects.contacts.read", True),
        ("crm.objects.contacts.write", True),
        ("crm.objects.deals.read", True),
        ("crm.objects.owners.read", True),
        ("crm.objects.companies.read", False),
    ],
)
def test_each_missing_scope_is_named(hubspot, there, scope, stops):
    there.allow(each for each in there.sandbox.settings.tokens[there.token].scopes if each != scope)

    found = hubspot.audit([], [], JANUARY).problems

    assert {flaw.stops for flaw in found} == {stops}
    assert all(scope in flaw.fix for flaw in found)


def test_the_day_is_told_and_a_day_that_is_nearly_used_is_named(hubspot, there):
    used = {"name": "private-apps-api-calls-daily", "currentUsage": 230_000, "usageLimit": 250_000}
    there.trouble("status", "/account-info/v3/api-usage", status=200, body={"results": [used]})

    found = hubspot.audit([], [], JANUARY)

    assert (found.token["requests_today"], found.token["requests_a_day"]) == (230_000, 250_000)
    assert "230,000 of the account's 250,000" in found.problems[0].what


def test_a_property_that_is_read_only_or_lacks_options_is_found(hubspot):
    tier = CrmProperty("hs_lead_status", "Tier", "enumeration", ("NEW", "tin"))

    found = hubspot.audit([tier], ["hs_object_id", "hs_lead_status"], JANUARY).problems

    assert "tin" in found[0].what
    assert "hs_object_id of contacts is read-only" in found[1].what


def test_a_crm_that_is_away_stops_handoffs_and_is_no_bug(hubspot, there):
    there.trouble("status", status=503, body="<html>", times=None)

    (flaw,) = hubspot.audit([], [], JANUARY).problems

    assert flaw.stops
    assert "did not answer" in flaw.what


def test_the_parts_whose_support_ends_are_counted(hubspot):
    (flaw,) = hubspot.audit([], [], datetime(2026, 11, 24, tzinfo=UTC)).problems

    assert "30 March 2027" in flaw.what
    assert f" {sum('/v4/' in call.path for call in hubspot.calls)} of our calls" in flaw.what
    assert "Set HUBSPOT_API_VERSION to 2026-09" in flaw.fix


@pytest.mark.parametrize(
    ("version", "day", "fix"),
    [
        ("2026-03", "30 September 2027", "Set HUBSPOT_API_VERSION"),
        ("2026-09", "8 March 2028", "Update"),
    ],
)
def test_the_end_of_the_version_in_use_is_named(sandbox, settings, version, day, fix):
    crm = HubSpot(TOKEN, sandbox.url, settings.REDIS_URL, version=version)

    flaws = crm.audit([], [], datetime(2027, 12, 1, tzinfo=UTC)).problems

    (flaw,) = [flaw for flaw in flaws if day in flaw.what]
    assert flaw.fix.startswith(fix)


@pytest.mark.parametrize("status", [400, 404])
def test_what_hubspot_makes_of_a_record_0_is_no_flaw(hubspot, there, status):
    body = {"category": "VALIDATION_ERROR", "message": "No properties found to update"}
    there.trouble("status", "/crm/v3/objects", status=status, body=body, times=None)

    assert list(hubspot.audit([], [], JANUARY).problems) == []


def test_an_audit_tells_whether_tasks_are_kept_single(hubspot):
    before = hubspot.audit([], [], JANUARY).token["unique_task_references"]
    hubspot.set_up([], plan=False)

    assert (before, hubspot.audit([], [], JANUARY).token["unique_task_references"]) == (False, True)

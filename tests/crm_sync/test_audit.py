"""Would a handoff work? Each thing that keeps it from working is broken on purpose and named."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from django.core.cache import cache

from crm_sync import connect
from crm_sync.audit import run_audit
from crm_sync.handoff.deliver import deliver_due
from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.fields import TASKS_SENT
from crm_sync.hubspot.transport.calls import register_calls
from crm_sync.models import Account, FieldMapping, Owner, Report, reports
from crm_sync.port import Crm, NotConnected
from leadscoring.crm_state import set_freshness
from leadscoring.operations import heartbeat
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_rep, a_score

pytestmark = pytest.mark.django_db

PROPERTIES = "/crm/v3/properties/contacts"


@pytest.fixture(autouse=True)
def all_well(crm):
    """Processes that live, state that is fresh, a rep and a fallback."""
    for process in heartbeat.PROCESSES:
        heartbeat.record_heartbeat(process, MONDAY)
    set_freshness(dict.fromkeys(["contacts", "associations", "deals"], MONDAY))
    a_rep("712340001", is_fallback=True)
    yield
    cache.clear()


def told(found):
    return [(each.severity, each.what) for each in found.problems]


def whats(found):
    return " ".join(each.what for each in found.problems)


# --- all is well --------------------------------------------------------------------------------
def test_an_account_that_has_all_needs_nobody(crm):
    found = run_audit(crm, MONDAY)

    assert (told(found), found.works) == ([], True)
    assert found.token["account"] == "20250001"


def test_the_document_has_the_keys_of_the_contract(crm):
    document = run_audit(crm, MONDAY).as_dict()

    assert {"calls", "fields_sent", "fields_read", "token", "last_pull_at", "problems"} <= (
        document.keys()
    )
    assert {"method", "path", "purpose", "retry", "limit", "until"} <= document["calls"][0].keys()
    assert (document["last_pull_at"], document["last_pull_age_seconds"]) == (MONDAY.isoformat(), 0)
    assert document["webhooks"] == "off"


def test_every_call_of_the_register_is_told_with_the_day_its_support_ends(crm):
    calls = run_audit(crm, MONDAY).as_dict()["calls"]

    assert len(calls) == len(register_calls())
    (create,) = [each for each in calls if each["purpose"] == "create tasks with their contact"]
    assert (create["method"], create["retry"]) == ("POST", False)
    assert all(each["days_left"] > 0 for each in calls)


# --- fields -------------------------------------------------------------------------------------
def test_fields_are_told_with_the_number_of_records_that_have_them(crm, there):
    for name in ("Ada", ""):
        contact = a_contact(first_name=name)
        a_score(contact)
        a_handoff(contact)
    deliver_due(crm, MONDAY)

    found = run_audit(crm, MONDAY)

    sent = {(each["record"], each["name"]): each["count"] for each in found.sent}
    read = {(each["record"], each["name"]): each["count"] for each in found.read}
    assert (sent["contact", "lead_score"], sent["contact", "firstname"]) == (2, 1)
    assert sent["contact", "phone"] == 0
    assert (sent["task", "hs_task_body"], read["task", "hs_task_status"]) == (2, 2)
    assert (read["contact", "hubspot_owner_id"], read["rep", "email"]) == (2, 1)
    assert read["company", "hubspot_owner_id"] is None


def test_all_that_a_task_is_sent_with_is_told(crm, there):
    a_handoff()
    deliver_due(crm, MONDAY)

    (task,) = there.sandbox.state.store.records["tasks"].values()

    theirs = {"hs_createdate", "hs_lastmodifieddate", "hs_object_id"}
    assert set(task.properties) - theirs <= set(TASKS_SENT)
    assert set(task.properties) >= set(TASKS_SENT) - {"lead_handoff_reference"}


def test_a_field_that_is_mapped_no_more_is_told_as_long_as_records_have_it(crm):
    a_handoff()
    deliver_due(crm, MONDAY)
    FieldMapping.objects.filter(property="hs_lead_status").delete()

    names = [each["name"] for each in run_audit(crm, MONDAY).sent if each["record"] == "contact"]

    assert "hs_lead_status" in names


# --- the CRM's side -----------------------------------------------------------------------------
def test_without_a_token_it_says_so_and_still_tells_the_calls():
    found = run_audit(cast(Crm, NotConnected("HUBSPOT_ACCESS_TOKEN")), MONDAY)

    assert told(found) == [("error", "No CRM is connected: HUBSPOT_ACCESS_TOKEN is not set.")]
    assert len(found.as_dict()["calls"]) == len(register_calls())


def test_a_crm_that_is_away_is_an_error_in_words(settings):
    away = HubSpot("made-up", "http://127.0.0.1:9", settings.REDIS_URL)

    found = run_audit(away, MONDAY)

    assert not found.works
    assert "HubSpot is away" in whats(found)


def test_a_revoked_token_is_an_error(crm, there):
    there.revoke()

    found = run_audit(crm, MONDAY)

    assert not found.works
    assert "does not accept the access token" in whats(found)


def test_a_token_of_another_account_is_an_error(crm):
    Account.objects.create(account_id="111", seen_at=MONDAY)

    found = run_audit(crm, MONDAY)

    assert not found.works
    assert "account 111" in whats(found)


def test_the_first_audit_binds_no_account(crm):
    run_audit(crm, MONDAY)

    assert not Account.objects.exists()


def test_a_scope_that_is_missing_is_named(crm, there):
    there.forbid_writing()

    found = run_audit(crm, MONDAY)

    assert not found.works
    assert "crm.objects.contacts.write" in " ".join(each.fix for each in found.problems)


def test_a_property_that_is_absent_is_told_and_handoffs_go_on(crm, there):
    there.ask("DELETE", f"{PROPERTIES}/lead_score")

    found = run_audit(crm, MONDAY)

    assert found.works
    assert told(found) == [("warning", "The property lead_score of contacts is not there.")]


def test_a_property_of_another_type_or_without_our_options_is_told(crm, there):
    there.ask("DELETE", f"{PROPERTIES}/lead_fit")
    there.ask("POST", PROPERTIES, definition("lead_fit", "string", "text"))
    there.ask("PATCH", f"{PROPERTIES}/lead_grade", {"options": [option("A1")]})

    found = run_audit(crm, MONDAY)

    assert found.works
    assert "lead_fit of contacts: it is of the type string" in whats(found)
    assert "lead_grade of contacts: it lacks the options A2" in whats(found)


def definition(name, type_, field):
    group = {"groupName": "contactinformation", "label": name}
    return {"name": name, "type": type_, "fieldType": field, **group}


def option(value):
    return {"label": value, "value": value, "displayOrder": 0, "hidden": False}


def test_a_mapping_to_a_property_that_is_not_there_is_told(crm):
    FieldMapping.objects.create(source="phone", property="handy")

    assert told(run_audit(crm, MONDAY)) == [
        ("warning", "The property handy of contacts is not there.")
    ]


def test_a_mapping_to_a_property_that_nobody_may_write_is_told(crm):
    FieldMapping.objects.create(source="phone", property="createdate")

    assert "createdate of contacts is read-only" in whats(run_audit(crm, MONDAY))


def test_a_version_whose_support_ends_is_told_in_time(crm):
    found = run_audit(crm, datetime(2026, 11, 24, tzinfo=UTC))

    ends = [each.severity for each in found.problems if "ends on 30 March 2027" in each.what]
    assert ends == ["warning"]


# --- our side -----------------------------------------------------------------------------------
@pytest.mark.parametrize("process", heartbeat.PROCESSES)
def test_a_process_that_is_silent_is_an_error(crm, process):
    heartbeat.record_heartbeat(process, MONDAY - timedelta(minutes=5))

    found = run_audit(crm, MONDAY)

    who = process.replace("worker-", "The worker for ").replace("beat", "Beat")
    assert (told(found), found.works) == (
        [("error", f"{who} was last seen 300 s ago: leads and mails wait.")],
        False,
    )


def test_nobody_who_takes_leads_is_an_error(crm):
    Owner.objects.update(takes_leads=False, is_fallback=False)

    found = run_audit(crm, MONDAY)

    assert not found.works
    assert "No rep takes leads" in whats(found)


def test_nobody_to_fall_back_to_is_a_warning(crm):
    Owner.objects.update(is_fallback=False)

    found = run_audit(crm, MONDAY)

    assert found.works
    assert "Nobody is the fallback" in whats(found)


def test_a_crm_without_active_users_is_an_error_before_anybody_was_read(crm, there):
    Owner.objects.all().delete()
    for owner in there.sandbox.state.store.owners.values():
        owner["archived"] = True

    assert "no active user" in whats(run_audit(crm, MONDAY))


def test_old_state_holds_mail_and_no_handoff(crm):
    found = run_audit(crm, MONDAY + timedelta(minutes=30))

    pulls = [each for each in found.problems if "mail is held" in each.what]
    assert [each.severity for each in pulls if "old" in each.what] == ["warning"]


def test_what_the_crm_said_is_kept_for_the_pages(crm, there):
    there.revoke()

    run_audit(crm, MONDAY)

    report = reports.last_report(Report.Kind.AUDIT)
    assert (report.at, report.wrong) == (MONDAY, 1)
    assert report.document["flaws"][0]["severity"] == "error"


def test_what_is_asked_of_the_crm_is_known_without_one():
    calls, fields = connect.call_surface()

    assert calls == register_calls()
    assert {each.record for each in fields} >= {"contact", "task", "deal"}

"""The ledger against the CRM: each disagreement is made by hand, found, and repaired where that is safe."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from crm_sync.handoff.deliver import deliver_due
from crm_sync.hubspot.records.task_fields import HubSpotTaskText
from crm_sync.mapping.task_text import text_digest
from crm_sync.models import Account, Handoff, HandoffTask, Owner, Report, reports
from crm_sync.reconcile import run as reconciling
from crm_sync.reconcile.run import LOCK, reconcile
from leadscoring.common.advisory_lock import advisory_lock
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score
from tests.port.hubspot_side import TASKS

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=1)
CONTENT = ("hs_task_subject", "hs_task_body", "hubspot_owner_id", "hs_timestamp", "hs_task_status")


@pytest.fixture
def row(crm):
    """A lead that is with sales."""
    contact = a_contact("ada@engines.example", "Engines", first_name="Ada")
    a_score(contact)
    handoff = a_handoff(contact)
    deliver_due(crm, MONDAY)
    return fresh(handoff)


def fresh(handoff):
    return Handoff.objects.get(pk=handoff.pk)


def of_task(there, task_id):
    found = there.ask("GET", f"{TASKS}/{task_id}?properties={','.join(CONTENT)}")
    return {name: found["properties"][name] or "" for name in CONTENT}


def made(there, record_ids, **properties):
    """A task made on the CRM's side."""
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}
    links = [{"to": {"id": record_id}, "types": [kind]} for record_id in record_ids]
    return there.ask("POST", TASKS, {"properties": properties, "associations": links})["id"]


def twin(there, row, **changed):
    """The same task once more, as a create that was asked for twice makes it."""
    return made(there, [row.record_id], **{**of_task(there, row.task_id), **changed})


def erase(there, task_id):
    """Gone without a trace, as nobody can do by hand."""
    store = there.sandbox.state.store
    store.erase(store.records["tasks"][task_id])


def change(there, task_id, **properties):
    there.ask("PATCH", f"{TASKS}/{task_id}", {"properties": properties})


def task_ids(there):
    return sorted(each["id"] for each in there.ask("GET", f"{TASKS}?limit=100")["results"])


def kinds(found):
    """The lists that are not empty, and how many each has."""
    return {name: len(each) for name, each in found.lists.items() if each}


# --- all is well --------------------------------------------------------------------------------
def test_a_ledger_that_agrees_with_the_crm_is_clean(crm, there, row):
    found = reconcile(crm, LATER)

    assert kinds(found) == {}
    assert (found.found, found.rows["delivered"], found.wrong, found.error) == (1, 1, [], "")
    assert task_ids(there) == [row.task_id]


def test_a_task_that_the_rep_deleted_is_not_missing(crm, there, row):
    there.ask("DELETE", f"{TASKS}/{row.task_id}")

    found = reconcile(crm, LATER)

    assert (kinds(found), task_ids(there)) == ({}, [])
    assert fresh(row).status == "delivered"


def test_tasks_of_reps_and_longer_words_that_look_like_a_reference_are_none_of_ours(
    crm, there, row
):
    made(there, [], hs_timestamp="2026-05-04T09:00:00Z", hs_task_body="call back")
    for body in (f"ref {row.reference}X", f"xref {row.reference}", "ref LS-123"):
        made(there, [], hs_timestamp="2026-05-04T09:00:00Z", hs_task_body=body)

    found = reconcile(crm, LATER)

    assert (found.found, kinds(found)) == (1, {})


# --- lost ---------------------------------------------------------------------------------------
def test_a_task_that_is_gone_without_a_trace_waits_and_is_delivered_again(crm, there, row):
    erase(there, row.task_id)

    found = reconcile(crm, LATER)
    waiting = fresh_status(row)
    deliver_due(crm, LATER)

    assert (kinds(found), found.wrong, waiting) == ({"missing": 1}, [], "waiting")
    again = fresh(row)
    assert (again.status, task_ids(there)) == ("delivered", [again.task_id])
    assert again.task_id != row.task_id
    assert kinds(reconcile(crm, LATER + timedelta(minutes=1))) == {}


def fresh_status(row):
    return Handoff.objects.values_list("status", flat=True).get(pk=row.pk)


def test_a_lost_task_of_somebody_who_is_a_customer_by_now_is_not_made_again(crm, there, row):
    erase(there, row.task_id)
    there.set(row.record_id, lifecyclestage="customer")

    reconcile(crm, LATER)
    deliver_due(crm, LATER)

    assert (fresh_status(row), task_ids(there)) == ("withdrawn", [])


def test_what_was_done_long_before_is_not_looked_for(crm, there, row):
    erase(there, row.task_id)

    found = reconcile(crm, MONDAY + timedelta(days=100))

    assert kinds(found) == {}


def test_a_crossing_without_a_row_gets_one_in_the_way_of_live_ones(
    crm, there, django_capture_on_commit_callbacks
):
    contact = a_contact()
    a_score(contact, cycle=2)

    with django_capture_on_commit_callbacks() as rung:
        found = reconcile(crm, LATER)

    handoff = Handoff.objects.get(contact=contact)
    assert (handoff.cycle, handoff.crossed_at, handoff.status) == (2, MONDAY, "waiting")
    assert (kinds(found), found.wrong, len(rung)) == ({"missing": 1}, [], 1)
    assert kinds(reconcile(crm, LATER)) == {}


# --- made, and not written down -----------------------------------------------------------------
@pytest.mark.parametrize("status", ["waiting", "needs_attention"])
def test_a_task_that_the_ledger_did_not_know_of_is_adopted(crm, there, row, status):
    forget(row, status=status, reason="No answer." if status == "needs_attention" else "")

    found = reconcile(crm, LATER)
    deliver_due(crm, LATER)

    again = fresh(row)
    assert (again.status, again.task_id, again.reason) == ("delivered", row.task_id, "")
    assert (kinds(found), found.wrong) == ({"unnoticed": 1}, [])
    assert task_ids(there) == [row.task_id]


def forget(row, **more):
    """The worker died between making the task and writing it down."""
    given = {"status": "waiting", "task_id": "", "delivered_at": None}
    HandoffTask.objects.filter(pk=row.pk).delete()
    Handoff.objects.filter(pk=row.pk).update(**(given | more))


def test_a_row_in_a_workers_hands_is_left_to_the_worker(crm, there, row):
    claim = "11111111-1111-4111-8111-111111111111"
    forget(row, claim=claim, due_at=LATER + timedelta(minutes=1))

    found = reconcile(crm, LATER)

    assert (kinds(found), fresh_status(row)) == ({}, "waiting")
    assert str(fresh(row).claim) == claim


# --- double -------------------------------------------------------------------------------------
def test_of_two_tasks_of_one_reference_the_untouched_one_that_the_ledger_does_not_know_goes(
    crm, there, row
):
    second = twin(there, row)

    found = reconcile(crm, LATER)

    assert task_ids(there) == [row.task_id]
    assert (kinds(found), found.wrong) == ({"duplicate": 1}, [])
    assert found.duplicate[0].task_id == second
    assert there.ask("GET", f"{TASKS}?limit=100&archived=true")["results"][0]["id"] == second


@pytest.mark.parametrize(
    "touched",
    [
        {"hs_task_status": "COMPLETED"},
        {"hs_task_status": "WAITING"},
        {"hs_task_subject": "Call Ada, she knows my sister"},
        {"hubspot_owner_id": "712340002"},
        {"hs_task_body": "+ asked for a discount"},
    ],
)
def test_a_double_that_a_rep_began_or_changed_is_left_to_people(crm, there, row, touched):
    if "hs_task_body" in touched:
        touched = {"hs_task_body": of_task(there, row.task_id)["hs_task_body"] + "<p>Call!</p>"}
    second = twin(there, row, **touched)

    found = reconcile(crm, LATER)

    assert task_ids(there) == sorted([row.task_id, second])
    assert (kinds(found), len(found.wrong)) == ({"duplicate": 1}, 1)
    assert "complete or delete" in found.wrong[0].fix


def test_when_the_ledgers_own_task_was_deleted_its_double_takes_its_place(crm, there, row):
    second = twin(there, row)
    there.ask("DELETE", f"{TASKS}/{row.task_id}")

    found = reconcile(crm, LATER)

    assert task_ids(there) == [second]
    assert (fresh(row).task_id, fresh(row).status) == (second, "delivered")
    assert (kinds(found), found.wrong) == ({"unnoticed": 1}, [])


def test_a_task_without_a_row_beside_one_with_goes_when_it_is_ours_and_untouched(crm, there, row):
    body = of_task(there, row.task_id)["hs_task_body"]
    copy = row.reference[:-4] + "0000"
    first = twin(there, row, hs_task_body=reworded_reference(body, row.reference, copy))

    found = reconcile(crm, LATER)

    assert task_ids(there) == [row.task_id]
    assert (kinds(found), found.duplicate[0].task_id) == ({"duplicate": 1}, first)


def reworded_reference(body, old, new):
    """A text as we would have written it with another reference."""
    body = body.replace(old, new)
    return re.sub("#text-[0-9a-f]{8}", f"#text-{text_digest(HubSpotTaskText(body))}", body)


def test_another_installations_task_on_the_same_contact_is_never_deleted(crm, there, row):
    body = of_task(there, row.task_id)["hs_task_body"].replace("http://testserver", "http://other")
    other = twin(there, row, hs_task_body=reworded_reference(body, row.reference, "LS-" + "7" * 12))

    found = reconcile(crm, LATER)

    assert task_ids(there) == sorted([row.task_id, other])
    assert kinds(found) == {"unknown": 1}


def test_two_people_here_who_are_one_record_there_are_told_as_double(crm, there, row):
    other = a_handoff(a_contact())
    deliver_due(crm, MONDAY)
    there.merge(row.record_id, fresh(other).record_id)

    found = reconcile(crm, LATER)

    assert (kinds(found), len(found.wrong)) == ({"duplicate": 1}, 1)
    assert "one record" in found.wrong[0].fix
    assert len(task_ids(there)) == 2


# --- not ours to judge --------------------------------------------------------------------------
def test_a_task_whose_reference_nobody_knows_is_told_and_left(crm, there):
    body = "<p>ref LS-7K3M9QX2V4TB</p>"
    task_id = made(there, [], hs_timestamp="2026-05-04T09:00:00Z", hs_task_body=body)

    found = reconcile(crm, LATER)

    assert [each.as_dict()["task_id"] for each in found.unknown] == [task_id]
    assert (len(found.wrong), task_ids(there)) == (1, [task_id])


# --- on nobody ----------------------------------------------------------------------------------
def test_a_task_that_hangs_on_no_contact_is_put_on_its_contact(crm, there, row):
    path = f"/crm/v4/objects/tasks/{row.task_id}/associations/contacts/{row.record_id}"
    there.ask("DELETE", path)

    found = reconcile(crm, LATER)

    assert [task.task_id for task in crm.tasks_of([row.record_id])[row.record_id]] == [row.task_id]
    assert (kinds(found), found.wrong) == ({"on_nobody": 1}, [])


def test_a_task_without_a_rep_is_given_to_the_rep_whom_the_row_names(crm, there, row):
    change(there, row.task_id, hubspot_owner_id="")

    found = reconcile(crm, LATER)

    assert of_task(there, row.task_id)["hubspot_owner_id"] == row.owner_id
    assert (kinds(found), found.wrong) == ({"on_nobody": 1}, [])


def test_a_task_of_a_rep_who_has_left_is_told(crm, there, row):
    Owner.objects.filter(owner_id=row.owner_id).update(active=False)

    found = reconcile(crm, LATER)

    assert (kinds(found), len(found.wrong)) == ({"on_nobody": 1}, 1)
    assert "no rep who is there" in found.wrong[0].reason


def test_a_task_that_is_done_may_be_on_nobody(crm, there, row):
    change(there, row.task_id, hubspot_owner_id="", hs_task_status="COMPLETED")

    assert kinds(reconcile(crm, LATER)) == {}


# --- how it goes about --------------------------------------------------------------------------
def test_a_plan_finds_all_and_changes_nothing(crm, there, row):
    twin(there, row)
    lost = a_handoff(a_contact())
    deliver_due(crm, MONDAY)
    erase(there, fresh(lost).task_id)
    a_score(a_contact())
    before = list(Handoff.objects.values()), task_ids(there)

    found = reconcile(crm, LATER, plan=True)

    assert (list(Handoff.objects.values()), task_ids(there)) == before
    assert (kinds(found), len(found.wrong)) == ({"missing": 2, "duplicate": 1}, 3)
    assert reports.last_report(Report.Kind.COMPARISON) is None


def test_a_portal_of_another_account_is_refused(crm, there, row):
    Account.objects.update(account_id="111", identity="")
    erase(there, row.task_id)

    found = reconcile(crm, LATER)

    assert "account 111" in found.error
    assert fresh_status(row) == "delivered"


def test_another_comparison_at_the_same_time_says_so_and_does_nothing(crm, row, other_session):
    found = reconcile(crm, LATER)

    assert found.error == "Another comparison runs at this moment."
    assert reports.last_report(Report.Kind.COMPARISON) is None


@pytest.fixture
def other_session():
    """Another process that compares."""
    with ThreadPoolExecutor(1) as thread:
        held = advisory_lock(LOCK)
        assert thread.submit(held.__enter__).result()
        yield
        thread.submit(held.__exit__, None, None, None).result()
        thread.submit(lambda: connection.close()).result()


def test_a_crm_that_is_busy_in_between_is_read_again(crm, there, row, monkeypatch):
    monkeypatch.setattr(reconciling, "LONGEST_NAP", 0.0)
    there.trouble("status", TASKS, status=503, times=1)

    found = reconcile(crm, LATER)

    assert (found.error, found.found, kinds(found)) == ("", 1, {})


def test_a_crm_that_stays_away_is_told_and_nothing_is_taken_for_lost(crm, there, row, monkeypatch):
    monkeypatch.setattr(reconciling, "LONGEST_NAP", 0.0)
    there.trouble("status", TASKS, status=503, times=100)

    found = reconcile(crm, LATER)

    assert found.error
    assert (kinds(found), fresh_status(row)) == ({}, "delivered")
    assert (
        reports.last_report(Report.Kind.COMPARISON)
        .told(LATER)
        .startswith("just now, could not be made")
    )


def test_the_calls_do_not_grow_with_every_task(crm, there):
    for number in range(120):
        a_handoff(a_contact(f"n{number}@many.example"))
    for _ in range(3):
        deliver_due(crm, MONDAY)
    assert Handoff.objects.delivered().count() == 120
    there.sandbox.state.log.clear()

    found = reconcile(crm, LATER)

    assert (found.found, kinds(found)) == (120, {})
    assert len(there.sandbox.state.log) == 3  # whose account, and two pages


def test_what_was_found_is_kept_for_the_pages(crm, there, row):
    twin(there, row)

    reconcile(crm, LATER)

    report = reports.last_report(Report.Kind.COMPARISON)
    assert (report.wrong, report.repaired, report.error) == (0, 1, "")
    assert report.told(LATER + timedelta(hours=4)) == "4 h ago, 1 repaired"
    assert report.document["duplicate"][0]["repaired"] == "deleted in the CRM"

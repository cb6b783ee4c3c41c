"""The way of a crossing to a rep, through the real adapter over HTTP to the stand-in."""

from datetime import timedelta

import pytest

from crm_sync.account import read_account, refresh_task_guard
from crm_sync.circuit_breaker import breaker_reason
from crm_sync.handoff.batch import Batch
from crm_sync.handoff.deliver import deliver_due
from crm_sync.hubspot.adapter import HubSpot
from crm_sync.models import Account, Breaker, Deal, FieldMapping, Handoff, Link, Owner, Stage
from crm_sync.pull.poll import pull_changes
from leadscoring.models import CrmState, Lifecycle
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score

pytestmark = pytest.mark.django_db

TASKS = "/crm/v3/objects/tasks"
CONTACTS = "/crm/v3/objects/contacts"


def task_of(there, task_id):
    names = "hs_task_subject,hs_task_body,hubspot_owner_id,hs_task_status,hs_task_priority,hs_task_type,hs_timestamp"
    return there.ask("GET", f"{TASKS}/{task_id}?properties={names}")["properties"]


def calls(there):
    return [(each["method"], each["path"]) for each in there.sandbox.state.log]


def after(minutes=0, seconds=0):
    return MONDAY + timedelta(minutes=minutes, seconds=seconds)


# --- what reaches the rep -----------------------------------------------------------------------


def test_a_due_handoff_becomes_one_contact_and_one_task(crm, there):
    ada = a_contact("ada@engines.example", "Engines", first_name="Ada", last_name="Byron")
    a_score(ada)
    row = a_handoff(ada)

    deliver_due(crm, MONDAY)
    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.status, row.reason, row.attempts) == ("delivered", "", 1)
    assert there.contacts() == 1
    assert there.tasks() == ["Hot lead: Ada Byron, Engines (score 82, A1)"]
    assert crm.tasks_of([row.record_id])[row.record_id][0].task_id == row.task_id


def test_the_task_is_a_call_of_high_priority_for_the_rep_and_due_in_an_hour(crm, there):
    row = a_handoff()
    Account.objects.create(account_id="20250001", seen_at=MONDAY, time_zone="UTC")

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    task = task_of(there, row.task_id)
    assert task["hubspot_owner_id"] == row.owner_id == "712340001"
    assert (task["hs_task_status"], task["hs_task_priority"]) == ("NOT_STARTED", "HIGH")
    assert (task["hs_task_type"], task["hs_timestamp"][:13]) == ("CALL", "2026-05-04T11")
    assert f"ref {row.reference}" in task["hs_task_body"]


def test_the_record_says_what_the_contract_lists(crm, there):
    ada = a_contact("ada@engines.example", "Engines", first_name="Ada", job_title="VP")
    a_score(ada)
    row = a_handoff(ada)

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    said = {
        name: there.value(row.record_id, name)
        for name in FieldMapping.objects.values_list("property", flat=True)
    }
    assert said["firstname"] == "Ada"
    assert (said["company"], said["jobtitle"]) == ("Engines", "VP")
    assert (said["lead_score"], said["lead_fit"], said["lead_engagement"]) == ("82", "42", "40")
    assert said["lead_grade"] == "A1"
    assert said["lead_score_reasons"].startswith("Visited pricing 3 times, last on 3 May (+30)\n")
    assert said["lead_qualified_at"].startswith("2026-05-04T10:00:00")
    assert (said["lifecyclestage"], said["hs_lead_status"]) == ("lead", "IN_PROGRESS")


def test_who_is_new_to_the_crm_is_known_there_at_once(crm):
    row = a_handoff()

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    state = CrmState.objects.get(contact=row.contact_id)
    assert (state.record_id, state.effect, state.seen_at) == (row.record_id, "none", MONDAY)


def test_who_was_there_before_is_the_pulls_to_tell(crm, there):
    there.add_contact("ada@engines.example")
    a_handoff(a_contact("ada@engines.example"))

    deliver_due(crm, MONDAY)

    assert not CrmState.objects.exists()


def test_a_hundred_leads_take_three_calls(crm, there):
    pull_changes(crm, MONDAY)
    for _ in range(100):
        a_handoff()
    there.sandbox.state.log.clear()

    deliver_due(crm, MONDAY)

    assert Handoff.objects.delivered().count() == 100
    assert len(calls(there)) == 3


def test_the_cost_in_queries_does_not_grow_with_the_batch(crm, django_assert_max_num_queries):
    pull_changes(crm, MONDAY)
    for _ in range(60):
        a_score(a_handoff().contact)

    with django_assert_max_num_queries(58):
        deliver_due(crm, MONDAY)

    assert Handoff.objects.delivered().count() == 60


def test_leads_that_nobody_owns_go_round_among_the_reps(crm):
    for _ in range(6):
        a_handoff()

    deliver_due(crm, MONDAY)

    given = list(Handoff.objects.order_by("pk").values_list("owner_id", flat=True))
    assert given == ["712340001", "712340002", "712340003"] * 2


def test_the_contacts_own_owner_gets_the_lead(crm, there):
    there.add_contact("ada@engines.example", owner_id="712340003")
    row = a_handoff(a_contact("ada@engines.example"))

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.owner_id, row.owner_reason) == ("712340003", "owns the contact in the CRM")


def test_an_archived_owner_is_never_given_a_task(crm, there):
    record_id = there.add_contact("ada@engines.example", owner_id="712340002")
    there.sandbox.store.owners["712340002"]["archived"] = True
    row = a_handoff(a_contact("ada@engines.example"))

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.owner_id == "712340001"
    assert there.value(record_id, "hubspot_owner_id") == "712340002"


def test_nobody_at_all_is_told_not_hidden_in_a_task(crm, there):
    pull_changes(crm, MONDAY)
    Owner.objects.update(takes_leads=False)
    row = a_handoff()

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.status == "needs_attention"
    assert row.reason.startswith("No rep may take the lead")
    assert there.tasks() == []


# --- what is never written over -------------------------------------------------------------------


def test_what_a_rep_wrote_stays(crm, there):
    record_id = there.add_contact("ada@engines.example", lifecycle_stage="opportunity")
    there.set(record_id, firstname="Augusta", hs_lead_status="OPEN")
    row = a_handoff(a_contact("ada@engines.example", first_name="Ada", last_name="Byron"))

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.status == "delivered"
    assert there.value(record_id, "firstname") == "Augusta"
    assert there.value(record_id, "lastname") == "Byron"
    assert there.value(record_id, "hs_lead_status") == "OPEN"
    assert there.value(record_id, "lifecyclestage") == "opportunity"


def test_a_lead_status_that_we_wrote_and_a_rep_changed_is_theirs(crm, there):
    ada = a_contact()
    first = a_handoff(ada)
    deliver_due(crm, MONDAY)
    first.refresh_from_db()
    there.set(first.record_id, hs_lead_status="BAD_TIMING")

    a_handoff(ada, cycle=2)
    deliver_due(crm, MONDAY)

    assert there.value(first.record_id, "hs_lead_status") == "BAD_TIMING"
    assert len(there.tasks()) == 2


def test_a_lifecycle_stage_goes_forward(crm, there):
    record_id = there.add_contact("ada@engines.example", lifecycle_stage="lead")
    a_handoff(a_contact("ada@engines.example", lifecycle_stage=Lifecycle.MQL))

    deliver_due(crm, MONDAY)

    assert there.value(record_id, "lifecyclestage") == "marketingqualifiedlead"


def test_a_change_of_address_is_an_update_of_the_same_record(crm, there):
    ada = a_contact("ada@engines.example")
    first = a_handoff(ada)
    deliver_due(crm, MONDAY)
    ada.email = "ada@new.example"
    ada.save()

    second = a_handoff(ada, cycle=2)
    deliver_due(crm, MONDAY)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.record_id == second.record_id
    assert there.value(first.record_id, "email") == "ada@new.example"
    assert there.contacts() == 1


def test_an_address_that_a_rep_mended_stays(crm, there):
    ada = a_contact("ada@engins.example")
    first = a_handoff(ada)
    deliver_due(crm, MONDAY)
    first.refresh_from_db()
    there.set(first.record_id, email="ada@engines.example")

    a_handoff(ada, cycle=2)
    deliver_due(crm, MONDAY)

    assert there.value(first.record_id, "email") == "ada@engines.example"


def test_a_merged_record_is_followed(crm, there):
    ada = a_contact("ada@engines.example")
    a_handoff(ada)
    deliver_due(crm, MONDAY)
    old = Link.objects.get(contact=ada).record_id
    new = there.merge(there.add_contact("byron@engines.example"), old)

    row = a_handoff(ada, cycle=2)
    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.status == "delivered"
    assert row.record_id == Link.objects.get(contact=ada).record_id == new


# --- what is not sent on purpose ------------------------------------------------------------------


def test_a_deleted_record_is_never_made_again(crm, there):
    ada = a_contact()
    a_handoff(ada)
    deliver_due(crm, MONDAY)
    there.archive(Link.objects.get(contact=ada).record_id)

    row = a_handoff(ada, cycle=2)
    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.status == "withdrawn"
    assert "deleted in the CRM" in row.reason
    assert there.contacts() == 0


def test_somebody_disqualified_meanwhile_is_withdrawn(crm, there):
    ada = a_contact()
    a_score(
        ada, disqualified=True, contributions=[{"because": "Domain rival.example (disqualified)"}]
    )
    row = a_handoff(ada)

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.status, there.contacts()) == ("withdrawn", 0)
    assert row.reason == "Disqualified meanwhile: Domain rival.example (disqualified)"


def test_a_customer_here_is_withdrawn(crm):
    row = a_handoff(a_contact(lifecycle_stage=Lifecycle.CUSTOMER))

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.status, row.reason) == ("withdrawn", "Already a customer.")


def test_a_customer_there_is_withdrawn(crm, there):
    there.add_contact("ada@engines.example", lifecycle_stage="customer")
    row = a_handoff(a_contact("ada@engines.example"))

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.status, row.reason) == ("withdrawn", "Already a customer.")


def test_an_open_deal_that_pauses_withdraws(crm):
    ada = a_contact()
    Stage.objects.create(
        pipeline_id="p", pipeline="Sales", stage_id="s", label="Negotiation", effect="pause"
    )
    Deal.objects.create(
        deal_id="1", name="Acme", pipeline_id="p", stage_id="s", seen_at=MONDAY
    ).contacts.add(ada)
    row = a_handoff(ada)

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.status == "withdrawn"
    assert row.reason == "Sales is at work already: Deal “Acme” is in Negotiation (Sales)."


def test_a_deal_that_only_the_crm_knows_of_withdraws_too(crm, there):
    record_id = there.add_contact("ada@engines.example")
    there.add_deal("Acme", there.open_stage, record_id)
    row = a_handoff(a_contact("ada@engines.example"))

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (
        row.reason == "Sales is at work already: Deal “Acme” is in Contract Sent (Sales Pipeline)."
    )


def test_a_deal_lost_long_ago_does_not_keep_a_lead_from_sales(crm, there):
    record_id = there.add_contact("ada@engines.example")
    there.add_deal("Acme", ("default", "closedlost"), record_id)
    row = a_handoff(a_contact("ada@engines.example"))

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.status == "delivered"


# --- what a person must do ------------------------------------------------------------------------


def test_somebody_without_an_address_waits_for_a_person(crm, there):
    row = a_handoff(a_contact(None))

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.status, there.contacts()) == ("needs_attention", 0)
    assert "no e-mail address" in row.reason


def test_two_who_have_one_record_become_one_and_the_lead_goes_once(crm, there):
    record_id = there.add_contact("ada@engines.example")
    other = a_contact()
    a_score(other, armed=True)
    Link.objects.create(contact=other, account_id="20250001", record_id=record_id, seen_at=MONDAY)
    ada = a_contact("ada@engines.example")
    a_score(ada)
    row = a_handoff(ada)

    deliver_due(crm, MONDAY)
    deliver_due(crm, after(seconds=5))

    row.refresh_from_db()
    assert (row.status, row.contact_id, row.record_id) == ("delivered", other.pk, record_id)
    assert len(there.tasks()) == 1


def test_of_two_who_become_one_sales_is_not_told_twice(crm, there):
    ada = a_contact("ada@engines.example")
    a_score(ada)
    first = a_handoff(ada)
    deliver_due(crm, MONDAY)
    first.refresh_from_db()
    there.merge(first.record_id, there.add_contact("ada@home.example"))
    twin = a_contact("ada@home.example")
    a_score(twin)
    second = a_handoff(twin)

    deliver_due(crm, after(seconds=5))
    deliver_due(crm, after(seconds=10))

    second.refresh_from_db()
    assert (second.status, second.contact_id) == ("withdrawn", ada.pk)
    assert len(there.tasks()) == 1


def test_a_property_that_the_crm_does_not_have_is_left_out_and_the_lead_goes(crm, there):
    FieldMapping.objects.create(source="country", property="no_such_thing")
    row = a_handoff(a_contact(country="France", first_name="Ada"))

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.status == "delivered"
    assert list(row.left_out) == ["no_such_thing"]
    assert there.value(row.record_id, "firstname") == "Ada"


def test_one_bad_record_does_not_hold_the_others(crm, there):
    good, bad = a_handoff(), a_handoff(a_contact("ada@no-tld"))

    deliver_due(crm, MONDAY)

    good.refresh_from_db()
    bad.refresh_from_db()
    assert good.status == "delivered"
    assert bad.status == "needs_attention"
    assert "email" in bad.reason


# --- when the CRM does not do as asked --------------------------------------------------------------


def test_a_busy_crm_lets_everything_wait_and_counts_against_nobody(crm, there):
    first, second = a_handoff(), a_handoff()
    there.be_busy(seconds=30)

    deliver_due(crm, MONDAY)
    deliver_due(crm, after(seconds=29))

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.reason == second.reason == "HubSpot asks us to slow down."
    assert (first.status, first.failures, first.claim) == ("waiting", 0, None)
    assert len(calls(there)) == 1


def test_what_failed_together_does_not_come_back_together(crm, there):
    rows = [a_handoff() for _ in range(5)]
    there.trouble("status", status=503)

    deliver_due(crm, MONDAY)

    assert len(set(Handoff.objects.values_list("due_at", flat=True))) == len(rows)


def test_a_revoked_token_costs_one_request_and_is_mended_without_help(crm, there):
    for _ in range(130):
        a_handoff()
    there.revoke()
    there.sandbox.state.log.clear()

    while deliver_due(crm, MONDAY):
        pass

    assert len(calls(there)) == 1
    assert "access token" in breaker_reason(crm, Breaker.Work.HANDOFFS, MONDAY)
    there.sandbox.settings.change({"tokens": {"pat-na1-made-up": {}}})
    while deliver_due(crm, after(minutes=2)):
        pass
    assert Handoff.objects.delivered().count() == 130
    assert not Breaker.objects.exists()


def test_a_new_token_is_not_held_for_what_was_wrong_with_the_old_one(crm, there, settings):
    a_handoff()
    old = HubSpot("pat-na1-revoked", there.sandbox.url, settings.REDIS_URL)
    deliver_due(old, MONDAY)

    deliver_due(crm, after(seconds=5))

    assert Handoff.objects.delivered().count() == 1


def test_without_a_crm_they_wait_and_say_so():
    from crm_sync.connect import connect

    row = a_handoff()

    deliver_due(connect(), MONDAY)

    row.refresh_from_db()
    assert (row.status, row.reason) == (
        "waiting",
        "No CRM is connected: HUBSPOT_ACCESS_TOKEN is not set.",
    )


def test_a_token_of_another_account_is_refused(crm, there):
    Account.objects.create(account_id="111", seen_at=MONDAY)
    row = a_handoff()

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert "account 20250001" in row.reason
    assert "account 111" in row.reason
    assert there.contacts() == 0


@pytest.fixture
def guarded(crm) -> None:
    """The account refuses a second task of one reference, and we know it."""
    read_account(crm, MONDAY)
    assert refresh_task_guard(crm)


def test_a_task_that_was_made_without_an_answer_is_found_not_made_again(crm, there):
    row = a_handoff()
    there.trouble("drop_after", f"{TASKS}/batch/create")

    deliver_due(crm, MONDAY)
    row.refresh_from_db()
    assert row.status == "waiting"
    assert "It may have been done" in row.reason
    deliver_due(crm, after(minutes=1))

    row.refresh_from_db()
    assert row.status == "delivered"
    assert len(there.tasks()) == 1


@pytest.mark.parametrize("guards", [True, False])
@pytest.mark.parametrize("call", [f"{CONTACTS}/batch/upsert", f"{TASKS}/batch"])
@pytest.mark.parametrize("fault", ["drop_after", "slow down", "html"])
def test_a_second_try_writes_nothing_to_a_record_that_says_all_already(
    crm, there, request, guards, call, fault
):
    """A CRM refuses a write of nothing, and a lead must not wait for a person because of that."""
    if guards:
        request.getfixturevalue("guarded")
    rows = [a_handoff() for _ in range(3)]
    if fault == "slow down":
        body = {"errorType": "RATE_LIMIT", "policyName": "SECONDLY"}
        there.trouble("status", call, status=429, body=body)
    elif fault == "html":
        there.trouble("status", call, status=502)
    else:
        there.trouble(fault, call)

    for minutes in range(6):
        deliver_due(crm, after(minutes=minutes))

    assert {Handoff.objects.get(pk=row.pk).status for row in rows} == {"delivered"}
    assert len(there.tasks()) == 3
    assert not [each for each in there.seen() if each["status"] == 400]


def test_a_task_that_was_never_made_is_made_after_looking(crm, there):
    row = a_handoff()
    there.trouble("drop_before", f"{TASKS}/batch/create")

    deliver_due(crm, MONDAY)
    deliver_due(crm, after(minutes=1))
    deliver_due(crm, after(minutes=2))

    row.refresh_from_db()
    assert row.status == "delivered"
    assert len(there.tasks()) == 1


def test_what_was_never_made_is_not_made_for_a_customer(crm, there):
    row = a_handoff()
    there.trouble("drop_before", f"{TASKS}/batch/create")
    deliver_due(crm, MONDAY)
    row.refresh_from_db()
    there.set(row.record_id, lifecyclestage="customer")

    deliver_due(crm, after(minutes=1))
    deliver_due(crm, after(minutes=2))

    row.refresh_from_db()
    assert (row.status, there.tasks()) == ("withdrawn", [])


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_where_tasks_are_guarded_one_without_an_answer_is_asked_for_again(
    crm, there, guarded, fault
):
    row = a_handoff()
    there.trouble(fault, f"{TASKS}/batch/create")

    deliver_due(crm, MONDAY)
    row.refresh_from_db()
    assert (row.status, row.task_attempted, row.task_guarded) == ("waiting", True, True)
    deliver_due(crm, after(minutes=1))

    row.refresh_from_db()
    assert row.status == "delivered"
    (task,) = crm.tasks_of([row.record_id])[row.record_id]
    assert (task.task_id, len(there.tasks())) == (row.task_id, 1)


def test_a_guard_that_somebody_deleted_costs_no_lead(crm, there, guarded):
    row = a_handoff()
    there.ask("DELETE", "/crm/v3/properties/tasks/lead_handoff_reference")

    deliver_due(crm, MONDAY)
    deliver_due(crm, after(minutes=1))

    row.refresh_from_db()
    assert (row.status, len(there.tasks())) == ("delivered", 1)
    assert not Account.objects.get().guards_tasks


def test_what_was_tried_under_a_guard_is_looked_for_when_the_guard_is_gone(crm, there, guarded):
    row = a_handoff()
    there.trouble("drop_after", f"{TASKS}/batch/create")
    deliver_due(crm, MONDAY)
    Account.objects.update(guards_tasks=False)

    deliver_due(crm, after(minutes=1))

    row.refresh_from_db()
    assert (row.status, len(there.tasks())) == ("delivered", 1)


def test_a_worker_that_slept_past_its_lease_sends_no_task(crm, there, monkeypatch):
    row = a_handoff()
    monkeypatch.setattr(Batch, "late_after", lambda batch: 0.0)

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.status, row.task_attempted, there.tasks()) == ("waiting", False, [])


def test_a_task_that_may_still_be_landing_is_waited_for(crm, there):
    record_id = there.add_contact("ada@engines.example")
    ada = a_contact("ada@engines.example")
    Link.objects.create(contact=ada, account_id="20250001", record_id=record_id, seen_at=MONDAY)
    row = a_handoff(ada, task_tried_at=after(seconds=-5), record_id=record_id)

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.status, row.due_at) == ("waiting", after(seconds=15))
    assert there.tasks() == []


def test_a_task_that_was_not_asked_for_after_all_needs_no_looking(crm, there):
    row = a_handoff()
    there.trouble(
        "status", f"{TASKS}/batch/create", status=403, body={"category": "MISSING_SCOPES"}
    )

    deliver_due(crm, MONDAY)
    row.refresh_from_db()
    tried = row.task_tried_at
    there.sandbox.state.log.clear()
    deliver_due(crm, after(minutes=10))

    row.refresh_from_db()
    assert (tried, row.status) == (None, "delivered")
    assert not any("associations" in path for _, path in calls(there))


def test_a_refused_task_was_surely_not_made(crm, there):
    row = a_handoff()
    there.trouble(
        "status",
        f"{TASKS}/batch/create",
        status=400,
        body={"message": "associations are not valid"},
        times=1,
    )

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.status, row.task_tried_at) == ("waiting", None)
    assert "associations are not valid" in row.reason


def test_no_answer_to_a_contact_is_harmless(crm, there):
    row = a_handoff()
    there.trouble("drop_after", f"{CONTACTS}/batch/upsert")

    deliver_due(crm, MONDAY)
    deliver_due(crm, after(minutes=1))

    row.refresh_from_db()
    assert row.status == "delivered"
    assert (there.contacts(), len(there.tasks())) == (1, 1)


def test_what_fails_again_and_again_by_its_own_fault_is_set_aside(crm, there):
    row = a_handoff(failures=20, attempts=20, reason="HubSpot did not answer.")

    deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert row.status == "needs_attention"
    assert (
        row.reason
        == "Tried 21 times in vain. HubSpot did not answer. Find the cause, then press Resend."
    )


def test_a_row_whose_own_data_are_at_fault_does_not_hold_the_others(crm, there):
    odd, good = a_handoff(reasons=["not a reason"]), a_handoff()

    deliver_due(crm, MONDAY)

    odd.refresh_from_db()
    good.refresh_from_db()
    assert good.status == "delivered"
    assert (odd.status, odd.failures, odd.task_tried_at) == ("waiting", 1, None)
    assert odd.reason.startswith("A fault in this program (TypeError)")


def test_a_fault_of_this_program_is_written_down_and_raised(crm, monkeypatch):
    row = a_handoff()
    monkeypatch.setattr(type(crm), "owners", lambda crm: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        deliver_due(crm, MONDAY)

    row.refresh_from_db()
    assert (row.status, row.failures) == ("waiting", 1)
    assert row.reason.startswith("A fault in this program (ZeroDivisionError)")


def test_one_of_many_attempts_that_may_have_killed_its_worker_goes_alone(crm):
    poison = a_handoff(failures=3, total=99.0)
    a_handoff()

    first = Handoff.objects.claim(at=MONDAY)
    second = Handoff.objects.claim(at=MONDAY)

    assert poison not in first
    assert second == [poison]

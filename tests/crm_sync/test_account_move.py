"""Moving to another CRM account: what was handed off stays, what was on its way begins anew."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from crm_sync.account import read_account
from crm_sync.account_move import MoveRefused, move_account, plan_move
from crm_sync.handoff.deliver import deliver_due
from crm_sync.hubspot.defaults import MAPPING
from crm_sync.models import (
    Account,
    Deal,
    FieldMapping,
    Handoff,
    HandoffTask,
    Link,
    Owner,
    Reassignment,
    Stage,
)
from crm_sync.outcomes.evaluate import evaluate_outcomes
from crm_sync.port import CrmDenied
from crm_sync.pull.poll import pull_changes
from crm_sync.reconcile.run import reconcile
from leadscoring.common.advisory_lock import PULLS
from leadscoring.common.clock import database_time
from leadscoring.models import CrmFreshness, CrmState
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_rep, a_score

pytestmark = pytest.mark.django_db(transaction=True)

FORMER = "4711"


@pytest.fixture
def former(there):
    """All that an installation keeps of an account that is another than the stand-in's."""
    kim, ana = (address_of(there, owner) for owner in (there.active_owner, there.other_owner))
    # In the former account the two reps have each other's ids.
    a_rep(there.other_owner, name="Kim", email=kim.upper(), weight=3)
    a_rep(there.active_owner, name="Ana", email=ana)
    a_rep("55", name="Lou", email="lou@left.example")
    Stage.objects.create(pipeline_id="default", pipeline="Sales", stage_id="closedwon", label="Won")
    for kind in CrmFreshness.Kind.values:
        CrmFreshness.objects.create(kind=kind, as_of=MONDAY)
    return Account.objects.create(account_id=FORMER, crm="hubspot", identity="x", seen_at=MONDAY)


def address_of(there, owner_id: str) -> str:
    return str(there.ask("GET", f"/crm/v3/owners/{owner_id}")["email"])


def linked(**fields):
    contact = a_contact()
    a_score(contact)
    Link.objects.create(contact=contact, account_id=FORMER, record_id=f"9{contact.pk}", seen_at=MONDAY)  # fmt: skip
    CrmState.objects.create(contact=contact, record_id="9", since=MONDAY, seen_at=MONDAY)
    given = {"account_id": FORMER, "record_id": f"9{contact.pk}", "owner_id": "55"}
    return a_handoff(contact, **given | fields)


def delivered(there, **task):
    return linked(
        status="delivered", owner_id=there.other_owner, task_id="t1", task_tried_at=MONDAY,
        delivered_at=MONDAY, task=task,
    )  # fmt: skip


def moved(crm):
    at = database_time()
    plan = plan_move(crm, at)
    assert plan is not None
    move_account(crm, plan, at)
    return plan


def test_another_account_is_refused_until_it_is_moved_to(crm, there, former):
    with pytest.raises(CrmDenied, match="HubSpot account 4711"):
        read_account(crm, database_time())

    moved(crm)

    assert read_account(crm, database_time()).account_id == crm.account().id
    assert plan_move(crm, database_time()) is None


def test_two_crms_that_give_the_same_id_are_two_accounts(crm, former):
    Account.objects.update(account_id=crm.account().id, crm="another")
    with pytest.raises(CrmDenied):
        read_account(crm, database_time())

    Account.objects.update(crm="")

    assert read_account(crm, database_time()).crm == "hubspot"


def test_what_was_handed_off_stays_and_is_not_handed_off_again(crm, there, former):
    row = delivered(there)

    moved(crm)
    deliver_due(crm, database_time())
    row.refresh_from_db()

    assert (row.status, row.account_id, row.task_id) == ("delivered", FORMER, "t1")
    assert row.reason == "Its task is in HubSpot account 4711."
    assert HandoffTask.objects.get().state == "closed"
    assert Owner.objects.get(owner_id=row.owner_id).name.startswith("Kim")
    assert there.tasks() == []
    assert [*reconcile(crm, database_time()).wrong_by_list.values()] == [0, 0, 0, 0, 0]


def test_what_was_on_its_way_is_handed_off_in_the_new_account(crm, there, former):
    waiting = linked(attempts=7, due_at=MONDAY + timedelta(days=9000))
    stuck = linked(status="needs_attention", reason="HubSpot refused the phone number.")

    moved(crm)
    deliver_due(crm, database_time())

    for row in (waiting, stuck):
        row.refresh_from_db()
        assert (row.status, row.account_id) == ("delivered", crm.account().id)
    assert len(there.tasks()) == 2


def test_a_task_that_may_have_been_made_there_is_a_persons_to_decide(crm, there, former):
    row = linked(task_tried_at=MONDAY)

    moved(crm)
    deliver_due(crm, database_time())
    row.refresh_from_db()
    assert (row.status, there.tasks()) == ("needs_attention", [])
    assert "HubSpot account 4711" in row.reason

    Handoff.objects.resend(database_time())
    for _ in range(2):  # the task is looked for first
        deliver_due(crm, database_time())
    row.refresh_from_db()
    assert (row.status, len(there.tasks())) == ("delivered", 1)


def test_reps_keep_their_settings_under_the_id_of_the_same_address(crm, there, former):
    moved(crm)

    kim = Owner.objects.get(owner_id=there.active_owner)
    assert (kim.weight, kim.active) == (3, True)
    assert Owner.objects.get(owner_id=f"{FORMER}/55").active is False
    assert Owner.objects.filter(owner_id="55").count() == 0


def test_a_rep_who_has_left_the_new_account_is_not_said_to_keep_anything(crm, there, former):
    (gone,) = (rep for rep in crm.owners() if rep.owner_id == there.archived_owner)
    a_rep("56", name="Max", email=gone.email)

    plan = moved(crm)

    assert "Max" in plan.former_reps
    assert not Owner.objects.filter(active=True, name="Max").exists()


def test_nobody_gets_mail_until_everybody_was_read_from_the_new_account(crm, there, former):
    delivered(there)

    moved(crm)
    assert (CrmFreshness.oldest(), CrmState.objects.count(), Link.objects.count()) == (None, 0, 0)

    pull_changes(crm, database_time(), full=True)
    assert CrmFreshness.oldest() is not None
    assert CrmState.objects.count() == 1
    assert Stage.objects.count() > 1


def test_the_mapping_begins_with_the_crms_own_and_says_what_is_dropped(crm, former):
    FieldMapping.objects.filter(source="phone").update(property="mobilephone")

    plan = moved(crm)

    assert plan.dropped_fields == ["Phone → mobilephone"]
    assert FieldMapping.objects.count() == len(MAPPING)
    assert not FieldMapping.objects.filter(property="mobilephone").exists()


def test_a_lead_that_was_won_in_the_former_account_stays_won(crm, there, former):
    row = delivered(there)
    Deal.objects.create(
        deal_id="1", name="Seats", closed=True, won=True, made_at=MONDAY + timedelta(hours=1), seen_at=MONDAY,
    ).contacts.add(row.contact)  # fmt: skip
    evaluate_outcomes(database_time())

    moved(crm)
    there.add_contact(row.contact.email)
    pull_changes(crm, database_time(), full=True)
    evaluate_outcomes(database_time())
    row.refresh_from_db()

    assert row.outcome.state == "won"


def test_a_task_on_its_way_to_another_rep_stays_where_it_is(crm, there, former):
    delivered(there)
    Reassignment.objects.ask([there.other_owner], "", "ops", MONDAY)

    moved(crm)

    row = Reassignment.objects.get()
    assert (row.state, row.reason) == ("failed", "Its task is in HubSpot account 4711.")


def test_nothing_is_moved_while_the_former_account_is_worked_with(crm, former):
    linked(claim="11111111-1111-4111-8111-111111111111", due_at=database_time() + timedelta(minutes=4))  # fmt: skip
    plan = plan_move(crm, database_time())
    assert plan
    assert plan.obstacle == "1 lead on the way at this moment: try again in five minutes."
    with pytest.raises(MoveRefused, match="on the way"):
        move_account(crm, plan, database_time())

    Link.objects.update(gone_for_good=True, gone_at=MONDAY)
    Handoff.objects.update(claim=None)
    with pytest.raises(MoveRefused, match="deleted for good"):
        move_account(crm, plan, database_time())
    assert Account.objects.get().account_id == FORMER


def test_nothing_is_moved_while_it_is_read(crm, former, monkeypatch):
    plan = plan_move(crm, database_time())
    assert plan
    monkeypatch.setattr("crm_sync.account_move.PULLS", PULLS + 1)
    with held_elsewhere(PULLS + 1), pytest.raises(MoveRefused, match="being read"):
        move_account(crm, plan, database_time())


@contextmanager
def held_elsewhere(lock: int):
    """Hold a lock over another connection of the database."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        yield
    finally:
        other.close()


def test_the_page_says_what_will_happen_and_the_button_does_it(admin_client, crm, there, former, settings):  # fmt: skip
    settings.HUBSPOT_ACCESS_TOKEN, settings.HUBSPOT_BASE_URL = there.token, there.url
    delivered(there, due_at=MONDAY)
    page = reverse("admin:crm_sync_account_move")

    shown = admin_client.get(page).content.decode()
    assert "From <bdi>HubSpot account 4711</bdi>" in shown
    assert "1 lead handed off so far" in shown
    assert "Lou" in shown
    assert admin_client.post(page, {"account": "another"}).status_code == 200
    assert Account.objects.get().account_id == FORMER

    answer = admin_client.post(page, {"account": crm.account().id})
    assert answer.status_code == 302
    assert Account.objects.get().account_id == crm.account().id
    assert "nothing to move" in admin_client.get(page).content.decode()


def test_the_page_is_for_superusers(client, django_user_model, crm, former):
    user = django_user_model.objects.create_user("eva", is_staff=True)
    client.force_login(user)

    assert client.get(reverse("admin:crm_sync_account_move")).status_code == 403

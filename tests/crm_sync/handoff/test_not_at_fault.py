"""What stands in a lead's way though nothing is wrong with the lead: each is waited for or gone around."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils.timezone import now

from crm_sync.handoff.batch import Batch
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import SHOWN_WITHIN, Breaker, Handoff, Link, Owner
from crm_sync.port import CrmBusy
from crm_sync.problems.current import crm_problems
from crm_sync.pull.poll import pull_changes
from crm_sync.push.batch import push_due
from leadscoring.models import Contact
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score
from tests.crm_sync.reading import a_linked, effect_of, look_back

pytestmark = pytest.mark.django_db
TASKS = "/crm/v3/objects/tasks"


def after(minutes=0.0):
    return MONDAY + timedelta(minutes=minutes)


def deliver(crm, *minutes):
    for each in minutes:
        while deliver_due(crm, after(each)):
            pass


def a_lead(crm, there, **fields):
    """Somebody whose record is linked, with a second crossing that is due."""
    contact = a_contact(**fields)
    a_score(contact)
    a_handoff(contact)
    deliver_due(crm, MONDAY)
    row = a_handoff(contact, cycle=2, crossed_at=after(1), due_at=after(1))
    return contact, row


def statuses():
    return list(Handoff.objects.order_by("pk").values_list("status", flat=True))


# --- the CRM does not show a record --------------------------------------------------------------


@pytest.fixture
def hidden(crm, there):
    """A lead whose record is not shown; and what shows it again."""
    contact, row = a_lead(crm, there)
    record_id = contact.link.record_id
    record = there.sandbox.store.records["contacts"].pop(record_id)
    taken = there.sandbox.store.by_unique

    def without(kind, name, value):
        found = there.sandbox.store._unique.get((kind, name, value))
        return None if found == record_id else taken(kind, name, value)

    there.sandbox.store.by_unique = without

    def show():
        there.sandbox.store.records["contacts"][record_id] = record
        there.sandbox.store.by_unique = taken

    return row, show


def test_a_lead_whose_record_is_not_shown_yet_is_looked_for_again_and_goes(crm, there, hidden):
    row, show = hidden
    deliver_due(crm, after(2))
    row.refresh_from_db()
    before = (row.status, row.reason)
    show()

    deliver(crm, 4)

    row.refresh_from_db()
    assert before == (
        "waiting",
        "The CRM does not show the contact's record at this moment: it is looked for again.",
    )
    assert row.status == "delivered"
    assert Link.objects.get(contact=row.contact_id).missing_since is None


def test_a_record_that_stays_away_is_deleted_after_a_second_look(crm, there, hidden):
    row, _ = hidden
    deliver_due(crm, after(2))
    deliver_due(crm, after(4))
    row.refresh_from_db()
    soon = row.status

    deliver_due(crm, after(4) + SHOWN_WITHIN)

    row.refresh_from_db()
    assert (soon, row.status) == ("waiting", "withdrawn")


def test_a_record_that_the_crm_calls_deleted_is_deleted_at_once(crm, there):
    contact, row = a_lead(crm, there)
    there.archive(contact.link.record_id)

    deliver_due(crm, after(2))

    row.refresh_from_db()
    assert row.status == "withdrawn"


def test_a_passing_refusal_of_the_association_does_not_give_a_lead_up(crm, there):
    rows = [a_handoff(), a_handoff()]
    message = "one or more associations are not valid"
    body = {"status": "error", "category": "VALIDATION_ERROR", "message": message}
    there.trouble("status", TASKS, status=400, body=body, times=3)

    deliver(crm, 0, 1, 2, 4, 8)

    assert statuses() == ["delivered"] * len(rows)


# --- the rep that we chose ------------------------------------------------------------------------


def test_the_next_rep_is_asked_when_the_crm_refuses_one_that_it_lists(crm, there):
    rows = [a_handoff() for _ in range(4)]
    reps = sorted(owner.owner_id for owner in crm.owners() if owner.active)
    there.sandbox.store.rules.refused_owners.add(reps[0])

    deliver(crm, 0, 1)

    assert statuses() == ["delivered"] * len(rows)
    assert reps[0] not in Handoff.objects.values_list("owner_id", flat=True)
    refused = Owner.objects.get(owner_id=reps[0])
    (problem,) = [each for each in crm_problems(after(2)) if str(refused) in each.what]
    assert "does not accept" in problem.what


def test_a_rep_whom_the_crm_takes_again_gets_leads_the_next_day(crm, there):
    reps = sorted(owner.owner_id for owner in crm.owners() if owner.active)
    there.sandbox.store.rules.refused_owners.add(reps[0])
    for _ in range(3):
        a_handoff()
    deliver(crm, 0)
    there.sandbox.store.rules.refused_owners.clear()
    tomorrow = 24 * 60 + 1
    for _ in range(4):
        a_handoff(crossed_at=after(tomorrow), due_at=after(tomorrow))

    deliver(crm, tomorrow)

    assert reps[0] in Handoff.objects.values_list("owner_id", flat=True)


# --- the account ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "value", "mended"), [("is_full", True, False), ("requires", "favourite_colour", "")]
)
def test_a_rule_of_the_account_is_one_alarm_and_all_go_when_it_ends(
    crm, there, rule, value, mended
):
    rows = [a_handoff(crossed_at=MONDAY, due_at=MONDAY) for _ in range(6)]
    setattr(there.sandbox.store.rules, rule, value)
    deliver(crm, 0, 1, 2, 4, 8, 16, 30, 60, 120)
    held = statuses()
    alarms = [each.what for each in crm_problems(after(125)) if "HubSpot" in each.what]
    setattr(there.sandbox.store.rules, rule, mended)

    deliver(crm, 130, 131)

    assert held == ["waiting"] * len(rows)
    assert len(alarms) <= 2, alarms
    assert statuses() == ["delivered"] * len(rows)


def test_a_row_that_is_refused_for_ever_does_not_keep_others_from_being_tried(crm, there):
    """The breaker's trial goes to the row that was tried least."""
    bad = a_handoff(total=99.0)
    there.sandbox.store.rules.is_full = True
    deliver(crm, 0, 1, 2, 3, 5, 8)
    known, row = a_contact(), None
    there.sandbox.store.rules.is_full = False
    record_id = there.add_contact(known.email)
    there.sandbox.store.rules.is_full = True
    row = a_handoff(known, crossed_at=after(9), due_at=after(9))

    deliver(crm, 10, 11, 12)

    row.refresh_from_db()
    bad.refresh_from_db()
    assert (row.status, row.record_id, bad.status) == ("delivered", record_id, "waiting")


# --- what a person set ---------------------------------------------------------------------------


def pull(crm, there, minutes):
    assert pull_changes(crm, after(minutes), full=True).error == ""


def stage_there(there, contact):
    return there.value(Link.objects.get(contact=contact).record_id, "lifecyclestage")


def stage_here(contact):
    return Contact.objects.get(pk=contact.pk).lifecycle_stage


def set_back(there, contact, stage):
    """As people do it, and as the API has to: cleared first."""
    record_id = Link.objects.get(contact=contact).record_id
    there.set(record_id, lifecyclestage="")
    there.set(record_id, lifecyclestage=stage)


@pytest.mark.parametrize("seen", [True, False])
def test_a_lead_that_sales_recycles_stays_recycled(crm, there, seen):
    """`seen`: whether a pull read the record between our write and theirs."""
    ada = a_contact("ada@engines.example", lifecycle_stage="mql")
    a_score(ada)
    a_handoff(ada)
    deliver(crm, 0)
    wrote = stage_there(there, ada)
    if seen:
        pull(crm, there, 1)
    set_back(there, ada, "lead")

    pull(crm, there, 2)
    a_handoff(ada, cycle=2, crossed_at=after(3), due_at=after(3))
    deliver(crm, 3)

    assert (wrote, stage_here(ada), stage_there(there, ada)) == (
        "marketingqualifiedlead",
        "lead",
        "lead",
    )


def test_a_write_before_the_next_look_does_not_undo_it_either(crm, there):
    ada = a_contact("ada@engines.example", lifecycle_stage="mql")
    a_score(ada)
    a_handoff(ada)
    deliver(crm, 0)
    set_back(there, ada, "lead")
    a_handoff(ada, cycle=2, crossed_at=after(1), due_at=after(1))

    deliver(crm, 1)

    assert stage_there(there, ada) == "lead"


def test_a_wrong_customer_put_right_is_no_customer_here_and_is_handed_off(crm, there):
    ada = a_contact("ada@engines.example")
    a_score(ada)
    record_id = there.add_contact("ada@engines.example", lifecycle_stage="customer")
    row = a_handoff(ada)
    deliver(crm, 0)
    row.refresh_from_db()
    first = row.status
    Contact.objects.filter(pk=ada.pk).update(lifecycle_stage="customer")
    Link.objects.create(
        contact=ada,
        account_id="20250001",
        record_id=record_id,
        lifecycle_stage="customer",
        seen_at=now(),
    )
    set_back(there, ada, "lead")
    second = a_handoff(ada, cycle=2, crossed_at=after(1), due_at=after(1))

    deliver(crm, 1)
    pull(crm, there, 2)

    second.refresh_from_db()
    assert (first, second.status, stage_here(ada)) == ("withdrawn", "delivered", "lead")


@pytest.mark.parametrize("wrote", [{}, {"lifecyclestage": "marketingqualifiedlead"}])
def test_a_stage_that_stayed_here_after_it_was_put_right_there_follows_at_the_next_look(
    crm, there, wrote
):
    """As earlier releases left people: a customer here, a lead there, and known as one."""
    ada = a_contact("ada@engines.example", lifecycle_stage="customer")
    record_id = there.add_contact("ada@engines.example", lifecycle_stage="lead")
    a_score(ada)
    pull(crm, there, 0)
    Contact.objects.update(lifecycle_stage="customer")
    Link.objects.create(
        contact=ada, account_id="20250001", record_id=record_id, lifecycle_stage="lead",
        last_written=wrote, seen_at=now(),
    )  # fmt: skip
    push_due(crm, after(1))
    pushed = stage_there(there, ada)

    pull(crm, there, 2)

    assert (pushed, stage_here(ada)) == ("lead", "lead")


def test_a_stage_that_sales_gave_and_took_back_is_theirs_though_we_never_wrote_it(crm, there):
    ada = a_contact("ada@engines.example")
    record_id = there.add_contact("ada@engines.example", lifecycle_stage="mql")
    Link.objects.create(contact=ada, account_id="20250001", record_id=record_id, seen_at=now())
    pull(crm, there, 0)
    given = stage_here(ada)
    set_back(there, ada, "lead")

    pull(crm, there, 1)

    assert (given, stage_here(ada)) == ("mql", "lead")


def test_an_evangelist_is_a_customer(crm, there):
    there.add_contact("ada@engines.example", lifecycle_stage="evangelist")
    row = a_handoff(a_contact("ada@engines.example"))

    deliver(crm, 0)

    row.refresh_from_db()
    assert (row.status, row.reason) == ("withdrawn", "Already a customer.")


def test_our_own_stage_that_has_gone_on_is_not_taken_back_by_an_older_one_there(crm, there):
    ada = a_contact("ada@engines.example")
    record_id = there.add_contact("ada@engines.example", lifecycle_stage="lead")
    Link.objects.create(contact=ada, account_id="20250001", record_id=record_id, seen_at=now())
    pull(crm, there, 0)
    Contact.objects.filter(pk=ada.pk).update(lifecycle_stage="mql")

    pull(crm, there, 1)

    assert Link.objects.get(contact=ada).lifecycle_stage == "lead"
    assert stage_here(ada) == "mql"


def test_no_breaker_is_left_after_all(crm, there):
    a_handoff()
    deliver(crm, 0)

    assert not Breaker.objects.exists()


# --- the CRM keeps a value in another form ----------------------------------------------------------


def a_handed_off(crm, there, phone, *, formats_phones=False):
    """Somebody whose phone number a handoff wrote to the record, and the record's id."""
    there.sandbox.store.rules.formats_phones = formats_phones
    ada = a_contact("ada@engines.example", phone=phone)
    a_score(ada)
    a_handoff(ada)
    deliver(crm, 0)
    return ada, Link.objects.get(contact=ada).record_id


def test_a_phone_number_that_the_crm_writes_in_another_way_stays_ours(crm, there):
    ada, record_id = a_handed_off(crm, there, "+49 30 123-45", formats_phones=True)
    kept = there.value(record_id, "phone")
    there.sandbox.state.log.clear()
    push_due(crm, after(1))
    pull(crm, there, 2)
    unchanged = (Contact.objects.get(pk=ada.pk).phone, writes(there))
    Contact.objects.filter(pk=ada.pk).update(phone="+49 40 777", updated_at=after(3))

    push_due(crm, after(20))

    assert (kept, unchanged) == ("+493012345", ("+49 30 123-45", []))
    assert there.value(record_id, "phone") == "+4940777"


def test_a_phone_number_that_a_rep_corrected_stays_theirs(crm, there):
    ada, record_id = a_handed_off(crm, there, "+49 30 123-45", formats_phones=True)
    there.set(record_id, phone="+49 30 999")
    Contact.objects.filter(pk=ada.pk).update(phone="+49 40 777", updated_at=after(3))

    push_due(crm, after(4))

    assert there.value(record_id, "phone") == "+4930999"


def test_what_a_rep_cleared_is_not_filled_in_again_until_there_is_news(crm, there):
    ada, record_id = a_handed_off(crm, there, "+49 30 123")
    there.set(record_id, phone="")
    a_handoff(ada, cycle=2, crossed_at=after(1), due_at=after(1))
    deliver(crm, 1)
    cleared = there.value(record_id, "phone")
    Contact.objects.filter(pk=ada.pk).update(phone="+49 40 777", updated_at=after(3))

    push_due(crm, after(4))

    assert (cleared, there.value(record_id, "phone")) == ("", "+49 40 777")


def writes(there):
    return [each["path"] for each in there.sandbox.state.log if "/batch/up" in each["path"]]


# --- a turn that is refused now and then ------------------------------------------------------------


def test_a_pull_in_which_each_ninth_request_is_refused_applies_every_change(crm, there):
    people = [a_linked(crm, there) for _ in range(30)]
    look_back(crm)
    for number in range(10):
        there.add_deal(
            f"Deal {number}", there.open_stage, *[record for _, record in people[number::10]]
        )
    body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
    there.trouble(
        "status",
        "/crm/",
        status=429,
        headers={"Retry-After": "1"},
        body=body,
        times=None,
        share=1 / 9,
    )

    report = pull_changes(crm, now(), seconds=60)

    assert report.error == ""
    assert {effect_of(contact) for contact, _ in people} == {"pause"}


def test_patience_has_an_end(crm, there):
    body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
    there.trouble("status", "/", status=429, headers={"Retry-After": "1"}, body=body, times=None)
    began = time.monotonic()

    with pytest.raises(CrmBusy):
        crm.with_priority("polling", began + 1.5).owners()

    assert 1 <= time.monotonic() - began < 1.5
    assert len(there.seen()) == 2


def test_a_rule_of_the_account_holds_pushes_too_and_ends_by_itself(crm, there):
    people = [a_linked(crm, there)[0] for _ in range(3)]
    for contact in people:
        a_score(contact)
    there.sandbox.store.rules.requires = "favourite_colour"
    for minutes in (0, 1, 2):
        push_due(crm, after(minutes))
    (alarm,) = [each.reason for each in Breaker.objects.filter(work="push", failures__gte=3)]
    there.sandbox.store.rules.requires = ""

    push_due(crm, after(10))

    assert "required properties" in alarm or "requires a value" in alarm
    assert {there.value(contact.link.record_id, "lead_grade") for contact in people} == {"A1"}


# --- the database goes away in the middle ----------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_worker_held_when_the_database_went_away_goes_on_at_once(crm, monkeypatch, times):
    """Not after the five minutes of its lease."""
    row, left, store = a_handoff(), [times], Batch.store_progress

    def away(batch):
        if left[0]:
            left[0] -= 1
            raise OperationalError("server closed the connection unexpectedly")
        store(batch)

    monkeypatch.setattr(Batch, "store_progress", away)
    with pytest.raises(OperationalError):
        deliver_due(crm, MONDAY)

    deliver(crm, 0.1, 1)

    row.refresh_from_db()
    assert row.status == "delivered"

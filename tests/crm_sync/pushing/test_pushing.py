"""What changed of people whom the CRM knows reaches their records, as a difference and not too often."""

from datetime import timedelta

import pytest

from crm_sync.account import read_account
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Breaker, FieldMapping, Link, Push
from crm_sync.push.batch import push_due, recent_rejections
from leadscoring.models import Contact, Lifecycle, Score
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score

pytestmark = pytest.mark.django_db

CONTACTS = "/crm/v3/objects/contacts"


def after(**passed):
    return MONDAY + timedelta(**passed)


def paths(there):
    return [each["path"] for each in there.sandbox.state.log]


@pytest.fixture
def ada(crm, there):
    """Somebody handed off on Monday, and the CRM told of all since."""
    ada = a_contact("ada@engines.example", "Engines", first_name="Ada", job_title="VP")
    Contact.objects.filter(pk=ada.pk).update(updated_at=MONDAY - timedelta(hours=1))
    a_score(ada)
    a_handoff(ada)
    deliver_due(crm, MONDAY)
    push_due(crm, MONDAY)
    there.sandbox.state.log.clear()
    return ada


def record(ada):
    return Link.objects.get(contact=ada).record_id


def test_a_score_that_rose_reaches_the_record(crm, there, ada):
    Score.objects.filter(contact=ada).update(total=95, grade="A1")

    push_due(crm, after(hours=1))

    assert there.value(record(ada), "lead_score") == "95"
    assert paths(there)[:2] == [f"{CONTACTS}/batch/read", f"{CONTACTS}/batch/update"]


def test_only_what_changed_is_sent(crm, there, ada):
    there.set(record(ada), lead_grade="D4", firstname="")
    Score.objects.filter(contact=ada).update(total=95)

    push_due(crm, after(hours=1))

    assert there.value(record(ada), "lead_score") == "95"
    assert there.value(record(ada), "lead_grade") == "D4"
    assert there.value(record(ada), "firstname") == ""


def test_a_change_that_was_committed_after_a_telling_and_dated_before_it_is_told(crm, there, ada):
    """A request that came in just before, and was still being written down."""
    Score.objects.filter(contact=ada).update(total=95)
    push_due(crm, after(hours=1))
    Contact.objects.filter(pk=ada.pk).update(
        last_name="Lovelace", updated_at=after(hours=1) - timedelta(seconds=1)
    )

    push_due(crm, after(hours=2))

    assert there.value(record(ada), "lastname") == "Lovelace"


def test_at_rest_nothing_is_asked(crm, there, ada):
    for hour in range(1, 60):
        push_due(crm, after(hours=hour))

    assert paths(there) == []


def test_a_small_move_is_told_once_a_day(crm, there, ada):
    Score.objects.filter(contact=ada).update(total=84)

    push_due(crm, after(hours=1))
    soon = there.value(record(ada), "lead_score")
    push_due(crm, after(hours=25))

    assert (soon, there.value(record(ada), "lead_score")) == ("82", "84")


def test_a_record_is_not_written_every_minute(crm, there, ada):
    Score.objects.filter(contact=ada).update(total=90)
    push_due(crm, after(minutes=20))
    Score.objects.filter(contact=ada).update(total=99)

    push_due(crm, after(minutes=21))
    soon = there.value(record(ada), "lead_score")
    push_due(crm, after(minutes=36))

    assert (soon, there.value(record(ada), "lead_score")) == ("90", "99")


def test_what_a_person_changed_there_stays_theirs(crm, there, ada):
    there.set(record(ada), jobtitle="Countess", hs_lead_status="OPEN")
    Contact.objects.filter(pk=ada.pk).update(job_title="CTO", updated_at=after(minutes=1))

    push_due(crm, after(hours=1))

    assert there.value(record(ada), "jobtitle") == "Countess"
    assert there.value(record(ada), "hs_lead_status") == "OPEN"


def test_what_we_wrote_and_nobody_touched_follows(crm, there, ada):
    Contact.objects.filter(pk=ada.pk).update(job_title="CTO", updated_at=after(minutes=1))

    push_due(crm, after(hours=1))

    assert there.value(record(ada), "jobtitle") == "CTO"
    assert Link.objects.get(contact=ada).last_written["jobtitle"] == "CTO"


def test_a_lifecycle_stage_only_goes_forward(crm, there, ada):
    there.set(record(ada), lifecyclestage="opportunity")
    changed = {"lifecycle_stage": Lifecycle.MQL, "updated_at": after(minutes=1)}
    Contact.objects.filter(pk=ada.pk).update(**changed)

    push_due(crm, after(hours=1))

    assert there.value(record(ada), "lifecyclestage") == "opportunity"


def linked(there, email, **fields):
    """Somebody whom the CRM knew already, and sales was not told of."""
    contact = a_contact(email, **fields)
    a_score(contact, total=30, grade="C2", armed=True, cycle=0, crossed_at=None)
    record_id = there.add_contact(email)
    Link.objects.create(contact=contact, account_id="20250001", record_id=record_id, seen_at=MONDAY)
    return contact


def test_who_was_not_handed_off_gets_a_score_but_no_lead_status(crm, there):
    eve = linked(there, "eve@engines.example")

    push_due(crm, MONDAY)

    assert there.value(record(eve), "lead_score") == "30"
    assert there.value(record(eve), "hs_lead_status") == ""


def test_a_hundred_people_take_two_calls(crm, there):
    read_account(crm, MONDAY)
    for number in range(100):
        linked(there, f"person{number}@engines.example")
    there.sandbox.state.log.clear()

    push_due(crm, MONDAY)

    assert len(paths(there)) == 2
    assert push_due(crm, after(minutes=1)) == 0


def test_nobody_is_made_who_is_not_there(crm, there):
    eve = linked(there, "eve@engines.example")
    there.archive(record(eve))

    push_due(crm, MONDAY)

    assert there.contacts() == 0


def test_a_refused_property_is_left_out_and_told_and_the_rest_goes(crm, there):
    FieldMapping.objects.create(source="country", property="no_such_property")
    eve = linked(there, "eve@engines.example", country="France")

    push_due(crm, MONDAY)

    assert there.value(record(eve), "lead_score") == "30"
    (refused,) = recent_rejections(MONDAY - timedelta(days=1))
    assert list(refused) == ["no_such_property"]


def test_what_got_no_answer_is_told_again(crm, there):
    eve = linked(there, "eve@engines.example")
    there.trouble("drop_before", f"{CONTACTS}/batch/update")

    push_due(crm, MONDAY)
    assert not Push.objects.exists()
    push_due(crm, after(minutes=1))

    assert there.value(record(eve), "lead_score") == "30"


def test_after_hours_without_the_crm_all_are_told_within_a_minute(crm, there):
    """Nobody backs off: the circuit breaker says when, and its waits are short."""
    people = [linked(there, f"{name}@engines.example") for name in ("eve", "bob")]
    there.trouble("status", status=503, times=None)
    for seconds in range(0, 7200, 60):
        push_due(crm, after(seconds=seconds))
    there.ask("DELETE", "/sandbox/faults")

    push_due(crm, after(seconds=7230))

    assert [there.value(record(each), "lead_score") for each in people] == ["30", "30"]
    assert not Breaker.objects.exists()


def test_one_whose_record_fails_by_itself_is_not_tried_again_at_once(crm, there):
    linked(there, "eve@engines.example"), linked(there, "bob@engines.example")
    failure = {"category": "INTERNAL_ERROR", "message": "no"}
    path = f"{CONTACTS}/batch/update"
    there.trouble("partial", path, body=failure, times=None)

    first, second = push_due(crm, MONDAY), push_due(crm, after(seconds=1))

    assert (first, second) == (1, 0)
    assert Push.objects.count() == 1


def test_a_revoked_token_is_one_hold_not_an_error_for_each(crm, there):
    linked(there, "eve@engines.example")
    there.revoke()

    push_due(crm, MONDAY)
    there.sandbox.state.log.clear()
    push_due(crm, MONDAY)

    assert Breaker.objects.get(work="push").denied
    assert paths(there) == []

"""Who wants no mail from here gets none from the CRM either: it is told, each address once."""

from datetime import timedelta
from typing import cast

import pytest
from django.db import connection

from crm_sync.account import read_account
from crm_sync.audit import run_audit
from crm_sync.circuit_breaker import record_failure, reset
from crm_sync.models import Breaker, Link, OptOut
from crm_sync.models.opt_outs import BATCH, LEASE
from crm_sync.port import Crm, CrmDenied, NotConnected
from crm_sync.problems.people import people_problems
from crm_sync.pull.poll import pull_changes
from crm_sync.push.opt_outs import DENIED_BACKOFF, push_opt_outs
from leadscoring.erasing import erase_contact
from leadscoring.models import CrmState
from sequences.models import Suppression
from sequences.suppression import suppress_addresses
from tests.crm_sync.makers import MONDAY, a_contact
from tests.crm_sync.pull.test_pull import a_linked

pytestmark = pytest.mark.django_db

ADA, BOB = "ada+news@engines.example", "bob@engines.example"
Reason = Suppression.Reason


def after(**passed):
    return MONDAY + timedelta(**passed)


def unwilling(crm, email=ADA, reason=Reason.UNSUBSCRIBED, at=MONDAY):
    """Somebody in the CRM who wants no mail; answers their record."""
    _, record_id = a_linked(crm, email)
    suppress_addresses([email], reason, at, by="test")
    return record_id


def opted_out(there, record_id):
    return there.value(record_id, "hs_email_optout") == "true"


def told(there):
    return [each for each in there.seen() if each["path"].endswith("unsubscribe-all")]


def failures():
    return list(OptOut.objects.failed().values_list("email", flat=True))


def test_a_wish_is_told_also_of_an_address_that_had_refused_mail(crm, there):
    record_id = unwilling(crm, reason=Reason.BOUNCED)
    push_opt_outs(crm, after(minutes=1))
    before = opted_out(there, record_id)

    suppress_addresses([ADA], Reason.UNSUBSCRIBED, after(minutes=2), by="ada")
    push_opt_outs(crm, after(minutes=3))

    assert (before, opted_out(there, record_id)) == (False, True)


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBED, Reason.BY_HAND])
def test_who_wants_no_mail_here_gets_none_from_the_crm(crm, there, reason):
    record_id = unwilling(crm, reason=reason)

    push_opt_outs(crm, after(minutes=1))

    assert opted_out(there, record_id)
    assert OptOut.objects.get().told_at == after(minutes=1)


@pytest.mark.parametrize("reason", [Reason.CRM_OPT_OUT, Reason.BOUNCED])
def test_what_the_crm_said_and_what_is_no_wish_is_not_written_there(crm, there, reason):
    unwilling(crm, reason=reason)

    push_opt_outs(crm, after(minutes=1))

    assert told(there) == []


def test_each_is_told_once_and_what_the_crm_then_says_is_not_sent_back(crm, there):
    unwilling(crm)
    for minutes in (1, 2, 120):
        push_opt_outs(crm, after(minutes=minutes))
        pull_changes(crm, after(minutes=minutes), full=True)

    assert len(told(there)) == 1
    assert Suppression.objects.get(email=ADA).reason == Reason.UNSUBSCRIBED


def test_an_opt_out_there_suppresses_here_and_is_not_sent_back(crm, there):
    _, record_id = a_linked(crm, ADA)
    there.opt_out(record_id)

    pull_changes(crm, MONDAY, full=True)
    push_opt_outs(crm, after(minutes=1))

    assert Suppression.objects.get(email=ADA).reason == Reason.CRM_OPT_OUT
    assert told(there) == []


def test_what_the_crm_knows_already_is_not_told_to_it(crm, there):
    record_id = unwilling(crm)
    there.opt_out(record_id)
    pull_changes(crm, MONDAY, full=True)

    push_opt_outs(crm, after(minutes=1))

    assert told(there) == []


def test_somebody_whom_the_crm_does_not_know_is_not_made_known_to_it(crm, there):
    a_contact(BOB)
    suppress_addresses([BOB], Reason.UNSUBSCRIBED, MONDAY, by="test")

    push_opt_outs(crm, after(minutes=1))

    assert (told(there), there.contacts()) == ([], 0)


def test_who_unsubscribed_before_the_crm_knew_them_is_told_then(crm, there):
    suppress_addresses([ADA], Reason.UNSUBSCRIBED, MONDAY, by="test")
    push_opt_outs(crm, MONDAY)
    _, record_id = a_linked(crm, ADA)

    push_opt_outs(crm, after(minutes=1))

    assert opted_out(there, record_id)


def test_who_asks_anew_after_mail_was_allowed_again_is_told_anew(crm, there):
    record_id = unwilling(crm)
    push_opt_outs(crm, after(minutes=1))
    Suppression.objects.all().delete()
    there.set(record_id, hs_email_optout="false")
    suppress_addresses([ADA], Reason.UNSUBSCRIBED, after(days=1), by="test")

    push_opt_outs(crm, after(days=1, minutes=1))

    assert opted_out(there, record_id)


def test_a_wish_that_was_taken_back_in_time_is_not_told(crm, there):
    record_id = unwilling(crm)
    OptOut.objects.queue(MONDAY)
    Suppression.objects.all().delete()

    push_opt_outs(crm, after(minutes=1))

    assert not opted_out(there, record_id)
    assert not OptOut.objects.exists()


# --- when it does not work


def test_what_the_account_does_not_allow_is_said_once_and_asked_once_an_hour(crm, there):
    unwilling(crm), unwilling(crm, BOB)
    there.forbid_opting_out()

    for minutes in range(5):
        push_opt_outs(crm, after(minutes=minutes))

    assert len(told(there)) == 1
    (problem,) = people_problems(MONDAY)
    assert problem.severity == "warning"
    assert problem.what.startswith("2 people want no mail, and the CRM could not be told")
    assert problem.what in [each.what for each in run_audit(crm, MONDAY).problems]


def test_it_goes_on_by_itself_once_the_account_allows_it(crm, there):
    record_id = unwilling(crm)
    there.forbid_opting_out()
    push_opt_outs(crm, MONDAY)
    there.allow(["communication_preferences.write", "crm.objects.contacts.read"])

    push_opt_outs(crm, MONDAY + DENIED_BACKOFF)

    assert "communication_preferences.write" in there.sandbox.settings.tokens[there.token].scopes
    assert OptOut.objects.get().told_at
    assert people_problems(MONDAY) == []
    assert record_id


def test_one_address_that_is_refused_keeps_no_other_from_being_told(crm, there):
    record_id, bobs = unwilling(crm), unwilling(crm, BOB)
    refusal = {"status": "error", "message": "no", "category": "VALIDATION_ERROR"}
    there.trouble("status", "/communication-preferences", status=400, body=refusal, times=1)

    push_opt_outs(crm, after(minutes=1))

    assert [opted_out(there, each) for each in (record_id, bobs)].count(True) == 1
    assert len(failures()) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_silence_is_asked_again_and_does_no_harm(crm, there, kind):
    record_id = unwilling(crm)
    there.trouble(kind, "/communication-preferences", times=1)
    push_opt_outs(crm, MONDAY)
    assert failures() == [ADA]

    push_opt_outs(crm, after(minutes=10))

    assert opted_out(there, record_id)
    assert failures() == []


def test_after_hours_without_the_crm_all_are_told_at_the_next_turn(crm, there):
    records = [unwilling(crm, email) for email in (ADA, BOB)]
    there.trouble("status", "/communication-preferences", status=503, times=None)
    for minutes in range(180):
        push_opt_outs(crm, after(minutes=minutes))
    there.ask("DELETE", "/sandbox/faults")

    push_opt_outs(crm, after(minutes=180))

    assert [opted_out(there, each) for each in records] == [True, True]
    assert set(OptOut.objects.values_list("tries", flat=True)) == {1}


def test_one_who_is_told_brings_forward_who_waits_because_of_the_account(crm, there):
    record_id = unwilling(crm)
    a_linked(crm, BOB)
    there.forbid_opting_out()
    push_opt_outs(crm, MONDAY)
    there.allow(["communication_preferences.write", "crm.objects.contacts.read"])
    suppress_addresses([BOB], Reason.UNSUBSCRIBED, MONDAY, by="test")

    push_opt_outs(crm, after(minutes=1))
    push_opt_outs(crm, after(minutes=2))

    assert opted_out(there, record_id)


def test_the_end_of_a_hold_of_other_work_brings_them_forward(crm, there):
    record_id = unwilling(crm)
    there.forbid_opting_out()
    push_opt_outs(crm, MONDAY)
    there.allow(["communication_preferences.write", "crm.objects.contacts.read"])
    record_failure(crm, Breaker.Work.PULL, CrmDenied("The token is revoked."), MONDAY)

    reset(crm, Breaker.Work.PULL, after(minutes=1))
    push_opt_outs(crm, after(minutes=1))

    assert opted_out(there, record_id)


def test_an_address_that_is_in_trouble_while_others_are_told_waits_longer_each_time(crm, there):
    """It is tried again by itself, however often others are told."""
    unwilling(crm), unwilling(crm, BOB)
    path = "/communication-preferences/v4/statuses/" + BOB.replace("@", "%40")
    there.trouble("status", path, status=503, times=None)

    push_opt_outs(crm, MONDAY)
    OptOut.objects.bring_forward(after(seconds=1))

    (waits,) = OptOut.objects.failed()
    assert (waits.email, waits.waits_for_crm, waits.due_at) == (BOB, False, after(minutes=2))


def test_what_a_worker_died_over_falls_due_again(crm, there):
    record_id = unwilling(crm)
    OptOut.objects.queue(MONDAY)
    OptOut.objects.claim(MONDAY)

    push_opt_outs(crm, MONDAY + LEASE)

    assert opted_out(there, record_id)


def test_without_a_crm_nothing_is_queued():
    assert push_opt_outs(cast(Crm, NotConnected("THE_TOKEN")), MONDAY) == 0
    assert not OptOut.objects.exists()


# --- how much it takes


def test_the_queries_do_not_grow_with_the_people(crm, there, django_assert_max_num_queries):
    for number in range(BATCH + 5):
        contact = a_contact(f"p{number}@engines.example")
        record_id = there.add_contact(contact.email)
        Link.objects.create(contact=contact, account_id="1", record_id=record_id, seen_at=MONDAY)
    suppress_addresses(
        [f"p{number}@engines.example" for number in range(BATCH + 5)],
        Reason.UNSUBSCRIBED,
        MONDAY,
        by="test",
    )

    read_account(crm, MONDAY)
    with django_assert_max_num_queries(20):
        assert push_opt_outs(crm, after(minutes=1)) == BATCH
    assert push_opt_outs(crm, after(minutes=2)) == 5


def test_somebody_erased_is_not_told_of(crm, there):
    unwilling(crm)
    OptOut.objects.queue(MONDAY)
    erase_contact(CrmState.objects.get().contact_id, MONDAY)

    push_opt_outs(crm, after(minutes=1))

    assert told(there) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM crm_sync_optout")
        assert cursor.fetchone()[0] == 0

"""From a request of the CRM's to the picture we have of a contact: through the real view and adapter."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from crm_sync import hint_wakeup, webhook_arrivals, webhooks
from crm_sync.circuit_breaker import breaker_reason
from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Account, Arrival, Breaker, Deal, Hint, Link
from crm_sync.models.hints import KEPT, LEASE, MOST_TRIES
from crm_sync.port import CrmHint
from crm_sync.pull.hints import apply_due_hints
from crm_sync.pull.poll import pull_changes
from leadscoring.common import wakeup
from leadscoring.common.advisory_lock import HINTS
from leadscoring.common.clock import database_time
from leadscoring.common.outage import OutageMemory
from leadscoring.models import Contact, CrmState
from sandbox.hubspot.webhooks import signature
from sequences.models import Enrollment, Sequence
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff

pytestmark = pytest.mark.django_db

SECRET = "made-up-client-secret"
PATH = "/webhooks/hubspot"
ADA = "ada@engines.example"


@pytest.fixture(autouse=True)
def listening(settings, monkeypatch):
    settings.HUBSPOT_CLIENT_SECRET = SECRET
    monkeypatch.setattr(webhook_arrivals, "noted", {})
    wakeup.acknowledge(hint_wakeup.TASK)


def an_event(kind="deal", verb="propertyChange", object_id=7, **more):
    return {"subscriptionType": f"{kind}.{verb}", "objectId": object_id, **more}


def post(client, *events, body=None, secret=SECRET, at=None, path=PATH, **headers):
    body = json.dumps(events).encode() if body is None else body
    stamp = str(int((at or now()).timestamp() * 1000))
    signed = {
        "X-HubSpot-Signature-v3": signature(
            secret.encode(), "http://testserver" + path, body, stamp
        ),
        "X-HubSpot-Request-Timestamp": stamp,
    }
    given = client.post(path, body, content_type="application/json", headers=signed | headers)
    return given.status_code


def hinted():
    return set(Hint.objects.values_list("kind", "record_id"))


def look_at_all(crm):
    while apply_due_hints(crm, database_time(), database_time()):
        pass


def hint_and_look(crm, *records):
    Hint.objects.note(records, database_time())
    look_at_all(crm)


def a_linked(crm, email=ADA):
    """Somebody whom a handoff has brought into the CRM, and whom a pull has seen there."""
    contact = a_contact(email)
    a_handoff(contact)
    deliver_due(crm, MONDAY)
    pull_changes(crm, MONDAY)
    return contact, Link.objects.get(contact=contact).record_id


def state_of(contact):
    return CrmState.objects.get(contact=contact)


# --- at the door ------------------------------------------------------------------------------------


def test_a_signed_request_is_taken_and_names_what_to_look_at(client):
    assert post(client, an_event(), an_event("contact", "creation", 9)) == 204
    assert hinted() == {("deal", "7"), ("contact", "9")}


def test_the_query_of_the_configured_address_is_signed_too(client):
    assert post(client, an_event(), path=PATH + "?from=a%20b") == 204


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        ({}, {"secret": "another"}),
        ({"X-HubSpot-Signature-v3": ""}, {}),
        ({"X-HubSpot-Signature-v3": "", "X-HubSpot-Signature": "0" * 64}, {}),
        ({"X-HubSpot-Request-Timestamp": "1"}, {}),
        ({}, {"at": now() - timedelta(minutes=6)}),
        ({}, {"at": now() + timedelta(hours=1)}),
    ],
)
def test_forged_unsigned_stale_and_future_requests_change_nothing(client, headers, more):
    assert post(client, an_event(), **more, **headers) == 401
    assert hinted() == set()


def test_a_request_that_was_altered_on_its_way_changes_nothing(client):
    body = json.dumps([an_event()]).encode()
    stamp = str(int(now().timestamp() * 1000))
    given = signature(SECRET.encode(), "http://testserver" + PATH, body, stamp)

    headers = {"X-HubSpot-Signature-v3": given, "X-HubSpot-Request-Timestamp": stamp}

    assert post(client, an_event(object_id=8), **headers) == 401
    assert hinted() == set()


def test_a_replayed_request_asks_for_no_more_than_one_look(client):
    at = now()

    assert [post(client, an_event(), at=at) for _ in range(3)] == [204, 204, 204]
    assert Hint.objects.count() == 1


def test_without_a_client_secret_nothing_is_taken(client, settings):
    settings.HUBSPOT_CLIENT_SECRET = ""

    assert post(client, an_event(), secret="") == 401
    assert not webhook_arrivals.webhooks_enabled()


def test_the_address_is_ours_whatever_the_request_says(client, settings):
    settings.BASE_URL = "https://leads.example.com"

    assert post(client, an_event()) == 401


def test_a_body_over_a_mebibyte_is_refused_before_it_is_read(client):
    assert post(client, body=b" " * (1024 * 1024 + 1)) == 413
    assert post(client, body=b" " * 1024 * 1024) == 204


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"no json", b"[" * 100_000, b'[null, 1, {"objectId": 1}]']
)
def test_whatever_is_inside_a_signed_request_it_is_taken(client, body):
    assert post(client, body=body) == 204
    assert hinted() == set()


def test_a_page_cannot_be_looked_at(client):
    assert client.get(PATH).status_code == 405


def test_what_was_sent_is_in_no_log(client, caplog):
    post(client, body=b"ada@engines.example")
    post(client, body=b"ada@engines.example", secret="another")

    assert "ada" not in caplog.text


def test_events_of_another_account_are_passed_over(client):
    Account.objects.create(account_id="62515", seen_at=MONDAY)

    post(client, an_event(portalId=62516), an_event("contact", object_id=9, portalId=62515))

    assert hinted() == {("contact", "9")}


def test_the_end_of_a_strangers_record_is_no_news_and_that_of_ours_is(client):
    account = Account.objects.create(account_id="62515", seen_at=MONDAY)
    ours = {"account_id": account.account_id, "record_id": "9", "seen_at": MONDAY}
    Link.objects.create(contact=a_contact(), **ours)

    post(client, *(an_event("contact", "deletion", each) for each in (8, 9)))

    assert hinted() == {("contact", "9")}


def test_a_forged_request_costs_no_query_after_the_first(client, django_assert_num_queries):
    post(client, an_event(), secret="another")

    with django_assert_num_queries(0):
        post(client, an_event(), secret="another")


def test_the_number_of_queries_does_not_grow_with_events(client, django_assert_max_num_queries):
    post(client, an_event())

    with django_assert_max_num_queries(8):
        post(client, *(an_event(object_id=number) for number in range(1, 1001)))

    assert Hint.objects.count() == 1000


def test_it_is_told_whether_they_arrive_and_when(client, settings):
    before = database_time()
    never = webhook_arrivals.webhook_state(before)
    post(client, an_event())

    assert (never, webhook_arrivals.last_webhook_at() >= before) == ("on, never heard yet", True)
    assert (
        webhook_arrivals.webhook_state(webhook_arrivals.last_webhook_at() + timedelta(minutes=5))
        == "on, last heard 5 min ago"
    )
    settings.HUBSPOT_CLIENT_SECRET = ""
    assert webhook_arrivals.webhook_state(before) == "off, changes are found by asking"


def test_signed_requests_that_do_not_count_are_a_problem_until_one_does(client):
    post(client, an_event(), secret="another")
    (problem,) = webhook_arrivals.rejected_webhooks(now())
    Arrival.objects.update(heard_at=now())

    assert "refused. The signature does not fit." in problem.what
    assert list(webhook_arrivals.rejected_webhooks(now())) == []


def test_a_stranger_without_a_signature_leaves_no_trace(client):
    client.post(PATH, b"[]", content_type="application/json")

    assert not Arrival.objects.exists()


# --- hints ------------------------------------------------------------------------------------------


def test_a_flood_of_one_record_is_one_row_and_costs_one_look(client, crm, there):
    _, record_id = a_linked(crm)
    there.sandbox.state.log.clear()

    for _ in range(100):
        post(client, *[an_event("contact", object_id=int(record_id))] * 100)

    assert Hint.objects.count() == 1
    look_at_all(crm)
    assert len(there.seen()) == 2  # the contact, and which deals it has
    assert not Hint.objects.exists()


def test_the_oldest_are_looked_at_first_and_each_by_one_worker():
    at = database_time()
    Hint.objects.note([("deal", "2")], at - timedelta(minutes=1))
    Hint.objects.note([("deal", "1"), ("deal", "2")], at)

    first, second, third = (Hint.objects.claim(at, at, limit=1) for _ in range(3))

    assert [[hint.record_id for hint in each] for each in (first, second, third)] == [
        ["2"], ["1"], []
    ]  # fmt: skip


def test_what_is_heard_of_while_it_is_looked_at_is_looked_at_again():
    at = database_time()
    Hint.objects.note([("deal", "1"), ("deal", "2")], at)
    held = Hint.objects.claim(at, at)
    Hint.objects.note([("deal", "2")], at)

    Hint.objects.settle(held, at)

    assert [hint.record_id for hint in Hint.objects.due(at)] == ["2"]


def test_the_hints_of_a_worker_that_died_fall_due_again():
    at = database_time()
    Hint.objects.note([("deal", "1")], at)
    Hint.objects.claim(at, at)

    assert not Hint.objects.claim(at + LEASE / 2, at)
    assert Hint.objects.claim(at + LEASE, at)


def test_a_hint_that_ends_every_worker_is_given_up(crm):
    at = database_time()
    Hint.objects.note([("deal", "1")], at)
    Hint.objects.update(tries=MOST_TRIES)

    apply_due_hints(crm, at, at)

    assert not Hint.objects.exists()


def test_hints_that_nobody_asks_for_are_forgotten_after_a_day(settings):
    from crm_sync.connect import connect

    at = database_time()
    Hint.objects.note([("deal", "1")], at - KEPT - timedelta(minutes=1))
    Hint.objects.note([("deal", "2")], at)

    apply_due_hints(connect(), at, at)

    assert hinted() == {("deal", "2")}


@pytest.mark.django_db(transaction=True)
def test_requests_and_workers_at_once_do_not_wait_for_each_other(client):
    def ask(number):
        at = database_time()
        forward = [("deal", str(each)) for each in range(30)]
        Hint.objects.note(forward if number % 2 else forward[::-1], at)
        held = Hint.objects.claim(at, at, limit=20)
        (Hint.objects.settle if number % 3 else Hint.objects.put_back)(held, at)
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(80)))

    assert Hint.objects.count() <= 30


# --- the bell ---------------------------------------------------------------------------------------


class Rings(list):
    def send_task(self, name, countdown, expires):
        self.append((name, countdown))


@pytest.fixture
def rings(monkeypatch):
    heard = Rings()
    monkeypatch.setattr(wakeup, "current_app", heard)
    return heard


def test_many_requests_ring_once_until_a_worker_begins(
    client, rings, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            post(client, an_event())
    assert rings == [("crm_sync.tasks.look_at_hints", 0.5)]

    wakeup.acknowledge(hint_wakeup.TASK)
    hint_wakeup.wake_for_hints()

    assert len(rings) == 2


def test_the_bell_names_a_task_that_there_is():
    from leadscoring.celery import app

    assert hint_wakeup.TASK in app.tasks
    assert hint_wakeup.TASK in app.conf.beat_schedule


def test_with_redis_away_the_hint_is_kept_and_the_next_ring_is_spared(
    client, settings, monkeypatch, django_capture_on_commit_callbacks
):
    class Away:
        asked = 0

        def add(self, *args, **kwargs):
            from redis import ConnectionError

            Away.asked += 1
            raise ConnectionError

    monkeypatch.setattr(wakeup, "cache", Away())
    monkeypatch.setattr(wakeup, "broker", OutageMemory(wakeup.KNOWN_FOR))
    with django_capture_on_commit_callbacks(execute=True):
        assert [post(client, an_event()), post(client, an_event())] == [204, 204]

    assert (Away.asked, hinted()) == (1, {("deal", "7")})


# --- the look ---------------------------------------------------------------------------------------


def test_a_stage_that_changed_changes_the_effect(crm, there):
    ada, record_id = a_linked(crm)
    deal_id = there.add_deal("Acme", there.open_stage, record_id)

    hint_and_look(crm, ("deal", deal_id))

    assert state_of(ada).effect == "pause"
    assert not Hint.objects.exists()


def test_an_association_that_ended_is_seen_from_either_end(crm, there):
    ada, record_id = a_linked(crm)
    deal_id = there.add_deal("Acme", there.open_stage, record_id)
    hint_and_look(crm, ("deal", deal_id))
    path = f"/crm/v4/objects/deals/{deal_id}/associations/contacts/{record_id}"
    there.ask("DELETE", path)

    hint_and_look(crm, ("deal", deal_id))

    assert state_of(ada).effect == "none"


def test_a_deal_that_was_deleted_lets_its_people_go_and_one_restored_takes_them_back(crm, there):
    ada, record_id = a_linked(crm)
    deal_id = there.add_deal("Acme", there.open_stage, record_id)
    hint_and_look(crm, ("deal", deal_id))
    there.ask("DELETE", f"/crm/v3/objects/deals/{deal_id}")
    hint_and_look(crm, ("deal", deal_id))
    released = state_of(ada).effect, Deal.objects.count()

    store = there.sandbox.store
    store.restore(store.records["deals"][deal_id], now())
    hint_and_look(crm, ("deal", deal_id))

    assert released == ("none", 0)
    assert state_of(ada).effect == "pause"


def test_a_record_that_was_deleted_holds_and_one_restored_lets_go(crm, there):
    ada, record_id = a_linked(crm)
    there.archive(record_id)
    hint_and_look(crm, ("contact", record_id))
    held = state_of(ada).effect

    store = there.sandbox.store
    store.restore(store.records["contacts"][record_id], now())
    hint_and_look(crm, ("contact", record_id))

    assert (held, state_of(ada).effect) == ("pause", "none")


def test_a_merge_is_followed(crm, there):
    ada, old = a_linked(crm)
    new = there.merge(there.add_contact("byron@engines.example"), old)
    there.add_deal("Acme", there.open_stage, new)

    hint_and_look(crm, ("contact", old), ("contact", new))

    assert Link.objects.get(contact=ada).record_id == new
    assert state_of(ada).effect == "pause"


def merged_away(there, old):
    """Let a record go as in a CRM that forgets merged ids; answer the one that it became."""
    new = there.add_contact("byron@engines.example")
    there.archive(old)
    return new


def merge_hint(old, new):
    return CrmHint("contact", old, "merged", MONDAY, merged_into=new)


def test_a_merge_that_the_crm_tells_in_a_hint_alone_is_followed(crm, there):
    contact, old = a_linked(crm)
    new = merged_away(there, old)

    webhooks.store_hints([merge_hint(old, new)], database_time())
    look_at_all(crm)

    assert Link.objects.get(contact=contact).record_id == new
    assert (state_of(contact).record_id, state_of(contact).effect) == (new, "none")


def test_a_poll_that_comes_before_the_hint_of_a_merge_holds_mail_and_the_hint_lets_go(crm, there):
    contact, old = a_linked(crm)
    new = merged_away(there, old)
    pull_changes(crm, now(), full=True)
    held = state_of(contact).effect

    webhooks.store_hints([merge_hint(old, new)], database_time())
    look_at_all(crm)

    assert (held, state_of(contact).effect) == ("pause", "none")
    assert Link.objects.get(contact=contact).gone_at is None


def test_two_people_whom_a_hint_calls_one_become_one(
    crm, there, django_capture_on_commit_callbacks
):
    (_, old), (byron, new) = a_linked(crm), a_linked(crm, "byron@engines.example")
    there.archive(old)
    webhooks.store_hints([merge_hint(old, new)], database_time())

    with django_capture_on_commit_callbacks(execute=True):
        look_at_all(crm)

    assert list(Contact.objects.values_list("pk", flat=True)) == [byron.pk]
    assert Link.objects.get().record_id == new


def test_a_later_hint_of_the_same_record_does_not_forget_what_it_became():
    at = database_time()
    webhooks.store_hints([merge_hint("7", "9")], at)

    webhooks.store_hints([CrmHint("contact", "7", "changed", MONDAY)], at)

    assert Hint.objects.get().merged_into == "9"


def test_somebody_made_there_by_hand_is_found_by_address(crm, there):
    pull_changes(crm, MONDAY)
    ada = a_contact(ADA)
    sequence = Sequence.objects.create(name="nurture")
    times = {"entered_at": MONDAY, "changed_at": MONDAY, "next_at": MONDAY}
    Enrollment.objects.create(contact=ada, sequence=sequence, by="test", **times)
    record_id = there.add_contact("Ada@Engines.example")

    hint_and_look(crm, ("contact", record_id))

    assert Link.objects.get(contact=ada).record_id == record_id


def test_a_record_of_nobody_we_know_costs_one_look_and_goes(crm, there):
    stranger = there.add_contact("stranger@elsewhere.example")
    deal_id = there.add_deal("Theirs", there.open_stage, stranger)
    pull_changes(crm, MONDAY)
    there.sandbox.state.log.clear()

    hint_and_look(crm, ("contact", stranger), ("deal", deal_id))

    assert len(there.seen()) == 2
    assert not Hint.objects.exists()
    assert not Link.objects.exists()


def test_our_own_writes_come_back_as_hints_and_cause_no_write(crm, there):
    ada, record_id = a_linked(crm)
    before = state_of(ada)
    there.sandbox.state.log.clear()

    hint_and_look(crm, ("contact", record_id))

    asked = {(call["method"], call["path"].rpartition("/")[2]) for call in there.seen()}
    assert asked == {("POST", "read")}
    assert state_of(ada).since == before.since


def test_a_look_that_failed_leaves_the_hint_and_says_why(crm, there):
    ada, record_id = a_linked(crm)
    there.add_deal("Acme", there.open_stage, record_id)
    there.trouble("status", "/crm/v3/objects/contacts", status=503)
    hint_and_look(crm, ("contact", record_id))
    left = hinted()
    failures = Breaker.objects.get(work=Breaker.Work.PULL).failures

    look_at_all(crm)

    assert (left, failures) == ({("contact", record_id)}, 1)
    assert state_of(ada).effect == "pause"
    assert breaker_reason(crm, Breaker.Work.PULL, database_time()) == ""


def test_while_the_pull_is_held_nobody_is_asked(crm, there):
    there.revoke()
    hint_and_look(crm, ("contact", "1"))
    there.sandbox.state.log.clear()

    look_at_all(crm)

    assert there.seen() == []
    assert hinted() == {("contact", "1")}


def test_two_workers_do_not_look_at_once_and_the_second_rings(crm, rings):
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [HINTS])
        hint_and_look(crm, ("contact", "1"))
        cursor.execute("SELECT pg_advisory_unlock(%s)", [HINTS])
    other.close()

    assert hinted() == {("contact", "1")}
    assert len(rings) == 1


def test_a_batch_of_hints_costs_a_fixed_number_of_queries(
    crm, there, django_assert_max_num_queries
):
    for _ in range(100):
        a_handoff()
    deliver_due(crm, MONDAY)
    pull_changes(crm, MONDAY)
    at = database_time()
    Hint.objects.note(
        [("contact", id_) for id_ in Link.objects.values_list("record_id", flat=True)], at
    )

    with django_assert_max_num_queries(50):
        assert apply_due_hints(crm, at, at) == 100


# --- the CRM sends ------------------------------------------------------------------------------------


@pytest.fixture
def sending(crm, there, live_server, settings):
    """The stand-in tells the real view of everything; waits until it was taken."""
    settings.BASE_URL = live_server.url

    def tell(**dials):
        given = {
            "webhook_url": live_server.url + PATH,
            "webhook_secret": SECRET,
            "webhook_backoff": 0.05,
        }
        there.ask("POST", "/sandbox/settings", given | dials)
        return there.sandbox.state.webhooks

    yield tell
    there.sandbox.state.webhooks.stop()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("generic", [False, True])
def test_what_sales_does_reaches_our_picture_through_the_real_door(crm, there, sending, generic):
    ada, record_id = a_linked(crm)
    sender = sending(webhook_generic=generic, webhook_twice=0.5, webhook_reorder=True)

    deal_id = there.add_deal("Acme", there.open_stage, record_id)
    assert sender.settled()
    look_at_all(crm)
    paused = state_of(ada).effect
    there.ask("DELETE", f"/crm/v4/objects/deals/{deal_id}/associations/contacts/{record_id}")
    assert sender.settled()
    look_at_all(crm)

    assert (paused, state_of(ada).effect) == ("pause", "none")
    assert {attempt["status"] for attempt in sender.log} == {204}


@pytest.mark.django_db(transaction=True)
def test_merges_and_erasures_reach_it_too(crm, there, sending):
    ada, old = a_linked(crm)
    bob, bobs = a_linked(crm, "bob@engines.example")
    sender = sending()

    new = there.merge(there.add_contact("byron@engines.example"), old)
    there.erase(bobs)
    assert sender.settled()
    look_at_all(crm)

    assert Link.objects.get(contact=ada).record_id == new
    assert not Contact.objects.filter(pk=bob.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_not_taken_is_sent_again(crm, there, sending, settings):
    settings.HUBSPOT_CLIENT_SECRET = "not yet known here"
    sender = sending()
    record_id = there.add_contact(ADA)
    assert not sender.settled(0.3)

    settings.HUBSPOT_CLIENT_SECRET = SECRET

    assert sender.settled()
    assert sender.log[-1]["attempt"] >= 1
    assert ("contact", record_id) in hinted()


@pytest.mark.django_db(transaction=True)
def test_lost_webhooks_change_nothing_in_the_end(crm, there, sending):
    ada, record_id = a_linked(crm)
    sender = sending(webhook_lost=1.0)
    there.add_deal("Acme", there.open_stage, record_id)
    assert sender.settled()
    look_at_all(crm)
    unseen = state_of(ada).effect

    pull_changes(crm, MONDAY + timedelta(minutes=1))

    assert (unseen, state_of(ada).effect) == ("none", "pause")

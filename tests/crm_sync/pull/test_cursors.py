"""What changed in the CRM is found by search: all of it, however late, alike or much; none of it twice."""

from dataclasses import replace
from datetime import timedelta
from itertools import takewhile
from typing import Final

import pytest
from django.utils.timezone import now

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.records import search
from crm_sync.models import AppliedChange, Cursor, Deal, Link
from crm_sync.models.cursors import LATE_KEPT, STEP
from crm_sync.port import CrmBusy
from crm_sync.pull import cursors
from crm_sync.pull.run import PullRun
from tests.crm_sync.reading import a_linked, a_visit, asked, effect_of, look_back

pytestmark = pytest.mark.django_db

DEALS: Final = "deals"
CONTACTS: Final = "contacts"


def follow(crm, kind, **more):
    visit = a_visit(crm, **more)
    return cursors.follow_changes(visit, kind).get(kind), visit.report


def move(there, deal_id, stage="closedwon", **more):
    properties = {"dealstage": stage, **more}
    there.ask("PATCH", f"/crm/v3/objects/deals/{deal_id}", {"properties": properties})


def an_import(there, number):
    """Deals with one modified time."""
    store, at = there.sandbox.store, now().replace(microsecond=0) - timedelta(seconds=1)
    return {store.create("deals", at).id for _ in range(number)}


# --- what is found --------------------------------------------------------------------------------


def test_a_deal_that_changed_changes_the_effect_of_its_contacts(crm, there):
    ada, record_id = a_linked(crm, there)
    look_back(crm)
    deal_id = there.add_deal("Acme", there.open_stage, record_id)
    follow(crm, DEALS)
    before = effect_of(ada)

    move(there, deal_id)
    follow(crm, DEALS)

    assert (before, effect_of(ada)) == ("pause", "stop")


def test_only_those_whom_a_change_is_about_are_asked_for(crm, there):
    a_linked(crm, there)
    _, record_id = a_linked(crm, there)
    look_back(crm)
    there.add_deal("Acme", there.open_stage, record_id)

    _, report = follow(crm, DEALS)

    assert (report.contacts, report.deals) == (1, 1)


def test_a_deal_without_a_contact_is_nobodys(crm, there):
    look_back(crm)
    there.add_deal("Nobody's", there.won_stage)

    _, report = follow(crm, DEALS)

    assert (report.contacts, Deal.objects.count(), AppliedChange.objects.count()) == (0, 0, 1)


def test_a_deal_that_hangs_on_another_contact_now_frees_the_first(crm, there):
    (ada, first), (bob, second) = a_linked(crm, there), a_linked(crm, there)
    look_back(crm)
    deal_id = there.add_deal("Acme", there.open_stage, first)
    follow(crm, DEALS)

    links = there.sandbox.store.links
    links.remove(("deals", deal_id), ("contacts", first))
    links.add(("deals", deal_id), ("contacts", second), [3])
    move(there, deal_id, dealname="Acme II", stage="contractsent")
    follow(crm, DEALS)

    assert (effect_of(ada), effect_of(bob)) == ("none", "pause")


def test_a_stage_that_nobody_knows_yet_is_read_when_a_deal_is_in_it(crm, there):
    ada, record_id = a_linked(crm, there)
    look_back(crm)

    there.add_deal("Acme", there.won_stage, record_id)
    follow(crm, DEALS)

    assert effect_of(ada) == "stop"


def test_a_contact_that_changed_is_known_by_its_record_its_address_or_what_it_was_merged_from(
    crm, there
):
    (ada, first), (bob, second) = a_linked(crm, there), a_linked(crm, there)
    look_back(crm)
    merged = there.merge(there.add_contact("byron@engines.example"), first)
    there.opt_out(second)

    follow(crm, CONTACTS)

    assert Link.objects.get(contact=ada).record_id == merged
    assert Link.objects.get(contact=bob).opted_out


def test_somebody_who_is_new_there_is_known_by_the_address(crm, there):
    from tests.crm_sync.pull.test_pull import an_enrolled

    ada, _ = a_linked(crm, there)
    Link.objects.all().delete()
    an_enrolled(ada)
    look_back(crm)
    there.sandbox.store.archive(next(there.sandbox.store.live("contacts")), now())

    anew = there.add_contact(ada.email)
    follow(crm, CONTACTS)

    assert Link.objects.get(contact=ada).record_id == anew


# --- the cursor -----------------------------------------------------------------------------------


def test_the_first_time_only_sets_the_cursor(crm, there):
    _, record_id = a_linked(crm, there)
    there.add_deal("Acme", there.open_stage, record_id)

    as_of, report = follow(crm, DEALS)

    assert (as_of, report.contacts) == (None, 0)
    assert Cursor.objects.get(pk=DEALS).position <= now()


def test_what_overlaps_is_not_applied_again(crm, there):
    _, record_id = a_linked(crm, there)
    look_back(crm)
    there.add_deal("Acme", there.open_stage, record_id)
    follow(crm, DEALS)
    there.sandbox.state.log.clear()

    _, report = follow(crm, DEALS)

    assert report.contacts == 0
    assert [each["path"] for each in there.seen()] == ["/crm/v3/objects/deals/search"]


def test_a_cursor_moves_on_while_nothing_changes_and_forgets_what_no_search_gives_any_more(
    crm, there
):
    there.add_deal("Nobody's", there.won_stage)
    look_back(crm)
    follow(crm, DEALS)

    for _ in range(7):
        Cursor.objects.update(at=now() - timedelta(minutes=1))
        follow(crm, DEALS)

    assert Cursor.objects.get(pk=DEALS).position > now() + timedelta(minutes=6)
    assert not AppliedChange.objects.exists()


def test_a_leap_of_our_clock_moves_a_cursor_by_a_step_alone(crm, there):
    there.add_deal("Nobody's", there.won_stage)
    look_back(crm)
    follow(crm, DEALS)
    before = Cursor.objects.get(pk=DEALS).position
    Cursor.objects.update(at=now() - timedelta(hours=7))

    follow(crm, DEALS)

    assert Cursor.objects.get(pk=DEALS).position == before + STEP


def test_all_is_known_up_to_the_beginning_of_the_search_less_the_lag_of_the_index(crm):
    look_back(crm)
    before = now()

    as_of, _ = follow(crm, DEALS)

    lag = crm.capabilities.index_lag
    assert before - lag <= as_of <= now() - lag


def test_a_search_that_could_not_be_finished_vouches_for_nothing(crm, there):
    look_back(crm)
    there.add_deal("Acme", there.open_stage)

    as_of, _ = follow(crm, DEALS, seconds=-1)

    assert (as_of, AppliedChange.objects.count()) == (None, 0)


@pytest.mark.parametrize("place", ["pull.looked", "pull.applied"])
def test_a_pull_that_dies_anywhere_repeats_and_does_not_skip(crm, there, monkeypatch, place):
    ada, record_id = a_linked(crm, there)
    look_back(crm)
    there.add_deal("Acme", there.open_stage, record_id)

    def die(name):
        if name == place:
            raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(cursors, "reach", die)
        with pytest.raises(SystemExit):
            follow(crm, DEALS)
    nothing = effect_of(ada), AppliedChange.objects.count()
    follow(crm, DEALS)

    assert nothing == ("none", 0)
    assert effect_of(ada) == "pause"


def test_a_record_from_the_future_does_not_hide_what_comes_before_it(crm, there):
    ada, record_id = a_linked(crm, there)
    look_back(crm)
    store = there.sandbox.store
    store.create("deals", now() + timedelta(days=365))
    follow(crm, DEALS)

    there.add_deal("Acme", there.open_stage, record_id)
    follow(crm, DEALS)

    assert effect_of(ada) == "pause"


# --- an index that lags ---------------------------------------------------------------------------


def test_a_change_that_comes_late_into_the_index_is_found_and_widens_the_overlap(crm, there):
    ada, record_id = a_linked(crm, there)
    look_back(crm)
    late = there.sandbox.store.create("deals", now() + timedelta(minutes=3))
    there.sandbox.store.create("deals", now() + timedelta(minutes=6, seconds=30))
    lagging = late.created_at
    late.created_at = now() + timedelta(days=1)  # not in the index yet
    there.sandbox.settings.search_lag = -600.0  # the rest is
    follow(crm, DEALS)

    late.created_at = lagging
    there.sandbox.store.links.add(("deals", late.id), ("contacts", record_id), [3])
    follow(crm, DEALS)

    cursor = Cursor.objects.get(pk=DEALS)
    assert effect_of(ada) == "pause"  # its stage is nobody's
    assert timedelta(minutes=3) < cursor.late_by < timedelta(minutes=4)
    lag, overlap = crm.capabilities.index_lag, crm.capabilities.search_overlap
    assert cursor.overlap(overlap, now()) == 2 * cursor.late_by > overlap
    assert cursor.lag(lag, now()) == cursor.late_by
    assert cursor.overlap(overlap, now() + LATE_KEPT) == overlap


def test_a_deal_read_by_id_that_the_search_did_not_give_tells_how_late_the_index_is(crm, there):
    ada, record_id = a_linked(crm, there)
    deal_id = there.add_deal("Acme", there.open_stage, record_id)
    a_visit(crm).see([ada.pk])
    look_back(crm)
    move(there, deal_id)
    Cursor.objects.update(position=now() + timedelta(minutes=4))

    a_visit(crm).see([ada.pk])

    assert Cursor.objects.get(pk=DEALS).late_by > timedelta(minutes=3, seconds=50)


# --- much, and alike ------------------------------------------------------------------------------


def test_more_deals_of_one_time_than_a_search_can_give_are_all_found_and_none_is_applied_twice(
    crm, there
):
    look_back(crm)
    imported = an_import(there, 12_000)

    follow(crm, DEALS)
    asked_for = len(asked(there, "associations/deals/contacts"))
    follow(crm, DEALS)

    assert set(AppliedChange.objects.values_list("record_id", flat=True)) == imported
    assert asked_for == len(asked(there, "associations/deals/contacts")) == 12


@pytest.fixture
def short_turns(crm, monkeypatch):
    """A turn manages three changes, then it is over."""
    monkeypatch.setattr(search.search_changes, "__defaults__", (3,))
    monkeypatch.setattr(HubSpot, "capabilities", replace(crm.capabilities, changes_at_once=3))

    def turn(work=lambda: None):
        looks = iter((False, True))
        monkeypatch.setattr(PullRun, "is_over", lambda visit: next(looks, True))
        work()
        return follow(crm, DEALS)[0]

    return turn


def test_changes_that_no_turn_can_manage_are_applied_over_several(there, crm, short_turns):
    look_back(crm)
    store, at = there.sandbox.store, now() - timedelta(seconds=1)  # the index shows no time to come
    made = {store.create("deals", at + timedelta(milliseconds=number)).id for number in range(20)}

    turns = takewhile(lambda turn: turn is None, (short_turns() for _ in range(20)))

    assert 3 < len(list(turns)) < 20
    assert set(AppliedChange.objects.values_list("record_id", flat=True)) == made


def test_a_change_that_comes_late_while_a_search_takes_several_turns_is_found(
    there, crm, short_turns
):
    ada, record_id = a_linked(crm, there)
    look_back(crm)
    store, at = there.sandbox.store, now() - timedelta(seconds=1)  # the index shows no time to come
    late = store.create("deals", at + timedelta(milliseconds=1))
    for number in range(2, 20):
        store.create("deals", at + timedelta(milliseconds=number))
    entered, late.created_at = late.created_at, at + timedelta(days=1)  # not in the index yet
    short_turns()
    late.created_at = entered
    store.links.add(("deals", late.id), ("contacts", record_id), [3])

    def far_ahead():  # changes went on for longer than the overlap
        position = now() + timedelta(hours=1)
        Cursor.objects.update(position=position, at=now(), resume_at=position)

    short_turns(far_ahead)
    for _ in range(2):  # the search that ends, and the next one, which looks back over its turns
        turns = takewhile(lambda turn: turn is None, (short_turns() for _ in range(30)))
        assert len(list(turns)) < 30

    assert effect_of(ada) == "pause"  # its stage is nobody's


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 6, 7])
def test_ties_end_where_pages_end(crm, there, number):
    store, at = there.sandbox.store, now().replace(microsecond=0) - timedelta(seconds=1)
    times = [at, *[at + timedelta(milliseconds=5)] * number, at + timedelta(milliseconds=9)]
    ids = [store.create("deals", time).id for time in times]

    found = [one for page in search.search_changes(crm._client, DEALS, at, page=3) for one in page]

    assert [change.record_id for change in found] == ids


def test_records_that_change_while_they_are_listed_hide_no_others(crm, there):
    ids = [there.add_deal(f"Deal {number}", there.open_stage) for number in range(7)]
    found = []

    for page in search.search_changes(crm._client, DEALS, now() - timedelta(minutes=1), page=3):
        found += [change.record_id for change in page]
        if len(found) < 4:
            move(there, ids[0])

    assert set(found) == set(ids)


def test_a_search_that_gives_other_records_than_asked_for_is_no_answer(crm, there):
    there.add_deal("Acme", there.open_stage)
    old = {"id": "1", "properties": {"hs_lastmodifieddate": "2020-01-01T00:00:00Z"}}
    body = {"total": 9, "results": [old]}
    there.trouble("status", "/crm/v3/objects/deals/search", status=200, body=body, times=9)

    with pytest.raises(CrmBusy):
        list(search.search_changes(crm._client, DEALS, now(), page=1))

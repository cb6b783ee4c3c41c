"""What no search shows is found by looking again: associations, deletions, people who are new."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils.timezone import now

from crm_sync import budget_shares, tasks
from crm_sync.models import Link, PullReport, Round
from crm_sync.port import CrmBudget
from crm_sync.pull import freshness, sweep
from crm_sync.pull.poll import pull_changes
from leadscoring.models import CrmFreshness, CrmState
from tests.crm_sync.makers import a_contact
from tests.crm_sync.pull.test_pull import an_enrolled
from tests.crm_sync.reading import a_linked, a_visit, asked, effect_of

pytestmark = pytest.mark.django_db

OLD = timedelta(hours=1)


def swept(crm, part=sweep.sweep_associations, **more):
    visit = a_visit(crm, **more)
    part(visit)
    return visit.report


def records(visit, **more):
    return list(sweep.sweep_records(visit, **{"all_at_once": False, **more}))


def age(contact, by=OLD):
    CrmState.objects.filter(contact=contact).update(seen_at=now() - by)


def as_of(kind):
    return CrmFreshness.objects.get(pk=kind).as_of


# --- associations -----------------------------------------------------------------------------------


def test_an_association_added_to_an_old_deal_changes_the_effect(crm, there):
    ada, record_id = a_linked(crm, there)
    deal_id = there.add_deal("Acme", there.won_stage)
    there.sandbox.store.links.add(("deals", deal_id), ("contacts", record_id), [3])

    swept(crm)

    assert effect_of(ada) == "stop"


def test_an_association_that_was_removed_lets_mail_go_on(crm, there):
    ada, record_id = a_linked(crm, there)
    deal_id = there.add_deal("Acme", there.won_stage, record_id)
    swept(crm)
    before = effect_of(ada)
    Round.objects.all().delete()

    there.sandbox.store.links.remove(("deals", deal_id), ("contacts", record_id))
    swept(crm)

    assert (before, effect_of(ada)) == ("stop", "none")


@pytest.mark.parametrize("what", ["archive", "merge"])
def test_a_deal_that_was_deleted_or_merged_away_is_found_by_its_contacts(crm, there, what):
    ada, record_id = a_linked(crm, there)
    deal_id = there.add_deal("Acme", there.won_stage, record_id)
    swept(crm)
    Round.objects.all().delete()

    store = there.sandbox.store
    if what == "archive":
        store.archive(store.records["deals"][deal_id], now())
    else:
        both = {"primaryObjectId": there.add_deal("A", there.open_stage, record_id)}
        both["objectIdToMerge"] = deal_id
        deal_id = there.ask("POST", "/crm/v3/objects/deals/merge", both)["id"]
    swept(crm)

    deals = [deal["id"] for deal in CrmState.objects.get(contact=ada).deals]
    assert deals == ([] if what == "archive" else [deal_id])


def test_associations_cost_one_request_for_a_thousand_people_and_only_the_changed_are_looked_at(
    crm, there
):
    for _ in range(3):
        a_linked(crm, there)
    there.sandbox.state.log.clear()

    report = swept(crm)

    assert report.contacts == 0
    assert len(there.seen()) == 1


def test_associations_are_read_anew_before_what_is_known_is_too_old_to_send_by(crm, settings):
    swept(crm)
    first = Round.objects.get().whole_since
    swept(crm)
    second = Round.objects.get().whole_since
    Round.objects.update(whole_since=first - timedelta(seconds=601))

    swept(crm)

    assert second == first
    assert Round.objects.get().whole_since > first
    assert settings.CRM_MAX_AGE_SECONDS > 601


def test_very_many_people_never_take_more_than_their_share_of_the_day(crm):
    whole = Round(whole_people=1_000_000)

    pause = sweep.sweep_pause(a_visit(crm), whole)

    assert timedelta(days=1) / pause * 1_000 <= 0.25 * crm.capabilities.daily_allowance


def test_a_sweep_that_was_cut_short_goes_on_where_it_was(crm, there, monkeypatch):
    two_at_once = replace(crm.capabilities, people_at_once=2)
    monkeypatch.setattr(type(crm), "capabilities", two_at_once)
    people = [a_linked(crm, there)[0] for _ in range(5)]
    begun = Round.of(Round.Kind.ASSOCIATIONS)
    begun.begin(now())
    begun.passed(people[1].pk, 2, now())
    there.sandbox.state.log.clear()

    swept(crm)

    assert len(there.seen()) == 2
    assert Round.objects.get().whole_people == 5
    assert Round.objects.get().whole_since == begun.began_at


# --- people who are new, people who are about to be mailed --------------------------------------------


def test_whoever_was_never_looked_at_is_looked_at_at_once(crm, there):
    ada = a_contact()
    there.add_deal("Acme", there.won_stage, there.add_contact(ada.email))
    an_enrolled(ada)

    swept(crm, sweep.refresh_never_seen)

    assert effect_of(ada) == "stop"


def test_nobody_is_looked_at_for_the_first_time_twice(crm, monkeypatch):
    monkeypatch.setattr(sweep, "CHUNK", 2)
    for _ in range(5):
        an_enrolled(a_contact())

    reports = [swept(crm, sweep.refresh_never_seen).contacts for _ in range(2)]

    assert reports == [5, 0]


def test_the_record_of_whoever_is_about_to_be_mailed_is_read_when_the_last_look_is_old(crm, there):
    ada, record_id = a_linked(crm, there)
    an_enrolled(ada)
    there.archive(record_id)
    recent = swept(crm, sweep.refresh_due_for_mail).contacts
    age(ada)

    swept(crm, sweep.refresh_due_for_mail)

    assert recent == 0
    assert effect_of(ada) == "pause"


# --- everybody's records ------------------------------------------------------------------------------


def test_a_deleted_record_is_found_without_a_search(crm, there):
    ada, record_id = a_linked(crm, there)
    there.archive(record_id)
    there.sandbox.state.log.clear()

    records(a_visit(crm))

    assert effect_of(ada) == "pause"
    assert Link.objects.get(contact=ada).gone_at
    assert not asked(there, "search")


def test_the_first_round_takes_everybody_and_later_ones_what_the_budget_allows(crm, monkeypatch):
    monkeypatch.setattr(sweep, "CHUNK", 2)
    monkeypatch.setattr(sweep, "FEWEST", 3)
    monkeypatch.setattr(sweep, "people_a_minute", lambda crm: 0.3)
    for _ in range(7):
        an_enrolled(a_contact())

    rounds = [records(a_visit(crm)) for _ in range(4)]

    assert rounds == [[2, 2, 2, 1], [2, 1], [2, 1], [1]]


def test_a_full_pull_reads_everybody_from_the_beginning(crm, monkeypatch):
    monkeypatch.setattr(sweep, "FEWEST", 1)
    monkeypatch.setattr(sweep, "people_a_minute", lambda crm: 0.1)
    for _ in range(3):
        an_enrolled(a_contact())
    pull_changes(crm, now())
    pull_changes(crm, now())

    report = pull_changes(crm, now(), full=True)

    assert report.contacts == 3


def test_fifty_thousand_people_are_seen_again_within_three_hours_for_four_percent_of_a_small_day(
    crm,
):
    a_minute = sweep.people_a_minute(crm)

    assert 50_000 / a_minute < 180
    assert a_minute * 1440 / 100 * crm.capabilities.read_cost <= 0.04 * 250_000


def test_a_small_budget_reads_a_part_when_it_has_come_together(crm, monkeypatch):
    monkeypatch.setattr(sweep, "FEWEST", 3)
    for _ in range(7):
        an_enrolled(a_contact())
    records(a_visit(crm))
    monkeypatch.setattr(sweep, "people_a_minute", lambda crm: 0.1)
    Round.objects.update(looked_at=now() - timedelta(minutes=29))
    too_early = records(a_visit(crm))
    Round.objects.update(looked_at=now() - timedelta(minutes=31))

    assert too_early == []
    assert records(a_visit(crm)) == [3]


# --- how often --------------------------------------------------------------------------------------


def with_budget(a_day: int, poll_cost: float):
    """A CRM whose whole account may spend so much a day."""
    return SimpleNamespace(
        connected=True,
        budget=lambda: CrmBudget(None, None, 0, a_day, unit="tokens"),
        capabilities=SimpleNamespace(poll_cost=poll_cost),
    )


def test_a_large_budget_is_asked_as_often_as_the_setting_says(settings):
    settings.CRM_POLL_SECONDS = 60
    PullReport.objects.create(started_at=now())

    assert sweep.is_poll_due(with_budget(250_000, 2), now())
    assert sweep.poll_sentence(with_budget(250_000, 2)) == "Changes there are seen within 1 min."


def test_a_small_one_is_asked_as_often_as_it_allows(settings):
    settings.CRM_POLL_SECONDS = 60
    small, at = with_budget(30_000, 20), now()
    never = sweep.is_poll_due(small, at)
    PullReport.objects.create(started_at=at)

    assert never
    assert not sweep.is_poll_due(small, at + timedelta(minutes=5))
    assert sweep.is_poll_due(small, at + timedelta(minutes=6))
    assert sweep.poll_sentence(small) == "Changes there are seen within 6 min."


def test_beat_wakes_the_pull_and_a_small_budget_lets_it_sleep_on(crm, monkeypatch):
    monkeypatch.setattr("crm_sync.tasks.connect", lambda: crm)
    monkeypatch.setattr(budget_shares, "POLL", 1e-9)
    PullReport.objects.create(started_at=now())

    tasks.pull_crm()

    assert Round.objects.count() == 0


def test_how_long_a_round_takes_is_told(crm, there):
    a_linked(crm, there)
    before = sweep.sweep_sentence()
    records(a_visit(crm))
    one = sweep.sweep_sentence()
    Round.objects.update(
        whole_people=48_000, whole_since=now() - timedelta(minutes=165), whole_until=now()
    )

    assert before == "Not everybody has been looked at yet."
    assert one == "The one person of interest to the CRM seen again within 1 min."
    assert (
        sweep.sweep_sentence()
        == "All 48,000 people of interest to the CRM seen again within 2 h 46 min."
    )


# --- freshness ----------------------------------------------------------------------------------------


def test_nothing_is_vouched_for_before_everybody_was_looked_at(crm):
    an_enrolled(a_contact())

    pull_changes(crm, now(), seconds=-1)
    early = CrmFreshness.oldest()
    pull_changes(crm, now())

    assert early is None
    assert CrmFreshness.oldest() is not None


def test_associations_are_as_old_as_the_beginning_of_the_last_whole_sweep(crm):
    pull_changes(crm, now())
    since = now() - timedelta(minutes=20)
    CrmFreshness.objects.update(as_of=since)
    Round.objects.filter(pk=Round.Kind.RECORDS).update(whole_since=since, whole_until=since)
    begun = Round.of(Round.Kind.ASSOCIATIONS)
    begun.begin(now() - timedelta(minutes=5))
    begun.end(now())

    freshness.sweep_freshness()

    assert as_of("associations") == begun.whole_since
    assert as_of("deals") == as_of("contacts") == since


def test_what_is_known_up_to_an_instant_never_goes_back(crm):
    pull_changes(crm, now())
    before = CrmFreshness.oldest()

    freshness.search_freshness({"deals": before - OLD})

    assert CrmFreshness.oldest() == before


def test_two_looks_at_one_person_at_once_leave_nobody_to_vouch_for_either(crm, there):
    from crm_sync.pull.apply import apply_snapshot
    from crm_sync.pull.fetch import fetch_snapshot

    ada, record_id = a_linked(crm, there)
    visit = a_visit(crm)
    slow = fetch_snapshot(crm, [ada.pk])
    there.add_deal("Acme", there.won_stage, record_id)
    visit.see([ada.pk])

    apply_snapshot(crm, visit.account, slow, visit.at)
    unknown = not CrmState.objects.filter(contact=ada).exists()
    swept(crm, sweep.refresh_never_seen)

    assert unknown
    assert effect_of(ada) == "stop"

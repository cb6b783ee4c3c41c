"""Deals of people who own them, take part in them, or may not see them."""

from datetime import UTC, datetime, timedelta

import pytest

from crm_sync.pipedrive.records.changes import changes_since
from tests.port.pipedrive_side import DEALS

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def people(there):
    return [there.add_contact(f"{name}@x.example") for name in ("ada", "bob", "eve")]


def names(pipedrive, record_id):
    return sorted(deal.name for deal in pipedrive.deals_of([record_id])[record_id])


@pytest.mark.parametrize("listed", [True, False])
def test_who_takes_part_in_a_deal_has_it(pipedrive, there, dials, people, listed):
    dials.deals_of_participants = dials.persons_of_participants = listed
    ada, bob, _ = people
    shared = there.add_deal("Shared", there.open_stage, ada, bob)
    there.add_deal("Bob's", there.open_stage, bob)

    assert [names(pipedrive, each) for each in people] == [["Shared"], ["Bob's", "Shared"], []]
    assert sorted(pipedrive.contacts_of_deals([shared])[shared]) == sorted([ada, bob])
    assert pipedrive.deal_ids_of([bob])[bob].count(shared) == 1


@pytest.mark.parametrize("readable", [True, False])
def test_an_archived_deal_is_still_a_deal(pipedrive, there, dials, people, readable):
    dials.archived_readable = readable
    ada, bob, _ = people
    deal_id = there.add_deal("Archived", there.open_stage, ada, bob)
    archive(there, deal_id)

    assert [names(pipedrive, each) for each in (ada, bob)] == [["Archived"], ["Archived"]]
    assert set(pipedrive.contacts_of_deals([deal_id])[deal_id]) == {ada, bob}


def archive(there, deal_id):
    """People do that in the web app; there is no call for it that is described."""
    with there.sandbox.state.lock:
        record = there.sandbox.store.records["deals"][int(deal_id)]
        there.sandbox.store.write(record, {"is_archived": True}, datetime.now(UTC))


def test_a_deal_that_nobody_shows_us_holds_mail(pipedrive, there, people):
    """The person counts one that is in no list."""
    ada, bob, _ = people
    there.add_deal("Hidden", there.open_stage, ada, bob)
    participants = {"kind": "status", "status": 200, "times": None}
    empty = {"success": True, "data": []}
    for path in ("/api/v2/deals", "/v1/deals"):
        there.ask(
            "POST",
            "/sandbox/faults",
            participants | {"body": empty, "match": {"path_prefix": path}},
        )

    (unseen,) = pipedrive.deals_of([bob])[bob]

    assert not unseen.closed
    stages = {stage.stage_id for stage in pipedrive.stages()}
    assert unseen.stage_id not in stages


def test_a_closed_deal_is_in_a_stage_that_the_pipeline_tells(pipedrive, there, people):
    ada = people[0]
    for stage in (there.open_stage, there.won_stage, there.lost_stage):
        there.add_deal(stage[1], stage, ada)

    deals = pipedrive.deals_of([ada])[ada]
    told = {(stage.pipeline_id, stage.stage_id): stage for stage in pipedrive.stages()}

    assert {(deal.closed, deal.won) for deal in deals} == {
        (False, False),
        (True, True),
        (True, False),
    }
    for deal in deals:
        stage = told[deal.pipeline_id, deal.stage_id]
        assert (stage.closed, stage.won) == (deal.closed, deal.won)


def test_a_reopened_deal_is_in_its_stage_again(pipedrive, there, people):
    deal_id = there.add_deal("Back", there.won_stage, people[0])
    there.ask("PATCH", f"{DEALS}/{deal_id}", {"status": "open"})

    (deal,) = pipedrive.deals_of([people[0]])[people[0]]

    assert (deal.closed, deal.stage_id.isdigit()) == (False, True)


def test_probabilities_count_only_where_the_pipeline_uses_them(pipedrive, there):
    with there.sandbox.state.lock:
        for pipeline in there.sandbox.store.pipelines.values():
            pipeline["is_deal_probability_enabled"] = False
    without = {stage.probability for stage in pipedrive.stages() if not stage.closed}
    with there.sandbox.state.lock:
        for pipeline in there.sandbox.store.pipelines.values():
            pipeline["is_deal_probability_enabled"] = True
    told = {stage.probability for stage in pipedrive.stages() if not stage.closed}

    assert without == {None}
    assert None not in told
    assert all(0 <= each <= 1 for each in told)


def test_people_without_deals_cost_one_request(pipedrive, people, asked):
    asked()

    pipedrive.deals_of(people)

    assert asked() == ["GET /api/v2/persons"]


def test_the_deals_of_many_are_read_at_once(pipedrive, there, asked):
    many = [there.add_contact(f"p{number}@x.example") for number in range(20)]
    for each in many:
        there.add_deal("Deal", there.open_stage, each)
    asked()

    found = pipedrive.deals_of(many)

    assert all(len(found[each]) == 1 for each in many)
    assert sorted(asked()) == [
        "GET /api/v2/deals",
        "GET /api/v2/deals/archived",
        "GET /api/v2/persons",
    ]


# --- changes


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", ["contacts", "deals"])
def test_changes_are_told_once_each_whatever_shares_a_second(pipedrive, there, kind, size):
    made = there.import_many(kind, 5)
    spread(there, kind, made[:2], timedelta(seconds=-7))
    made += there.import_many(kind, 1)

    parts = list(changes_since(pipedrive._client, kind, LONG_AGO, size))

    found = [change.record_id for part in parts for change in part]
    times = [change.changed_at for part in parts for change in part]
    assert sorted(found) == sorted(made)
    assert times == sorted(times)


def spread(there, kind, ids, by):
    kept = {"contacts": "persons", "deals": "deals"}[kind]
    with there.sandbox.state.lock:
        for id_ in ids:
            record = there.sandbox.store.records[kept][int(id_)]
            there.sandbox.store.write(record, {}, datetime.now(UTC) + by)


def test_a_fraction_of_a_second_is_not_asked_for(pipedrive, there):
    there.add_contact("ada@x.example")

    since = datetime.now(UTC).replace(microsecond=123_456) - timedelta(minutes=1)

    assert len([change for part in pipedrive.changes("contacts", since) for change in part]) == 1

"""Scores are stored with the facts they come from, and a crossing has its row."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from leadscoring import publishing, scoring
from leadscoring.models import Activity, Contact, Lifecycle, ModelVersion, ProfileChange, Score
from leadscoring.signals import threshold_crossed

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

MODEL = """
name: tests
thresholds: {mql: 10, handoff: 30, rearm_below: 15, cooldown_days: 10}
caps: {fit: 50, engagement: 50}
grades: {fit: [40, 25, 10], engagement: [40, 25, 10]}
rules:
  - {key: demo, label: Asked for a demo, group: engagement, when: {activity: demo_request}, points: 40, half_life_days: 10}
  - {key: page, label: Visited a page, group: engagement, when: {activity: page_view}, points: 1}
  - {key: boss, label: Senior job title, group: fit, when: {profile: {job_title__icontains: chief}}, points: 20}
  - {key: rival, label: Competitor, group: fit, when: {profile: {email_domain__in: [rival.example]}}, disqualify: true}
"""


@pytest.fixture(autouse=True)
def model() -> ModelVersion:
    version, _ = publishing.apply_draft(MODEL)
    return publishing.publish_version(
        version.name, version.version, NOON - timedelta(days=400), quiet=False
    )


@pytest.fixture
def crossings():
    seen = []

    def note(sender, crossings, **kwargs):
        seen.extend(crossings)

    threshold_crossed.connect(note)
    yield seen
    threshold_crossed.disconnect(note)


def person(email: str = "ada@alder.example", at: datetime = NOON, **fields: str) -> Contact:
    contact = Contact.objects.create(email=email, **fields)
    learnt(contact, at)
    return contact


def learnt(contact: Contact, at: datetime) -> None:
    ProfileChange.objects.create(contact=contact, at=at, fields=scoring.profile_of(contact))


def did(contact: Contact, type: str, at: datetime, count: int = 1) -> None:
    Activity.objects.bulk_create(
        Activity(
            contact=contact,
            source="t",
            event_id=f"{contact.pk}-{type}-{at:%m%dT%H%M%S}-{n}",
            type=type,
            occurred_at=at,
        )
        for n in range(count)
    )


def rescored(*contacts: Contact, at: datetime = NOON) -> list[Score]:
    scoring.rescore_locked([contact.pk for contact in contacts], at)
    return [Score.objects.get(contact=contact) for contact in contacts]


def test_a_stored_score_is_what_the_engine_says_of_the_same_instant():
    ada = person(job_title="Chief of Staff")
    did(ada, "demo_request", NOON - timedelta(days=10))

    [stored] = rescored(ada)

    assert stored.total == scoring.score_at(ada, NOON)[0].total == 40
    assert sum(line["points"] for line in stored.contributions) == stored.total


def test_an_upward_crossing_is_told_once_a_cycle(crossings):
    ada = person()
    did(ada, "demo_request", NOON)

    rescored(ada)
    rescored(ada, at=NOON + timedelta(minutes=1))

    assert [(crossing.contact_id, crossing.cycle) for crossing in crossings] == [(ada.pk, 1)]


def test_a_contact_who_cooled_down_crosses_again_in_a_second_cycle(crossings):
    ada = person()
    did(ada, "demo_request", NOON)
    rescored(ada)

    rescored(ada, at=NOON + timedelta(days=30))
    did(ada, "demo_request", NOON + timedelta(days=31))
    rescored(ada, at=NOON + timedelta(days=31))

    assert [crossing.cycle for crossing in crossings] == [1, 2]


def test_a_contact_whose_cool_down_ended_unseen_crosses_with_the_next_thing_they_do(crossings):
    ada = person()
    did(ada, "demo_request", NOON)
    rescored(ada)
    rescored(ada, at=NOON + timedelta(days=9.9))
    Score.objects.filter(contact=ada).update(total=5, moves=False)

    did(ada, "demo_request", NOON + timedelta(days=40))
    rescored(ada, at=NOON + timedelta(days=40))

    assert [crossing.cycle for crossing in crossings] == [1, 2]


def test_a_disqualified_contact_never_crosses(crossings):
    spy = person("spy@rival.example")
    did(spy, "demo_request", NOON)

    [stored] = rescored(spy)

    assert (stored.total, stored.disqualified, crossings) == (0, True, [])


def test_history_counts_what_was_known_and_done_by_then():
    ada = person(at=NOON - timedelta(days=20))
    ada.job_title = "Chief Revenue Officer"
    learnt(ada, NOON - timedelta(days=5))
    did(ada, "page_view", NOON - timedelta(days=8), count=3)

    by_age = [
        scoring.score_at(ada, NOON - timedelta(days=days))[0].total for days in (30, 10, 7, 4)
    ]

    assert by_age == [0, 0, 3, 23]


@pytest.mark.parametrize(("days", "total"), [(9, 0), (7, 3), (3, 3), (2, 23)])
def test_a_profile_is_worth_nothing_before_it_was_known(days, total):
    ada = person(at=NOON - timedelta(days=2), job_title="Chief Revenue Officer")
    did(ada, "page_view", NOON - timedelta(days=8), count=3)

    assert scoring.score_at(ada, NOON - timedelta(days=days))[0].total == total


@pytest.mark.parametrize(("known", "did_at", "first"), [(2, 8, 8), (8, 2, 8), (2, None, 2)])
def test_somebody_is_first_known_when_made_or_by_what_they_did_before(known, did_at, first):
    ada = person(at=NOON - timedelta(days=known))
    if did_at:
        did(ada, "page_view", NOON - timedelta(days=did_at))

    assert scoring.first_known_at(ada) == NOON - timedelta(days=first)


def test_a_score_never_goes_back_to_an_earlier_instant():
    ada = person()
    did(ada, "demo_request", NOON)
    rescored(ada, at=NOON + timedelta(hours=1))

    [stored] = rescored(ada, at=NOON)

    assert stored.at == NOON + timedelta(hours=1)


def test_a_rescore_for_the_past_leaves_later_scores_with_their_own_model():
    ada = person(external_id="x")
    Activity.objects.create(
        contact=ada, source="t", event_id="1", type="demo_request", occurred_at=NOON
    )
    version, _ = publishing.apply_draft(MODEL.replace("points: 40", "points: 25"))
    publishing.publish_version(version.name, version.version, NOON + timedelta(days=1), quiet=True)
    scoring.rescore([ada.pk], NOON + timedelta(days=2))
    stored = Score.objects.get(contact=ada)

    call_command("rescore", "--at", (NOON + timedelta(hours=1)).isoformat())

    again = Score.objects.get(contact=ada)
    assert (again.total, again.model, again.at) == (stored.total, version, stored.at)
    assert not any(scoring.check_scores(None))


def test_people_of_both_sides_of_a_publication_are_scored_by_their_own_models():
    early, late = person("early@x.example"), person("late@x.example")
    version, _ = publishing.apply_draft(MODEL.replace("points: 40", "points: 25"))
    publishing.publish_version(version.name, version.version, NOON + timedelta(days=1), quiet=True)
    scoring.rescore([late.pk], NOON + timedelta(days=2))

    scoring.rescore([early.pk, late.pk], NOON)

    assert Score.objects.get(contact=late).model == version
    assert Score.objects.get(contact=early).model != version


def test_a_rescore_for_now_brings_back_what_was_computed_for_the_future():
    ada = person()
    did(ada, "demo_request", datetime.now(UTC) - timedelta(days=1))
    ahead = datetime.now(UTC) + timedelta(days=100)
    call_command("rescore", "--at", ahead.isoformat())

    call_command("rescore")

    assert Score.objects.get().at < ahead - timedelta(days=99)


def test_the_score_makes_a_lead_marketing_qualified_and_never_moves_it_back():
    lead, customer = person(), person("b@b.example", lifecycle_stage=Lifecycle.CUSTOMER)
    did(lead, "demo_request", NOON)
    did(customer, "demo_request", NOON)

    rescored(lead, customer)

    stages = Contact.objects.order_by("pk").values_list("lifecycle_stage", flat=True)
    assert list(stages) == [Lifecycle.MQL, Lifecycle.CUSTOMER]


def test_the_number_of_queries_does_not_grow_with_the_contacts(connection_queries):
    people = [person(f"p{n}@x.example") for n in range(30)]
    for one in people:
        did(one, "demo_request", NOON)

    few = connection_queries(lambda: rescored(*people[:2]))
    many = connection_queries(lambda: scoring.rescore_locked([p.pk for p in people], NOON))

    # Each crossing saves one handoff; everything else is set-wise.
    assert many - 28 * PER_CROSSING <= few


PER_CROSSING = 1


@pytest.fixture
def connection_queries():
    from django.db import connection

    def count(work) -> int:
        with (
            CaptureQueriesContext(
                connection,
            ) as queries,
            transaction.atomic(),
        ):
            work()
        return len(queries)

    return count


def test_a_contact_with_a_hundred_thousand_activities_costs_no_more_than_the_engine_counts():
    bot = person()
    Activity.objects.bulk_create(
        (
            Activity(
                contact=bot,
                source="bot",
                event_id=str(n),
                type="page_view",
                occurred_at=NOON - timedelta(seconds=n),
            )
            for n in range(5_000)
        ),
        batch_size=5_000,
    )

    known = scoring.load_histories({bot.pk: NOON}, ModelVersion.objects.in_force(NOON).model)

    assert len(known[bot.pk].log) == 1_000


def test_what_was_done_later_takes_no_place_of_what_counted_then():
    ada = person()
    did(ada, "page_view", NOON - timedelta(days=1), count=3)
    did(ada, "page_view", NOON + timedelta(days=1), count=1_000)

    known = scoring.load_histories({ada.pk: NOON}, ModelVersion.objects.in_force(NOON).model)

    assert len(known[ada.pk].log) == 3


def test_refresh_looks_again_at_what_time_moves_and_leaves_the_rest():
    cooling, still = person(), person("b@b.example", job_title="Chief")
    did(cooling, "demo_request", NOON)
    rescored(cooling, still)

    done = scoring.refresh_scores(NOON + timedelta(days=10), seconds=60)

    assert done == 1
    assert Score.objects.get(contact=cooling).total == 20


def test_refresh_scores_those_who_never_were():
    ada = person(job_title="Chief")

    scoring.refresh_scores(NOON, seconds=60)

    assert Score.objects.get(contact=ada).total == 20


def test_check_is_quiet_when_stored_and_recomputed_agree_and_finds_what_differs():
    ada, ben = person(job_title="Chief"), person("b@b.example")
    rescored(ada, ben)
    assert [some for some in scoring.check_scores() if some] == []

    Score.objects.filter(contact=ada).update(total=21)

    [[difference]] = scoring.check_scores()
    assert (difference.contact, difference.field, difference.stored, difference.computed) == (
        ada.pk,
        "total",
        21,
        20,
    )

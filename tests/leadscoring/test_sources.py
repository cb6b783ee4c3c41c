"""Sources: who sends, what came of them, and under which names."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F
from django.utils.timezone import now

from leadscoring import api_keys
from leadscoring.intake import silence, sources
from leadscoring.intake.rejections import Rejection
from leadscoring.models import NotTaken, Source, SourceCount, TypeCount
from tests.admin_pages import act, as_, page
from tests.makers import NOON, an_api_key

pytestmark = pytest.mark.django_db


def named(name="website"):
    return Source.objects.get(name=name)


def test_a_source_that_never_sent_before_is_made_by_what_it_sends():
    sources.record_sent("leads.csv", "contact", [{}, {}], [], NOON, of=Source.Kind.IMPORT)
    sources.record_sent("leads.csv", "contact", [{}], [Rejection(0, "email", "is missing")], NOON)

    assert (named("leads.csv").kind, named("leads.csv").counts.get().came) == ("import", 3)
    assert named("leads.csv").not_taken.get().field == "email"


def test_a_key_is_a_source_until_it_is_revoked():
    key, _ = an_api_key("website")
    client = as_("Operations")
    before = named().ended_at

    act(client, "leadscoring.apikey", "revoke", key.pk, confirmed="yes")

    assert (named().kind, before) == ("key", None)
    assert named().ended_at is not None


def test_what_a_key_sent_stays_its_own_under_a_new_name():
    key, _ = an_api_key("website")
    sources.record_sent("website", "contact", [{}], [], now())

    as_("Operations").post(page("leadscoring.apikey", key.pk), {"name": "shop"})

    assert named("shop").counts.get().came == 1
    assert not Source.objects.filter(name="website").exists()


def test_no_two_senders_have_one_name():
    sources.open_source("contact", Source.Kind.FORM, NOON)

    with pytest.raises(ValueError, match="Form 'contact' has this name already"):
        api_keys.check_name("contact")
    with pytest.raises(IntegrityError), transaction.atomic():
        Source.objects.create(name="contact", kind="key", created_at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        Source.objects.create(name="", kind="key", created_at=NOON)


def test_a_name_is_free_again_when_its_source_has_ended():
    sources.open_source("contact", Source.Kind.FORM, NOON)
    sources.end_sources(["contact"], NOON)
    api_keys.check_name("contact")

    an_api_key("contact")

    assert (named("contact").kind, named("contact").ended_at) == ("key", None)


def test_a_key_does_not_speak_for_a_form(client):
    sources.open_source("contact", Source.Kind.FORM, NOON)
    _, text = an_api_key("website")
    item = {"email": "a@example.com", "type": "x", "source": "contact"}

    answer = client.post("/api/v1/activities", json.dumps(item), content_type="application/json",
                         headers={"authorization": f"Bearer {text}"})  # fmt: skip

    assert answer.json()["rejected"][0]["message"] == "is another sender's; leave it out"


def test_the_page_shows_all_kinds_and_not_what_ended_without_a_word():
    for name, kind in (("site", Source.Kind.KEY), ("contact", Source.Kind.FORM)):
        sources.open_source(name, kind, NOON)
    sources.open_source("mistake", Source.Kind.KEY, NOON)
    sources.end_sources(["mistake"], NOON)

    told = as_("Marketing").get(page("leadscoring.source")).content.decode()

    assert "API key" in told
    assert "Form" in told
    assert "mistake" not in told


@pytest.mark.django_db(transaction=True)
def test_counts_of_keys_become_counts_of_sources_and_back():
    before, now_ = [("leadscoring", "0014_segment")], [("leadscoring", "0015_sources")]
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes("leadscoring")
    MigrationExecutor(connection).migrate(before)
    try:
        old = MigrationExecutor(connection).loader.project_state(before).apps
        key = old.get_model("leadscoring", "ApiKey").objects.create(
            name="website", hash="h", prefix="p"
        )
        old.get_model("leadscoring", "SourceCount").objects.create(
            api_key=key, at=NOON, came=3, not_taken=1, last_at=NOON)  # fmt: skip
        old.get_model("leadscoring", "NotTaken").objects.create(
            api_key=key, kind="track", field="event", message="is missing", times=1,
            first_at=NOON, last_at=NOON)  # fmt: skip
        MigrationExecutor(connection).migrate(now_)
        carried = named().counts.get().came, named().not_taken.get().times
        sources.open_source("contact", Source.Kind.FORM, NOON)
        sources.record_sent("contact", "form", [{}], [], NOON)
        MigrationExecutor(connection).migrate(before)
        back = list(
            old.get_model("leadscoring", "SourceCount").objects.values_list("came", flat=True)
        )
    finally:
        MigrationExecutor(connection).migrate(latest)

    assert (carried, back) == ((3, 1), [3])
    assert (SourceCount.objects.count(), NotTaken.objects.count()) == (1, 1)


# --- silence ------------------------------------------------------------------------------------
MONDAY = datetime(2026, 6, 22, 8, tzinfo=UTC)
OFFICE = [hour for day in range(5) for hour in range(24 * day + 1, 24 * day + 10)]
AROUND_THE_CLOCK, NIGHTLY, NOW_AND_THEN = range(168), range(0, 168, 24), (5, 60)


def heard(hours, weeks=range(-3, 1), until=MONDAY, name="website", **fields):
    """A source that spoke in these hours of each week, counted from Monday at 8, and not from `until` on."""
    source = Source.objects.create(name=name, **{"kind": "key", "created_at": NOON, **fields})
    times = [MONDAY + timedelta(weeks=week, hours=hour) for week in weeks for hour in hours]
    SourceCount.objects.bulk_create(
        SourceCount(source=source, at=at, came=1, not_taken=0, last_at=at)
        for at in times if at < until
    )  # fmt: skip
    return source


def silent(**later):
    return [one.source_id for one in silence.silent_sources(MONDAY + timedelta(**later))]


@pytest.mark.parametrize(
    ("hours", "spoke_for", "good", "bad"),
    [
        (AROUND_THE_CLOCK, 20, 25, 26),
        (OFFICE, 105, 168 + 5, 168 + 6),  # silent over a weekend as always, and on Monday too
        (NIGHTLY, 49, 120, 121),
        (NOW_AND_THEN, 70, 167, 168 * 3),
    ],
)
def test_a_source_is_silent_when_it_used_to_speak_in_those_hours(hours, spoke_for, good, bad):
    source = heard(hours, until=MONDAY + timedelta(hours=spoke_for))

    assert silent(hours=good) == []
    assert silent(hours=bad) == ([] if hours is NOW_AND_THEN else [source.pk])


@pytest.mark.parametrize(
    "fields",
    [{"kind": "import"}, {"ended_at": MONDAY}, {"weeks": [0]}, {"weeks": [-3, -1, 0]}],
    ids=str,
)
def test_a_file_what_has_ended_is_new_or_was_silent_before_is_not_silent(fields):
    heard(AROUND_THE_CLOCK, until=MONDAY + timedelta(hours=20), **fields)

    assert silent(days=2) == []


def test_after_weeks_of_silence_it_is_the_habit():
    source = heard(AROUND_THE_CLOCK)
    sources.prune_sources(MONDAY + timedelta(days=9))
    assert silent(days=9) == [source.pk]

    sources.prune_sources(MONDAY + timedelta(days=26))
    assert silent(days=26) == []


def test_whoever_looks_at_the_home_page_and_the_sources_sees_what_is_silent():
    source = heard(AROUND_THE_CLOCK)
    SourceCount.objects.update(
        at=F("at") + (now() - MONDAY) - timedelta(days=1),
        last_at=F("at") + (now() - MONDAY) - timedelta(days=1),
    )
    heard(NOW_AND_THEN, name="fair")
    marketer = as_("Marketing")

    home = marketer.get("/admin/").content.decode()
    listed = marketer.get(page("leadscoring.source")).content.decode()
    only = marketer.get(page("leadscoring.source"), {"ask": "silent"}).content.decode()

    assert "website has sent nothing since" in home
    assert re.search(r"each of the 2 weeks before, it sent in 2\d hours or more", home)
    assert page("leadscoring.source", source.pk) in home
    assert listed.count(">silent<") == 1
    assert ("website" in only, ">fair<" in only) == (True, False)
    assert ">silent<" in marketer.get(page("leadscoring.source", source.pk)).content.decode()


def test_sources_are_asked_for_their_silence_in_one_query(django_assert_num_queries):
    for n in range(5):
        heard(NIGHTLY, name=f"s{n}")

    with django_assert_num_queries(1):
        assert len(silent(days=4)) == 5


# --- what it told -------------------------------------------------------------------------------
def test_a_sources_page_lists_what_it_told_and_makes_a_rule_of_it(
    client, django_capture_on_commit_callbacks
):
    _, text = an_api_key("website")
    acts = [
        {"email": "ada@example.com", "type": type_} for type_ in ("Webinar <b>", "demo_request")
    ]
    headers = {"authorization": f"Bearer {text}"}
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/api/v1/activities", json.dumps(acts), "application/json", headers=headers)

    told = as_("Marketing").get(page("leadscoring.source", named().pk)).content.decode()
    ops = as_("Operations").get(page("leadscoring.source", named().pk)).content.decode()

    assert "Webinar &lt;b&gt;" in told
    assert "modelversion/rule/?type=webinar_b" in told
    assert "Rule: Asked for a demo" in told
    assert "modelversion/rule/" not in ops


def test_what_a_source_told_stays_its_own_under_a_new_name():
    TypeCount.objects.create(source="a", type="x", day=NOON, times=2, last_at=NOON)
    Source.objects.create(name="a", kind="key", created_at=NOON)

    sources.rename_source("a", "b")

    assert TypeCount.objects.get().source == "b"

"""Sources: who sends, what came of them, and under which names."""

import json

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils.timezone import now

from leadscoring import api_keys
from leadscoring.intake import sources
from leadscoring.intake.rejections import Rejection
from leadscoring.models import NotTaken, Source, SourceCount
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

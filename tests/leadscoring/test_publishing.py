"""Models go from a file to a draft to being in force, and nobody crosses unseen."""

from collections import deque
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from crm_sync.models import Handoff
from leadscoring import publishing, scoring
from leadscoring.engine import ModelFileError
from leadscoring.models import ModelVersion, Score
from tests.leadscoring.test_scoring import MODEL, NOON, did, person

pytestmark = pytest.mark.django_db

GENEROUS = MODEL.replace("handoff: 30", "handoff: 20").replace("rearm_below: 15", "rearm_below: 5")


def published(source: str, days: int, quiet: bool = False) -> ModelVersion:
    version, _ = publishing.apply_draft(source)
    return publishing.publish_version(
        version.name, version.version, NOON + timedelta(days=days), quiet=quiet
    )


def test_an_installation_begins_with_a_model_in_force():
    assert ModelVersion.objects.in_force(NOON).model.rules


def test_a_file_becomes_the_one_draft_of_its_name():
    first, _ = publishing.apply_draft(MODEL)

    second, changed = publishing.apply_draft(GENEROUS)

    assert (second.pk, changed, second.source) == (first.pk, True, GENEROUS)


def test_a_file_that_says_what_the_last_version_says_makes_no_draft():
    published(MODEL, days=-1)

    version, changed = publishing.apply_draft(MODEL)

    assert (version.published_at is not None, changed) == (True, False)


def test_a_file_that_cannot_be_right_is_refused_and_changes_nothing():
    with pytest.raises(ModelFileError):
        publishing.apply_draft(MODEL.replace("rearm_below: 15", "rearm_below: 95"))

    assert not ModelVersion.objects.filter(name="tests").exists()


def test_a_published_model_is_not_published_again():
    version = published(MODEL, days=-1)

    with pytest.raises(publishing.PublishingError, match="was published on"):
        publishing.publish_version(version.name, version.version, NOON, quiet=False)


def test_preview_says_who_would_cross_and_stores_nothing():
    published(MODEL, days=-1)
    ada = person(job_title="Chief")
    scoring.rescore_locked([ada.pk], NOON)
    draft, _ = publishing.apply_draft(GENEROUS)

    would = deque(publishing.preview_publish(draft, NOON), maxlen=1)[0]

    assert (would.people, would.would_cross, would.examples) == (1, 1, [ada.pk])
    assert not Handoff.objects.exists()


@pytest.mark.parametrize(("quiet", "status"), [(True, "withdrawn"), (False, "waiting")])
def test_people_lifted_by_a_new_model_alone_have_their_row_and_it_says_whether_sales_is_told(
    quiet, status
):
    published(MODEL, days=-1)
    ada = person(job_title="Chief")
    scoring.rescore_locked([ada.pk], NOON)
    published(GENEROUS, days=1, quiet=quiet)

    scoring.refresh_scores(NOON + timedelta(days=1), seconds=60)

    assert Handoff.objects.get(contact=ada).status == status


def test_somebody_who_acts_after_a_quiet_model_goes_to_sales():
    published(MODEL, days=-1)
    ada = person()
    published(GENEROUS, days=1, quiet=True)
    did(ada, "demo_request", NOON + timedelta(days=2))

    scoring.rescore_locked([ada.pk], NOON + timedelta(days=2))

    assert Handoff.objects.get(contact=ada).status == "waiting"


def test_the_past_is_scored_by_the_model_of_the_past():
    published(MODEL, days=-10)
    published(MODEL.replace("points: 20", "points: 25"), days=0)
    ada = person(job_title="Chief", at=NOON - timedelta(days=20))

    totals = [scoring.score_at(ada, NOON + timedelta(days=days))[0].total for days in (-1, 1)]

    assert totals == [20, 25]
    assert not Score.objects.exists()


def test_publishing_what_is_in_force_does_nothing_and_is_no_fault(capsys):
    call_command("scoring_model", "publish", "default", "1", "--yes")

    assert "is in force already" in capsys.readouterr().out


def test_an_earlier_version_does_not_come_back_by_publishing_it():
    first = published(MODEL, days=0)
    published(GENEROUS, days=1)

    with pytest.raises(CommandError, match="was in force earlier") as refused:
        call_command("scoring_model", "publish", first.name, str(first.version), "--yes")

    assert refused.value.returncode == 2


def test_the_scores_of_how_many_have_followed_a_published_model_is_counted():
    published(MODEL, days=-2)
    people = [person(email=f"p{n}@alder.example") for n in range(3)]
    scoring.rescore_locked([one.pk for one in people], NOON - timedelta(days=1))
    before = publishing.publish_progress(NOON - timedelta(days=1))
    published(GENEROUS, days=0)
    scoring.rescore_locked([people[0].pk], NOON)

    during = publishing.publish_progress(NOON)
    scoring.refresh_scores(NOON, seconds=0)
    after = publishing.publish_progress(NOON)

    assert [(one.version.version, one.done, one.people) for one in (before, during, after)] == [
        (1, 3, 3),
        (2, 1, 3),
        (2, 3, 3),
    ]
    assert [one.is_done for one in (before, during, after)] == [True, False, True]


def test_a_preview_of_a_sample_draws_from_everybody():
    published(MODEL, days=-1)
    first = [person(email=f"p{n}@alder.example").pk for n in range(20)][:10]
    draft, _ = publishing.apply_draft(
        GENEROUS.replace("job_title__icontains: chief", "first_name__isnull: true")
    )

    drawn = [
        deque(publishing.preview_publish(draft, NOON, sample=10), maxlen=1)[0] for _ in range(3)
    ]

    assert [one.people for one in drawn] == [10] * 3
    assert any(set(one.examples) != set(first) for one in drawn)

"""Scoring models from file to draft to published, with a preview of the crossings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from leadscoring.common.format import format_moment
from leadscoring.engine import (
    ScoreResult,
    ScoringModel,
    advance_qualification,
    compute_score,
    parse_model,
)
from leadscoring.models import Contact, ModelVersion, Score
from leadscoring.scoring import iter_id_chunks, load_histories

STARTING_MODEL = Path(__file__).with_name("starting_model.yaml")


class PublishingError(Exception):
    """Why a model cannot be drafted or published, in a sentence."""


def apply_draft(source: str) -> tuple[ModelVersion, bool]:
    """Make a model file the draft of its name, replacing a draft that is there.

    Return the version and whether anything changed: a file equal to the last version makes none. Raise
    engine.ModelFileError when the file is invalid.
    """
    name = parse_model(source).name
    with transaction.atomic():
        versions = ModelVersion.objects.filter(name=name).select_for_update()
        last = versions.order_by("-version").first()
        if last and last.source == source:
            return last, False
        if last and last.published_at is None:
            last.source = source
            last.save(update_fields=["source"])
            return last, True
        version = last.version + 1 if last else 1
        return ModelVersion.objects.create(name=name, version=version, source=source), True


def draft_or_live(at: datetime) -> ModelVersion:
    """Return the draft of the model in force; the version in force itself when there is none."""
    live = ModelVersion.objects.in_force(at)
    return ModelVersion.objects.filter(name=live.name, published_at=None).first() or live


@dataclass(slots=True)
class PublishPreview:
    """What publishing would do: how many people, how many would cross, grades before and after."""

    people: int = 0
    would_cross: int = 0
    mql: int = 0
    disqualified: int = 0
    grades: Counter[str] = field(default_factory=Counter)
    grades_now: Counter[str] = field(default_factory=Counter)
    examples: list[int] = field(default_factory=list)

    def count(
        self,
        contact_id: int,
        scored: ScoreResult,
        now: Score | None,
        model: ScoringModel,
        at: datetime,
    ) -> None:
        self.people += 1
        self.grades[scored.grade] += 1
        self.mql += scored.total >= model.thresholds.mql
        self.disqualified += scored.disqualified
        if now:
            self.grades_now[now.grade] += 1
        if would_cross(scored, now, model, at):
            self.would_cross += 1
            self.examples = [*self.examples, contact_id][:10]


def would_cross(scored: ScoreResult, now: Score | None, model: ScoringModel, at: datetime) -> bool:
    was = (now or Score()).qualification
    after = advance_qualification(was, scored.total, scored.disqualified, model.thresholds, at)
    return after.cycle > was.cycle


def preview_publish(
    version: ModelVersion, at: datetime, sample: int | None = None
) -> Iterator[PublishPreview]:
    """Score contacts by a version without storing; yield the growing preview, at least once.

    All of them, or at most `sample`, drawn at random.
    """
    seen, model, contacts = PublishPreview(), version.model, Contact.objects.all()
    if sample is not None:
        drawn = list(contacts.order_by("?").values_list("pk", flat=True)[:sample])
        contacts = contacts.filter(pk__in=drawn)
    for ids in iter_id_chunks(contacts):
        now = Score.objects.in_bulk(ids)
        for contact_id, known in load_histories(dict.fromkeys(ids, at), model).items():
            scored = compute_score(known.profile, known.log, model, at)
            seen.count(contact_id, scored, now.get(contact_id), model, at)
        yield seen
    yield seen


def publish_version(name: str, version: int, at: datetime, *, quiet: bool) -> ModelVersion:
    """Put a draft in force from now on. The scores follow with the next refresh.

    `quiet`: contacts lifted over the threshold by the change of model alone get their row in the
    ledger, withdrawn, and no task.
    """
    with transaction.atomic():
        found = ModelVersion.objects.select_for_update().filter(name=name, version=version).first()
        if found is None:
            raise PublishingError(f"There is no model {name} v{version}.")
        if found.published_at:
            raise PublishingError(f"{found} was published on {format_moment(found.published_at)}.")
        found.published_at, found.quiet = at, quiet
        found.save(update_fields=["published_at", "quiet"])
    return found


@dataclass(frozen=True, slots=True)
class PublishProgress:
    """How many of the people with a score have it by the version in force."""

    version: ModelVersion
    done: int
    people: int

    @property
    def is_done(self) -> bool:
        return self.done == self.people


def scores_by_earlier_models(version: ModelVersion) -> QuerySet[Score]:
    """Return the scores that have not followed a version yet. On the index of a score's model."""
    return Score.objects.filter(
        model__in=list(ModelVersion.objects.published().exclude(pk=version.pk))
    )


def publish_progress(at: datetime) -> PublishProgress:
    """Return how far the scores have followed the model in force."""
    version = ModelVersion.objects.in_force(at)
    people = Score.objects.count()
    return PublishProgress(version, people - scores_by_earlier_models(version).count(), people)


def is_publishing(at: datetime) -> bool:
    """Return whether scores still follow the model in force. Counts nobody: the home page asks each time."""
    return scores_by_earlier_models(ModelVersion.objects.in_force(at)).exists()


def publish_starting_model(at: datetime) -> None:
    """Publish the model that ships, when there is no published model."""
    if not ModelVersion.objects.published().exists():
        version, _ = apply_draft(STARTING_MODEL.read_text())
        publish_version(version.name, version.version, at, quiet=False)

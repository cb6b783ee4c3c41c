"""The figures of the home page. Each is one query on an index, however many people there are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, IntegerField
from django.db.models.functions import Cast, Floor, Greatest, Least
from django.http import HttpRequest
from django.utils.timezone import now

from leadscoring import extensions
from leadscoring.common.format import list_url
from leadscoring.common.spans import format_span
from leadscoring.engine.model import Thresholds
from leadscoring.extensions import FunnelStation, PageSection
from leadscoring.models import Contact, CrmFreshness, Lifecycle, ModelVersion, Score
from leadscoring.operations import health
from leadscoring.operations.queue_stats import queue_stats
from leadscoring.publishing import is_publishing, publish_progress

BAND = 10
TOP_BAND = 100


@dataclass(frozen=True, slots=True)
class ScoreBand:
    """People whose total lies in [start, start + BAND), the last one: from start on."""

    start: int
    people: int
    percent: float  # of the tallest bar
    tone: str

    @property
    def label(self) -> str:
        return (
            f"{self.start}+" if self.start == TOP_BAND else f"{self.start}–{self.start + BAND - 1}"
        )

    @property
    def url(self) -> str:
        return list_url(Contact, band=self.start)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the index page; unfold calls it."""
    at = now()
    return context | home_context(request.user, at)


def home_context(user: Any, at: datetime) -> dict[str, Any]:
    """Return all that the home page shows, without what the user may not open."""
    if not user.has_perm("leadscoring.view_contact"):
        return {"title": "Home", "nothing_to_see": True}
    added = [
        part for parts_for in extensions.home_sections.values() for part in parts_for(user, at)
    ]
    told = [*added, *model_progress(user, at), *queues(user, at)]
    thresholds = ModelVersion.objects.in_force(at).model.thresholds
    bars = score_distribution(thresholds)
    return {
        "title": "Home",
        "problems": health.collect_problems(at),
        "freshness": freshness_line(at),
        "stations": _funnel_stations(bars, [one for one in told if isinstance(one, FunnelStation)]),
        "bars": bars,
        "thresholds": thresholds,
        "sections": sorted(
            (one for one in told if isinstance(one, PageSection)), key=lambda section: section.place
        ),
    }


def model_progress(user: Any, at: datetime) -> Iterator[PageSection]:
    """Return how many scores have followed a model that was just published; nothing when all have."""
    if user.has_perm("leadscoring.view_modelversion") and is_publishing(at):
        template = "admin/leadscoring/modelversion/progress.html"
        yield PageSection(5, "Publishing", template, {"progress": publish_progress(at)})


def queues(user: Any, at: datetime) -> Iterator[PageSection]:
    """Return how long each queue is; nothing with Redis away."""
    found = queue_stats(at) if user.has_perm("leadscoring.view_apikey") else []
    if found:
        rows = [
            {
                "name": each.name,
                "waiting": each.waiting,
                "taken": each.taken,
                "oldest": _age(each.oldest_seconds),
            }
            for each in found
        ]
        yield PageSection(90, "Queues", "admin/leadscoring/queues.html", {"queues": rows})


def _age(seconds: float | None) -> str:
    return "–" if seconds is None else format_span(timedelta(seconds=seconds))


def score_distribution(thresholds: Thresholds) -> list[ScoreBand]:
    """Return how many people have which score, in bands of ten; below zero counts as zero."""
    band = Cast(Least(Greatest(Floor(F("total") / BAND), 0), TOP_BAND / BAND), IntegerField())
    counted = dict(Score.objects.values_list(band).annotate(n=Count("*")).order_by())
    tallest = max(counted.values(), default=1)
    return [
        ScoreBand(
            start=number * BAND,
            people=counted.get(number, 0),
            percent=round(100 * counted.get(number, 0) / tallest, 1),
            tone=_band_tone(number * BAND, thresholds),
        )
        for number in range(TOP_BAND // BAND + 1)
    ]


def _band_tone(start: int, thresholds: Thresholds) -> str:
    """Return hot (over the handoff threshold), warm (marketing-qualified) or cool (neither)."""
    if start >= thresholds.handoff:
        return "hot"
    return "warm" if start >= thresholds.mql else "cool"


def _funnel_stations(
    bars: Iterable[ScoreBand], others: Iterable[FunnelStation]
) -> Sequence[FunnelStation]:
    """Return the stops of the funnel in their order, ours and those of the other apps."""
    stages = dict(Contact.objects.values_list("lifecycle_stage").annotate(n=Count("*")).order_by())
    qualified = sum(n for stage, n in stages.items() if stage in stages_from_mql())
    ours = [
        FunnelStation(10, "People", sum(stages.values()), list_url(Contact)),
        FunnelStation(
            20, "Scored", sum(bar.people for bar in bars), list_url(Contact, ask="scored")
        ),
        FunnelStation(30, "MQL", qualified, list_url(Contact, ask="mql"), "or further"),
    ]
    return sorted([*ours, *others], key=lambda station: station.place)


def stages_from_mql() -> list[str]:
    return [stage.value for stage in Lifecycle if not Lifecycle.MQL.ahead_of(stage)]


@dataclass(frozen=True, slots=True)
class FreshnessLine:
    sentence: str
    good: bool


def freshness_line(at: datetime) -> FreshnessLine:
    """Return how old our knowledge of the CRM is, and what that means for sending."""
    oldest = CrmFreshness.oldest()
    crm = next((name() for name in extensions.crm_names.values()), "CRM")
    if oldest is None:
        return FreshnessLine(
            f"{crm} has not been read yet: no sequence mail is sent until it is.", False
        )
    age = max(at - oldest, timedelta(0))
    if age > timedelta(seconds=settings.CRM_MAX_AGE_SECONDS):
        return FreshnessLine(
            f"{crm} read {format_span(age)} ago, too long: sequence mail waits.", False
        )
    return FreshnessLine(f"{crm} read {format_span(age)} ago.", True)

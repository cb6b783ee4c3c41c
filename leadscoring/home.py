"""The figures of the home page. Each is one query on an index, however many people there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, IntegerField
from django.db.models.functions import Cast, Floor, Greatest, Least
from django.http import HttpRequest
from django.utils.timezone import now

from leadscoring import health
from leadscoring.engine.model import Thresholds
from leadscoring.models import Contact, CrmFreshness, Lifecycle, ModelVersion, Score
from leadscoring.shown import list_of, span
from leadscoring.signals import Section, Station, answers, home_sections_wanted

BAND = 10
TOP_BAND = 100


@dataclass(frozen=True, slots=True)
class Bar:
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
        return list_of(Contact, band=self.start)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold calls to fill the index page."""
    at = now()
    return context | page(request.user, at)


def page(user: Any, at: datetime) -> dict[str, Any]:
    """All that the home page shows to a user, who sees nothing that they may not open."""
    if not user.has_perm("leadscoring.view_contact"):
        return {"title": "Home", "nothing_to_see": True}
    told = answers(home_sections_wanted, user=user, at=at)
    thresholds = ModelVersion.objects.in_force(at).model.thresholds
    bars = distribution(thresholds)
    return {
        "title": "Home",
        "problems": health.problems(at),
        "freshness": freshness(at),
        "stations": loop(bars, [one for one in told if isinstance(one, Station)]),
        "bars": bars,
        "thresholds": thresholds,
        "sections": sorted(
            (one for one in told if isinstance(one, Section)), key=lambda section: section.place
        ),
    }


def distribution(thresholds: Thresholds) -> list[Bar]:
    """How many people have which score, in bands of ten; below zero counts as zero."""
    band = Cast(Least(Greatest(Floor(F("total") / BAND), 0), TOP_BAND / BAND), IntegerField())
    counted = dict(Score.objects.values_list(band).annotate(n=Count("*")).order_by())
    tallest = max(counted.values(), default=1)
    return [
        Bar(
            start=number * BAND,
            people=counted.get(number, 0),
            percent=round(100 * counted.get(number, 0) / tallest, 1),
            tone=tone(number * BAND, thresholds),
        )
        for number in range(TOP_BAND // BAND + 1)
    ]


def tone(start: int, thresholds: Thresholds) -> str:
    """hot: over the handoff threshold; warm: marketing-qualified; cool: neither."""
    if start >= thresholds.handoff:
        return "hot"
    return "warm" if start >= thresholds.mql else "cool"


def loop(bars: Iterable[Bar], others: Iterable[Station]) -> Sequence[Station]:
    """The stops of the loop in their order, ours and those of the other apps."""
    stages = dict(Contact.objects.values_list("lifecycle_stage").annotate(n=Count("*")).order_by())
    qualified = sum(n for stage, n in stages.items() if stage in reached_mql())
    ours = [
        Station(10, "People", sum(stages.values()), list_of(Contact)),
        Station(20, "Scored", sum(bar.people for bar in bars), list_of(Contact, ask="scored")),
        Station(30, "MQL", qualified, list_of(Contact, ask="mql"), "or further"),
    ]
    return sorted([*ours, *others], key=lambda station: station.place)


def reached_mql() -> list[str]:
    return [stage.value for stage in Lifecycle if not Lifecycle.MQL.ahead_of(stage)]


@dataclass(frozen=True, slots=True)
class Freshness:
    sentence: str
    good: bool


def freshness(at: datetime) -> Freshness:
    """How old what we know of the CRM is, and what that means for sending."""
    oldest = CrmFreshness.oldest()
    if oldest is None:
        return Freshness(
            "The CRM has not been read yet: no sequence mail is sent until it is.", False
        )
    age = max(at - oldest, timedelta(0))
    if age > timedelta(seconds=settings.CRM_MAX_AGE_SECONDS):
        return Freshness(
            f"What the CRM says is {span(age)} old, too old: sequence mail waits.", False
        )
    return Freshness(f"What the CRM says is {span(age)} old.", True)

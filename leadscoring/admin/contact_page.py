"""A contact's page: why this score, where they stand with sales, what it was before."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import localtime

from leadscoring import extensions
from leadscoring.admin.mail_state import mail_state
from leadscoring.common.format import format_local_day, list_url
from leadscoring.engine import wording
from leadscoring.engine.model import ScoringModel, Thresholds
from leadscoring.intake.touches import touch_of
from leadscoring.models import AccessEntry, Contact, CrmState, ModelVersion, Score
from leadscoring.scoring import first_known_at, last_sales_refusals, score_at

WEEKS = 8
ACTIVITIES = 50
IDENTIFIERS = 20


def contact_page_context(contact: Contact, user: Any, at: datetime) -> dict[str, Any]:
    """Return all that a contact's page shows beside the form."""
    model = ModelVersion.objects.in_force(at).model
    score = Score.objects.filter(contact=contact).select_related("model").first()
    sections = [
        section
        for sections_for in extensions.contact_sections.values()
        for section in sections_for(contact, user, at)
    ]
    crm = CrmState.objects.filter(contact=contact).first()
    return {
        "score": score,
        "standing": qualification_sentence(score, model.thresholds, at),
        "thresholds": model.thresholds,
        "reasons": _reason_rows(score, model),
        "chart": _chart_coordinates(_score_history(contact, at), model.thresholds),
        "identifiers": contact.identifiers.order_by("source", "value")[:IDENTIFIERS],
        "crm": crm,
        "mail": mail_state(contact),
        "crm_url": crm.record_url if crm and crm.record_url.startswith("http") else "",
        "activities": contact.activities.with_labels().order_by("-occurred_at", "-pk")[:ACTIVITIES],
        "who_looked": list_url(AccessEntry, person=contact.pk)
        if user.has_perm("leadscoring.view_accessentry")
        else "",
        "came": [
            (words, touch)
            for which, words in (("first", "First visit"), ("last", "Last came by"))
            if (touch := touch_of(contact.properties, which))
        ],
        "sections": sorted(sections, key=lambda section: section.place),
        "at": at,
    }


def qualification_sentence(score: Score | None, thresholds: Thresholds, at: datetime) -> str:
    """Return where a contact stands with sales, in a sentence or two."""
    if score is None:
        return "Not scored yet. This happens within minutes of the first news of a person."
    if score.disqualified:
        return "Disqualified: worth nothing to sales, and never handed off, while the reason holds."
    if score.armed:
        if score.total >= thresholds.handoff:
            return "Over the threshold of the live model: ready for sales with the next look at all scores."
        missing = thresholds.handoff - score.total
        again = " again" if score.cycle else ""
        return f"{wording.format_figure(round(missing, 2))} below the {wording.format_figure(thresholds.handoff)} that hand them to sales{again}."
    return f"{_crossed_sentence(score, at)} {_rearm_sentence(score, thresholds, at)}"


def _crossed_sentence(score: Score, at: datetime) -> str:
    times = "" if score.cycle == 1 else f", for the {ordinal(score.cycle)} time"
    reached = format_local_day(score.crossed_at, at) if score.crossed_at else "some day"
    return f"Ready for sales since {reached}{times}."


def ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def _rearm_sentence(score: Score, thresholds: Thresholds, at: datetime) -> str:
    """Return when a new crossing can reach sales again."""
    below = f"the score has been below {wording.format_figure(thresholds.rearm_below)}"
    refused_at = last_sales_refusals([score.contact_id]).get(score.contact_id)
    now = replace(score.qualification, refused_at=refused_at)
    if now.cooled(thresholds, at) or score.crossed_at is None:
        return f"Sales hears of them again after {below} and risen once more."
    began = max(refused_at or score.crossed_at, score.crossed_at)
    until = began + timedelta(days=thresholds.cooldown_days)
    refused = (
        f"Sales rejected them on {format_local_day(refused_at, at)}. "
        if refused_at == began
        else ""
    )
    return f"{refused}Sales hears of them again after {below}, not before {format_local_day(until, at)}, and risen once more."


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """`share`: its points as percent of the most that a rule here contributes."""

    label: str
    reason: str
    group: str
    points: float
    share: float


def _reason_rows(score: Score | None, model: ScoringModel) -> list[ReasonRow]:
    if score is None:
        return []
    contributions = score.contributions
    most = max((abs(one["points"]) for one in contributions), default=0) or 1
    return [
        ReasonRow(
            one["label"],
            _reason_in_local_time(one, score.at),
            one["group"],
            one["points"],
            round(100 * abs(one["points"]) / most, 1),
        )
        for one in contributions
    ]


def _reason_in_local_time(contribution: dict[str, Any], at: datetime) -> str:
    """Return a stored reason with its day in the reader's time zone: it was written with that of UTC."""
    reason = str(contribution["because"])
    if not contribution["last_at"]:
        return reason
    last_at = datetime.fromisoformat(contribution["last_at"])
    label, count = contribution["label"], contribution["count"]
    written = wording.activities_sentence(label, count, last_at, at)
    here = wording.activities_sentence(label, count, localtime(last_at), localtime(at))
    return here + reason.removeprefix(written) if reason.startswith(written) else reason


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    at: datetime
    total: float
    grade: str


def _score_history(contact: Contact, at: datetime) -> list[HistoryPoint]:
    """Return the scores of the last weeks by the engine, oldest first, today last.

    They begin when the contact was first known: there was no score before.
    """
    began = first_known_at(contact)
    weekly = [at - timedelta(weeks=weeks) for weeks in range(WEEKS, -1, -1)]
    instants = sorted({min(max(instant, began), at) for instant in weekly})
    scored = [(instant, score_at(contact, instant)[0]) for instant in instants]
    return [HistoryPoint(instant, one.total, one.grade) for instant, one in scored]


WIDTH, HEIGHT = 320, 90


def _chart_coordinates(points: list[HistoryPoint], thresholds: Thresholds) -> dict[str, Any]:
    """Return the history as coordinates of a drawing WIDTH by HEIGHT: its width is WEEKS to today."""
    top = max([thresholds.handoff * 1.15, *(point.total for point in points)], default=1) or 1

    def y(total: float) -> float:
        return round(HEIGHT - HEIGHT * max(total, 0) / top, 1)

    today = points[-1].at
    drawn = timedelta(weeks=WEEKS)
    dots = [
        {
            "x": round(WIDTH - WIDTH * ((today - point.at) / drawn), 1),
            "y": y(point.total),
            "point": point,
            "title": _point_title(point, today),
        }
        for point in points
    ]
    return {
        "dots": dots,
        "line": " ".join(f"{dot['x']},{dot['y']}" for dot in dots),
        "width": WIDTH,
        "height": HEIGHT,
        "handoff": y(thresholds.handoff),
        "first": format_local_day(today - drawn, today),
    }


def _point_title(point: HistoryPoint, at: datetime) -> str:
    day = format_local_day(point.at, at)
    return f"{day}: {wording.format_figure(point.total)}, {point.grade}"

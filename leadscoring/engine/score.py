"""What a person is worth at an instant, and why.

How a score is made, in this order:

1. Activities later than the instant count nothing; of those with one identity the earliest
   counts; of each type the RECENT_PER_TYPE most recent count.
2. A disqualifier that speaks ends it: all figures are 0 and it is the only contribution.
3. Each rule adds up its activities: those inside its window, thinned by `at_most`, each worth
   its points halved every half-life. The rule's cap bounds the sum.
4. Caps of the groups, then of the total, take their excess from the weakest positive
   contributions upward; the strongest stay whole.

A window reaches back from the instant and is open at its far end: what is exactly `window_days`
old is out. Points are rounded to hundredths rule by rule and then counted in whole hundredths,
so that the total is the sum of what is shown, and nothing depends on the order of the log.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import nlargest
from math import fsum
from operator import attrgetter
from typing import Any

from . import wording
from .facts import Activity, Facts, Profile
from .model import ENGAGEMENT, FIT, Caps, Model
from .plan import Plan, Step

RECENT_PER_TYPE = 1_000
"""Activities of one type that count at most: the bound on what a score can cost."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One rule's points for one person at one instant, after caps, with the evidence.

    `count` and `last_at` are of the activities that count; 1 and None for a profile rule.
    """

    rule: str
    label: str
    group: str
    points: float
    count: int
    last_at: datetime | None
    because: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON says it."""
        return {
            "rule": self.rule,
            "label": self.label,
            "group": self.group,
            "points": self.points,
            "count": self.count,
            "last_at": self.last_at and self.last_at.isoformat(),
            "because": self.because,
        }


@dataclass(frozen=True, slots=True)
class Scored:
    """A score at an instant; its contributions, strongest first, add up to `total`.

    `moves`: time alone can still change it, by decay, by a window that slides, or by an activity
    dated later than the instant.
    """

    total: float
    fit: float
    engagement: float
    grade: str
    disqualified: bool
    contributions: tuple[Contribution, ...]
    moves: bool


def score(profile: Profile, log: Iterable[Activity], model: Model, at: datetime) -> Scored:
    """The score of a person at an instant. Order and duplicates in the log change nothing."""
    plan = model.plan
    by_type, later = _counting(log, plan, at)
    ages = _ages(profile.values, by_type, plan, at)
    for step in plan.disqualifiers:
        if contribution := _contribution(step, profile.values, ages, at):
            return _disqualified(contribution, moves=later or step.moves)
    spoken = []
    moves = later
    for step in plan.scoring:
        if contribution := _contribution(step, profile.values, ages, at):
            spoken.append(contribution)
            moves = moves or step.moves
    return _summed(_capped(spoken, model.caps), model, moves)


def _counting(
    log: Iterable[Activity], plan: Plan, at: datetime
) -> tuple[dict[str, list[Activity]], bool]:
    """The activities that count, by type; and whether one that would is still to come."""
    later = False
    kept: dict[object, Activity] = {}
    for activity in log:
        if not plan.by_type.get(activity.type, plan.other):
            continue
        if activity.at > at:
            later = True
            continue
        held = kept.setdefault(activity.identity, activity)
        if held is not activity and _rank(activity) < _rank(held):
            kept[activity.identity] = activity
    by_type = defaultdict(list)
    for activity in kept.values():
        by_type[activity.type].append(activity)
    return {type: _recent(some) for type, some in by_type.items()}, later


def _recent(activities: list[Activity]) -> list[Activity]:
    if len(activities) <= RECENT_PER_TYPE:
        return activities
    return nlargest(RECENT_PER_TYPE, activities, key=_rank)


def _rank(activity: Activity) -> tuple[datetime, str, str, str, str]:
    """An order that tells apart all that differ: by time, then source and event_id."""
    told = json.dumps(activity.properties, sort_keys=True, default=str)
    return activity.at, activity.source, activity.event_id, activity.type, told


def _ages(
    values: Facts, by_type: dict[str, list[Activity]], plan: Plan, at: datetime
) -> dict[Step, list[timedelta]]:
    """How old the activities are that each rule speaks of, before window and `at_most`."""
    ages: dict[Step, list[timedelta]] = {}
    for type, activities in by_type.items():
        aged = [(at - activity.at, activity.properties) for activity in activities]
        for step, holds in plan.by_type.get(type, plan.other):
            if holds is True:
                found = [age for age, _ in aged]
            else:
                found = [age for age, properties in aged if holds(values, properties)]
            if found:
                ages.setdefault(step, []).extend(found)
    return ages


def _contribution(
    step: Step, values: Facts, ages: dict[Step, list[timedelta]], at: datetime
) -> Contribution | None:
    """What a rule contributes before the caps of group and total; None when it doesn't speak."""
    rule = step.rule
    if step.once:
        if not step.says(values):
            return None
        count, last_at, worth = 1, None, rule.points
        because = wording.of_profile(rule.label, step.behind(values).values())
    else:
        counted = step.counted(ages[step]) if step in ages else None
        if not counted:
            return None
        count, last_at, worth = len(counted), at - min(counted), _worth(step, counted)
        because = wording.of_activities(rule.label, count, last_at, at)
    points = round(worth if rule.cap is None else max(-rule.cap, min(rule.cap, worth)), 2)
    if not points and not rule.disqualify:
        return None
    return Contribution(rule.key, rule.label, rule.group, points, count, last_at, because)


def _worth(step: Step, ages: list[timedelta]) -> float:
    """Points of activities of these ages: halved every half-life."""
    half_life = step.half_life
    if half_life is None:
        return step.rule.points * len(ages)
    # fsum, because a plain float sum depends on the order of its terms and a score may not.
    return step.rule.points * fsum([0.5 ** (age / half_life) for age in ages])


def _capped(spoken: list[Contribution], caps: Caps) -> list[Contribution]:
    for group, cap in ((FIT, caps.fit), (ENGAGEMENT, caps.engagement)):
        spoken = _cut(spoken, group, cap)
    return _cut(spoken, None, caps.total)


def _cut(spoken: list[Contribution], group: str | None, cap: float | None) -> list[Contribution]:
    """The contributions with what a group (None: all together) has above the cap taken off."""
    excess = _sum(spoken, group) - cap if cap is not None else 0
    if excess <= 0 or cap is None:
        return spoken
    # Of equals the later rule is cut first.
    weakest_first = spoken[::-1]
    weakest_first.sort(key=attrgetter("points"))
    cut = {}
    for contribution in weakest_first:
        if contribution.points > 0 and excess > 0 and group in (None, contribution.group):
            taken = round(min(contribution.points, excess), 2)
            excess = round(excess - taken, 2)
            cut[contribution.rule] = replace(
                contribution,
                points=round(contribution.points - taken, 2),
                because=contribution.because + wording.not_counted(taken, cap),
            )
    return [cut.get(contribution.rule, contribution) for contribution in spoken]


def _sum(contributions: Iterable[Contribution], group: str | None) -> float:
    return round(fsum([c.points for c in contributions if group in (None, c.group)]), 2)


def _summed(contributions: list[Contribution], model: Model, moves: bool) -> Scored:
    fit, engagement = _sum(contributions, FIT), _sum(contributions, ENGAGEMENT)
    return Scored(
        total=round(fit + engagement, 2),
        fit=fit,
        engagement=engagement,
        grade=model.grades.grade(fit, engagement),
        disqualified=False,
        contributions=tuple(sorted(contributions, key=attrgetter("points"), reverse=True)),
        moves=moves,
    )


def _disqualified(contribution: Contribution, moves: bool) -> Scored:
    told = replace(contribution, because=wording.disqualified(contribution.because))
    return Scored(0.0, 0.0, 0.0, "D4", True, (told,), moves)

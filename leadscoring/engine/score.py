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
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import nlargest
from math import copysign, fsum
from operator import attrgetter
from typing import Any

from . import wording
from .facts import Activity, Facts, Profile
from .model import ENGAGEMENT, FIT, GROUPS, Caps, Model
from .plan import Plan, Step

RECENT_PER_TYPE = 1_000
"""Activities of one type that count at most: the bound on what a score can cost."""


# Not frozen: ten of these are made for each score, and frozen ones take five times as long.
@dataclass(slots=True)
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
    plan, values = model.plan, profile.values
    counting, later = _counting(log, plan, at)
    ages = _ages(values, counting, plan, at)
    for step, contribution in _contributions(plan.disqualifiers, values, ages, at):
        return _disqualified(contribution, moves=later or step.moves)
    spoken, moves = [], later
    for step, contribution in _contributions(plan.scoring, values, ages, at):
        if contribution.points:
            spoken.append(contribution)
            moves = moves or step.moves
    return _summed(_capped(spoken, model.caps), model, moves)


def _counting(log: Iterable[Activity], plan: Plan, at: datetime) -> tuple[list[Activity], bool]:
    """The activities that count; and whether one that would is still to come."""
    later = False
    steps_for, otherwise = plan.by_type.get, plan.other
    kept: dict[object, Activity] = {}
    for activity in log:
        if not steps_for(activity.type, otherwise):
            continue
        if activity.at > at:
            later = True
            continue
        identity = activity.identity
        held = kept.setdefault(identity, activity)
        if held is not activity:
            kept[identity] = _first(held, activity)
    return _recent(list(kept.values())), later


def _recent(activities: list[Activity]) -> list[Activity]:
    if len(activities) <= RECENT_PER_TYPE:
        return activities
    by_type = defaultdict(list)
    for activity in activities:
        by_type[activity.type].append(activity)
    return [one for some in by_type.values() for one in nlargest(RECENT_PER_TYPE, some, key=_rank)]


def _rank(activity: Activity) -> tuple[datetime, str, str, str]:
    """An order of different activities that nothing else decides: time, source, event_id."""
    told = "" if activity.event_id else _told(activity)
    return activity.at, activity.source, activity.event_id, told


def _told(activity: Activity) -> str:
    properties = json.dumps(activity.properties, sort_keys=True, default=str)
    return f"{activity.type} {properties}"


def _first(one: Activity, other: Activity) -> Activity:
    """Which of two activities with one identity counts: the earlier; its content breaks a tie."""
    return min(one, other, key=lambda activity: (activity.at, _told(activity)))


def _ages(
    values: Facts, activities: list[Activity], plan: Plan, at: datetime
) -> dict[Step, list[float]]:
    """Seconds since each activity that a rule speaks of, before window and `at_most`."""
    steps_for, otherwise = plan.by_type.get, plan.other
    ages: dict[Step, list[float]] = defaultdict(list)
    for activity in activities:
        age = (at - activity.at).total_seconds()
        properties = activity.properties
        for step, holds in steps_for(activity.type, otherwise):
            if holds is True or holds(values, properties):
                ages[step].append(age)
    return ages


def _contributions(
    steps: Iterable[Step], values: Facts, ages: dict[Step, list[float]], at: datetime
) -> Iterator[tuple[Step, Contribution]]:
    """What each rule that speaks contributes, before the caps of group and total."""
    for step in steps:
        if step.once:
            if step.says(values):
                yield step, _of_profile(step, values)
        elif step in ages and (counted := step.counted(ages[step])):
            yield step, _of_activities(step, counted, at)


def _of_profile(step: Step, values: Facts) -> Contribution:
    rule = step.rule
    because = wording.of_profile(rule.label, step.behind(values).values())
    points = _bounded(rule.points, rule.cap)
    return Contribution(rule.key, rule.label, rule.group, points, 1, None, because)


def _of_activities(step: Step, ages: list[float], at: datetime) -> Contribution:
    rule = step.rule
    count = len(ages)
    last_at = at - timedelta(0, min(ages))
    because = wording.of_activities(rule.label, count, last_at, at)
    half_life = step.half_life
    # fsum, because a plain float sum depends on the order of its terms and a score may not.
    halved = fsum([0.5 ** (age / half_life) for age in ages]) if half_life else count
    points = _bounded(rule.points * halved, rule.cap)
    return Contribution(rule.key, rule.label, rule.group, points, count, last_at, because)


def _bounded(worth: float, cap: float | None) -> float:
    if cap is not None and abs(worth) > cap:
        worth = copysign(cap, worth)
    return round(worth, 2)


def _capped(spoken: list[Contribution], caps: Caps) -> list[Contribution]:
    spoken = _cut(spoken, (FIT,), caps.fit)
    spoken = _cut(spoken, (ENGAGEMENT,), caps.engagement)
    return _cut(spoken, GROUPS, caps.total)


def _cut(
    spoken: list[Contribution], groups: Collection[str], cap: float | None
) -> list[Contribution]:
    """The contributions, with what those of the groups have above the cap taken off."""
    if cap is None or (excess := round(_sum(spoken, groups) - cap, 2)) <= 0:
        return spoken
    # Of equals the later rule is cut first.
    weakest_first = spoken[::-1]
    weakest_first.sort(key=attrgetter("points"))
    cut = {}
    for contribution in weakest_first:
        if contribution.points > 0 and excess > 0 and contribution.group in groups:
            taken = round(min(contribution.points, excess), 2)
            excess = round(excess - taken, 2)
            cut[contribution.rule] = replace(
                contribution,
                points=round(contribution.points - taken, 2),
                because=contribution.because + wording.not_counted(taken, cap),
            )
    return [cut.get(contribution.rule, contribution) for contribution in spoken]


def _sum(contributions: Iterable[Contribution], groups: Collection[str]) -> float:
    return round(fsum([part.points for part in contributions if part.group in groups]), 2)


def _summed(contributions: list[Contribution], model: Model, moves: bool) -> Scored:
    fit, engagement = _sum(contributions, (FIT,)), _sum(contributions, (ENGAGEMENT,))
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

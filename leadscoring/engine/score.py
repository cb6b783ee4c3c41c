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
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import nlargest
from math import fsum
from operator import attrgetter
from typing import Any

from leadscoring.engine import wording
from leadscoring.engine.compiled import CompiledModel, CompiledRule, Done, Kind
from leadscoring.engine.facts import ActivityFact, Facts, Profile
from leadscoring.engine.model import ENGAGEMENT, FIT, GROUPS, ScoringModel

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
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "rule": self.rule,
            "label": self.label,
            "group": self.group,
            "points": self.points,
            "count": self.count,
            "last_at": self.last_at and self.last_at.isoformat(),
            "because": self.reason,
        }


@dataclass(frozen=True, slots=True)
class ScoreResult:
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


def compute_score(
    profile: Profile | None, log: Iterable[ActivityFact], model: ScoringModel, at: datetime
) -> ScoreResult:
    """Return the score of a person at an instant. Order and duplicates in the log change nothing.

    `profile`: None when the person was not known yet. No rule speaks of it then, not even one that
    asks for what is missing.
    """
    plan, values = model.plan, profile.values if profile else {}
    done, moves = _done(log, plan, at)
    for step in plan.disqualifiers:
        if step.once and profile is None:
            continue
        if contribution := _contribution(step, values, done, at):
            return _disqualified(contribution, moves or step.moves)
    matched = []
    for step in plan.scoring:
        if profile is None if step.once else step.kinds.isdisjoint(done):
            continue  # nothing of what was done concerns it, as most often
        contribution = _contribution(step, values, done, at)
        if contribution and contribution.points:
            matched.append(contribution)
            moves = moves or step.moves
    return _summed(matched, model, moves)


def _done(log: Iterable[ActivityFact], plan: CompiledModel, at: datetime) -> tuple[Done, bool]:
    """Return the activities that count, and whether one is still to come."""
    kind_of, heard = plan.kinds.get, plan.heard
    wanted = [activity for activity in log if kind_of(activity.type) in heard]
    past = [activity for activity in wanted if activity.at <= at]
    done: dict[Kind, list[tuple[timedelta, Facts]]] = {}
    for activity in _recent(_each_once(past)):
        kind, did = kind_of(activity.type), (at - activity.at, activity.properties)
        if kind in done:
            done[kind].append(did)
        else:
            done[kind] = [did]
    return done, len(past) < len(wanted)


def _each_once(activities: list[ActivityFact]) -> list[ActivityFact]:
    """Return one activity of each identity. Fast when all ids differ, as they mostly do."""
    ids = {activity.event_id for activity in activities}
    if len(ids) == len(activities) and "" not in ids:
        return activities
    kept: dict[object, ActivityFact] = {}
    for activity in activities:
        identity = activity.identity
        earlier = kept.setdefault(identity, activity)
        if earlier is not activity:
            kept[identity] = _first(earlier, activity)
    return list(kept.values())


def _first(one: ActivityFact, other: ActivityFact) -> ActivityFact:
    """Return the one of two activities with one identity that counts: the earlier; content breaks a tie."""
    return min(one, other, key=_told if one.at == other.at else attrgetter("at"))


def _told(activity: ActivityFact) -> str:
    properties = json.dumps(activity.properties, sort_keys=True, default=str)
    return f"{activity.type} {properties}"


def _recent(activities: list[ActivityFact]) -> list[ActivityFact]:
    """Return the RECENT_PER_TYPE most recent of each type."""
    if len(activities) <= RECENT_PER_TYPE:
        return activities
    by_type = defaultdict(list)
    for activity in activities:
        by_type[activity.type].append(activity)
    return [one for some in by_type.values() for one in _most_recent(some)]


def _most_recent(activities: list[ActivityFact]) -> list[ActivityFact]:
    if len(activities) <= RECENT_PER_TYPE:
        return activities
    edge = nlargest(RECENT_PER_TYPE, [activity.at for activity in activities])[-1]
    newer = [activity for activity in activities if activity.at > edge]
    tied = [activity for activity in activities if activity.at == edge]
    return newer + nlargest(RECENT_PER_TYPE - len(newer), tied, key=_rank)


def _rank(activity: ActivityFact) -> tuple[str, str, str]:
    """Return an order of different activities of one type and time that nothing else decides."""
    told = "" if activity.event_id else _told(activity)
    return activity.source, activity.event_id, told


def _contribution(
    step: CompiledRule, values: Facts, done: Done, at: datetime
) -> Contribution | None:
    """Return what a rule contributes, before the caps of group and total; None when it is silent."""
    rule = step.rule
    if step.once:
        if not step.says(values):
            return None
        reason = wording.profile_sentence(rule.label, step.behind(values).values())
        return Contribution(rule.key, rule.label, rule.group, step.worth_once, 1, None, reason)
    ages = step.counted(values, done)
    if not ages:
        return None
    points, count, last_at = step.worth(ages), len(ages), at - min(ages)
    reason = wording.activities_sentence(rule.label, count, last_at, at)
    return Contribution(rule.key, rule.label, rule.group, points, count, last_at, reason)


def _summed(matched: list[Contribution], model: ScoringModel, moves: bool) -> ScoreResult:
    caps, (fit, engagement) = model.caps, _figures(matched)
    for group, figure, cap in ((FIT, fit, caps.fit), (ENGAGEMENT, engagement, caps.engagement)):
        if cap is not None and figure > cap:
            matched = _cut(matched, (group,), figure - cap, cap)
            fit, engagement = _figures(matched)
    total = round(fit + engagement, 2)
    if caps.total is not None and total > caps.total:
        matched = _cut(matched, GROUPS, total - caps.total, caps.total)
        fit, engagement = _figures(matched)
    return ScoreResult(
        total=round(fit + engagement, 2),
        fit=fit,
        engagement=engagement,
        grade=model.grades.grade(fit, engagement),
        disqualified=False,
        contributions=tuple(sorted(matched, key=attrgetter("points"), reverse=True)),
        moves=moves,
    )


def _figures(contributions: Iterable[Contribution]) -> tuple[float, float]:
    """Return the sums of fit and of engagement."""
    fit: list[float] = []
    engagement: list[float] = []
    for part in contributions:
        (fit if part.group == FIT else engagement).append(part.points)
    return round(fsum(fit), 2), round(fsum(engagement), 2)


def _cut(
    matched: list[Contribution], groups: Collection[str], excess: float, cap: float
) -> list[Contribution]:
    """Return the contributions, with what those of the groups have above the cap taken off."""
    excess = round(excess, 2)
    # Of equals the later rule is cut first.
    weakest_first = matched[::-1]
    weakest_first.sort(key=attrgetter("points"))
    cut = {}
    for contribution in weakest_first:
        if contribution.points > 0 and excess > 0 and contribution.group in groups:
            taken = round(min(contribution.points, excess), 2)
            excess = round(excess - taken, 2)
            cut[contribution.rule] = replace(
                contribution,
                points=round(contribution.points - taken, 2),
                reason=contribution.reason + wording.capped_note(taken, cap),
            )
    return [cut.get(contribution.rule, contribution) for contribution in matched]


def _disqualified(contribution: Contribution, moves: bool) -> ScoreResult:
    told = replace(contribution, reason=wording.disqualified_sentence(contribution.reason))
    return ScoreResult(0.0, 0.0, 0.0, "D4", True, (told,), moves)

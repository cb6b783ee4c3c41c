"""A model made ready to run: its rules compiled once, for each type of activity they name."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import copysign, fsum

from leadscoring.engine.facts import Facts
from leadscoring.engine.rules import (
    ActivityIs,
    Condition,
    Rule,
    compile_evidence,
    compile_profile_condition,
    compile_selection,
    iter_leaves,
)

Kind = str | None
"""A type of activity that a rule names; None: all the types that none names."""
Done = Mapping[Kind, Sequence[tuple[timedelta, Facts]]]
"""What a person did, by kind: how long ago, and the properties."""


class CompiledRule:
    """One rule, ready to run. `asked`: by kind, what picks the activities that it speaks of."""

    def __init__(self, rule: Rule, kinds: Sequence[Kind]) -> None:
        self.rule = rule
        self.once = not rule.speaks_of_activities
        self.says = compile_profile_condition(rule.when)
        self.behind = compile_evidence(rule.when)
        asked = [] if self.once else [(kind, compile_selection(rule.when, kind)) for kind in kinds]
        self.asked = [(kind, pick) for kind, pick in asked if pick]
        self.kinds = frozenset(kind for kind, _ in self.asked)
        self.half_life = None if rule.half_life_days is None else rule.half_life_days * 86_400
        self.window = None if rule.window_days is None else timedelta(days=rule.window_days)
        # Whether time alone changes what the rule is worth.
        self.moves = self.half_life is not None or self.window is not None
        self.most = rule.at_most.count if rule.at_most else None
        self.per = timedelta(days=rule.at_most.per_days if rule.at_most else 0)
        self.worth_once = self._bounded(rule.points)

    def counted(self, values: Facts, done: Done) -> list[timedelta]:
        """Return the ages of the activities that count: spoken of, in the window, then thinned.

        `at_most` chooses from the newest back, so that no `per` (open at one end) holds more than
        `most`. Of all such choices this one is worth the most under decay; one more activity
        never lowers it; and what is cut off at the old end, by a window or by
        RECENT_PER_TYPE, changes nothing in the choice among the rest.
        """
        ages: list[timedelta] = []
        for kind, pick in self.asked:
            if kind in done:
                ages += pick(values, done[kind])
        window = self.window
        if window is not None:
            ages = [age for age in ages if age < window]
        if self.most is not None and len(ages) > self.most:
            ages = self._thinned(ages, self.most)
        return ages

    def _thinned(self, ages: list[timedelta], most: int) -> list[timedelta]:
        per = self.per
        chosen: list[timedelta] = []
        for age in sorted(ages):
            if len(chosen) < most or age - chosen[-most] >= per:
                chosen.append(age)
        return chosen

    def worth(self, ages: list[timedelta]) -> float:
        """Return the points for activities of these ages: halved every half-life, added up, capped."""
        half_life = self.half_life
        if not half_life:
            return self._bounded(self.rule.points * len(ages))
        # fsum, because a plain float sum depends on the order of its terms and a score may not.
        halved = fsum([0.5 ** (age.total_seconds() / half_life) for age in ages])
        return self._bounded(self.rule.points * halved)

    def _bounded(self, worth: float) -> float:
        cap = self.rule.cap
        if cap is not None and abs(worth) > cap:
            worth = copysign(cap, worth)
        return round(worth, 2)


class CompiledModel:
    """The rules of a model as steps. `heard` are the kinds that a step can speak of."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        named = sorted({type for rule in rules for type in _named(rule.when)})
        steps = [CompiledRule(rule, [*named, None]) for rule in rules]
        self.disqualifiers = [step for step in steps if step.rule.disqualify]
        self.scoring = [step for step in steps if not step.rule.disqualify]
        self.kinds: dict[str, Kind] = {type: type for type in named}
        self.heard = {kind for step in steps for kind in step.kinds}


def _named(condition: Condition) -> set[str]:
    return {
        type
        for leaf in iter_leaves(condition)
        if isinstance(leaf, ActivityIs)
        for type in leaf.types
    }

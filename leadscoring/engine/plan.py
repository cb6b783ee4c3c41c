"""A model made ready to run: its rules compiled once, and found by the type of an activity."""

from collections.abc import Sequence
from datetime import timedelta

from .facts import Facts
from .rules import ActivityIs, Condition, Holds, Rule, behind, compiled, leaves

NO_FACTS: Facts = {}


class Step:
    """One rule, ready to run; its spans are timedeltas. Equal to itself only."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.once = not rule.speaks_of_activities
        self.holds = compiled(rule.when, None)
        self.behind = behind(rule.when)
        self.half_life = _span(rule.half_life_days)
        self.window = _span(rule.window_days)
        self.per = _span(rule.at_most and rule.at_most.per_days)
        self.most = rule.at_most.count if rule.at_most else 0

    @property
    def moves(self) -> bool:
        """Whether time alone changes what the rule is worth."""
        return self.half_life is not None or self.window is not None

    def says(self, values: Facts) -> bool:
        """Whether a profile rule holds."""
        return self.holds is True or (self.holds is not False and self.holds(values, NO_FACTS))

    def counted(self, ages: list[timedelta]) -> list[timedelta]:
        """The ages that count of those the rule speaks of: in the window, then thinned.

        `at_most` chooses from the newest back, so that no `per` (open at one end) holds more than
        `most`. Of all such choices this one is worth the most under decay; one more activity
        never lowers it; and what is cut off at the old end, by a window or by
        RECENT_PER_TYPE, changes nothing in the choice among the rest.
        """
        window = self.window
        if window is not None:
            ages = [age for age in ages if age < window]
        return self._thinned(ages) if self.per is not None and len(ages) > self.most else ages

    def _thinned(self, ages: list[timedelta]) -> list[timedelta]:
        chosen: list[timedelta] = []
        for age in sorted(ages):
            if len(chosen) < self.most or age - chosen[-self.most] >= self.per:  # type: ignore[operator]
                chosen.append(age)
        return chosen


def _span(days: float | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)


class Plan:
    """The rules of a model by what makes them speak.

    `by_type` has, for each type that a rule names, the steps that can speak of it; `other` has
    those for every type that none names.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.steps = [Step(rule) for rule in rules]
        self.disqualifiers = [step for step in self.steps if step.rule.disqualify]
        self.scoring = [step for step in self.steps if not step.rule.disqualify]
        named = {type for rule in rules for type in _named(rule.when)}
        self.by_type = {type: self._speaking_of(type) for type in sorted(named)}
        self.other = self._speaking_of(None)

    def _speaking_of(self, type: str | None) -> list[tuple[Step, Holds | bool]]:
        asked = [(step, compiled(step.rule.when, type)) for step in self.steps if not step.once]
        return [(step, holds) for step, holds in asked if holds is not False]


def _named(condition: Condition) -> set[str]:
    return {
        type for leaf in leaves(condition) if isinstance(leaf, ActivityIs) for type in leaf.types
    }

"""A model made ready to run: its rules compiled once, and found by the type of an activity."""

from collections.abc import Sequence
from typing import Literal

from .rules import ActivityIs, Condition, Holds, Rule, asked_once, behind, compiled, leaves

# Times are whole microseconds, and ages of three centuries are exact in a float to less than
# half of one; so their differences are compared with this much play, and come out exact.
HALF_A_MICROSECOND = 0.5e-6


class Step:
    """One rule, ready to run; its spans and ages are seconds. Equal to itself only."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.once = not rule.speaks_of_activities
        self.says = asked_once(rule.when)
        self.behind = behind(rule.when)
        self.half_life = _seconds(rule.half_life_days)
        self.window = _seconds(rule.window_days)
        # Whether time alone changes what the rule is worth.
        self.moves = self.half_life is not None or self.window is not None
        self.most = rule.at_most.count if rule.at_most else None
        self.per = rule.at_most.per_days * 86_400 if rule.at_most else 0.0

    def counted(self, ages: list[float]) -> list[float]:
        """The ages that count of those the rule speaks of: in the window, then thinned.

        `at_most` chooses from the newest back, so that no `per` (open at one end) holds more than
        `most`. Of all such choices this one is worth the most under decay; one more activity
        never lowers it; and what is cut off at the old end, by a window or by
        RECENT_PER_TYPE, changes nothing in the choice among the rest.
        """
        window = self.window
        if window is not None:
            ages = [age for age in ages if age < window]
        if self.most is not None and len(ages) > self.most:
            ages = self._thinned(ages, self.most)
        return ages

    def _thinned(self, ages: list[float], most: int) -> list[float]:
        per = self.per - HALF_A_MICROSECOND
        chosen: list[float] = []
        for age in sorted(ages):
            if len(chosen) < most or age - chosen[-most] >= per:
                chosen.append(age)
        return chosen


def _seconds(days: float | None) -> float | None:
    return None if days is None else days * 86_400


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

    def _speaking_of(self, type: str | None) -> list[tuple[Step, Holds | Literal[True]]]:
        asked = [(step, compiled(step.rule.when, type)) for step in self.steps if not step.once]
        return [(step, holds) for step, holds in asked if holds is not False]


def _named(condition: Condition) -> set[str]:
    return {
        type for leaf in leaves(condition) if isinstance(leaf, ActivityIs) for type in leaf.types
    }

"""A scoring model: its rules, and the figures that turn points into a decision."""

from dataclasses import dataclass
from functools import cached_property, reduce

from leadscoring.engine.compiled import CompiledModel
from leadscoring.engine.rules import Rule, union_types

FIT, ENGAGEMENT = GROUPS = ("fit", "engagement")
Bounds = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Totals: from `mql` on the person is marketing-qualified, from `handoff` on sales gets them.

    Below `rearm_below`, and not within `cooldown_days` of the last crossing, they may cross again.
    """

    mql: float
    handoff: float
    rearm_below: float
    cooldown_days: float


@dataclass(frozen=True, slots=True)
class Caps:
    """The most a group, and all together, can be worth; None: no bound."""

    fit: float | None = None
    engagement: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Grades:
    """Lower bounds of A, B, C and of 1, 2, 3; below the last it is D and 4."""

    fit: Bounds = (40.0, 25.0, 10.0)
    engagement: Bounds = (40.0, 25.0, 10.0)

    def grade(self, fit: float, engagement: float) -> str:
        return "ABCD"[_below(self.fit, fit)] + "1234"[_below(self.engagement, engagement)]


def _below(bounds: Bounds, figure: float) -> int:
    first, second, third = bounds
    return (figure < first) + (figure < second) + (figure < third)


@dataclass(frozen=True)
class ScoringModel:
    name: str
    thresholds: Thresholds
    caps: Caps
    grades: Grades
    rules: tuple[Rule, ...]

    @cached_property
    def activity_types(self) -> frozenset[str] | None:
        """Return the types of activities that can count; None: a rule needs to see all of them."""
        nothing: frozenset[str] | None = frozenset()
        return reduce(union_types, (rule.activity_types for rule in self.rules), nothing)

    @cached_property
    def plan(self) -> CompiledModel:
        return CompiledModel(self.rules)

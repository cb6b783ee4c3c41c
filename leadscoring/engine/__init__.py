"""How a score is computed. Pure: no Django, no I/O, no clock; the instant is an argument."""

from leadscoring.engine.added_rules import add_rule, make_activity_rule
from leadscoring.engine.crossing import Qualification, advance_qualification
from leadscoring.engine.facts import ActivityFact, Profile
from leadscoring.engine.model import Caps, Grades, ScoringModel, Thresholds
from leadscoring.engine.model_file import ModelFileError, dump_model, parse_model
from leadscoring.engine.rules import Rule
from leadscoring.engine.score import RECENT_PER_TYPE, Contribution, ScoreResult, compute_score
from leadscoring.engine.wording import describe_rule

__all__ = [
    "RECENT_PER_TYPE",
    "ActivityFact",
    "Caps",
    "Contribution",
    "Grades",
    "ModelFileError",
    "Profile",
    "Qualification",
    "Rule",
    "ScoreResult",
    "ScoringModel",
    "Thresholds",
    "add_rule",
    "advance_qualification",
    "compute_score",
    "describe_rule",
    "dump_model",
    "make_activity_rule",
    "parse_model",
]

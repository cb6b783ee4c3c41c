"""How a score is computed. Pure: no Django, no I/O, no clock; the instant is an argument."""

from .crossing import Qualification, advance
from .facts import Activity, Profile
from .model import Caps, Grades, Model, Thresholds
from .modelfile import ModelFileError, dump, parse
from .rules import Rule
from .score import RECENT_PER_TYPE, Contribution, Scored, score
from .wording import describe

__all__ = [
    "RECENT_PER_TYPE",
    "Activity",
    "Caps",
    "Contribution",
    "Grades",
    "Model",
    "ModelFileError",
    "Profile",
    "Qualification",
    "Rule",
    "Scored",
    "Thresholds",
    "advance",
    "describe",
    "dump",
    "parse",
    "score",
]

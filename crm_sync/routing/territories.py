"""Territories of leads: a condition on the profile, written as `when` of a scoring rule."""

from functools import lru_cache

from leadscoring.engine.facts import Facts, Profile
from leadscoring.engine.model_file import ModelFileError, parse_condition
from leadscoring.engine.rules import (
    ActivityIs,
    Check,
    Condition,
    compile_profile_condition,
    iter_leaves,
)
from leadscoring.models import Contact
from leadscoring.scoring import profile_of

__all__ = ["ModelFileError", "territory_condition", "territory_facts", "territory_matcher"]


def territory_facts(contact: Contact) -> Facts:
    """Return the values of the profile, as scoring reads them, that territories are matched on."""
    return Profile.of(profile_of(contact), contact.properties).values


@lru_cache(maxsize=512)
def territory_condition(text: str) -> Condition:
    """Parse a condition. Raise ModelFileError with line and reason when the text is not one."""
    condition = parse_condition(text)
    if any(isinstance(leaf, ActivityIs) for leaf in iter_leaves(condition)):
        raise ModelFileError(
            "a territory asks who somebody is (profile), not what they did (activity)"
        )
    return condition


@lru_cache(maxsize=512)
def territory_matcher(text: str) -> Check:
    """Return a function that checks a profile's values for the territory. Raise ModelFileError."""
    return compile_profile_condition(territory_condition(text))

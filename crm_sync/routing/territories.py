"""Which leads a territory is for: a condition on the profile, written as `when` of a scoring rule."""

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
    """What territories ask about: the values of the profile, as scoring reads them."""
    return Profile.of(profile_of(contact), contact.properties).values


@lru_cache(maxsize=512)
def territory_condition(text: str) -> Condition:
    """The condition that a text is. Raises ModelFileError with line and reason when it can't be one."""
    condition = parse_condition(text)
    if any(isinstance(leaf, ActivityIs) for leaf in iter_leaves(condition)):
        raise ModelFileError(
            "a territory asks who somebody is (profile), not what they did (activity)"
        )
    return condition


@lru_cache(maxsize=512)
def territory_matcher(text: str) -> Check:
    """A function that says whether the values of a profile are in the territory. Raises as above."""
    return compile_profile_condition(territory_condition(text))

"""A rule added to a model's file, which stays as its author wrote it."""

import re
from collections.abc import Collection
from dataclasses import replace

import yaml

from leadscoring.engine.model import ENGAGEMENT
from leadscoring.engine.model_file import ModelFileError, dump_model, parse_model, rule_content
from leadscoring.engine.rules import ActivityIs, Rule

LONGEST_KEY = 50
ITEM = re.compile(r"^( *)- ", re.MULTILINE)


def make_activity_rule(
    type: str, label: str, points: float, half_life_days: float | None, keys: Collection[str]
) -> Rule:
    """Return a rule for activities of a type. `keys`: those of other rules."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", type).strip("-")[:LONGEST_KEY] or "activity"
    named = (plain, *(f"{plain}-{number}" for number in range(2, len(keys) + 3)))
    key = next(key for key in named if key not in keys)
    return Rule(key, label, ENGAGEMENT, ActivityIs((type,)), points, half_life_days)


def add_rule(source: str, rule: Rule) -> str:
    """Return a model's file with one more rule. Raise ModelFileError when it cannot be.

    The text before stays where the rules are its end; else the file is written anew.
    """
    model = parse_model(source)
    wanted = replace(model, rules=(*model.rules, rule))
    items = ITEM.findall(source)
    item = yaml.safe_dump([rule_content(rule)], sort_keys=False, allow_unicode=True, width=100)
    indented = "".join(f"{items[-1] if items else ''}{line}\n" for line in item.splitlines())
    appended = f"{source.rstrip()}\n{indented}"
    try:
        if parse_model(appended) == wanted:
            return appended
    except ModelFileError:
        pass  # another way of writing lists
    anew = dump_model(wanted)
    parse_model(anew)
    return anew

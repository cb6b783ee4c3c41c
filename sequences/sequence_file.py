"""YAML text ↔ sequence. What can't be right is refused with the line and the reason."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from leadscoring.engine.yaml_nodes import ModelFileError, YamlNode, load_document
from leadscoring.intake.validation import CONTROL, CONTROL_IN_TEXT
from sequences import conditions, merge_fields

MOST_STEPS = 100
LONGEST_WAIT = timedelta(days=3_650)
LONGEST_SUBJECT = 200
KEYS = ("name", "enter_when", "pause_when_with_sales", "tracks", "steps")
PARTS = ("wait", "subject", "body")
UNITS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_WAIT = re.compile(rf"([0-9]{{1,9}}) ({'|'.join(UNITS)})s?")


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One mail as its file says it."""

    wait: timedelta
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class SequenceDefinition:
    """A sequence as its file says it."""

    name: str
    enter_when: dict[str, Any]
    steps: tuple[StepDefinition, ...]
    tracks: bool = True
    pause_when_with_sales: bool = False


def parse_sequence(text: str) -> SequenceDefinition:
    """Return the sequence a file describes."""
    fields = load_document(text).fields(KEYS, ("name", "steps"))
    return SequenceDefinition(
        name=_name(fields["name"]),
        enter_when=_enter_when(fields["enter_when"]) if "enter_when" in fields else {},
        steps=tuple(_step(item) for item in fields["steps"].items(MOST_STEPS)),
        tracks=_switch(fields["tracks"]) if "tracks" in fields else True,
        pause_when_with_sales="pause_when_with_sales" in fields
        and _switch(fields["pause_when_with_sales"]),
    )


def _name(place: YamlNode) -> str:
    name = place.text()
    if len(name) > 100 or CONTROL.search(name):
        place.refuse("name must be one line of at most 100 characters")
    return name


def _enter_when(place: YamlNode) -> dict[str, Any]:
    """Read conditions by name. Without any, contacts are enrolled by hand only."""
    if isinstance(place.node, yaml.ScalarNode) and place.node.value in ("", "null", "~", "none"):
        return {}
    fields = place.fields(None)
    for name, value in fields.items():
        try:
            conditions.check_conditions({name: _value(value)})
        except conditions.ConditionError as error:
            value.refuse(str(error))
    return {name: _value(value) for name, value in fields.items()}


def _switch(place: YamlNode) -> bool:
    said = place.scalar()
    if not isinstance(said, bool):
        place.refuse(f"{place.name} must be true or false")
    return bool(said)


def _value(place: YamlNode) -> Any:
    if place.is_list:
        return [item.scalar() for item in place.items(100)]
    return place.scalar()


def _step(item: YamlNode) -> StepDefinition:
    fields = item.called("the step").fields(PARTS, required=PARTS)
    subject = _merged(fields["subject"])
    if len(subject) > LONGEST_SUBJECT or CONTROL.search(subject):
        fields["subject"].refuse(
            f"subject must be one line of at most {LONGEST_SUBJECT} characters"
        )
    return StepDefinition(_wait(fields["wait"]), subject, _merged(fields["body"]))


def _merged(place: YamlNode) -> str:
    """Return a text whose merge fields are valid; an error has the line of the field."""
    text = place.written()
    if found := CONTROL_IN_TEXT.search(text):
        place.refuse(f"{place.name} contains the control character U+{ord(found[0]):04X}")
    try:
        merge_fields.parse_template(text)
    except merge_fields.MergeError as error:
        # A block (| or >) begins on the line after its sign.
        in_block = getattr(place.node, "style", None) in ("|", ">")
        raise ModelFileError(
            f"{place.name}: {error.reason}", place.line + error.line - (not in_block)
        ) from None
    return text


def _wait(place: YamlNode) -> timedelta:
    text = place.written()
    found = _WAIT.fullmatch(text.strip())
    if not found:
        place.refuse("wait must be a number and a unit, such as 3 days, 4 hours or 30 minutes")
    seconds = int(found[1]) * UNITS[found[2]]
    if seconds > LONGEST_WAIT.total_seconds():
        place.refuse("wait is longer than 10 years")
    return timedelta(seconds=seconds)


# --- Back to text


def dump_sequence(sequence: SequenceDefinition) -> str:
    """Return the sequence as a file; parse() of it gives the same sequence."""
    content: dict[str, Any] = {"name": sequence.name}
    if sequence.enter_when:
        content["enter_when"] = sequence.enter_when
    if sequence.pause_when_with_sales:
        content["pause_when_with_sales"] = True
    if not sequence.tracks:
        content["tracks"] = False
    content["steps"] = [
        {"wait": format_wait(step.wait), "subject": step.subject, "body": BlockText(step.body)}
        for step in sequence.steps
    ]
    return yaml.dump(content, Dumper=SequenceDumper, sort_keys=False, allow_unicode=True, width=100)


def format_wait(wait: timedelta) -> str:
    """Return a wait as the file writes it: in the largest unit, up to days, that leaves no rest."""
    seconds = int(wait.total_seconds())
    for unit in ("day", "hour", "minute", "second"):
        if seconds % UNITS[unit] == 0:
            number = seconds // UNITS[unit]
            return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    raise AssertionError("every whole number of seconds is a number of seconds")


class BlockText(str):
    """A text that is written as a block when it has several lines."""

    __slots__ = ()


class SequenceDumper(yaml.SafeDumper):
    pass


def _block(dumper: yaml.SafeDumper, text: BlockText) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


SequenceDumper.add_representer(BlockText, _block)

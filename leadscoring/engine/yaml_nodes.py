"""Hostile YAML → places that are read by kind. Invalid files are refused with the line.

A file comes from outside: its size, nesting, counts and figures are bounded, and of YAML only
plain maps, lists and values are read (no tags, anchors, aliases or second documents).
Plain values are read as YAML 1.2 does: only true and false are truth values, so that NO is
Norway; what is not a plain decimal number is a text, dates too.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

import yaml

from leadscoring.engine.lookups import Scalar

MOST_BYTES = 256 * 1024
MOST_NESTED = 20
MOST_VALUES = 1_000
LONGEST_TEXT = 200

# PyYAML's loader in C where its wheel has it (20 times faster); the same events either way.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_FLOAT = re.compile(r"-?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")


class ModelFileError(Exception):
    """A file that can't be right: the reason, and its line (from 1) where one is to blame."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class YamlNode:
    """One value of the file, and what it is called, to speak of it.

    Each reading method gives the value as its kind, or refuses it with line and reason.
    """

    node: yaml.Node
    name: str

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def called(self, name: str) -> "YamlNode":
        return YamlNode(self.node, name)

    def refuse(self, reason: str) -> NoReturn:
        raise ModelFileError(reason, self.line)

    def fields(
        self, allowed: Collection[str] | None, required: Collection[str] = ()
    ) -> "dict[str, YamlNode]":
        """Return the entries of a mapping by name: each known and there once, the required ones present.

        None allows any name.
        """
        if not isinstance(self.node, yaml.MappingNode):
            self.refuse(f"{self.name} must be a mapping")
        fields: dict[str, YamlNode] = {}
        for key, value in self.node.value:
            name = YamlNode(key, f"a name in {self.name}").text()
            if allowed is not None and name not in allowed:
                hint = suggest_names(name, allowed)
                YamlNode(key, name).refuse(f"unknown key {name!r} in {self.name}{hint}")
            if name in fields:
                YamlNode(key, name).refuse(f"{name} is there twice in {self.name}")
            fields[name] = YamlNode(value, name)
        for name in required:
            if name not in fields:
                self.refuse(f"{self.name} has no {name}")
        return fields

    def items(self, most: int) -> "list[YamlNode]":
        """Return a list with at least one value."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.refuse(f"{self.name} must be a list")
        if not self.node.value:
            self.refuse(f"{self.name} is empty")
        if len(self.node.value) > most:
            self.refuse(f"{self.name} has more than {most} items")
        return [YamlNode(node, self.name) for node in self.node.value]

    def some(self) -> "list[YamlNode]":
        """Return a list, or one value as a list of one."""
        return self.items(MOST_VALUES) if self.is_list else [self]

    def written(self) -> str:
        """Return a single value as it is written."""
        return self._written()[1]

    def _written(self) -> tuple[str, str]:
        """Return what kind of value YAML takes it for, and the value as it is written."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.refuse(f"{self.name} must be a single value")
        kind = self.node.tag.rpartition(":")[2]
        if kind == "null" or self.node.value == "":
            self.refuse(f"{self.name} has no value")
        return kind, self.node.value

    def scalar(self) -> Scalar:
        """Return a single value: truth value, number or text."""
        kind, text = self._written()
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind == "int" and _INT.fullmatch(text):
            return int(text)
        if kind == "float" and _FLOAT.fullmatch(text):
            return self._within(float(text), -1e15, 1e15)
        if kind == "float" and text.lstrip("+-.").lower() in ("inf", "nan"):
            self.refuse(f"{self.name} must be a finite number")
        return text

    def text(self) -> str:
        """Return one short printable line, as it is written."""
        text = self.written()
        if len(text) > LONGEST_TEXT:
            self.refuse(f"{self.name} is longer than {LONGEST_TEXT} characters")
        if not text.isprintable() or text != text.strip():
            self.refuse(
                f"{self.name} must be one line of printable characters, without blanks around"
            )
        return text

    def number(self, least: float, most: float) -> float:
        """Return a number from least to most, to two decimals."""
        number = self.scalar()
        if isinstance(number, (bool, str)):
            self.refuse(f"{self.name} must be a number")
        return round(self._within(float(number), least, most), 2)

    def _within(self, number: float, least: float, most: float) -> float:
        if not least <= number <= most:
            self.refuse(f"{self.name} must be from {least:,.4g} to {most:,.4g}")
        return number

    def truth(self) -> bool:
        truth = self.scalar()
        if not isinstance(truth, bool):
            self.refuse(f"{self.name} must be true or false")
        return truth


Fields = dict[str, YamlNode]


def load_document(text: str) -> YamlNode:
    """Return the one value that a whole file is. Raise ModelFileError for what is not plain YAML."""
    _check_signs(text)
    try:
        _check_events(text)
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise ModelFileError(f"not YAML: {error.problem}", line) from None
    if node is None:
        raise ModelFileError("the file is empty")
    return YamlNode(node, "the file")


def _check_signs(text: str) -> None:
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise ModelFileError(f"larger than {MOST_BYTES // 1024} KiB")
    if found := _FORBIDDEN.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ModelFileError("a control character or half of a character", line)


def _check_events(text: str) -> None:
    """Refuse what such a file has no use for, before anything is built from it."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ModelFileError("anchors and aliases are not read", line)
        if getattr(event, "tag", None):
            raise ModelFileError("tags are not read", line)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_NESTED:
            raise ModelFileError(f"nested more than {MOST_NESTED} deep", line)


def suggest_names(name: str, known: Collection[str]) -> str:
    """Return the hint behind an unknown name: the nearest known one, or all of them."""
    close = get_close_matches(name, known, n=1)
    return f"; {close[0]} is meant?" if close else f"; known: {', '.join(known)}"

"""Merge fields in a marketer's text: `{{ name }}` and `{{ name|default:'text' }}`, nothing else.

Not a template engine: no tags, no look-ups, no other filters, so that a text can say nothing
but a person's own facts. Values are put in by the caller's `show`, which makes them safe for
where they go; what stands in a value is never read as a merge field again.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from leadscoring.common.text import bounded_line

FIELDS = (
    "first_name", "last_name", "name", "email", "company", "job_title", "country", "score", "grade"
)  # fmt: skip

_OPENING = re.compile(r"\{\{|\{%|\{#")
_FIELD = re.compile(
    r"""\{\{[ \t]*(?P<name>\w+)[ \t]*
        (?:\|[ \t]*default[ \t]*:[ \t]*(?:'(?P<single>[^'\n]*)'|"(?P<double>[^"\n]*)")[ \t]*)?
        \}\}""",
    re.VERBOSE,
)
_LONGEST_VALUE = 100
# Invisible signs that some scripts need inside words; other invisible ones are left out.
_JOINERS = "\u200c\u200d"


class MergeError(ValueError):
    """A merge field that cannot be: the reason, and its line (from 1) in the text."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(f"line {line}: {reason}" if line > 1 else reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class MergeField:
    name: str
    default: str = ""


def parse_template(text: str) -> list[str | MergeField]:
    """Return the text in its parts. Raise MergeError at the first invalid field."""
    parts: list[str | MergeField] = []
    here = 0
    while opening := _OPENING.search(text, here):
        found = _FIELD.match(text, opening.start())
        line = text.count("\n", 0, opening.start()) + 1
        if found is None:
            raise MergeError(_misshapen(text[opening.start() :]), line)
        if found["name"] not in FIELDS:
            raise MergeError(_unknown(found["name"]), line)
        parts += [
            text[here : opening.start()],
            MergeField(found["name"], found["single"] or found["double"] or ""),
        ]
        here = found.end()
    return [*parts, text[here:]]


def _misshapen(rest: str) -> str:
    start = rest.splitlines()[0][:40]
    return f"{start!r} is no merge field: write {{{{ name }}}} or {{{{ name|default:'text' }}}}"


def _unknown(name: str) -> str:
    close = get_close_matches(name, FIELDS, n=1)
    known = f"{close[0]} is meant?" if close else f"known: {', '.join(FIELDS)}"
    return f"unknown merge field {name!r}; {known}"


def fill_template(text: str, values: Mapping[str, str], show: Callable[[str], str]) -> str:
    """Return the text with its fields filled in; an empty or absent value gives way to the default."""
    return "".join(
        part
        if isinstance(part, str)
        else show(
            bounded_line(values.get(part.name, ""), _LONGEST_VALUE, keep=_JOINERS) or part.default
        )
        for part in parse_template(text)
    )

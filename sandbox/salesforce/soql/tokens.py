"""A query cut into words, strings, numbers, times and signs."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..refusals import malformed

LONGEST_STRING = 4_000
ESCAPES = {"n": "\n", "N": "\n", "r": "\r", "R": "\r", "t": "\t", "T": "\t", "b": "\b", "B": "\b",
           "f": "\f", "F": "\f", "'": "'", '"': '"', "\\": "\\"}  # fmt: skip
SHAPES = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<datetime>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:?\d{2}))
  | (?P<date>\d{4}-\d{2}-\d{2}(?![\dT]))
  | (?P<number>[+-]?\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z_]\w*(?:\.\w+)*(?::\d+)?)
  | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class Token(NamedTuple):
    """`kind`: string, datetime, date, number, word, sign; end after the last."""

    kind: str
    text: str

    def says(self, *words: str) -> bool:
        return self.kind in ("word", "sign") and self.text.upper() in words


def tokens(text: str) -> Iterator[Token]:
    place, end = 0, len(text.rstrip())
    while place < end:
        found = SHAPES.match(text, place)
        if not found or not found.lastgroup:
            raise malformed(f"unexpected token: '{text[place:].split()[0][:40]}'")
        yield Token(found.lastgroup, found[found.lastgroup])
        place = found.end()
    yield Token("end", "<EOF>")


def unquoted(text: str, *, pattern: bool = False) -> str:
    """A string's value. In a `pattern` of LIKE the wildcards that are escaped stay so."""
    body, made, place = text[1:-1], [], 0
    while place < len(body):
        sign = body[place]
        if sign != "\\":
            made.append(sign)
            place += 1
            continue
        after = body[place + 1]
        if after in "uU":
            code = body[place + 2 : place + 6]
            if not re.fullmatch(r"[0-9A-Fa-f]{4}", code):
                raise _bad_escape("u")
            made.append(chr(int(code, 16)))
            place += 6
            continue
        if after in "%_" and pattern:
            made.append("\\" + after)
        elif after in ESCAPES:
            made.append(("\\" if pattern and after == "\\" else "") + ESCAPES[after])
        else:
            raise _bad_escape(after)
        place += 2
    if len(made) > LONGEST_STRING:
        raise malformed(f"a string of the WHERE clause may have {LONGEST_STRING} characters")
    return "".join(made)


def _bad_escape(sign: str) -> Exception:
    return malformed(
        f"Invalid string literal: illegal character sequence '\\{sign}' in string literal."
    )

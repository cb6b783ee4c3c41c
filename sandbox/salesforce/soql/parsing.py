"""From the text of a query to its tree. Whatever is not understood is a MALFORMED_QUERY."""

from collections.abc import Callable
from typing import TypeVar

from ..refusals import Refusal, malformed
from .spans import SPANS
from .tokens import Token, tokens, unquoted
from .tree import Compare, Condition, Junction, Literal, Order, Path, Query, TypeOf

LONGEST = 100_000
COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")
FUNCTIONS = {"TOLABEL": "toLabel", "COUNT": "COUNT", "COUNT_DISTINCT": "COUNT_DISTINCT", "MIN": "MIN",
             "MAX": "MAX", "SUM": "SUM", "AVG": "AVG"}  # fmt: skip
ENDS = (
    "FROM",
    "WHERE",
    "ORDER",
    "GROUP",
    "LIMIT",
    "OFFSET",
    "ALL",
    "HAVING",
    "WITH",
    "FOR",
    "USING",
)
T = TypeVar("T")


def parsed(text: str) -> Query:
    if len(text) > LONGEST:
        raise malformed(f"SOQL statements cannot be longer than {LONGEST} characters.")
    parser = _Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._place = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _took(self, *words: str) -> bool:
        """Take words that follow one another, if they are there."""
        if not all(
            token.says(word)
            for token, word in zip(self._tokens[self._place :], words, strict=False)
        ) or len(self._tokens) - self._place < len(words):
            return False
        self._place += len(words)
        return True

    def _expect(self, *words: str) -> None:
        if not self._took(*words):
            raise self._unexpected(f", expecting '{' '.join(words)}'")

    def _unexpected(self, more: str = "") -> Refusal:
        return malformed(f"unexpected token: '{self._next.text[:40]}'{more}")

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected()

    def _list(self, one: Callable[[], T]) -> tuple[T, ...]:
        found = [one()]
        while self._took(","):
            found.append(one())
        return tuple(found)

    def _word(self) -> str:
        if self._next.kind != "word" or ":" in self._next.text:
            raise self._unexpected()
        return self._take().text

    def query(self) -> Query:
        self._expect("SELECT")
        fields: tuple[Path | TypeOf | Query, ...] = ()
        if not self._took("COUNT", "(", ")"):
            fields = self._list(self._selected)
        self._expect("FROM")
        object_, names = self._word(), set()
        if self._next.kind == "word" and not self._next.says(*ENDS):
            names = {self._word().lower()}
        if self._next.says(",", "USING", "WITH", "HAVING"):
            raise self._unexpected()
        where = self._condition() if self._took("WHERE") else None
        group_by = self._list(self._path) if self._took("GROUP", "BY") else ()
        order_by = self._list(self._order) if self._took("ORDER", "BY") else ()
        limit = self._number() if self._took("LIMIT") else None
        offset = self._number() if self._took("OFFSET") else 0
        all_rows = self._took("ALL", "ROWS")
        if names:
            raise malformed("an alias of the object is more than this stand-in understands")
        return Query(fields, object_, where, group_by, order_by, limit, offset, all_rows)

    def _selected(self) -> Path | TypeOf | Query:
        if self._took("("):
            query = self.query()
            self._expect(")")
            return query
        if self._took("TYPEOF"):
            return self._typeof()
        path = self._path()
        if path.function and self._next.kind == "word" and not self._next.says(*ENDS):
            return Path(path.parts, path.function, self._word())
        return path

    def _typeof(self) -> TypeOf:
        relationship, branches = self._word(), []
        otherwise: tuple[Path, ...] = ()
        while self._took("WHEN"):
            name = self._word()
            self._expect("THEN")
            branches.append((name, self._list(self._path)))
        if self._took("ELSE"):
            otherwise = self._list(self._path)
        self._expect("END")
        return TypeOf(relationship, tuple(branches), otherwise)

    def _path(self) -> Path:
        name = self._word()
        if not self._took("("):
            return Path(tuple(name.split(".")))
        function = FUNCTIONS.get(name.upper())
        if function is None:
            raise malformed(f"unexpected token: '{name}'")
        inner = self._word()
        self._expect(")")
        return Path(tuple(inner.split(".")), function)

    def _order(self) -> Order:
        path = self._path()
        descending = self._took("DESC")
        if not descending:
            self._took("ASC")
        nulls_last = self._took("NULLS", "LAST")
        if not nulls_last:
            self._took("NULLS", "FIRST")
        return Order(path, descending, nulls_last)

    def _number(self) -> int:
        token = self._take()
        if token.kind != "number" or not token.text.isdigit():
            raise malformed(f"unexpected token: '{token.text[:40]}'")
        return int(token.text)

    def _condition(self) -> Condition:
        """AND and OR side by side need parentheses."""
        parts, word = [self._term()], ""
        while self._next.says("AND", "OR"):
            found = self._take().text.upper()
            if word and found != word:
                raise malformed(f"unexpected token: '{found}': AND and OR need parentheses")
            word = found
            parts.append(self._term())
        return Junction(word, tuple(parts)) if word else parts[0]

    def _term(self) -> Condition:
        if self._took("NOT"):
            return Junction("NOT", (self._term(),))
        if self._took("("):
            condition = self._condition()
            self._expect(")")
            return condition
        return self._comparison()

    def _comparison(self) -> Compare:
        path = self._path()
        if self._took("NOT", "IN"):
            return self._among(path, "NOT IN")
        operator = self._take().text.upper()
        if operator in ("IN", "INCLUDES", "EXCLUDES"):
            return self._among(path, operator)
        if operator not in (*COMPARISONS, "LIKE"):
            self._place -= 1
            raise self._unexpected()
        value = self._literal(pattern=operator == "LIKE")
        return Compare(path, "!=" if operator == "<>" else operator, (value,))

    def _among(self, path: Path, operator: str) -> Compare:
        self._expect("(")
        if self._next.says("SELECT"):
            found = Compare(path, operator, query=self.query())
        else:
            found = Compare(path, operator, self._list(self._literal))
        self._expect(")")
        return found

    def _literal(self, *, pattern: bool = False) -> Literal:
        token = self._take()
        word = token.text.upper()
        if token.kind == "string":
            return Literal("string", unquoted(token.text, pattern=pattern))
        if token.kind in ("date", "datetime"):
            return Literal(token.kind, token.text)
        if token.kind == "number":
            return Literal("number", float(token.text))
        if word in ("TRUE", "FALSE"):
            return Literal("boolean", word == "TRUE")
        if word == "NULL":
            return Literal("null", None)
        name, _, many = word.partition(":")
        if token.kind == "word" and name in SPANS and bool(many) == name.endswith("_N_DAYS"):
            return Literal("span", (name, int(many or 0)))
        self._place -= token.kind != "end"
        raise self._unexpected()

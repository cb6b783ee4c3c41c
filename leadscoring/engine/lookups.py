"""Look-ups: how one fact is held against the values of a rule. Their names are Django's.

What counts as what:

- A fact that is absent, None, or an empty text, list or mapping is missing. A missing fact
  matches `isnull: true` and nothing else.
- A fact that is a list matches when one of its items does; a mapping itself matches nothing.
- When the rule's value is a number, a fact written as a decimal number in text is that number.
  When it is true or false, the texts "true" and "false" in any case are. When it is a text, a
  number is its shortest decimal form ("50", "2.5") and a truth value is "true" or "false".
- `gt gte lt lte` with a text compare texts only, sign by sign: right for ISO dates.
- Texts differ by case, except in the look-ups that begin with i.
"""

import operator
import re
from collections.abc import Callable, Sequence

Scalar = str | int | float | bool
Match = Callable[[object], bool]

TEXT_LOOKUPS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "iexact": (operator.eq, True),
    "contains": (operator.contains, False),
    "icontains": (operator.contains, True),
    "startswith": (str.startswith, False),
    "endswith": (str.endswith, False),
}
ORDER_LOOKUPS: dict[str, Callable[..., bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
LOOKUPS = ("exact", "in", *TEXT_LOOKUPS, *ORDER_LOOKUPS, "isnull")

_DECIMAL = re.compile(r"\s*[+-]?\d{1,300}(\.\d{1,300})?\s*", re.ASCII)


def missing(fact: object) -> bool:
    return fact is None or (isinstance(fact, (str, list, dict)) and not fact)


def number_of(fact: object) -> int | float | None:
    """The number a fact is or spells, if it does. True is no number."""
    if isinstance(fact, str):
        return float(fact) if _DECIMAL.fullmatch(fact) else None
    return fact if isinstance(fact, (int, float)) and not isinstance(fact, bool) else None


def text_of(fact: object) -> str | None:
    """The text a fact is or is written as; None for what is no single value."""
    if isinstance(fact, str):
        return fact
    if isinstance(fact, bool):
        return "true" if fact else "false"
    if isinstance(fact, float):
        return str(int(fact)) if fact.is_integer() and abs(fact) < 1e15 else repr(fact)
    return str(fact) if isinstance(fact, int) else None


def matcher(lookup: str, values: Sequence[Scalar]) -> Match:
    """A function that says whether a fact matches any of the values."""
    if lookup == "isnull":
        wanted = values[0]
        return lambda fact: missing(fact) is wanted
    return _of_items(_of_one(lookup, values))


def _of_items(match: Match) -> Match:
    def of_items(fact: object) -> bool:
        if fact is None or fact == "":
            return False
        if isinstance(fact, list):
            return any(match(item) for item in fact if not missing(item))
        return match(fact)

    return of_items


def _of_one(lookup: str, values: Sequence[Scalar]) -> Match:
    if lookup in ("exact", "in"):
        return _equal(values)
    if lookup in TEXT_LOOKUPS:
        return _text(lookup, values)
    return _ordered(ORDER_LOOKUPS[lookup], values)


def _equal(values: Sequence[Scalar]) -> Match:
    texts = {value for value in values if isinstance(value, str)}
    # A truth value is held as its text: as a number, True would be found among {1}.
    truths = {str(value).lower() for value in values if isinstance(value, bool)}
    numbers = {
        number
        for value in values
        if not isinstance(value, str) and (number := number_of(value)) is not None
    }

    def equal(fact: object) -> bool:
        text = fact if isinstance(fact, str) else text_of(fact)
        if text in texts:
            return True
        if truths and isinstance(fact, (bool, str)) and text is not None and text.lower() in truths:
            return True
        return bool(numbers) and number_of(fact) in numbers

    return equal


def _text(lookup: str, values: Sequence[Scalar]) -> Match:
    relation, fold = TEXT_LOOKUPS[lookup]
    texts = [text for value in values if (text := text_of(value)) is not None]
    wanted = [text.casefold() for text in texts] if fold else texts

    def in_text(fact: object) -> bool:
        text = text_of(fact)
        if text is None:
            return False
        if fold:
            text = text.casefold()
        # A plain loop: this is the hottest line of a score, and a generator costs twice as much.
        for part in wanted:  # noqa: SIM110
            if relation(text, part):
                return True
        return False

    return in_text


def _ordered(relation: Callable[..., bool], values: Sequence[Scalar]) -> Match:
    def ordered(fact: object) -> bool:
        return any(_compare(relation, fact, value) for value in values)

    return ordered


def _compare(relation: Callable[..., bool], fact: object, value: Scalar) -> bool:
    if isinstance(value, str):
        return isinstance(fact, str) and relation(fact, value)
    number = number_of(fact)
    return number is not None and relation(number, value)

"""Look-ups: how one fact is held against the values of a rule. Their names are Django's.

What counts as what:

- A fact that is absent, None, or an empty text, list or mapping is missing. A missing fact
  matches `isnull: true` and nothing else.
- A fact that is a list matches when one of its items does; a mapping itself matches nothing.
- When the rule's value is a number, a fact in text is the number that it spells as people do:
  "1,234", "1 234", "12,5"; of "250+" and "501-1000" the lower bound. A dot is a decimal point
  unless there are two ("1.234" is below 2). When it is true or false, a text is that in the words of
  exports in any case: "yes", "1", "WAHR", "Oui" (TRUE, FALSE). When it is a text, a
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
_SPACES = " \u00a0\u2009\u202f"
_WRITTEN = rf"\d{{1,300}}(?:[{_SPACES}'’.,]\d{{1,300}}){{0,100}}"
_SPELLED = re.compile(
    rf"[{_SPACES}]*(?P<sign>[+-]?)(?P<low>{_WRITTEN})"
    rf"(?:[{_SPACES}]?\+|[{_SPACES}]?(?:-|–|—|to|bis|à)[{_SPACES}]?(?P<high>{_WRITTEN}))?[{_SPACES}]*",
    re.ASCII,
)
# Thousands in threes, then decimals; the two signs differ.
_GROUPED = re.compile(
    rf"(\d{{1,3}})((?P<by>[{_SPACES}'’.,])\d{{3}}(?:(?P=by)\d{{3}})*)?((?!(?P=by))[.,]\d+)?"
)

_LONGEST = 100

# As spreadsheets and CRMs write a truth in their languages.
TRUE = frozenset({
    "true", "yes", "y", "1", "on", "wahr", "ja", "oui", "vrai", "sí", "si", "verdadero", "vero", "sì",
    "sim", "verdadeiro", "waar", "tak", "prawda", "kyllä", "tosi", "sant", "はい", "真",
})  # fmt: skip
FALSE = frozenset({
    "false", "no", "n", "0", "off", "falsch", "nein", "non", "faux", "falso", "não", "nao", "nee",
    "onwaar", "nie", "fałsz", "ei", "epätosi", "nej", "falskt", "いいえ", "偽",
})  # fmt: skip


def is_missing(fact: object) -> bool:
    return fact is None or (isinstance(fact, (str, list, dict)) and not fact)


def number_of(fact: object) -> int | float | None:
    """Return the number a fact is or spells, if it does; of a range the lower bound. True is no number."""
    if isinstance(fact, (int, float)):
        return None if isinstance(fact, bool) else fact
    if not isinstance(fact, str):
        return None
    if _DECIMAL.fullmatch(fact):
        return float(fact)
    spelled = _SPELLED.fullmatch(fact) if len(fact) <= _LONGEST else None
    if spelled is None:
        return None
    low = _plain_number(spelled["low"])
    if low is None or spelled["high"] is None:
        return low if low is None or spelled["sign"] != "-" else -low
    high = _plain_number(spelled["high"])
    # 12345-6789 is no range, nor is -1-5.
    return low if high is not None and high >= low and not spelled["sign"] else None


def _plain_number(written: str) -> float | None:
    """Read thousands and decimals. One comma before three digits sets thousands apart, one dot never."""
    if _DECIMAL.fullmatch(written):
        return float(written)
    if (found := _GROUPED.fullmatch(written)) and found[2]:
        whole = found[1] + re.sub(r"\D", "", found[2])
        return float(whole + (found[4] or "").replace(",", "."))
    whole, comma, decimals = written.partition(",")
    plain = comma and whole.isdecimal() and decimals.isdecimal()
    return float(f"{whole}.{decimals}") if plain else None


def truth_of(fact: object) -> bool | None:
    """Return the truth a fact is or spells, if it does. A number is none."""
    if isinstance(fact, str):
        word = fact.strip().casefold()
        return True if word in TRUE else False if word in FALSE else None
    return fact if isinstance(fact, bool) else None


def text_of(fact: object) -> str | None:
    """Return the text a fact is or is written as; None for what is no single value."""
    if isinstance(fact, str):
        return fact
    if isinstance(fact, bool):
        return "true" if fact else "false"
    if isinstance(fact, float):
        return str(int(fact)) if fact.is_integer() and abs(fact) < 1e15 else repr(fact)
    return str(fact) if isinstance(fact, int) else None


def build_matcher(lookup: str, values: Sequence[Scalar]) -> Match:
    """Return a function that says whether a fact matches any of the values, none of them empty."""
    if lookup == "isnull":
        return lambda fact: is_missing(fact) is values[0]
    if lookup in ("exact", "in"):
        return _equal(values)
    if lookup in TEXT_LOOKUPS:
        return _text(lookup, values)
    return _ordered(ORDER_LOOKUPS[lookup], values)


def _any_item(match: Match, items: list[object]) -> bool:
    return any(match(item) for item in items)


def _equal(values: Sequence[Scalar]) -> Match:
    texts = {value for value in values if isinstance(value, str)}
    truths = [value for value in values if isinstance(value, bool)]
    numbers = {number for value in values if (number := _number(value)) is not None}

    def equal(fact: object) -> bool:
        if isinstance(fact, list):
            return _any_item(equal, fact)
        text = fact if isinstance(fact, str) else text_of(fact)
        if text is None or text in texts:
            return text is not None
        # Not as numbers, among which True would be found as 1.
        if truths and truth_of(fact) in truths:
            return True
        return bool(numbers) and number_of(fact) in numbers

    return equal


def _number(value: Scalar) -> int | float | None:
    return None if isinstance(value, str) else number_of(value)


def _text(lookup: str, values: Sequence[Scalar]) -> Match:
    relation, fold = TEXT_LOOKUPS[lookup]
    texts = [text for value in values if (text := text_of(value)) is not None]
    wanted = [text.casefold() for text in texts] if fold else texts

    def in_text(fact: object) -> bool:
        text = fact if isinstance(fact, str) else text_of(fact)
        if text is None:
            return isinstance(fact, list) and _any_item(in_text, fact)
        if fold:
            text = text.casefold()
        # A plain loop: these are the hottest lines of a score, any() makes them twice as slow.
        for part in wanted:  # noqa: SIM110
            if relation(text, part):
                return True
        return False

    if fold or len(wanted) != 1:
        return in_text
    only = wanted[0]

    # By far the most often asked kind, without the loop.
    def in_one_text(fact: object) -> bool:
        return relation(fact, only) if isinstance(fact, str) else in_text(fact)

    return in_one_text


def _ordered(relation: Callable[..., bool], values: Sequence[Scalar]) -> Match:
    texts = [value for value in values if isinstance(value, str)]
    numbers = [number for value in values if (number := _number(value)) is not None]

    def ordered(fact: object) -> bool:
        if isinstance(fact, list):
            return _any_item(ordered, fact)
        number = number_of(fact)
        if number is not None:
            for bound in numbers:
                if relation(number, bound):
                    return True
        return bool(texts and fact and isinstance(fact, str)) and any(
            relation(fact, bound) for bound in texts
        )

    return ordered

"""Record ids: three signs for the object, twelve for the record, three that check upper and lower case."""

import re
from string import ascii_lowercase, ascii_uppercase, digits

# In the order in which their characters compare, so that a later id is a larger text.
DIGITS = digits + ascii_uppercase + ascii_lowercase
CHECKS = ascii_uppercase + "012345"
SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
POD = "Hs0"
# So far on that two ids soon differ in nothing but upper and lower case.
FIRST_NUMBER = 62**3 + 8


def numbered(prefix: str, number: int) -> str:
    """The id of the record of that number, with 18 signs."""
    text = ""
    while number:
        number, rest = divmod(number, 62)
        text = DIGITS[rest] + text
    return _checked(prefix + POD + text.rjust(9, "0"))


def full(text: object) -> str | None:
    """An id of 15 or 18 signs as one of 18; None for what is no id."""
    if not isinstance(text, str) or not SHAPE.fullmatch(text):
        return None
    whole = _checked(text[:15])
    return whole if text in (text[:15], whole) else None


def _checked(id_: str) -> str:
    """Each of the last signs says which of five are capital letters."""
    parts = id_[:5], id_[5:10], id_[10:15]
    return id_ + "".join(
        CHECKS[sum(1 << place for place, sign in enumerate(part) if sign in ascii_uppercase)]
        for part in parts
    )

"""One spelling of one kind of event, in the letters of any script: `Demo Requested` is `demo_requested`."""

import unicodedata

SIGNS = frozenset("_.:-")


def spell_activity_type(text: str) -> str:
    """Return the spelling of an activity's type: letters, marks and digits in lower case, and `_.:-`.

    What stands between them becomes one `_`. Empty when there is neither a letter nor a digit.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    seen = (sign for sign in folded if unicodedata.category(sign) != "Cf")
    spelled = "".join(sign if sign in SIGNS or _is_of_a_word(sign) else " " for sign in seen)
    if not any(map(str.isalnum, spelled)):
        return ""
    return "_".join(spelled.split())


def _is_of_a_word(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LMN"

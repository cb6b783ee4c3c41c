"""Salesforce's record ids: 15 or 18 signs, of which the first three tell the object.

docs/salesforce-facts.md#ids
"""

import re

ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
CHECK_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
LEAD, CONTACT = "Lead", "Contact"
PEOPLE = {"00Q": LEAD, "003": CONTACT}
QUEUE = "00G"


def full_id(text: str) -> str:
    """Return an id in its form of 18 signs; "" for what is no id.

    The last three say which of the others are capitals, so that ids can be compared without case.
    """
    if not ID.fullmatch(text):
        return ""
    parts = text[:5], text[5:10], text[10:15]
    checks = (sum(1 << place for place, sign in enumerate(part) if "A" <= sign <= "Z")
              for part in parts)  # fmt: skip
    return text[:15] + "".join(CHECK_SIGNS[check] for check in checks)


def object_of(record_id: str) -> str:
    """Return "Lead" or "Contact" by the id of a person; "" for any other."""
    return PEOPLE.get(record_id[:3], "")

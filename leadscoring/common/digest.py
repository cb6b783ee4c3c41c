"""Hashes by which something is known again."""

import hashlib
import json


def json_digest(said: object) -> str:
    """Return the SHA-256 of a JSON value, in hex; the order of an object's names does not count.

    Raise RecursionError for a value nested too deeply: Python reads a little deeper than it writes.
    """
    text = json.dumps(said, sort_keys=True)  # in ASCII: half of a character has no bytes
    return hashlib.sha256(text.encode()).hexdigest()

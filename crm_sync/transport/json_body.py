"""Read JSON bodies that others wrote."""

import json
import re
from typing import Any


def parse_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body, {} when the body is none.

    Remove from its texts what PostgreSQL cannot store: one deal's name must not stop the reading of
    all others.
    """
    try:
        found = json.loads(body.decode("utf-8", "replace"))
        if UNSTORABLE.search(body):
            found = storable_body(found)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# NUL and surrogates, as JSON escapes them. Pairs of surrogates are one character and are kept.
UNSTORABLE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")


def storable_body(value: Any) -> Any:
    """Return a JSON value without the characters that PostgreSQL cannot store."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [storable_body(each) for each in value]
    if isinstance(value, dict):
        return {storable_body(name): storable_body(each) for name, each in value.items()}
    return value

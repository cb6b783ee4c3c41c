"""Pipedrive's published descriptions of its interface, as far as the stand-in's routes reach.

`python -m sandbox.pipedrive.descriptions FOLDER` makes them anew out of the whole ones (v1.json and
v2.json); see the key in docs/pipedrive-facts.md.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def paths(version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{version}.json").read_text())["paths"]
    return found


def operation(method: str, path: str) -> dict[str, Any]:
    """`path` begins with its version: `/v1/users/me`."""
    _, version, rest = path.split("/", 2)
    described: dict[str, Any] = paths(version)[f"/{rest}"][method.lower()]
    return described

"""Prune a folder of whole descriptions to what the stand-in's routes reach."""

import argparse
import json
from pathlib import Path
from typing import Any

from ..routes import ROUTES
from . import FOLDER

# For people, or the same for everything.
LEFT_OUT = {
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "tags",
    "operationId",
    "format",
}
KEPT = ("parameters", "requestBody", "responses", "x-token-cost")


def prune(version: str, document: dict[str, Any]) -> dict[str, Any]:
    """The operations that are also routes, without what is for people."""
    kept: dict[str, Any] = {}
    for path, operations in document["paths"].items():
        for method, each in operations.items():
            if any(
                (route.method, route.path) == (method.upper(), f"/{version}{path}")
                for route in ROUTES
            ):
                found = {name: each[name] for name in KEPT if name in each}
                kept.setdefault(path, {})[method] = _bare(found)
    return kept


def _bare(part: Any) -> Any:
    """Names of properties are kept, whatever they are called."""
    if isinstance(part, list):
        return [_bare(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: {key: _bare(each) for key, each in value.items()}
        if name == "properties"
        else _bare(value)
        for name, value in part.items()
        if name not in LEFT_OUT and not (name.startswith("x-") and name not in KEPT)
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.pipedrive.descriptions")
    parser.add_argument("folder", type=Path, help="of whole descriptions, v1.json and v2.json")
    folder = parser.parse_args().folder
    for version in ("v1", "v2"):
        document = json.loads((folder / f"{version}.json").read_text())
        lines = ",\n".join(
            f"  {json.dumps(path)}: {json.dumps(each)}"
            for path, each in prune(version, document).items()
        )
        head = json.dumps(document["openapi"])
        text = f'{{"openapi": {head},\n "paths": {{\n{lines}\n }}}}\n'
        (FOLDER / f"{version}.json").write_text(text)


if __name__ == "__main__":
    main()

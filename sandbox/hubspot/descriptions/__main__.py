"""Prune a folder of whole descriptions to what the stand-in's routes reach."""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..routes import ROUTES
from . import FOLDER

DOCUMENTS = (
    "account-info-v3", "associations-v4", "contacts-v3", "deals-v3", "objects-v3", "owners-v3", "pipelines-v3",
    "properties-v3", "tasks-v3",
)  # fmt: skip
# For people, or the same for everything.
LEFT_OUT = {
    "description",
    "example",
    "summary",
    "tags",
    "operationId",
    "style",
    "explode",
    "default",
}
REFERENCE = "#/components/schemas/"


def prune(document: dict[str, Any]) -> dict[str, Any]:
    """The operations that are also routes, with the schemas they lead to."""
    paths: dict[str, Any] = {}
    for path, operations in document["paths"].items():
        kept = {
            method: _operation(each)
            for method, each in operations.items()
            if any(_is(path, method, route.path, route.method) for route in ROUTES)
        }
        if kept:
            paths[path] = kept
    schemas = document["components"]["schemas"]
    reached: dict[str, Any] = {}
    waiting = [*_references(paths), "Error"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = _bare(schemas[name])
            waiting += _references(reached[name])
    return {
        "openapi": document["openapi"],
        "info": {name: document["info"][name] for name in ("title", "version")},
        "paths": paths,
        "components": {"schemas": dict(sorted(reached.items()))},
    }


def _is(path: str, method: str, ours: str, our_method: str) -> bool:
    """Whether a described operation is a route of ours: a placeholder of ours stands for anything."""
    wanted = re.sub(r"\{\w+\}", "[^/]+", ours)
    return method.upper() == our_method and re.fullmatch(wanted, path) is not None


def _operation(described: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: described[name] for name in ("parameters", "requestBody") if name in described
    }
    kept["responses"] = {
        status: each for status, each in described["responses"].items() if status != "default"
    }
    scopes = {
        scope for one in described.get("security", []) for names in one.values() for scope in names
    }
    bare: dict[str, Any] = _bare(kept)
    return bare | {"scopes": sorted(scopes)}


def _bare(part: Any) -> Any:
    """Without what is for people. Names of properties are kept, whatever they are called."""
    if isinstance(part, list):
        return [_bare(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: {key: _bare(each) for key, each in value.items()}
        if name == "properties"
        else _bare(value)
        for name, value in part.items()
        if name not in LEFT_OUT and not name.startswith("x-")
    }


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _references(each)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref" and value.startswith(REFERENCE):
                yield value.removeprefix(REFERENCE)
            else:
                yield from _references(value)


def written(document: dict[str, Any]) -> str:
    """JSON with each path and each schema on a line of its own."""
    paths, schemas = document["paths"], document["components"]["schemas"]
    head = json.dumps({name: document[name] for name in ("openapi", "info")})[1:-1]
    lines = {
        name: ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in part.items())
        for name, part in (("paths", paths), ("schemas", schemas))
    }
    return (
        f'{{{head},\n "paths": {{\n{lines["paths"]}\n }},\n'
        f' "components": {{"schemas": {{\n{lines["schemas"]}\n }}}}}}\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.hubspot.descriptions")
    parser.add_argument("folder", type=Path, help="of whole descriptions, one JSON file each")
    folder = parser.parse_args().folder
    for name in DOCUMENTS:
        document = prune(json.loads((folder / f"{name}.json").read_text()))
        (FOLDER / f"{name}.json").write_text(written(document))


if __name__ == "__main__":
    main()

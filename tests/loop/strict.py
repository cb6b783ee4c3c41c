"""A stand-in's stricter sister: a proxy that holds every request to HubSpot's published descriptions.

It hands requests on to another server and writes down whatever the descriptions do not allow:
an unknown path or method, an unknown query parameter, a body that does not fit its schema, more
inputs than a batch may have. Each refusal of the server behind it is written down too.
"""

import json
import re
import threading
from collections.abc import Iterator
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from sandbox.hubspot.descriptions import FOLDER

# From the fact sheet: inputs a batch may have, by parts of its path. The descriptions don't say.
MOST_INPUTS = (
    (re.compile("/associations/.*/batch/read$"), 1_000),
    (re.compile("/associations/"), 2_000),
    (re.compile("/objects/"), 100),
)
# From the published description of communication preferences, version 4: this call of it alone.
UNSUBSCRIBING = "/communication-preferences/v4/statuses/{subscriberIdString}/unsubscribe-all"
IN_QUERY = ("channel", "businessUnitId", "verbose")
SUBSCRIPTIONS: dict[str, Any] = {
    "paths": {UNSUBSCRIBING: {"post": {"parameters": [{"name": each, "in": "query"} for each in IN_QUERY]}}},
    "components": {"schemas": {}},
}  # fmt: skip


@cache
def documents() -> dict[str, dict[str, Any]]:
    found = {"subscriptions-v4": SUBSCRIPTIONS}
    for file in sorted(FOLDER.glob("*.json")):
        document = json.loads(file.read_text())
        schemas = document["components"]["schemas"]
        for schema in schemas.values():
            if schema.get("properties"):
                schema["additionalProperties"] = False
        found[file.stem] = document
    return found


def matches(template: str, path: str) -> bool:
    wanted, given = template.strip("/").split("/"), path.strip("/").split("/")
    return len(wanted) == len(given) and all(
        want == part or want.startswith("{") for want, part in zip(wanted, given, strict=True)
    )


def operations(method: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Descriptions of the call, the most literal path first. Deals are written by their type id."""
    path = path.replace("/objects/deals", "/objects/0-3")
    found = [
        (template.count("{"), name, described[method.lower()])
        for name, document in documents().items()
        for template, described in document["paths"].items()
        if method.lower() in described and matches(template, path)
    ]
    for _, name, operation in sorted(found, key=lambda each: (each[0], each[1])):
        yield name, operation


def violations(method: str, target: str, body: bytes) -> list[str]:
    parts = urlsplit(target)
    called = f"{method} {parts.path}"
    described = list(operations(method, parts.path))
    if not described:
        return [f"{called}: not described"]
    name, operation = described[0]
    known = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
    wrong = [
        f"{called}: unknown parameter {each}" for each in parse_qs(parts.query) if each not in known
    ]
    return wrong + [f"{called}: {each}" for each in of_body(name, operation, parts.path, body)]


def of_body(name: str, operation: dict[str, Any], path: str, body: bytes) -> Iterator[str]:
    if "requestBody" not in operation:
        if body:
            yield "a body is not described"
        return
    try:
        given = json.loads(body)
    except ValueError:
        yield "the body is not JSON"
        return
    schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
    resource: Resource[Any] = DRAFT4.create_resource(documents()[name])
    registry: Registry[Any] = Registry().with_resource(f"urn:{name}", resource)
    if "$ref" in schema:
        schema = {"$ref": f"urn:{name}{schema['$ref']}"}
    for error in Draft4Validator(schema, registry=registry).iter_errors(given):
        yield f"{error.json_path}: {error.message[:200]}"
    inputs = given.get("inputs", ()) if isinstance(given, dict) else ()
    most = next((most for part, most in MOST_INPUTS if part.search(path)), 0)
    if len(inputs) > most:
        yield f"{len(inputs)} inputs, {most} are allowed"
    keys = [each.get("id") for each in inputs if "id" in each]
    if len(set(keys)) < len(keys) and not path.endswith("/batch/read"):
        yield "two inputs are for one record"


class Strict:
    """The proxy: `url`, `violations` (sentences), `answers` (method, path, status)."""

    def __init__(self, behind: str) -> None:
        self.behind = urlsplit(behind)
        self.violations: list[str] = []
        self.answers: list[tuple[str, str, int]] = []
        strict = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: object) -> None:
                pass

            def answer(self) -> None:
                strict.hand_on(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def hand_on(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.violations += violations(request.command, request.path, body)
        behind = HTTPConnection(self.behind.hostname or "", self.behind.port, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        behind.request(request.command, request.path, body, headers)
        answer = behind.getresponse()
        said = answer.read()
        behind.close()
        self.answers.append((request.command, request.path, answer.status))
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in (
                "connection",
                "content-length",
                "transfer-encoding",
                "date",
                "server",
            ):
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(said)))
        request.end_headers()
        request.wfile.write(said)

    def __enter__(self) -> "Strict":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()

"""From a request to its answer: made-up trouble, who asks, how fast, and then the endpoint."""

import json
import sys
import time
import traceback
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from typing import Any
from urllib.parse import unquote

from . import routes
from .call import Answer, Call
from .faults import Fault
from .moments import iso
from .pace import Headers, TooFast
from .refusals import Refusal, bad_json, missing_scopes
from .settings import Token
from .state import State

GARBAGE = "<html><body>upstream said something</body></html>"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Message
    body: bytes
    client: str
    at: datetime

    def parts(self) -> list[str]:
        return [unquote(part) for part in self.path.strip("/").split("/")]


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=dict)


def as_json(status: int, body: Any, headers: Headers | None = None) -> Response:
    kind = {"Content-Type": "application/json;charset=utf-8"}
    text = b"" if body is None else json.dumps(body).encode()
    return Response(status, text, kind | (headers or {}) if text else headers or {})


def is_api(path: str) -> bool:
    return path.startswith(("/crm/", "/account-info/"))


def answer(state: State, request: Request) -> Response | None:
    """An API request's response; None is a connection that ends without one."""
    with state.lock:
        fault = state.faults.strike(request.method, request.path)
    response = _troubled(state, request, fault) if fault else _answered(state, request)
    _log(state, request, response, fault)
    return response


def _troubled(state: State, request: Request, fault: Fault) -> Response | None:
    if fault.kind == "status":
        return _written(fault, fault.status)
    if fault.kind == "drop_before":
        return None
    time.sleep(fault.seconds)
    response = _answered(state, request)
    if fault.kind == "garbage":
        return _written(fault, response.status)
    return None if fault.kind == "drop_after" else response


def _written(fault: Fault, status: int) -> Response:
    """The fault's own answer; text is sent as it is, anything else as JSON."""
    if fault.body is not None and not isinstance(fault.body, str):
        return as_json(status, fault.body, fault.headers)
    text = fault.body if fault.body is not None else GARBAGE
    return Response(status, text.encode(), {"Content-Type": "text/html"} | fault.headers)


def _answered(state: State, request: Request) -> Response:
    try:
        return _admitted(state, request)
    except Refusal as refusal:
        return as_json(refusal.status, refusal.body())
    except TooFast as too_fast:
        wait = {"Retry-After": str(too_fast.retry_after)} if state.settings.retry_after else {}
        return as_json(429, too_fast.body(), too_fast.headers | wait)
    except Exception:  # a bug of ours; say so to whoever runs this, and do not hang the client
        traceback.print_exc(file=sys.stderr)
        return as_json(500, Refusal(500, "INTERNAL_ERROR", "internal error").body())


def _admitted(state: State, request: Request) -> Response:
    token = _bearer(request)
    allowed = _token(state, token)
    asked = routes.address(request.parts())
    if asked is None:
        raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found")
    route, args = routes.find(request.method, asked)
    for wanted in routes.scopes(route, args):
        if wanted.isdisjoint(allowed.scopes):
            raise missing_scopes(wanted)
    body = _document(request)
    with state.lock:
        clock = time.monotonic()
        headers = state.pace.admit(state.settings, token, route.bucket, clock, request.at)
        call = _call(state, request, asked.version, args, body)
        status, found = _refused_with(headers, route, call)
        return as_json(status, found, headers)


def _refused_with(headers: Headers, route: routes.Route, call: Call) -> Answer:
    """Refusals of an endpoint carry the rate headers too."""
    try:
        return route.endpoint(call)
    except Refusal as refusal:
        return refusal.status, refusal.body()


def _call(state: State, request: Request, version: str, args: dict[str, str], body: Any) -> Call:
    return Call(
        store=state.store,
        settings=state.settings,
        at=request.at,
        path=request.path,
        base=state.url,
        version=version,
        used_today=state.pace.used_today,
        args=args,
        query=request.query,
        body=body,
    )


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _token(state: State, token: str) -> Token:
    found = state.settings.tokens.get(token)
    if found is None:
        message = "Authentication credentials not found. A valid bearer token is needed."
        raise Refusal(401, "INVALID_AUTHENTICATION", message)
    if found.expired:
        raise Refusal(401, "EXPIRED_AUTHENTICATION", "The access token is expired.")
    return found


def _document(request: Request) -> Any:
    if request.method in ("GET", "DELETE") or not request.body:
        return None
    if "json" not in request.headers.get("Content-Type", ""):
        raise Refusal(415, "VALIDATION_ERROR", "Content-Type must be application/json")
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise bad_json(str(error)) from None


def _log(state: State, request: Request, response: Response | None, fault: Fault | None) -> None:
    entry = {
        "method": request.method,
        "path": request.path,
        "status": response.status if response else None,
        "at": iso(request.at),
        "fault": fault.kind if fault else None,
    }
    with state.lock:
        state.log.append(entry)

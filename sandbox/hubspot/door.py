"""From a request to its answer: made-up trouble, who asks, how fast, and then the endpoint."""

import json
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import Message
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from . import routes
from .call import Answer, Call, kind_named
from .faults import Fault
from .journal import Line
from .moments import iso
from .pace import Headers, TooFast
from .refusals import Refusal, bad_json, missing_scopes
from .settings import Token
from .state import State

Spoilt = Mapping[str, Any] | None
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
    drip_seconds: float = 0.0
    made: tuple[int, ...] = ()  # ids of new tasks, for the journal


def as_json(status: int, body: Any, headers: Headers | None = None) -> Response:
    kind = {"Content-Type": "application/json;charset=utf-8"}
    text = b"" if body is None else json.dumps(body).encode()
    return Response(status, text, kind | (headers or {}) if text else headers or {})


def is_api(path: str) -> bool:
    return path.startswith(("/crm/", "/account-info/", "/communication-preferences/"))


def answer(state: State, request: Request) -> Response | None:
    """An API request's response; None is a connection that ends without one."""
    with state.lock:
        over = state.over
        fault = state.faults.strike(request.method, request.path, request.body)
    late = fault and fault.seconds and not fault.is_before and fault.kind != "dripping"
    if fault and late and over.wait(fault.seconds):
        return None
    with state.lock:
        if over.is_set():  # the state was reset meanwhile: nothing of the old one gets into the new
            return None
        done, shown = _troubled(state, request, fault)
        _note(state, request, done, shown, fault)
    return shown


def _troubled(
    state: State, request: Request, fault: Fault | None
) -> tuple[Response | None, Response | None]:
    """What was done, and what the client gets to see of it."""
    if fault is None:
        return (done := _answered(state, request)), done
    if fault.is_before:
        return None, _written(fault, fault.status) if fault.kind == "status" else None
    done = _answered(state, request, fault.body if fault.kind == "partial" else None)
    return done, _shown(fault, done)


def _shown(fault: Fault, done: Response) -> Response | None:
    match fault.kind:
        case "drop_after":
            return None
        case "status_after":
            return _written(fault, fault.status)
        case "garbage":
            return _written(fault, done.status)
        case "dripping":
            return replace(done, drip_seconds=fault.seconds)
    return done


def _written(fault: Fault, status: int) -> Response:
    """The fault's own answer; text is sent as it is, anything else as JSON."""
    if fault.body is not None and not isinstance(fault.body, str):
        return as_json(status, _fresh(fault.body), fault.headers)
    text = fault.body if fault.body is not None else GARBAGE
    return Response(status, text.encode(), {"Content-Type": "text/html"} | fault.headers)


def _fresh(body: Any) -> Any:
    """Each answer has a correlation id of its own."""
    if isinstance(body, dict) and "correlationId" in body:
        return body | {"correlationId": str(uuid4())}
    return body


def _answered(state: State, request: Request, spoilt: Spoilt = None) -> Response:
    """The request carried out. `spoilt`: how some inputs of a batch fail."""
    try:
        return _admitted(state, request, spoilt)
    except Refusal as refusal:
        return as_json(refusal.status, refusal.body())
    except TooFast as too_fast:
        if state.settings.day_used_up:
            state.faults.struck["day_used_up"] += 1
        wait = {"Retry-After": str(too_fast.retry_after)} if state.settings.retry_after else {}
        return as_json(429, too_fast.body(), too_fast.headers | wait)
    except Exception:  # a bug of ours; say so to whoever runs this, and do not hang the client
        traceback.print_exc(file=sys.stderr)
        return as_json(500, Refusal(500, "INTERNAL_ERROR", "internal error").body())


def _admitted(state: State, request: Request, spoilt: Spoilt) -> Response:
    token = _bearer(request)
    allowed = _token(state, token)
    asked = routes.address(request.parts())
    if asked is None:
        raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found")
    route, args = routes.find(request.method, asked)
    for wanted in routes.scopes(route, args):
        if not allowed.may(wanted):
            if not wanted.isdisjoint(allowed.removed):
                state.faults.struck["scope_removed"] += 1
            raise missing_scopes(wanted)
    body = _document(request)
    clock = time.monotonic()
    headers = state.pace.admit(state.settings, token, route.bucket, clock, request.at)
    call = _call(state, request, asked.version, args, body, spoilt)
    status, found = _carried_out(route, call)
    return replace(as_json(status, found, headers), made=_made(route, args, status, found))


def _made(route: routes.Route, args: dict[str, str], status: int, found: Any) -> tuple[int, ...]:
    if route.endpoint not in routes.MAKERS or status > 299 or kind_named(args["kind"]) != "tasks":
        return ()
    results = found.get("results", [found])
    return tuple(int(each["id"]) for each in results if each.get("new", True))


def _carried_out(route: routes.Route, call: Call) -> Answer:
    """Refusals of an endpoint carry the rate headers too."""
    try:
        return route.endpoint(call)
    except Refusal as refusal:
        return refusal.status, refusal.body()


def _call(
    state: State,
    request: Request,
    version: str,
    args: dict[str, str],
    body: Any,
    spoilt: Spoilt,
) -> Call:
    return Call(
        store=state.store,
        settings=state.settings,
        at=request.at,
        path=request.path,
        base=state.url,
        version=version,
        used_today=state.settings.daily - state.pace.left_today(state.settings),
        args=args,
        query=request.query,
        body=body,
        spoilt=spoilt,
    )


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _token(state: State, token: str) -> Token:
    found = state.settings.tokens.get(token)
    if found is None:
        message = "Authentication credentials not found. A valid bearer token is needed."
        raise Refusal(401, "INVALID_AUTHENTICATION", message)
    if found.revoked:
        state.faults.struck["token_revoked"] += 1
        raise Refusal(401, "INVALID_AUTHENTICATION", "The access token was revoked.")
    if found.expired:
        state.faults.struck["token_expired"] += 1
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


def _note(
    state: State,
    request: Request,
    done: Response | None,
    shown: Response | None,
    fault: Fault | None,
) -> None:
    line = Line(
        method=request.method,
        path=request.path,
        status=shown.status if shown else None,
        done=done.status if done else None,
        fault=fault.called if fault else None,
        at=request.at,
        token=_bearer(request),
        made=done.made if done else (),
    )
    entry = {name: getattr(line, name) for name in ("method", "path", "status", "fault")}
    state.log.append(entry | {"at": iso(request.at)})
    state.journal.add(line)

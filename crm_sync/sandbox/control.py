"""`/sandbox/…`: turning the dials, making trouble, looking inside. For this machine only."""

import json
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from .door import Request, Response, as_json
from .faults import Fault
from .state import State, dump

NAMES = {"localhost", "127.0.0.1", "::1"}


class NotOwn(Exception):
    """The request comes from another web site, or under a name that is not this server's."""


def check_own(request: Request, host: str) -> None:
    """Keep other web sites out (they may reach loopback through somebody's browser).

    The Host must be a name of this machine (against DNS rebinding), and an Origin the same.
    """
    own = request.headers.get("Host", "")
    if urlsplit(f"//{own}").hostname not in NAMES | {host}:
        raise NotOwn(f"{own[:80]} is not a name of this server")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != own:
        raise NotOwn("the request comes from another web site")


def answer(state: State, request: Request, host: str) -> Response:
    try:
        check_own(request, host)
    except NotOwn as error:
        return _refused(403, str(error))
    if not ip_address(request.client).is_loopback:
        return _refused(403, "only this machine may do that")
    try:
        return _answered(state, request)
    except (ValueError, TypeError, AttributeError) as error:
        return _refused(400, str(error))


def _answered(state: State, request: Request) -> Response:
    sent = json.loads(request.body or b"{}")
    with state.lock:
        match request.method, request.path.rstrip("/"):
            case "POST", "/sandbox/faults":
                state.faults.add(Fault(**sent))
                return as_json(200, state.faults.shown())
            case "GET", "/sandbox/faults":
                return as_json(200, state.faults.shown())
            case "DELETE", "/sandbox/faults":
                state.faults.clear()
                return as_json(200, [])
            case "POST", "/sandbox/settings":
                return as_json(200, _set(state, sent))
            case "GET", "/sandbox/settings":
                return as_json(200, _settings(state))
            case "GET", "/sandbox/requests":
                return as_json(200, list(state.log))
            case "GET", "/sandbox/store":
                return as_json(200, dump(state.store))
            case "POST", "/sandbox/reset":
                state.reset()
                return as_json(200, _settings(state))
    return _refused(404, "no such page under /sandbox/")


def _set(state: State, sent: dict[str, Any]) -> dict[str, Any]:
    portal_id = sent.pop("portal_id", state.store.portal_id)
    state.settings.change(sent)
    state.store.portal_id = int(portal_id)
    return _settings(state)


def _settings(state: State) -> dict[str, Any]:
    return state.settings.shown() | {"portal_id": state.store.portal_id}


def _refused(status: int, message: str) -> Response:
    return as_json(status, {"status": "error", "message": message})

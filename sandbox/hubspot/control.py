"""`/sandbox/…`: turning the dials, making trouble, looking inside. For this machine only."""

import json
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from . import trouble
from .door import Request, Response, as_json
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


def check_near(request: Request) -> None:
    if not ip_address(request.client).is_loopback:
        raise NotOwn("only this machine may do that")


def answer(state: State, request: Request, host: str) -> Response:
    try:
        check_own(request, host)
        check_near(request)
        return _answered(state, request)
    except NotOwn as error:
        return _refused(403, str(error))
    except (ValueError, TypeError, AttributeError) as error:
        return _refused(400, str(error))


def _answered(state: State, request: Request) -> Response:
    endpoint = ENDPOINTS.get((request.method, request.path.rstrip("/").removeprefix("/sandbox/")))
    if endpoint is None:
        return _refused(404, "no such page under /sandbox/")
    sent = json.loads(request.body or b"{}")
    with state.lock:
        return as_json(200, endpoint(state, request, sent))


def _add_trouble(state: State, request: Request, sent: Any) -> Any:
    trouble.add(state, sent, request.at)
    return trouble.shown(state)


def _trouble(state: State, request: Request, sent: Any) -> Any:
    return trouble.shown(state)


def _end_trouble(state: State, request: Request, sent: Any) -> Any:
    """All of it, or with `?name=` what goes by that name."""
    trouble.end(state, _asked(request, "name"), request.at)
    return trouble.shown(state)


def _start_storm(state: State, request: Request, sent: Any) -> Any:
    trouble.storm(state, **sent)
    return _storm(state, request, sent)


def _storm(state: State, request: Request, sent: Any) -> Any:
    return trouble.shown(state)["storm"] or {}


def _end_storm(state: State, request: Request, sent: Any) -> Any:
    state.faults.storm = None
    return _storm(state, request, sent)


def _set(state: State, request: Request, sent: Any) -> dict[str, Any]:
    portal_id = sent.pop("portal_id", state.store.portal_id)
    state.settings.change(sent)
    state.store.portal_id = int(portal_id)
    return _settings(state, request, sent)


def _settings(state: State, request: Request, sent: Any) -> dict[str, Any]:
    return state.settings.shown() | {"portal_id": state.store.portal_id}


def _requests(state: State, request: Request, sent: Any) -> Any:
    return list(state.log)


def _log(state: State, request: Request, sent: Any) -> Any:
    return state.journal.after(int(_asked(request, "after") or 0))


def _counts(state: State, request: Request, sent: Any) -> Any:
    return state.journal.counted()


def _webhooks(state: State, request: Request, sent: Any) -> Any:
    return list(state.webhooks.log)


def _store(state: State, request: Request, sent: Any) -> Any:
    return dump(state.store)


def _reset(state: State, request: Request, sent: Any) -> Any:
    state.reset()
    return _settings(state, request, sent)


def _asked(request: Request, name: str) -> str:
    return request.query.get(name, [""])[-1]


def _refused(status: int, message: str) -> Response:
    return as_json(status, {"status": "error", "message": message})


ENDPOINTS: dict[tuple[str, str], Callable[[State, Request, Any], Any]] = {
    ("POST", "faults"): _add_trouble,
    ("GET", "faults"): _trouble,
    ("DELETE", "faults"): _end_trouble,
    ("POST", "storm"): _start_storm,
    ("GET", "storm"): _storm,
    ("DELETE", "storm"): _end_storm,
    ("POST", "settings"): _set,
    ("GET", "settings"): _settings,
    ("GET", "requests"): _requests,
    ("GET", "log"): _log,
    ("GET", "counts"): _counts,
    ("GET", "store"): _store,
    ("GET", "webhooks"): _webhooks,
    ("POST", "reset"): _reset,
}

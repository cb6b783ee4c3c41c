"""`/sandbox/…`: turning the dials, making trouble, looking inside. For this machine only."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .http import Answer, Request, as_json

if TYPE_CHECKING:
    from .standin import Standin

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
    if not ip_address(request.remote_addr or "").is_loopback:
        raise NotOwn("only this machine may do that")


def answer(standin: Standin, request: Request) -> Answer:
    try:
        check_own(request, standin.host)
        check_near(request)
        name = request.path.rstrip("/").removeprefix("/sandbox/")
        act = DONE.get((request.method, name))
        if name not in SHOWN or (act is None and (request.method, name) != ("GET", name)):
            return _refused(404, "no such page under /sandbox/")
        with standin.state.lock:
            if act:
                act(standin, request, json.loads(request.body or b"{}"))
            return as_json(200, SHOWN[name](standin, request))
    except NotOwn as error:
        return _refused(403, str(error))
    except (ValueError, TypeError, AttributeError) as error:
        return _refused(400, str(error))


def _refused(status: int, message: str) -> Answer:
    return as_json(status, {"status": "error", "message": message})


def _end_trouble(standin: Standin, request: Request) -> None:
    """All of it, or with `?name=` what goes by that name."""
    standin.trouble.end(standin.state, request.asked("name"), request.at)


def _end_storm(standin: Standin) -> None:
    standin.state.faults.storm = None


Act = Callable[["Standin", Request, Any], Any]
# What is shown at a name under /sandbox/.
SHOWN: dict[str, Callable[[Standin, Request], Any]] = {
    "faults": lambda standin, request: standin.trouble.shown(standin.state),
    "storm": lambda standin, request: standin.trouble.shown(standin.state)["storm"] or {},
    "settings": lambda standin, request: standin.state.settings_shown(),
    "reset": lambda standin, request: standin.state.settings_shown(),
    "requests": lambda standin, request: list(standin.state.log),
    "log": lambda standin, request: standin.state.journal.after(int(request.asked("after") or 0)),
    "counts": lambda standin, request: standin.state.journal.counted(),
    "store": lambda standin, request: standin.state.store.dump(),
    "webhooks": lambda standin, request: list(standin.state.webhooks.log),
}
# What is done there first.
DONE: dict[tuple[str, str], Act] = {
    ("POST", "faults"): lambda standin, request, sent: standin.trouble.add(
        standin.state, sent, request.at
    ),
    ("DELETE", "faults"): lambda standin, request, sent: _end_trouble(standin, request),
    ("POST", "storm"): lambda standin, request, sent: standin.trouble.storm(standin.state, **sent),
    ("DELETE", "storm"): lambda standin, request, sent: _end_storm(standin),
    ("POST", "settings"): lambda standin, request, sent: standin.state.set(sent),
    # Connections stay: one of them waits for this answer.
    ("POST", "reset"): lambda standin, request, sent: standin.state.reset(),
}

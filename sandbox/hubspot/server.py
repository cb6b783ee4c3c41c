"""HubSpot's stand-in: from a request to its answer. Who asks, how fast, and then the endpoint."""

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from ..server.http import Answer, Request, as_json
from ..server.standin import Standin
from . import routes
from .call import Call, kind_named
from .definitions import PORTAL_ID
from .desk import HubSpotDesk
from .pace import TooFast
from .refusals import Refusal, bad_json, missing_scopes
from .settings import Settings, Token
from .state import HubSpotState
from .store import Store
from .trouble import TROUBLE


class Sandbox(Standin):
    """A stand-in to start and stop. `with Sandbox(token="t") as crm: crm.url`"""

    crm = "HubSpot"
    trouble = TROUBLE
    state: HubSpotState

    def __init__(
        self,
        token: str,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        rate: int = 100,
        portal_id: int = PORTAL_ID,
        file: Path | None = None,
    ) -> None:
        known = file is not None and file.exists()
        store = Store.load(json.loads(file.read_text())) if file and known else Store(portal_id)
        state = HubSpotState(Settings(tokens={token: Token()}, rate=rate), store)
        super().__init__(state, host, port, file)

    @property
    def store(self) -> Store:
        return self.state.store

    @property
    def settings(self) -> Settings:
        return self.state.settings

    def snapshot(self) -> bytes:
        return self.state.snapshot()

    def restore(self, snapshot: bytes) -> None:
        self.state.restore(snapshot)

    def is_api(self, path: str) -> bool:
        return path.startswith(("/crm/", "/account-info/", "/communication-preferences/"))

    def token(self, request: Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def desk(self, request: Request) -> HubSpotDesk:
        return HubSpotDesk(self.store, request.at)

    def work(self, request: Request, spoilt: Any) -> Answer:
        try:
            return self._admitted(request, spoilt)
        except Refusal as refusal:
            return as_json(refusal.status, refusal.body())
        except TooFast as too_fast:
            if self.settings.day_used_up:
                self._struck("day_used_up")
            wait = {"Retry-After": str(too_fast.retry_after)} if self.settings.retry_after else {}
            return as_json(429, too_fast.body(), too_fast.headers | wait)
        except Exception:  # a bug of ours; say so to whoever runs this, and do not hang the client
            traceback.print_exc(file=sys.stderr)
            return as_json(500, Refusal(500, "INTERNAL_ERROR", "internal error").body())

    def _admitted(self, request: Request, spoilt: Any) -> Answer:
        token = self.token(request)
        allowed = self._token(token)
        route, version, args = routes.find(request.method, request.path)
        for wanted in routes.scopes(route, args):
            if not allowed.may(wanted):
                if not wanted.isdisjoint(allowed.removed):
                    self._struck("scope_removed")
                raise missing_scopes(wanted)
        body = _document(request)
        settings, pace = self.settings, self.state.pace
        headers = pace.admit(settings, token, route.bucket, time.monotonic(), request.at)
        call = Call(
            store=self.store,
            settings=settings,
            at=request.at,
            path=request.path,
            base=self.url,
            version=version,
            used_today=settings.daily - pace.left_today(settings),
            args=args,
            query=request.args.to_dict(flat=False),
            body=body,
            spoilt=spoilt,
        )
        try:
            status, found = route.endpoint(call)
        except Refusal as refusal:  # those of an endpoint carry the rate headers too
            status, found = refusal.status, refusal.body()
        answer = as_json(status, found, headers)
        if (
            route.endpoint in routes.MAKERS
            and status < 300
            and kind_named(args["objectType"]) == "tasks"
        ):
            made = found.get("results", [found])
            answer.made = tuple(each["id"] for each in made if each.get("new", True))
        return answer

    def _token(self, token: str) -> Token:
        found = self.settings.tokens.get(token)
        if found is None:
            message = "Authentication credentials not found. A valid bearer token is needed."
            raise Refusal(401, "INVALID_AUTHENTICATION", message)
        if found.revoked:
            self._struck("token_revoked")
            raise Refusal(401, "INVALID_AUTHENTICATION", "The access token was revoked.")
        if found.expired:
            self._struck("token_expired")
            raise Refusal(401, "EXPIRED_AUTHENTICATION", "The access token is expired.")
        return found

    def _struck(self, switch: str) -> None:
        self.state.faults.struck[switch] += 1


def _document(request: Request) -> Any:
    if request.method in ("GET", "DELETE") or not request.body:
        return None
    if "json" not in request.headers.get("Content-Type", ""):
        raise Refusal(415, "VALIDATION_ERROR", "Content-Type must be application/json")
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise bad_json(str(error)) from None

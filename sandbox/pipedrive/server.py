"""Pipedrive's stand-in: from a request to its answer. Who asks, how fast, and then the endpoint."""

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from ..server.http import Answer, Request, as_json
from ..server.standin import Standin
from . import activities, routes
from .bodies import check_body, check_query
from .call import Call
from .desk import PipedriveDesk
from .pace import BLOCK_PAGE, Blocked
from .refusals import Refusal, bad_request, bad_webhook, forbidden, unauthorized
from .settings import Settings, Token
from .state import PipedriveState
from .store import Store
from .trouble import TROUBLE


class Sandbox(Standin):
    """A stand-in to start and stop. `with Sandbox(token="t") as crm: crm.url`"""

    crm = "Pipedrive"
    trouble = TROUBLE
    state: PipedriveState

    def __init__(
        self,
        token: str,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        rate: int = 40,
        daily: int = 300_000,
        file: Path | None = None,
    ) -> None:
        """`rate`: requests in two seconds, and 0 lets searches be as fast as one likes too."""
        known = file is not None and file.exists()
        store = Store.load(json.loads(file.read_text())) if file and known else Store()
        settings = Settings(tokens={token: Token()}, rate=rate, daily=daily)
        if not rate:
            settings.search_rate = 0
        super().__init__(PipedriveState(settings, store), host, port, file)

    @property
    def store(self) -> Store:
        return self.state.store

    @property
    def settings(self) -> Settings:
        return self.state.settings

    def is_api(self, path: str) -> bool:
        return path.startswith(("/api/", "/v1/"))

    def token(self, request: Request) -> str:
        return str(request.headers.get("x-api-token", ""))

    def desk(self, request: Request) -> PipedriveDesk:
        return PipedriveDesk(self.state, request.at)

    def work(self, request: Request, spoilt: Any) -> Answer:
        try:
            return self._admitted(request)
        except Refusal as refusal:
            if refusal.status == 429 and self.settings.day_used_up:
                self._struck("day_used_up")
            return as_json(refusal.status, refusal.body(), refusal.headers)
        except Blocked:
            if self.settings.blocked:
                self._struck("blocked")
            return Answer(BLOCK_PAGE, 403, {"Content-Type": "text/html; charset=UTF-8"})
        except Exception:  # a bug of ours; say so to whoever runs this, and do not hang the client
            traceback.print_exc(file=sys.stderr)
            return as_json(500, Refusal(500, "Internal server error").body())

    def _admitted(self, request: Request) -> Answer:
        token = self.token(request)
        allowed = self.settings.tokens.get(token)
        if allowed is None:
            raise unauthorized()
        if allowed.revoked:
            self._struck("token_revoked")
            raise unauthorized()
        route, args = routes.find(request.method, request.path)
        headers = self.state.pace.admit(
            self.settings, token, route.cost, route.is_search, time.monotonic(), request.at
        )
        try:
            if not allowed.may(route.kind, request.method != "GET"):
                self._struck("permission_removed")
                raise forbidden()
            answer = as_json(*self._worked(request, route, args, allowed), headers)
        except Refusal as refusal:  # those of an endpoint carry the rate headers too
            return as_json(refusal.status, refusal.body(), headers | refusal.headers)
        if route.endpoint is activities.create:
            answer.made = (str(json.loads(answer.get_data())["data"]["id"]),)
        return answer

    def _struck(self, switch: str) -> None:
        self.state.faults.struck[switch] += 1

    def _worked(
        self, request: Request, route: routes.Route, args: dict[str, Any], token: Token
    ) -> tuple[int, Any]:
        query = {name: values[-1] for name, values in request.args.lists()}
        body = None
        if route.schema is not None:
            body = _checked(route, route.schema, _document(request))
        self.store.actor = (token.user_id, "api")
        call = Call(
            store=self.store,
            settings=self.settings,
            at=request.at,
            user_id=token.user_id,
            is_admin=token.admin,
            args=args,
            query=check_query(route.parameters, query),
            body=body,
        )
        return route.endpoint(call)


def _checked(route: routes.Route, schema: Any, body: Any) -> Any:
    try:
        return check_body(route.path, schema, body)
    except Refusal as refusal:
        if route.kind == "webhooks":  # these say it in a form of their own
            raise bad_webhook("body", refusal.message) from None
        raise


def _document(request: Request) -> Any:
    if "json" not in request.headers.get("Content-Type", ""):
        raise Refusal(415, "Content-Type must be application/json")
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        raise bad_request("The request body is not valid JSON") from None

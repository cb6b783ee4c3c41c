"""Salesforce's stand-in: from a request to its answer. Who asks, how often, and then the endpoint."""

import gzip
import json
import re
import sys
import time
import traceback
import zlib
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ..server.http import Answer, Request, as_json
from ..server.standin import Standin
from . import routes
from .call import Call
from .desk import SalesforceDesk
from .login import NoToken, granted
from .org.access import Access
from .org.first import People, org
from .org.store import Store
from .refusals import Refusal, bad, bad_json, not_found
from .settings import Settings
from .state import SalesforceState
from .trouble import TROUBLE

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - no secret
DATA = re.compile(r"/services/data/v(\d+\.0)(/.*)?")
GONE, FIRST, LAST = 30, 31, 68
SEASONS = ("Winter", "Spring", "Summer")
LONGEST_URL = 16_384
FEWEST_PACKED = 1_000  # bytes


class Sandbox(Standin):
    """A stand-in to start and stop. `with Sandbox("id", "secret") as crm: crm.url`"""

    crm = "Salesforce"
    trouble = TROUBLE
    state: SalesforceState

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        daily: int = 100_000,
        file: Path | None = None,
    ) -> None:
        at = datetime.now(UTC).replace(microsecond=0)
        store, people = org(at)
        if file and file.exists():
            store = Store.load(json.loads(file.read_text()), at)
        settings = Settings(client_id=client_id, client_secret=client_secret, daily=daily)
        super().__init__(SalesforceState(settings, store, people), host, port, file)

    @property
    def store(self) -> Store:
        return self.state.store

    @property
    def settings(self) -> Settings:
        return self.state.settings

    @property
    def people(self) -> People:
        return self.state.people

    def snapshot(self) -> bytes:
        return self.state.snapshot()

    def restore(self, snapshot: bytes) -> None:
        self.state.restore(snapshot)

    def session_of(self, user_id: str) -> str:
        """A token for somebody of the org, as if they had logged in."""
        with self.state.lock:
            return self.state.sessions.open(user_id, time.monotonic())

    def is_api(self, path: str) -> bool:
        return path.startswith("/services/")

    def token(self, request: Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() in ("bearer", "oauth") else ""

    def desk(self, request: Request) -> SalesforceDesk:
        return SalesforceDesk(
            self.store, self.state.people, self.settings, self.state.clock(request.at)
        )

    def work(self, request: Request, spoilt: Any) -> Answer:
        try:
            answer = self._answered(request, spoilt)
        except NoToken as refusal:
            answer = as_json(refusal.status, refusal.body)
        except Refusal as refusal:
            answer = as_json(refusal.status, refusal.body())
        except Exception:  # a bug of ours; say so to whoever runs this, and do not hang the client
            traceback.print_exc(file=sys.stderr)
            answer = as_json(
                500, Refusal(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred").body()
            )
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            _pack(answer)
        answer.headers["Date"] = format_datetime(self.state.clock(request.at), usegmt=True)
        return answer

    def _answered(self, request: Request, spoilt: Any) -> Answer:
        _check_size(request)
        if request.path == TOKEN_PATH:
            return self._log_in(request)
        if request.path.rstrip("/") == "/services/data":
            return as_json(200, _versions())
        found = DATA.fullmatch(request.path)
        if not found:
            raise not_found()
        version = float(found[1])
        if version <= GONE:
            raise Refusal(410, "UNSUPPORTED_API_VERSION", f"API version {found[1]} is retired")
        if version > LAST:
            raise not_found()
        return self._called(request, found[1], found[2] or "/", spoilt)

    def _log_in(self, request: Request) -> Answer:
        if request.method != "POST":
            raise NoToken(400, "invalid_request", "must use HTTP POST")
        form = dict(parse_qsl(request.body.decode(errors="replace")))
        authorization = request.headers.get("Authorization", "")
        token = self.state.sessions.log_in(self.settings, form, authorization, time.monotonic())
        organization, user = self.store.organization.id, self.state.people.integration
        return as_json(200, granted(token, self.url, organization, user))

    def _called(self, request: Request, version: str, path: str, spoilt: Any) -> Answer:
        state, settings, now = self.state, self.settings, time.monotonic()
        user_id = state.sessions.user(settings, self.token(request), now)
        if user_id is None:
            raise Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if not settings.api_enabled:
            raise Refusal(403, "API_DISABLED_FOR_ORG", "API is disabled for this organization")
        if settings.day_used_up:
            state.faults.struck["day_used_up"] += 1
        state.pace.admit(settings, now)
        call = Call(
            store=self.store,
            settings=settings,
            access=Access(self.store, user_id or state.people.integration),
            cursors=state.cursors,
            at=state.clock(request.at),
            version=version,
            method=request.method,
            path=path,
            query=request.args.to_dict(),
            headers={name.lower(): value for name, value in request.headers},
            body=_document(request),
            again=routes.answer,
            used=state.pace.used(now),
            spoilt=spoilt,
        )
        limit = {"Sforce-Limit-Info": state.pace.header(settings, now)}
        try:
            status, body = routes.answer(call)
        except Refusal as refusal:  # those of an endpoint carry the header too
            return as_json(refusal.status, refusal.body(), limit)
        answer = as_json(status, body, limit)
        answer.made = _made_tasks(request.method, body)
        return answer


def _pack(answer: Answer) -> None:
    """Only what is worth it."""
    body = answer.get_data()
    if len(body) > FEWEST_PACKED:
        answer.set_data(gzip.compress(body, 1))
        answer.headers["Content-Encoding"] = "gzip"


def _check_size(request: Request) -> None:
    """Of the URL, and of URL and headers together."""
    url = len(str(request.environ["RAW_URI"]))
    if url > LONGEST_URL:
        raise Refusal(414, "URI_TOO_LONG", f"a URL may have {LONGEST_URL} bytes")
    if url + sum(len(name) + len(value) for name, value in request.headers) > LONGEST_URL:
        raise Refusal(431, "HEADERS_TOO_LONG", f"URL and headers may have {LONGEST_URL} bytes")


def _made_tasks(method: str, body: Any) -> tuple[str, ...]:
    """Ids of new tasks: alone, or of the rows of a collection."""
    rows = body if isinstance(body, list) else [body]
    made = [each.get("id") for each in rows if isinstance(each, dict) and each.get("success")]
    return tuple(str(each) for each in made if method == "POST" and str(each).startswith("00T"))


def _versions() -> list[dict[str, str]]:
    """Three a year; 67 is that of summer 2026."""
    return [
        {
            "label": f"{SEASONS[(number + 1) % 3]} '{(number + 13) // 3:02}",
            "url": f"/services/data/v{number}.0",
            "version": f"{number}.0",
        }
        for number in range(FIRST, LAST + 1)
    ]


def _document(request: Request) -> Any:
    if request.method in ("GET", "DELETE") or not request.body:
        return None
    if "json" not in request.headers.get("Content-Type", ""):
        message = f"Content-Type '{request.headers.get('Content-Type', '')[:80]}' is not supported"
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", message)
    try:
        return json.loads(_unpacked(request))
    except (ValueError, RecursionError) as error:
        raise bad_json(str(error)) from None


def _unpacked(request: Request) -> bytes:
    if request.headers.get("Content-Encoding", "").lower() != "gzip":
        return request.body
    try:
        return gzip.decompress(request.body)
    except (OSError, EOFError, zlib.error):
        raise bad("INVALID_CONTENT", "the body is no gzip") from None

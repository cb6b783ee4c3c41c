"""The integration user's session: one for all processes, renewed once when Salesforce ends it.

Nothing tells how long a session lasts, and each log-in counts against a limit and is written into the
org's history. So its token is shared in Redis, encrypted with the client's secret. Without Redis each
process has its own.
docs/salesforce-facts.md#log-in, docs/salesforce-facts.md#session-life
"""

import json
import logging
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.fernet import Fernet, InvalidToken
from urllib3 import Timeout

from crm_sync.port import CrmBusy, CrmDenied, CrmError
from crm_sync.salesforce.transport.calls import LOG_IN
from crm_sync.salesforce.transport.errors import error_from_answer, silence_error
from crm_sync.transport.http import HttpError, HttpTransport, NoHttpAnswer, RawAnswer
from crm_sync.transport.json_body import parse_body
from crm_sync.transport.redis_state import RedisState
from leadscoring.common.text import bounded_line

logger = logging.getLogger(__name__)

TIMEOUT = Timeout(connect=3.05, read=10.0)
KEPT_SECONDS = 12 * 3600
# Seconds that one process may take to log in, above the longest call; others wait for its session.
RENEWING_SECONDS, WAIT_SECONDS, LOOK_EVERY = 25, 12.0, 0.1
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MEANINGS = {
    "invalid_client_id": "it does not know SALESFORCE_CLIENT_ID",
    "invalid_client": "SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET are not of one app",
    "invalid_grant": "the app's client credentials flow is not switched on, or runs as nobody",
    "unsupported_grant_type": "SALESFORCE_LOGIN_URL is not the org's own address (My Domain)",
}


@dataclass(frozen=True, slots=True)
class SalesforceSession:
    """What a log-in gave us. `user_id`: the integration user's."""

    token: str = field(repr=False)
    instance_url: str
    org_id: str
    user_id: str


class SessionKeeper:
    def __init__(
        self,
        http: HttpTransport,
        shared: RedisState,
        login_url: str,
        client_id: str,
        client_secret: str,
    ) -> None:
        self._http = http
        self._shared = shared
        self._login_url = login_url
        self._client_id = client_id
        self._client_secret = client_secret
        key = sha256(f"salesforce session\n{client_id}\n{client_secret}".encode()).digest()
        self._cipher = Fernet(urlsafe_b64encode(key))
        self._session: SalesforceSession | None = None
        self._lock = Lock()

    def current(self) -> SalesforceSession:
        """Return the session of all processes; log in when there is none."""
        return self._session or self.renewed(None)

    def renewed(self, refused: SalesforceSession | None) -> SalesforceSession:
        """Return another session than the refused one. One process logs in, others wait for it."""
        with self._lock:
            if self._session is None or self._session == refused:
                self._session = None
                self._session = self._shared_session(refused) or self._logged_in(refused)
            return self._session

    def _logged_in(self, refused: SalesforceSession | None) -> SalesforceSession:
        key = self._shared.key("session:renewing")
        mine = self._shared.ask(
            lambda redis: bool(redis.set(key, "1", nx=True, ex=RENEWING_SECONDS))
        )
        if mine is False:
            return self._awaited(refused)
        try:
            # Another process may have logged in between our two questions.
            session = self._shared_session(refused)
            if session is None:
                session = self._log_in()
                self._share(session)
        finally:
            self._shared.ask(lambda redis: redis.delete(key))
        return session

    def _awaited(self, refused: SalesforceSession | None) -> SalesforceSession:
        until = monotonic() + WAIT_SECONDS
        while monotonic() < until:
            sleep(LOOK_EVERY)
            if session := self._shared_session(refused):
                return session
        raise CrmBusy("Another process is logging in to Salesforce.", 5.0)

    def _shared_session(self, refused: SalesforceSession | None) -> SalesforceSession | None:
        key = self._shared.key("session")
        kept = self._shared.ask(lambda redis: redis.get(key))
        if not kept:
            return None
        try:
            session = SalesforceSession(**json.loads(self._cipher.decrypt(str(kept))))
        except (InvalidToken, ValueError, TypeError):  # of another secret, or of another release
            return None
        return None if session == refused else session

    def _share(self, session: SalesforceSession) -> None:
        values = {name: getattr(session, name) for name in SalesforceSession.__slots__}
        kept = self._cipher.encrypt(json.dumps(values).encode()).decode()
        key = self._shared.key("session")
        self._shared.ask(lambda redis: redis.set(key, kept, ex=KEPT_SECONDS))

    def _log_in(self) -> SalesforceSession:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        try:
            answer = self._http.request(
                LOG_IN.method,
                f"{self._login_url}{LOG_IN.path}",
                body=urlencode(form),
                headers={
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
                timeout=TIMEOUT,
            )
        except HttpError as refusal:
            logger.warning("the log-in to Salesforce answered %s", refusal.answer.status)
            raise _refusal(refusal.answer) from None
        except NoHttpAnswer as silence:
            logger.warning("the log-in to Salesforce: %s", silence)
            raise silence_error(LOG_IN, str(silence)) from None
        return self._session_in(parse_body(answer.body))

    def _session_in(self, found: dict[str, Any]) -> SalesforceSession:
        token, instance = str(found.get("access_token") or ""), str(found.get("instance_url") or "")
        ids = str(found.get("id") or "").rstrip("/").split("/")
        if not token or not token.isascii() or not token.isprintable() or len(ids) < 2:
            raise silence_error(LOG_IN, "the answer was no session")
        if not is_salesforce(instance, self._login_url):
            # All data would go there.
            raise CrmDenied(
                "The log-in names an address outside Salesforce for the org: nothing is sent there."
            )
        return SalesforceSession(token, instance.rstrip("/"), ids[-2], ids[-1])


def is_salesforce(address: str, login_url: str) -> bool:
    """Return whether data may be sent to an address: https within salesforce.com, or where we logged in.

    docs/salesforce-facts.md#log-in
    """
    try:
        given, known = urlsplit(address), urlsplit(login_url)
        host = given.hostname or ""
        same_place = (given.scheme, host, given.port) == (known.scheme, known.hostname, known.port)
    except ValueError:
        return False
    if given.username or given.path.strip("/") or given.query:
        return False
    if known.hostname in LOOPBACK and host in LOOPBACK:
        return given.scheme in ("http", "https")
    return same_place or (given.scheme == "https" and host.endswith(".salesforce.com"))


def _refusal(answer: RawAnswer) -> CrmError:
    """Return the error of a refused log-in, whose body is an object, unlike all others."""
    said = parse_body(answer.body)
    code = bounded_line(said.get("error") or "", 60)
    if not code or answer.status >= 500 or answer.status == 429:
        return error_from_answer(LOG_IN, answer)
    why = bounded_line(said.get("error_description") or "", 120)
    told = f"{MEANINGS.get(code, 'the app or its user is not set up')} ({code}: {why})"
    return CrmDenied(f"Salesforce does not let us log in: {told}.")

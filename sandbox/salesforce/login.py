"""Tokens: what the client credentials flow gives out, how long they are good, whom they stand for."""

import base64
import binascii
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import compare_digest, token_urlsafe
from typing import Any

from .settings import Settings

HOUR = 3_600.0
GRANT = "client_credentials"


class NoToken(Exception):
    """The token endpoint's own kind of refusal: an object, where all others are arrays."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass
class Session:
    """`used_at`: by a monotonic clock, the last time."""

    user_id: str
    used_at: float
    is_over: bool = False


class Sessions:
    def __init__(self) -> None:
        self._held: dict[str, Session] = {}
        self._logins: deque[float] = deque()

    def log_in(
        self, settings: Settings, form: Mapping[str, str], authorization: str, now: float
    ) -> str:
        """Tell the app's secret, and there is a token for its execution user."""
        if form.get("grant_type") != GRANT:
            raise NoToken(400, "unsupported_grant_type", "grant type not supported")
        client_id, secret = _basic(authorization) or (
            form.get("client_id", ""),
            form.get("client_secret", ""),
        )
        if client_id != settings.client_id:
            raise NoToken(400, "invalid_client_id", "client identifier invalid")
        if not compare_digest(secret.encode(), settings.client_secret.encode()):
            raise NoToken(400, "invalid_client", "invalid client credentials")
        if not settings.flow_has_user:
            raise NoToken(400, "invalid_grant", "no client credentials user enabled")
        while self._logins and self._logins[0] <= now - HOUR:
            self._logins.popleft()
        if settings.logins_an_hour and len(self._logins) >= settings.logins_an_hour:
            raise NoToken(400, "invalid_grant", "login rate exceeded")
        self._logins.append(now)
        return self.open("", now)

    def open(self, user_id: str, now: float, token: str = "") -> str:
        """A session; "" is the integration user's."""
        token = token or f"00DHs!{token_urlsafe(48)}"
        self._held[token] = Session(user_id, now)
        return token

    def user(self, settings: Settings, token: str, now: float) -> str | None:
        """Whose session it is; None for one that is over. To use it makes it last longer."""
        session = self._held.get(token)
        if session is None or session.is_over or now - session.used_at > settings.token_seconds:
            return None
        session.used_at = now
        return session.user_id

    def end_all(self) -> None:
        """As an administrator does it: all of the integration user's."""
        for each in self._held.values():
            each.is_over = each.is_over or not each.user_id

    @property
    def open_ones(self) -> int:
        return sum(not each.is_over and not each.user_id for each in self._held.values())


def granted(token: str, url: str, organization: str, user_id: str) -> dict[str, Any]:
    """No refresh token, and no word on how long it is good."""
    return {
        "access_token": token,
        "signature": base64.b64encode(token[-32:].encode()).decode(),
        "scope": "api",
        "instance_url": url,
        "id": f"{url}/id/{organization}/{user_id}",
        "token_type": "Bearer",
        "issued_at": str(int(datetime.now(UTC).timestamp() * 1000)),
    }


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret

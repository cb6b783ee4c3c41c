"""How form services sign what they send. Pure."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime

# What a service's clock and its way here may take; Webflow and Standard Webhooks advise it.
WINDOW_SECONDS = 300
MISSING, WRONG = "is missing", "is not that of the signing secret"
OLD = "is more than 5 minutes old"

Check = Callable[[str, Mapping[str, str], bytes, datetime], str]


def check_signature(
    kind: str, secret: str, headers: Mapping[str, str], body: bytes, at: datetime
) -> str:
    """Return what is wrong with the signature of a request, "" when it is good."""
    return CHECKS[kind](secret, headers, body, at)


def _typeform(secret: str, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
    given = headers.get("Typeform-Signature", "")
    return _compare(f"sha256={_base64(secret.encode(), body)}", [given])


def _tally(secret: str, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
    return _compare(_base64(secret.encode(), body), [headers.get("Tally-Signature", "")])


def _calendly(secret: str, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
    pairs = (
        one.strip().partition("=")
        for one in headers.get("Calendly-Webhook-Signature", "").split(",")
    )
    given = [(name, value) for name, _, value in pairs]
    sent = next((value for name, value in given if name == "t"), "")
    right = _hex(secret.encode(), f"{sent}.".encode() + body)
    wrong = _compare(right, [value for name, value in given if name == "v1"])
    return wrong or _age(sent, 1, at)


def _webflow(secret: str, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
    """It signs the body as JSON.stringify writes it, which is how it sends it; both ways are tried."""
    sent = headers.get("x-webflow-timestamp", "")
    given = [headers.get("x-webflow-signature", "")]
    bodies = [body]
    try:
        again = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False)
        bodies.append(again.encode())
    except (ValueError, RecursionError):
        pass
    found = [_compare(_hex(secret.encode(), f"{sent}:".encode() + one), given) for one in bodies]
    return min(found) or _age(sent, 1_000, at)


def _standard(secret: str, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
    """Check a signature of Standard Webhooks: several may stand beside each other."""
    name, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = secret.encode()
    given = [one.removeprefix("v1,") for one in headers.get("webhook-signature", "").split()]
    right = _base64(key, f"{name}.{sent}.".encode() + body)
    return _compare(right, given) or _age(sent, 1, at)


CHECKS: Mapping[str, Check] = {
    "typeform": _typeform,
    "tally": _tally,
    "calendly": _calendly,
    "webflow": _webflow,
    "json": _standard,
}


def _base64(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _hex(key: bytes, signed: bytes) -> str:
    return hmac.new(key, signed, hashlib.sha256).hexdigest()


def _compare(right: str, given: list[str]) -> str:
    told = [one.encode(errors="replace") for one in given if one]
    if not told:
        return MISSING
    return "" if any(hmac.compare_digest(right.encode(), one) for one in told) else WRONG


def _age(sent: str, per_second: int, at: datetime) -> str:
    """Return what is wrong with the time that a request was signed at."""
    if not (sent.isascii() and sent.isdigit() and len(sent) < 16):
        return WRONG
    return OLD if abs(int(sent) / per_second - at.timestamp()) > WINDOW_SECONDS else ""

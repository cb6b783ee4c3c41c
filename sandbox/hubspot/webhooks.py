"""Webhooks: what HubSpot tells of its records, and how it signs that. Source: its webhooks guide."""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from ..server.moments import milliseconds
from ..server.outbox import Event
from .settings import Settings
from .store import SINGULAR, TYPE_IDS

APP_ID = 1_160_452
# What an app of this project subscribes to: verbs, and whose values' changes, by kind.
VERBS = ("creation", "deletion", "restore", "merge", "associationChange", "privacyDeletion")
PROPERTIES = {
    "contacts": ("hubspot_owner_id", "lifecyclestage", "hs_lead_status", "email", "hs_email_optout"),
    "deals": ("dealstage", "pipeline", "hubspot_owner_id"),
}  # fmt: skip
# There is no `object.privacyDeletion`.
CLASSIC_ONLY = ("privacyDeletion",)
# These name their records by themselves.
WITHOUT_OBJECT = ("merge", "associationChange")
# Decoded in the address before it is signed.
PLAIN = {f"%{ord(sign):02X}": sign for sign in ":/?@!$'()*,;"}


def is_subscribed(verb: str, kind: str, facts: Event) -> bool:
    if kind not in PROPERTIES:
        return False
    return verb in VERBS or facts.get("propertyName") in PROPERTIES[kind]


def event(
    verb: str, kind: str, id_: str, facts: Event, *, number: int, portal_id: int, generic: bool
) -> Event:
    """`generic`: `object.deletion` with the type's id, for `contact.deletion`."""
    generic = generic and verb not in CLASSIC_ONLY
    told: dict[str, Any] = {
        "eventId": number,
        "subscriptionId": VERBS.index(verb) + 1 if verb in VERBS else 0,
        "portalId": portal_id,
        "appId": APP_ID,
        "occurredAt": milliseconds(datetime.now(UTC)),
        "subscriptionType": f"{'object' if generic else SINGULAR[kind]}.{verb}",
        "attemptNumber": 0,
        "changeSource": "CRM",
    }
    told |= {"objectTypeId": TYPE_IDS[kind]} if generic else {}
    told |= {} if verb in WITHOUT_OBJECT else {"objectId": int(id_)}
    hidden = () if generic else ("fromObjectTypeId", "toObjectTypeId")
    return told | {name: value for name, value in facts.items() if name not in hidden}


def pack(
    settings: Settings, url: str, events: list[Event], attempt: int
) -> tuple[bytes, dict[str, str]]:
    """The body of a request and its headers, signed both ways."""
    told = [each | {"attemptNumber": attempt} for each in events]
    body = json.dumps(told, separators=(",", ":")).encode()
    stamp, secret = str(milliseconds(datetime.now(UTC))), settings.webhook_secret.encode()
    return body, {
        "Content-Type": "application/json",
        "X-HubSpot-Signature": hashlib.sha256(secret + body).hexdigest(),
        "X-HubSpot-Signature-Version": "v1",
        "X-HubSpot-Signature-v3": signature(secret, url, body, stamp),
        "X-HubSpot-Request-Timestamp": stamp,
    }


def signature(secret: bytes, url: str, body: bytes, stamp: str) -> str:
    address = re.sub("%[0-9A-Fa-f]{2}", lambda code: PLAIN.get(code[0].upper(), code[0]), url)
    text = f"POST{address}".encode() + body + stamp.encode()
    return b64encode(hmac.digest(secret, text, hashlib.sha256)).decode()

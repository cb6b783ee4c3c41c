"""Verify HubSpot's webhooks, and extract the records that they name.

HubSpot's client library verifies signatures too. It is not used: it accepts time stamps of any
future and decodes nothing.
docs/hubspot-facts.md#webhook-signature, docs/hubspot-facts.md#webhook-fields
"""

import hashlib
import hmac
import json
import logging
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from crm_sync.port import CrmForged, CrmHint, Posted

log = logging.getLogger(__name__)

SIGNATURE, TIMESTAMP = "x-hubspot-signature-v3", "x-hubspot-request-timestamp"
OLDEST, MOST_AHEAD = timedelta(minutes=5), timedelta(minutes=1)
# What HubSpot decodes in the address before it signs; everything else stays as it is.
# docs/hubspot-facts.md#webhook-signature
DECODED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
# HubSpot sends at most 100 events, of which a merge names three records and more.
# docs/hubspot-facts.md#webhook-delivery
MOST_HINTS = 1000
LONGEST_ID = 20  # digits

Kind = Literal["contact", "deal"]
What = Literal["changed", "deleted", "restored", "merged", "erased", "associated"]
KINDS: Mapping[str, Kind] = {"contact": "contact", "0-1": "contact", "deal": "deal", "0-3": "deal"}
# Of a type like "deal.propertyChange"; a verb that is not here is a change like any other.
WHAT: Mapping[str, What] = {
    "deletion": "deleted",
    "restore": "restored",
    "merge": "merged",
    "privacyDeletion": "erased",  # docs/hubspot-facts.md#permanent-deletion
    "associationChange": "associated",
}
Event = Mapping[str, Any]


class HubSpotWebhooks:
    """`secret`: the app's client secret; without one every request is rejected."""

    def __init__(self, secret: str) -> None:
        self.enabled = bool(secret)
        self._secret = secret.encode()

    def hints(self, posted: Posted, at: datetime) -> Sequence[CrmHint]:
        """Return at most MOST_HINTS hints of a request. Raise CrmForged unless it is verified."""
        self.check(posted, at)
        found = [hint for event in parse_events(posted.body) for hint in event_hints(event, at)]
        if len(found) > MOST_HINTS:
            log.warning("a webhook named %d records: %d were taken", len(found), MOST_HINTS)
        return found[:MOST_HINTS]

    def check(self, posted: Posted, at: datetime) -> None:
        """Raise CrmForged unless the request has a valid signature (v3) and a recent time stamp."""
        if not self.enabled:
            raise CrmForged("Webhooks are off: no client secret is set.", signed=False)
        given = posted.headers.get(SIGNATURE, "")
        if not given:
            raise CrmForged("The request is not signed.", signed=False)
        stamp = posted.headers.get(TIMESTAMP, "")
        check_timestamp(stamp, at)
        wanted = b64encode(self.signed(posted, stamp))
        if not hmac.compare_digest(wanted, given.encode("utf-8", "replace")):
            raise CrmForged("The signature does not fit.")

    def signed(self, posted: Posted, stamp: str) -> bytes:
        """Return the signature (v3) that the request has to carry."""
        text = (
            f"{posted.method}{decode_url(posted.address)}".encode() + posted.body + stamp.encode()
        )
        return hmac.digest(self._secret, text, hashlib.sha256)


def decode_url(address: str) -> str:
    return DECODED.sub(lambda found: chr(int(found[1], 16)), address)


def check_timestamp(stamp: str, at: datetime) -> None:
    """Raise CrmForged unless the time stamp (milliseconds since 1970) is at most OLDEST before `at`
    and at most MOST_AHEAD after it.
    """
    sent_at = (
        instant_from_ms(int(stamp))
        if stamp.isascii() and stamp.isdigit() and len(stamp) < 20
        else None
    )
    if sent_at is None:
        raise CrmForged("The time stamp is missing or none.")
    if sent_at < at - OLDEST:
        raise CrmForged("The request is older than 5 minutes.")
    if sent_at > at + MOST_AHEAD:
        raise CrmForged("The request is from the future.")


def instant_from_ms(milliseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def parse_events(body: bytes) -> list[Event]:
    """Return the events of a body. Skip what cannot be read: the signature vouches for the sender."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        log.warning("a signed webhook is not JSON")
        return []
    listed = found if isinstance(found, list) else [found]
    return [event for event in listed if isinstance(event, dict)]


def event_hints(event: Event, at: datetime) -> Iterator[CrmHint]:
    """Yield a hint for each contact or deal that an event names."""
    # A table of HubSpot's guide calls it eventType. docs/hubspot-facts.md#webhook-fields
    noun, _, verb = str(event.get("subscriptionType") or event.get("eventType") or "").partition(
        "."
    )
    own = KINDS.get(str(event.get("objectTypeId")) if noun == "object" else noun)
    what = WHAT.get(verb, "changed")
    records = association_ends(event, own) if what == "associated" else event_record_ids(event, own)
    for kind, record_id in records:
        yield CrmHint(
            kind, record_id, what, event_instant(event, at), record_id_text(event.get("portalId"))
        )


def event_record_ids(event: Event, kind: Kind | None) -> Iterator[tuple[Kind, str]]:
    """Return the records of an event; of a merge, those that were merged and the result.

    docs/hubspot-facts.md#webhook-fields
    """
    merged = event.get("mergedObjectIds")
    ids = [event.get(name) for name in ("objectId", "primaryObjectId", "newObjectId")]
    ids += merged if isinstance(merged, list) else []
    named = dict.fromkeys(filter(None, map(record_id_text, ids)))
    return ((kind, id_) for id_ in named if kind)


def association_ends(event: Event, own: Kind | None) -> Iterator[tuple[Kind, str]]:
    """Return both ends of an association. Classic events name the types in DEAL_TO_CONTACT only.

    docs/hubspot-facts.md#webhook-fields
    """
    first, _, second = str(event.get("associationType") or "").lower().partition("_to_")
    from_kind = KINDS.get(str(event.get("fromObjectTypeId") or first), own)
    to_kind = KINDS.get(str(event.get("toObjectTypeId") or second))
    pairs = (
        (from_kind, record_id_text(event.get("fromObjectId"))),
        (to_kind, record_id_text(event.get("toObjectId"))),
    )
    return ((kind, id_) for kind, id_ in pairs if kind and id_)


def record_id_text(value: object) -> str:
    """Return an id as text, "" for what is none. HubSpot sends numbers."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID else ""


def event_instant(event: Event, at: datetime) -> datetime:
    """Return when an event occurred, by HubSpot's clock; never later than `at`."""
    value = event.get("occurredAt")
    known = instant_from_ms(value) if isinstance(value, int) and abs(value) < 10**17 else None
    return min(known, at) if known else at

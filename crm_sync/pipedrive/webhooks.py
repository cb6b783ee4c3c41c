"""Verify Pipedrive's webhooks, and extract the records that they name.

They carry no signature: a password tells them from others. docs/pipedrive-facts.md#webhooks
"""

import hmac
import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from crm_sync.pipedrive.instants import instant_of
from crm_sync.pipedrive.records.lists import id_text
from crm_sync.port import CrmForged, CrmHint, Posted

log = logging.getLogger(__name__)

USER = "leadscoring"
Kind = Literal["contact", "deal"]
What = Literal["changed", "deleted", "restored", "merged", "erased", "associated"]
KINDS: Mapping[str, Kind] = {"person": "contact", "deal": "deal"}
WHAT: Mapping[str, What] = {"create": "changed", "change": "changed", "delete": "deleted"}
Event = Mapping[str, Any]


class PipedriveWebhooks:
    """`password`: without one every request is rejected. `own_user`: answers the token's user, "" when
    it is not known; what we changed ourselves is no news.
    """

    def __init__(self, password: str, own_user: Callable[[], str] = str) -> None:
        self.enabled = bool(password)
        self._wanted = b"Basic " + b64encode(f"{USER}:{password}".encode())
        self._own_user = own_user

    def hints(self, posted: Posted, at: datetime) -> Sequence[CrmHint]:
        """Return the hints of a request. Raise CrmForged unless it carries the password."""
        self.check(posted)
        try:
            found = json.loads(posted.body)
        except (ValueError, RecursionError):
            log.warning("a webhook with the password is not JSON")
            return []
        meta = found.get("meta") if isinstance(found, dict) else None
        if not isinstance(meta, dict) or self._is_ours(meta):
            return []
        return list(webhook_hints(meta, at))

    def check(self, posted: Posted) -> None:
        """Raise CrmForged unless the request carries the password."""
        if not self.enabled:
            raise CrmForged("Webhooks are off: no password is set.", signed=False)
        given = posted.headers.get("authorization", "")
        if not given:
            raise CrmForged("The request carries no password.", signed=False)
        if not hmac.compare_digest(self._wanted, given.encode("utf-8", "replace")):
            raise CrmForged("The password does not fit.")

    def _is_ours(self, meta: Event) -> bool:
        """Return whether the event tells what we did. A merge never is."""
        merged = meta.get("merged_to_id") or meta.get("merged_from_id")
        if merged or meta.get("change_source") != "api":
            return False
        user = id_text(meta.get("user_id"))
        return bool(user) and user == self._own_user()


def webhook_hints(meta: Event, at: datetime) -> Iterator[CrmHint]:
    """Yield a hint for the record of an event, and for the one that was merged into it.

    docs/pipedrive-facts.md#merged-records
    """
    kind, record_id = KINDS.get(str(meta.get("entity"))), _id(meta.get("entity_id"))
    if kind is None or not record_id:
        return
    when, account = _instant(meta.get("timestamp"), at), _id(meta.get("company_id"))
    became, was = _id(meta.get("merged_to_id")), _id(meta.get("merged_from_id"))
    what = "merged" if became else WHAT.get(str(meta.get("action")), "changed")
    yield CrmHint(kind, record_id, what, when, account, merged_into=became)
    if was:
        yield CrmHint(kind, was, "merged", when, account, merged_into=record_id)


def _id(value: object) -> str:
    return id_text(value.strip() if isinstance(value, str) else value)


def _instant(value: object, at: datetime) -> datetime:
    """Return when an event occurred, never later than `at`. The guide shows ISO 8601, and seconds."""
    text = id_text(value)
    try:
        known = datetime.fromtimestamp(int(text), UTC) if text else instant_of(value)
    except (OverflowError, ValueError, OSError):
        known = None
    return min(known, at) if known else at

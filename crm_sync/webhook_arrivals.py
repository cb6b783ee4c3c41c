"""Whether the CRM's webhooks arrive: the last one, and signed ones that were rejected."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from crm_sync import connect
from crm_sync.models import Arrival
from crm_sync.port import CrmForged
from leadscoring.common.spans import format_age
from leadscoring.operations.health import Problem

# Seconds between two writes of the last arrival, so that a flood does not rewrite one row each time.
NOTED_EVERY = 10.0
# A rejection that is older than this is ignored.
LONG_AGO = timedelta(days=1)
noted: dict[str, float] = {}


def record_arrival(at: datetime) -> None:
    update_arrival("heard", {"heard_at": at})


def record_rejected(forged: CrmForged, at: datetime) -> None:
    """Record a rejection for the audit: a wrong secret or URL shows as rejected signed requests."""
    if forged.signed:
        update_arrival("refused", {"refused_at": at, "rejected_reason": str(forged)[:300]})


def update_arrival(what: str, values: dict[str, object]) -> None:
    if time.monotonic() < noted.get(what, 0.0):
        return
    noted[what] = time.monotonic() + NOTED_EVERY
    Arrival.objects.update_or_create(pk=1, defaults=values)


def webhooks_enabled() -> bool:
    return connect.connect_webhooks().enabled


def last_webhook_at() -> datetime | None:
    """Return when the last webhook arrived, to within NOTED_EVERY seconds; None for never."""
    return Arrival.objects.values_list("heard_at", flat=True).first()


def rejected_webhooks(at: datetime) -> Iterator[Problem]:
    """Yield a problem when signed requests were rejected since the last valid one."""
    row = Arrival.objects.filter(refused_at__gt=at - LONG_AGO).first()
    if row and row.refused_at and (row.heard_at is None or row.heard_at < row.refused_at):
        yield Problem(
            "warning",
            f"Webhooks that claim to be the CRM's are refused. {row.rejected_reason}",
            "Compare the client secret and BASE_URL with the CRM's app; see docs/webhooks.md.",
        )


def webhook_state(at: datetime) -> str:
    """Return the state for display, such as "on, last heard 5 min ago"."""
    if not webhooks_enabled():
        return "off, changes are found by asking"
    heard = last_webhook_at()
    return f"on, last heard {format_age(heard, at)}" if heard else "on, never heard yet"

"""The one CRM of this process."""

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from django.conf import settings

from crm_sync.port import Crm, CrmCall, CrmField, CrmWebhooks, NotConnected


def connect() -> Crm:
    """The CRM that the settings name, the same object each time; NotConnected without a token."""
    return _connected(
        settings.HUBSPOT_ACCESS_TOKEN,
        settings.HUBSPOT_BASE_URL,
        settings.REDIS_URL,
        settings.HUBSPOT_REQUESTS_PER_10S,
        os.getpid(),
    )


@lru_cache(maxsize=2)
def _connected(
    token: str, base_url: str, redis_url: str, requests_per_10s: int | None, process: int
) -> Crm:
    """`process`: connections do not survive a fork."""
    if not token:
        return cast(Crm, NotConnected())
    # Imported when first used: a process without a CRM needs none of it.
    from crm_sync.hubspot.adapter import HubSpot

    return HubSpot(token, base_url, redis_url, requests_per_10s)


def webhooks() -> CrmWebhooks:
    """What tells the CRM's own requests from others; without a client secret it tells none."""
    from crm_sync.hubspot.webhooks import Webhooks

    return Webhooks(settings.HUBSPOT_CLIENT_SECRET)


def surface() -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
    """All that is ever asked of the CRM, sent there and read there, known also while none is connected."""
    from crm_sync.hubspot.adapter import HubSpot

    return HubSpot.calls, HubSpot.fields

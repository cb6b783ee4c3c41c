"""HubSpot as the settings name it: all that crm_sync.connect asks of an adapter's package."""

import os
from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings

from crm_sync.hubspot.defaults import MAPPING, REFUSING
from crm_sync.port import Crm, CrmCall, CrmField, CrmWebhooks

__all__ = ["MAPPING", "REFUSING", "connect", "surface", "webhooks"]


def connect() -> Crm | None:
    """The same object each time; None without a token."""
    if not settings.HUBSPOT_ACCESS_TOKEN:
        return None
    return _connected(
        settings.HUBSPOT_ACCESS_TOKEN,
        settings.HUBSPOT_BASE_URL,
        settings.HUBSPOT_API_VERSION,
        settings.REDIS_URL,
        settings.HUBSPOT_REQUESTS_PER_10S,
        os.getpid(),
    )


@lru_cache(maxsize=2)
def _connected(
    token: str,
    base_url: str,
    version: str,
    redis_url: str,
    requests_per_10s: int | None,
    process: int,
) -> Crm:
    """`process`: connections do not survive a fork."""
    # Imported when first used: a process without a CRM needs none of it.
    from crm_sync.hubspot.adapter import HubSpot

    return HubSpot(token, base_url, redis_url, requests_per_10s, version=version)


def webhooks() -> CrmWebhooks:
    """Without a client secret it takes nothing for HubSpot's."""
    from crm_sync.hubspot.webhooks import HubSpotWebhooks

    return HubSpotWebhooks(settings.HUBSPOT_CLIENT_SECRET)


def surface() -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
    from crm_sync.hubspot.fields import used_fields
    from crm_sync.hubspot.transport.calls import register_calls

    return register_calls(settings.HUBSPOT_API_VERSION), tuple(used_fields())

"""Build the adapter from the settings: what crm_sync.connect imports from an adapter package."""

import os
from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings

from crm_sync.hubspot.defaults import MAPPING, REFUSING
from crm_sync.port import Crm, CrmCall, CrmField, CrmWebhooks

__all__ = ["MAPPING", "NAME", "REFUSING", "connect", "missing_setting", "surface", "webhooks"]

NAME = "HubSpot"


def missing_setting() -> str:
    """Return the name of the token's setting when it is empty, else ""."""
    return "" if settings.HUBSPOT_ACCESS_TOKEN else "HUBSPOT_ACCESS_TOKEN"


def connect() -> Crm | None:
    """Return the adapter, the same object within a process; None without a token."""
    if missing_setting():
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
    """`process`: its id, since connections do not survive a fork."""
    # Imported when first used: a process without a CRM needs none of it.
    # docs/hubspot-facts.md#library-objects
    from crm_sync.hubspot.adapter import HubSpot

    return HubSpot(token, base_url, redis_url, requests_per_10s, version=version)


def webhooks() -> CrmWebhooks:
    """Return the verifier of webhooks; without a client secret it rejects every request."""
    from crm_sync.hubspot.webhooks import HubSpotWebhooks

    return HubSpotWebhooks(settings.HUBSPOT_CLIENT_SECRET)


def surface() -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
    """Return every call and field. Needs no connection."""
    from crm_sync.hubspot.fields import used_fields
    from crm_sync.hubspot.transport.calls import register_calls

    return register_calls(settings.HUBSPOT_API_VERSION), tuple(used_fields())

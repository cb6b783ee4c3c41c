"""Build the adapter from the settings: what crm_sync.connect imports from an adapter package."""

import os
from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings

from crm_sync.port import Crm, CrmCall, CrmField, CrmWebhooks
from crm_sync.salesforce.defaults import MAPPING, REFUSING

__all__ = ["MAPPING", "NAME", "REFUSING", "connect", "missing_setting", "surface", "webhooks"]

NAME = "Salesforce"
CREDENTIALS = ("SALESFORCE_LOGIN_URL", "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET")


def missing_setting() -> str:
    """Return the first setting of the credentials that is empty, "" when all are there."""
    return next((name for name in CREDENTIALS if not _setting(name)), "")


def connect() -> Crm | None:
    """Return the adapter, the same object within a process; None without credentials."""
    if missing_setting():
        return None
    login_url, client_id, client_secret = map(_setting, CREDENTIALS)
    return _connected(
        client_id,
        client_secret,
        login_url.rstrip("/"),
        settings.REDIS_URL,
        settings.SALESFORCE_API_VERSION,
        os.getpid(),
    )


@lru_cache(maxsize=2)
def _connected(
    client_id: str, client_secret: str, login_url: str, redis_url: str, version: str, process: int
) -> Crm:
    """`process`: its id, since connections do not survive a fork."""
    # Imported when first used: a process without this CRM needs none of it.
    from crm_sync.salesforce.adapter import Salesforce

    return Salesforce(client_id, client_secret, login_url, redis_url, version)


def webhooks() -> CrmWebhooks:
    from crm_sync.salesforce.webhooks import NoWebhooks

    return NoWebhooks()


def surface() -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
    """Return every call and field. Needs no connection."""
    from crm_sync.salesforce.fields import fields_used
    from crm_sync.salesforce.transport.calls import registered_calls

    return registered_calls(settings.SALESFORCE_API_VERSION), tuple(fields_used())


def _setting(name: str) -> str:
    return str(getattr(settings, name)).strip()

"""Build the adapter from the settings: what crm_sync.connect imports from an adapter package."""

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import environ
from django.conf import settings

from crm_sync.pipedrive.defaults import MAPPING, REFUSING
from crm_sync.port import Crm, CrmCall, CrmField, CrmWebhooks

if TYPE_CHECKING:
    from crm_sync.pipedrive.adapter import Pipedrive

__all__ = ["MAPPING", "NAME", "REFUSING", "connect", "missing_setting", "surface", "webhooks"]

NAME = "Pipedrive"
WEBHOOKS_PATH = "/webhooks/pipedrive"

env = environ.Env()


def missing_setting() -> str:
    """Return the name of the token's setting when it is empty, else ""."""
    return "" if _token() else "PIPEDRIVE_API_TOKEN"


def connect() -> Crm | None:
    """Return the adapter, the same object within a process; None without a token."""
    return _adapter()


def webhooks() -> CrmWebhooks:
    """Return the verifier of webhooks; without a password it rejects every request."""
    from crm_sync.pipedrive.webhooks import PipedriveWebhooks

    adapter = _adapter()
    return PipedriveWebhooks(_password(), adapter.known_user if adapter else str)


def surface() -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
    """Return every call and field. Needs no connection."""
    from crm_sync.pipedrive.fields import always_used
    from crm_sync.pipedrive.transport.calls import REGISTER

    return REGISTER, tuple(always_used())


def _token() -> str:
    return str(env.str("PIPEDRIVE_API_TOKEN", default="")).strip()


def _password() -> str:
    return str(env.str("PIPEDRIVE_WEBHOOK_PASSWORD", default=""))


def _adapter() -> "Pipedrive | None":
    if missing_setting():
        return None
    base_url = str(env.str("PIPEDRIVE_BASE_URL", default="")) or "https://api.pipedrive.com"
    target = (settings.BASE_URL.rstrip("/") + WEBHOOKS_PATH, _password())
    return _connected(_token(), base_url, settings.REDIS_URL, target, os.getpid())


@lru_cache(maxsize=2)
def _connected(
    token: str, base_url: str, redis_url: str, target: tuple[str, str], process: int
) -> "Pipedrive":
    """`process`: its id, since connections do not survive a fork."""
    # Imported when first used: a process without a CRM needs none of it.
    from crm_sync.pipedrive.adapter import Pipedrive
    from crm_sync.pipedrive.records.webhook_registration import WebhookTarget

    return Pipedrive(token, base_url, redis_url, WebhookTarget(*target))

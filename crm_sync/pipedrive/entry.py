"""Build the adapter from the settings: what crm_sync.connect imports from an adapter package."""

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from crm_sync.pipedrive.defaults import MAPPING, REFUSING
from crm_sync.port import Crm, CrmCall, CrmField, CrmWebhooks

if TYPE_CHECKING:
    from crm_sync.pipedrive.adapter import Pipedrive

__all__ = ["MAPPING", "NAME", "REFUSING", "connect", "missing_setting", "surface", "webhooks"]

NAME = "Pipedrive"
WEBHOOKS_PATH = "/webhooks/pipedrive"


def missing_setting() -> str:
    """Return the name of the token's setting when it is empty, else ""."""
    return "" if settings.PIPEDRIVE_API_TOKEN else "PIPEDRIVE_API_TOKEN"


def connect() -> Crm | None:
    """Return the adapter, the same object within a process; None without a token."""
    return _adapter()


def webhooks() -> CrmWebhooks:
    """Return the verifier of webhooks; without a password it rejects every request."""
    from crm_sync.pipedrive.webhooks import PipedriveWebhooks

    adapter = _adapter()
    known_user = adapter.known_user if adapter else str
    return PipedriveWebhooks(settings.PIPEDRIVE_WEBHOOK_PASSWORD, known_user)


def surface() -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
    """Return every call and field. Needs no connection."""
    from crm_sync.pipedrive.fields import always_used
    from crm_sync.pipedrive.transport.calls import REGISTER

    return REGISTER, tuple(always_used())


def _adapter() -> "Pipedrive | None":
    if missing_setting():
        return None
    return _connected(
        settings.PIPEDRIVE_API_TOKEN,
        settings.PIPEDRIVE_BASE_URL,
        settings.REDIS_URL,
        (settings.BASE_URL.rstrip("/") + WEBHOOKS_PATH, settings.PIPEDRIVE_WEBHOOK_PASSWORD),
        os.getpid(),
    )


@lru_cache(maxsize=2)
def _connected(
    token: str, base_url: str, redis_url: str, target: tuple[str, str], process: int
) -> "Pipedrive":
    """`process`: its id, since connections do not survive a fork."""
    # Imported when first used: a process without a CRM needs none of it.
    from crm_sync.pipedrive.adapter import Pipedrive
    from crm_sync.pipedrive.records.webhook_registration import WebhookTarget

    return Pipedrive(token, base_url, redis_url, WebhookTarget(*target))

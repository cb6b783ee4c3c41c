"""The one CRM of this process: of the package that the setting CRM names."""

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings

from crm_sync.port import Crm, CrmCall, CrmField, CrmWebhooks, FirstField, NotConnected


class AdapterEntry(Protocol):
    """What the module `entry` of an adapter's package has. See docs/adding-a-crm.md."""

    MAPPING: Sequence[FirstField]  # what is sent until a marketer decides otherwise
    REFUSING: Sequence[str]  # the lead statuses by which sales says no, until somebody edits them

    def missing_setting(self) -> str:
        """Return the first setting of the credentials that is empty; "" when all are there."""

    def connect(self) -> Crm | None:
        """The CRM, the same object each time within a process; None without credentials."""

    def webhooks(self) -> CrmWebhooks: ...

    def surface(self) -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
        """All that is ever asked of the CRM, sent there and read there, known without a connection."""


def adapter_entry() -> AdapterEntry:
    return cast(AdapterEntry, import_module(f"crm_sync.{settings.CRM}.entry"))


def connect() -> Crm:
    """The CRM that the settings name, the same object each time; NotConnected without credentials."""
    return adapter_entry().connect() or cast(Crm, NotConnected(missing_setting()))


def missing_setting() -> str:
    """Return the setting without which no CRM is connected; "" when one is."""
    return adapter_entry().missing_setting()


def connect_webhooks() -> CrmWebhooks:
    """What tells the CRM's own requests from others; without a secret it tells none."""
    return adapter_entry().webhooks()


def call_surface() -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
    """All that is ever asked of the CRM, sent there and read there, known also while none is connected."""
    return adapter_entry().surface()

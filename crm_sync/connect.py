"""The one CRM of this process, from the adapter package that the setting CRM names."""

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings

from crm_sync.port import Crm, CrmCall, CrmField, CrmWebhooks, FirstField, NotConnected


class AdapterEntry(Protocol):
    """The contents of the module `entry` of an adapter's package. See docs/adding-a-crm.md."""

    NAME: str  # of the CRM, as people know it
    MAPPING: Sequence[FirstField]  # the default mapping, until a marketer changes it
    REFUSING: Sequence[str]  # the default lead statuses by which sales rejects a lead

    def missing_setting(self) -> str:
        """Return the first setting of the credentials that is empty; "" when none is."""

    def connect(self) -> Crm | None:
        """Return the CRM, the same object each time within a process; None without credentials."""

    def webhooks(self) -> CrmWebhooks: ...

    def surface(self) -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
        """Return all calls, and all fields sent and read, known without a connection."""


def adapter_entry(crm: str = "") -> AdapterEntry:
    """Return the entry of a CRM's package; without a name that of the configured one."""
    return cast(AdapterEntry, import_module(f"crm_sync.{crm or settings.CRM}.entry"))


def connect() -> Crm:
    """Return the configured CRM, the same object each time; NotConnected without credentials."""
    return adapter_entry().connect() or cast(Crm, NotConnected(missing_setting()))


def crm_name() -> str:
    """Return the CRM's name as people know it."""
    return adapter_entry().NAME


def missing_setting() -> str:
    """Return the setting without which no CRM is connected; "" when one is."""
    return adapter_entry().missing_setting()


def connect_webhooks() -> CrmWebhooks:
    """Return the verifier of the CRM's requests; without a secret it accepts none."""
    return adapter_entry().webhooks()


def call_surface() -> tuple[Sequence[CrmCall], Sequence[CrmField]]:
    """Return all calls to the CRM, and all fields sent and read, known also without a connection."""
    return adapter_entry().surface()

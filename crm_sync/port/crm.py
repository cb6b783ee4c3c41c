"""The complete protocol of a CRM, and the null object for a CRM that is not connected."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from crm_sync.port.capabilities import CrmCapabilities
from crm_sync.port.contacts import CrmContacts
from crm_sync.port.deals import CrmDeals
from crm_sync.port.errors import CrmOff
from crm_sync.port.records import (
    CrmBudget,
    CrmCall,
    CrmField,
    CrmProperty,
    Priority,
)
from crm_sync.port.requests import CrmRequests
from crm_sync.port.schema import CrmSchema
from crm_sync.port.tasks import CrmTasks


class Crm(CrmRequests, CrmContacts, CrmTasks, CrmDeals, CrmSchema, Protocol):
    """Every method may raise CrmBusy, CrmDenied, CrmSilent (reads: CrmBusy instead of CrmSilent).

    Inputs may be of any length; an adapter splits them into the CRM's batches. Methods that write
    several things return, by trace (or id), the result or the error of each. CrmDenied and CrmBusy
    for everything are raised when nothing of the call was done.
    """

    connected: bool
    capabilities: CrmCapabilities
    # Identifies a set of credentials across processes without revealing it. It stays the same while
    # the CRM renews what it issued for them (an access token of two hours).
    identity: str
    # Our lifecycle stage -> the CRM's value for it, in ascending order.
    lifecycle_words: Mapping[str, str]
    # What the default mapping writes to and the CRM lacks, by its names there: set-up creates these too.
    made_properties: Sequence[CrmProperty]
    # Every call that is ever made, and every value that is sent or read.
    calls: Sequence[CrmCall]
    fields: Sequence[CrmField]


class NotConnected:
    """The null object for a missing CRM: every request raises CrmOff with the reason.

    `setting`: the setting that would connect one.
    """

    def __init__(self, setting: str) -> None:
        self._setting = setting

    connected = False
    identity = ""
    lifecycle_words: Mapping[str, str] = {}
    made_properties: Sequence[CrmProperty] = ()
    calls: Sequence[CrmCall] = ()
    fields: Sequence[CrmField] = ()

    def with_priority(self, priority: Priority, until: float = 0.0) -> "NotConnected":
        return self

    def room(self) -> float:
        return 0.0

    def budget(self) -> CrmBudget:
        return CrmBudget(None, None, None, None)

    def contact_url(self, record_id: str) -> str:
        return ""

    def __getattr__(self, name: str) -> "NotConnected":
        return self

    def __call__(self, *args: object, **kwargs: object) -> "NotConnected":
        raise CrmOff(f"No CRM is connected: {self._setting} is not set.")

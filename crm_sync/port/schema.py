"""The account: its identity, its properties, and what it lacks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from crm_sync.port.records import (
    CrmAccount,
    CrmAudit,
    CrmProperty,
    SetUpStep,
)


class CrmSchema(Protocol):
    """The account: its identity, its properties, and what it lacks."""

    def account(self) -> CrmAccount: ...

    def properties(self) -> Sequence[CrmProperty]:
        """Return all properties of contacts that the account has."""

    def lead_statuses(self) -> Sequence[str]:
        """Return the values that the account's lead status takes."""

    def set_up(self, wanted: Sequence[CrmProperty], *, plan: bool) -> Sequence[SetUpStep]:
        """Create what is missing (`plan`: only report it); report what is of the wrong type."""

    def audit(
        self, wanted: Sequence[CrmProperty], written: Sequence[str], at: datetime
    ) -> CrmAudit:
        """Ask the CRM what would prevent handoffs, and return it; change nothing.

        `wanted`: properties that exist only for us; `written`: the properties that the mapping writes.
        """

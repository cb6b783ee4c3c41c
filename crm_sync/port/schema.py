"""The account: whose it is, which properties it has, and what it lacks."""

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
    """The account: whose it is, which properties it has, and what it lacks."""

    def account(self) -> CrmAccount: ...

    def properties(self) -> Sequence[CrmProperty]:
        """All properties of contacts that the account has."""

    def lead_statuses(self) -> Sequence[str]:
        """The values that the account's lead status takes."""

    def set_up(self, wanted: Sequence[CrmProperty], *, plan: bool) -> Sequence[SetUpStep]:
        """Create what is missing (`plan`: only say it); report what is of the wrong type."""

    def audit(
        self, wanted: Sequence[CrmProperty], last_written: Sequence[str], at: datetime
    ) -> CrmAudit:
        """What would keep handoffs from working, found by asking; changes nothing.

        `wanted`: properties that exist only for us; `written`: all that the mapping writes.
        """

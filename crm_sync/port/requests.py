"""The budget of requests: who asks first, and how much is left."""

from typing import Protocol, Self

from crm_sync.port.records import (
    CrmBudget,
    Priority,
)


class CrmRequests(Protocol):
    """The budget of requests: who asks first, and how much is left."""

    def with_priority(self, priority: Priority) -> Self:
        """The same CRM, asked with another claim to the shared budget of requests."""

    def room(self) -> float:
        """Seconds until a request of this priority would be let through; 0 when it would be now."""

    def budget(self) -> CrmBudget:
        """What of the budget is used, without asking the CRM."""

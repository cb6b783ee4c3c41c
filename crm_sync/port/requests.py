"""The budget of requests: priorities, and how much is left."""

from typing import Protocol, Self

from crm_sync.port.records import (
    CrmBudget,
    Priority,
)


class CrmRequests(Protocol):
    """The budget of requests: priorities, and how much is left."""

    def with_priority(self, priority: Priority) -> Self:
        """Return the same CRM with another priority in the shared budget of requests."""

    def room(self) -> float:
        """Return the seconds until a request of this priority would be admitted; 0 for now."""

    def budget(self) -> CrmBudget:
        """Return the used part of the budget, without a request."""

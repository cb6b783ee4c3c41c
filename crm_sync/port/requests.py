"""The budget of requests: priorities, and how much is left."""

from typing import Protocol, Self

from crm_sync.port.records import (
    CrmBudget,
    Priority,
)


class CrmRequests(Protocol):
    """The budget of requests: priorities, and how much is left."""

    def with_priority(self, priority: Priority, until: float = 0.0) -> Self:
        """Return the same CRM with another priority in the shared budget of requests.

        `until`: the reading of time.monotonic() up to which a read waits when it is refused for the
        rate of requests, and is asked again; by default it raises CrmBusy at once. Work of many reads
        would else begin anew at each refusal.
        """

    def room(self) -> float:
        """Return the seconds until a request of this priority would be admitted; 0 for now."""

    def budget(self) -> CrmBudget:
        """Return the used part of the budget, without a request."""

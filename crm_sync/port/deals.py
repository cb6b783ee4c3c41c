"""Deals with their stages and owners, and the changes since an instant."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from crm_sync.port.records import (
    ChangeKind,
    CrmChange,
    CrmDeal,
    CrmOwner,
    CrmStage,
)


class CrmDeals(Protocol):
    """Deals with their stages and owners, and the changes since an instant."""

    def owners(self) -> Sequence[CrmOwner]: ...

    def stages(self) -> Sequence[CrmStage]: ...

    def deals_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmDeal]]: ...

    def deal_ids_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the ids of contacts' deals (read-after-write), without reading the deals."""

    def contacts_of_deals(self, deal_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the record ids of the contacts associated with each deal (read-after-write)."""

    def changes(self, kind: ChangeKind, since: datetime) -> Iterator[Sequence[CrmChange]]:
        """Yield records changed at `since` (the CRM's clock) or later, oldest first, in parts, each once.

        Changes that the CRM's index does not show yet are missing, and so are deleted records. A
        record that is changed during the iteration may be yielded again with its new time.
        """

    def newest_change(self, kind: ChangeKind) -> datetime | None:
        """Return the time of the latest change that `changes` would yield; None when there is no record."""

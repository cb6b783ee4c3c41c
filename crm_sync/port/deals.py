"""Deals with their stages and owners, and what was changed since an instant."""

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
    """Deals with their stages and owners, and what was changed since an instant."""

    def owners(self) -> Sequence[CrmOwner]: ...

    def stages(self) -> Sequence[CrmStage]: ...

    def deals_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmDeal]]: ...

    def deal_ids_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The ids of contacts' deals, read after write, without reading the deals."""

    def contacts_of_deals(self, deal_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The record ids of the contacts that each deal hangs on, read after write."""

    def changes(self, kind: ChangeKind, since: datetime) -> Iterator[Sequence[CrmChange]]:
        """Records changed at `since` (the CRM's clock) or later, oldest first, in parts, each once.

        What the CRM's index does not show yet is not among them, nor are deleted records. One
        that is changed while this goes on may come again with its new time.
        """

    def newest_change(self, kind: ChangeKind) -> datetime | None:
        """The latest change that `changes` would tell; None when there is no record."""

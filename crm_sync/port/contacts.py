"""Contacts: found, written, and told apart from those that are gone."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from crm_sync.port.errors import CrmError
from crm_sync.port.records import (
    CrmContact,
    CrmContactWrite,
)


class CrmContacts(Protocol):
    """Contacts: found, written, and told apart from those that are gone."""

    def contacts_by_id(
        self, record_ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        """By the id asked; a merged record answers under the old id with its new `record_id`."""

    def contacts_by_email(
        self, emails: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]: ...

    def archived_contacts(self, record_ids: Sequence[str]) -> set[str]:
        """Those of them that were deleted so that a person can still restore them."""

    def save_contacts(
        self, writes: Sequence[CrmContactWrite]
    ) -> Mapping[str, CrmContact | CrmError]:
        """Create or update; safe to repeat. A CrmRejected names the properties at fault."""

    def opt_out(self, emails: Sequence[str]) -> Mapping[str, CrmError | None]:
        """Let nobody there send mail to these addresses; safe to repeat. By address: None when done."""

    def company_owners(self, record_ids: Sequence[str]) -> Mapping[str, str]:
        """The owner of each contact's company, by the contact's record id; none: left out."""

    def contact_url(self, record_id: str) -> str:
        """Where a person opens the record; "" when that is not known."""

"""Contacts: read, write and opt out, and recognise deleted ones."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from crm_sync.port.errors import CrmError
from crm_sync.port.records import (
    CrmContact,
    CrmContactWrite,
)


class CrmContacts(Protocol):
    """Contacts: read, write and opt out, and recognise deleted ones."""

    def contacts_by_id(
        self, record_ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        """Return contacts by requested id; a merged record is under its old id, with its new `record_id`."""

    def contacts_by_email(
        self, emails: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]: ...

    def archived_contacts(self, record_ids: Sequence[str]) -> set[str]:
        """Return the ids of those that were deleted and that a person can still restore."""

    def save_contacts(
        self, writes: Sequence[CrmContactWrite]
    ) -> Mapping[str, CrmContact | CrmError]:
        """Create or update; idempotent. A CrmRejected names the properties at fault."""

    def opt_out(self, emails: Sequence[str]) -> Mapping[str, CrmError | None]:
        """Opt addresses out of all mail from the CRM; idempotent. Return by address: None when done."""

    def company_owners(self, record_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the owner of each contact's company by the contact's record id; omit those without one."""

    def contact_url(self, record_id: str) -> str:
        """Return the address of the record's page; "" when it is not known."""

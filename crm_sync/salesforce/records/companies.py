"""Read the owners of contacts' accounts, where the integration user may see accounts."""

import logging
from collections.abc import Sequence

from crm_sync.salesforce.records.contacts import account_owners
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.people import can_see_accounts
from crm_sync.salesforce.transport.errors import StaleFields

logger = logging.getLogger(__name__)


class AccountOwnerReader:
    """Return {} for a user who may not see accounts, and log that once: it must keep no lead from sales."""

    def __init__(self) -> None:
        self._told = False

    def of(self, org: Org, record_ids: Sequence[str]) -> dict[str, str]:
        why = "the integration user may not see accounts"
        try:
            if not record_ids or can_see_accounts(org):
                return account_owners(org, record_ids)
        except StaleFields as hidden:
            org.schema.forget()
            why = str(hidden)
        if not self._told:
            logger.warning("Leads go to nobody's company owner: %s", why)
        self._told = True
        return {}

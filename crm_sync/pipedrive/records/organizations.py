"""Read who owns the organizations of people."""

import logging
from collections.abc import Sequence

from crm_sync.pipedrive.records.lists import id_text, records_by_id
from crm_sync.pipedrive.records.persons import PersonReader
from crm_sync.pipedrive.transport.calls import LIST_ORGANIZATIONS
from crm_sync.pipedrive.transport.errors import NotPermitted

logger = logging.getLogger(__name__)


class OrganizationOwners:
    """Return {} for a token that may not read organizations, and log that once.

    What is not permitted there must not keep a lead from sales.
    """

    def __init__(self) -> None:
        self._told = False

    def of(self, reader: PersonReader, record_ids: Sequence[str]) -> dict[str, str]:
        """Return the owner of each person's organization by the person's id."""
        if not record_ids:
            return {}
        people = reader.by_id(record_ids, [])
        organization_of = {id_: id_text(item.get("org_id")) for id_, item in people.items()}
        try:
            owners = self._owners(reader, [each for each in organization_of.values() if each])
        except NotPermitted as denied:
            if not self._told:
                logger.warning("Leads go to nobody's company owner: %s", denied)
            self._told = True
            return {}
        return {id_: owners[each] for id_, each in organization_of.items() if owners.get(each)}

    def _owners(self, reader: PersonReader, ids: Sequence[str]) -> dict[str, str]:
        own = reader.account.own_user(reader.client)
        found = records_by_id(reader.client, LIST_ORGANIZATIONS, ids)
        owners = {id_text(each.get("id")): id_text(each.get("owner_id")) for each in found}
        return {id_: owner for id_, owner in owners.items() if owner != own}

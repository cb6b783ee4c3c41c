"""Read the owners of contacts' companies."""

import logging
from collections.abc import Iterator, Sequence

from crm_sync.hubspot.records.batches import (
    association_rows,
    list_field,
    property_values,
    read_records,
)
from crm_sync.hubspot.transport.calls import COMPANIES_OF_CONTACTS, READ_COMPANIES
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.hubspot.transport.errors import MissingScope

logger = logging.getLogger(__name__)

# The type of association from a contact to its primary company; others have 279 alone.
# docs/hubspot-facts.md#association-types
PRIMARY = 1


def company_owners(client: HubSpotClient, record_ids: Sequence[str]) -> dict[str, str]:
    """Return the owner id of each contact's primary or only company, by the contact's record id.

    Raise MissingScope when the token may not read companies.
    """
    company_of = dict(_companies(client, record_ids))
    owner_of = {
        str(item.get("id")): property_values(item).get("hubspot_owner_id", "")
        for item in read_records(client, READ_COMPANIES, company_of.values(), ["hubspot_owner_id"])
    }
    owners = {id_: owner_of.get(company, "") for id_, company in company_of.items()}
    return {id_: owner for id_, owner in owners.items() if owner}


class CompanyOwnerReader:
    """Return {} for a token that may not read companies, and log that once.

    A missing scope must not keep a lead from sales. docs/hubspot-facts.md#tokens-and-scopes
    """

    def __init__(self) -> None:
        self._told = False

    def of(self, client: HubSpotClient, record_ids: Sequence[str]) -> dict[str, str]:
        try:
            return company_owners(client, record_ids)
        except MissingScope as denied:
            if not self._told:
                logger.warning("Leads go to nobody's company owner: %s", denied)
            self._told = True
            return {}


def _companies(client: HubSpotClient, record_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    for id_, rows in association_rows(client, COMPANIES_OF_CONTACTS, record_ids).items():
        primary = [company for company, row in rows.items() if _is_primary(row)]
        if primary or len(rows) == 1:
            yield id_, (primary or list(rows))[0]


def _is_primary(row: Json) -> bool:
    return any(each.get("typeId") == PRIMARY for each in list_field(row, "associationTypes"))

"""Companies of contacts: whose they are."""

import logging
from collections.abc import Iterator, Sequence

from crm_sync.hubspot.batches import link_rows, listed, read_records, values
from crm_sync.hubspot.calls import COMPANIES_OF_CONTACTS, READ_COMPANIES
from crm_sync.hubspot.client import Client, Json
from crm_sync.hubspot.errors import NoScope

logger = logging.getLogger(__name__)

PRIMARY = 1  # the type of association from a contact to its primary company; others have 279 alone


def owners_of(client: Client, record_ids: Sequence[str]) -> dict[str, str]:
    """The owner of each contact's company, by the contact's id. NoScope: companies are not ours."""
    company_of = dict(_companies(client, record_ids))
    owner_of = {
        str(item.get("id")): values(item).get("hubspot_owner_id", "")
        for item in read_records(client, READ_COMPANIES, company_of.values(), ["hubspot_owner_id"])
    }
    owners = {id_: owner_of.get(company, "") for id_, company in company_of.items()}
    return {id_: owner for id_, owner in owners.items() if owner}


class CompanyOwners:
    """The same, for a token that perhaps may not read companies: that is said once, and no more.

    It must not keep a lead from sales.
    """

    def __init__(self) -> None:
        self._told = False

    def of(self, client: Client, record_ids: Sequence[str]) -> dict[str, str]:
        try:
            return owners_of(client, record_ids)
        except NoScope as denied:
            if not self._told:
                logger.warning("Leads go to nobody's company owner: %s", denied)
            self._told = True
            return {}


def _companies(client: Client, record_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    for id_, rows in link_rows(client, COMPANIES_OF_CONTACTS, record_ids).items():
        primary = [company for company, row in rows.items() if _is_primary(row)]
        if primary or len(rows) == 1:
            yield id_, (primary or list(rows))[0]


def _is_primary(row: Json) -> bool:
    return any(each.get("typeId") == PRIMARY for each in listed(row, "associationTypes"))

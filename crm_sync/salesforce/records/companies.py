"""Read the owners of contacts' accounts, where the integration user may see accounts."""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from crm_sync.salesforce.records.ids import CONTACT, full_id, object_of
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.people import can_see_accounts, contact_of, row_id
from crm_sync.salesforce.records.soql import Query, for_each_part, queries_of_converted, select
from crm_sync.salesforce.transport.client import Json
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


def account_owners(org: Org, record_ids: Sequence[str]) -> dict[str, str]:
    """Return the owner of each contact's account. Omit who could get no lead: inactive, or ourselves."""
    place = {id_: full for id_ in record_ids if object_of(full := full_id(id_))}
    owners = _owners_of(org, place.values())
    place |= {id_: owners.became.get(full, full) for id_, full in place.items()}
    further = set(place.values()) - owners.by_contact.keys()
    if owners.became:
        owners.by_contact.update(_owners_of(org, further).by_contact)
    found = {id_: owners.by_contact.get(full, "") for id_, full in place.items()}
    return {id_: owner for id_, owner in found.items() if owner not in ("", org.user_id)}


class AccountOwners(NamedTuple):
    """Owners of accounts by contact; the contacts that leads became."""

    by_contact: dict[str, str]
    became: dict[str, str]


def _owners_of(org: Org, ids: Iterable[str]) -> AccountOwners:
    names = ["Id", "Account.OwnerId", "Account.Owner.IsActive"]
    contacts = sorted({each for each in ids if object_of(each) == CONTACT})
    queries = [Query(soql) for soql in for_each_part(
        contacts, lambda part: select(names, CONTACT, f"Id IN {part}"))]  # fmt: skip
    rows = [row for some in org.rows_of([*queries, *queries_of_converted(ids)]) for row in some]
    owners = {row_id(row): _account_owner(row) for row in rows if "Account" in row}
    return AccountOwners(owners, {row_id(row): contact_of(row) for row in rows if contact_of(row)})


def _account_owner(row: Json) -> str:
    account = row.get("Account")
    owner = account.get("Owner") if isinstance(account, dict) else None
    if not isinstance(account, dict) or not isinstance(owner, dict) or not owner.get("IsActive"):
        return ""
    return full_id(str(account.get("OwnerId") or ""))

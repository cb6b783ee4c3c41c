"""Read whose org it is.

docs/salesforce-facts.md#organization
"""

from dataclasses import dataclass

from crm_sync.port import CrmAccount
from crm_sync.salesforce.records.ids import full_id
from crm_sync.salesforce.records.org import Org, with_fresh_fields
from crm_sync.salesforce.records.soql import Query, select
from crm_sync.salesforce.records.values import text_value
from crm_sync.salesforce.transport.calls import QUERY
from crm_sync.salesforce.transport.errors import silence_error

COLUMNS = ("Id", "Name", "IsSandbox", "OrganizationType", "TimeZoneSidKey")


@dataclass(frozen=True, slots=True)
class Organization:
    account: CrmAccount
    edition: str
    is_sandbox: bool


@with_fresh_fields
def read_organization(org: Org) -> Organization:
    """Return the org. A sandbox has another id than production, and a new one after each refresh."""
    rows = org.rows(Query(select(COLUMNS, "Organization")))
    row = rows[0] if rows else {}
    id_ = full_id(str(row.get("Id") or ""))
    if not id_:
        raise silence_error(QUERY, "the answer names no organization")
    zone = text_value(row.get("TimeZoneSidKey")) or "UTC"
    account = CrmAccount(id_, text_value(row.get("Name")), zone)
    edition = text_value(row.get("OrganizationType"))
    return Organization(account, edition, row.get("IsSandbox") is True)

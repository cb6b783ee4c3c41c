"""Read owners: users, and the queues that leads and tasks may lie in.

docs/salesforce-facts.md#owners
"""

from crm_sync.port import CrmOwner
from crm_sync.salesforce.records.org import Org, with_fresh_fields
from crm_sync.salesforce.records.people import row_id
from crm_sync.salesforce.records.soql import Query, select
from crm_sync.salesforce.records.values import text_value
from crm_sync.salesforce.transport.client import Json


@with_fresh_fields
def read_users_and_queues(org: Org) -> list[CrmOwner]:
    """Return users, inactive ones too, which are never deleted; and queues, which are never active.

    The integration user sells nothing, so it counts as not active.
    """
    users, queues = org.rows_of([
        Query(select(["Id", "Name", "Email", "IsActive"], "User", "UserType = 'Standard'",
                     "ORDER BY Id")),
        Query(select(["Id", "Name"], "Group", "Type = 'Queue'", "ORDER BY Id"), optional=True),
    ])  # fmt: skip
    ours = org.user_id
    return [*(_owner(row, ours) for row in users), *(_owner(row, ours) for row in queues)]


def _owner(row: Json, ours: str) -> CrmOwner:
    id_, email = row_id(row), text_value(row.get("Email"))
    name = text_value(row.get("Name")) or email
    return CrmOwner(id_, email, name, active=row.get("IsActive") is True and id_ != ours)

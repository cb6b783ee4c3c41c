"""Every call we make to HubSpot. The client makes no call that is not an entry here; the audit prints them."""

from dataclasses import dataclass
from typing import Literal

# The version is held here alone. HubSpot ends v4 on 30 March 2027 and v1 to v3 in September 2027.
V3 = "/crm/v3"
V4 = "/crm/v4"

Limit = Literal["burst", "associations", "search"]


@dataclass(frozen=True, slots=True)
class Call:
    """`purpose` goes after "when asked to". `retry`: may be repeated after an unknown outcome.

    `limit`: which of HubSpot's limits it counts against, see pace.py.
    """

    method: str
    path: str
    purpose: str
    retry: bool
    limit: Limit = "burst"


ACCOUNT = Call("GET", "/account-info/v3/details", "tell whose account this is", retry=True)
OWNERS = Call("GET", f"{V3}/owners", "list the owners", retry=True)
PIPELINES = Call("GET", f"{V3}/pipelines/deals", "list the deal pipelines and stages", retry=True)

READ_CONTACTS = Call(
    "POST", f"{V3}/objects/contacts/batch/read", "read contacts by id or e-mail address", retry=True
)
READ_CONTACT = Call(
    "GET", f"{V3}/objects/contacts/{{id}}", "follow a contact's id that was merged away", retry=True
)
UPSERT_CONTACTS = Call(
    "POST",
    f"{V3}/objects/contacts/batch/upsert",
    "create or update contacts by e-mail address",
    retry=True,
)
UPDATE_CONTACTS = Call(
    "POST", f"{V3}/objects/contacts/batch/update", "update contacts by id", retry=True
)
UPDATE_CONTACT = Call(
    "PATCH",
    f"{V3}/objects/contacts/{{id}}",
    "update a contact that was merged, or is known by another e-mail address",
    retry=True,
)

CREATE_TASKS = Call(
    "POST", f"{V3}/objects/tasks/batch/create", "create tasks with their contact", retry=False
)
TASKS_OF_CONTACTS = Call(
    "POST",
    f"{V4}/associations/contacts/tasks/batch/read",
    "list the tasks of contacts",
    retry=True,
    limit="associations",
)
READ_TASKS = Call("POST", f"{V3}/objects/tasks/batch/read", "read tasks", retry=True)

DEALS_OF_CONTACTS = Call(
    "POST",
    f"{V4}/associations/contacts/deals/batch/read",
    "list the deals of contacts",
    retry=True,
    limit="associations",
)
READ_DEALS = Call("POST", f"{V3}/objects/deals/batch/read", "read deals", retry=True)

PROPERTIES = Call("GET", f"{V3}/properties/contacts", "list the properties of contacts", retry=True)
LEAD_STATUS = Call(
    "GET",
    f"{V3}/properties/contacts/hs_lead_status",
    "list the values of the lead status",
    retry=True,
)
PROPERTY_GROUPS = Call(
    "GET", f"{V3}/properties/contacts/groups", "list the property groups", retry=True
)
# A second create of one name is refused with a 409, so these may be repeated.
CREATE_PROPERTY = Call(
    "POST", f"{V3}/properties/contacts", "create a property of contacts", retry=True
)
CREATE_PROPERTY_GROUP = Call(
    "POST", f"{V3}/properties/contacts/groups", "create the property group", retry=True
)

# Every constant above, so that none can be forgotten.
CALLS = tuple(each for each in list(globals().values()) if isinstance(each, Call))

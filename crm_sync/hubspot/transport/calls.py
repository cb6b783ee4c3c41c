"""List every request that is made to HubSpot. The client makes no other; the audit prints them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Literal

from crm_sync.hubspot.transport.versions import CLASSIC, ENDS, path_in, version_of
from crm_sync.port import CrmCall

# Paths of v3 and v4; `in_version` writes those of another version.
V3 = "/crm/v3"
V4 = "/crm/v4"

Limit = Literal["burst", "associations", "search"]
IN_WORDS: Mapping[Limit, str] = {
    "burst": "all requests, per 10 s",
    "associations": "association batches, per 10 s, and all requests",
    "search": "5 per second",
}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A kind of request. `purpose` completes "when asked to".

    `retry`: safe to repeat after an unknown outcome, see docs/hubspot-facts.md#unknown-outcomes.
    `limit`: which of HubSpot's limits it counts against.
    """

    method: str
    path: str
    purpose: str
    retry: bool
    limit: Limit = "burst"

    @property
    def until(self) -> date:
        """Return the day on which HubSpot's support for the path's version ends."""
        return ENDS[version_of(self.path)]

    @property
    def records(self) -> str:
        """Return the type of records that the call reads or changes, "" for none."""
        parts = [part for part in self.path.split("/") if part not in ENDS]
        if "objects" in parts:
            return parts[parts.index("objects") + 1]
        return parts[parts.index("associations") + 2] if "associations" in parts else ""

    def in_version(self, version: str) -> "ApiCall":
        return _in_version(self, version)

    def told(self) -> CrmCall:
        """Return the entry as the audit prints it."""
        limit = IN_WORDS[self.limit]
        return CrmCall(self.method, self.path, self.purpose, self.retry, limit, self.until)


@cache
def _in_version(call: ApiCall, version: str) -> ApiCall:
    return replace(call, path=path_in(version, call.path))


ACCOUNT = ApiCall("GET", "/account-info/v3/details", "tell whose account this is", retry=True)
USAGE = ApiCall(
    "GET",
    "/account-info/v3/api-usage/daily/private-apps",
    "tell how many requests the account made today",
    retry=True,
)
OWNERS = ApiCall("GET", f"{V3}/owners", "list the owners", retry=True)
PIPELINES = ApiCall(
    "GET", f"{V3}/pipelines/deals", "list the deal pipelines and stages", retry=True
)

READ_CONTACTS = ApiCall(
    "POST", f"{V3}/objects/contacts/batch/read", "read contacts by id or e-mail address", retry=True
)
READ_CONTACT = ApiCall(
    "GET", f"{V3}/objects/contacts/{{id}}", "follow a contact's id that was merged away", retry=True
)
# docs/hubspot-facts.md#contact-upsert-by-email
UPSERT_CONTACTS = ApiCall(
    "POST",
    f"{V3}/objects/contacts/batch/upsert",
    "create or update contacts by e-mail address",
    retry=True,
)
UPDATE_CONTACTS = ApiCall(
    "POST", f"{V3}/objects/contacts/batch/update", "update contacts by id", retry=True
)
# docs/hubspot-facts.md#merged-records
UPDATE_CONTACT = ApiCall(
    "PATCH",
    f"{V3}/objects/contacts/{{id}}",
    "update a contact that was merged, or is known by another e-mail address",
    retry=True,
)

# Has no body: the address is in the path, the channel in the query.
# docs/hubspot-facts.md#opt-out
UNSUBSCRIBE = ApiCall(
    "POST",
    "/communication-preferences/v4/statuses/{address}/unsubscribe-all",
    "unsubscribe a contact from all e-mail",
    retry=True,
)

# docs/hubspot-facts.md#no-idempotency-key
CREATE_TASKS = ApiCall(
    "POST", f"{V3}/objects/tasks/batch/create", "create tasks with their contact", retry=False
)
TASKS_OF_CONTACTS = ApiCall(
    "POST",
    f"{V4}/associations/contacts/tasks/batch/read",
    "list the tasks of contacts",
    retry=True,
    limit="associations",
)
READ_TASKS = ApiCall("POST", f"{V3}/objects/tasks/batch/read", "read tasks", retry=True)
LIST_TASKS = ApiCall("GET", f"{V3}/objects/tasks", "list all tasks", retry=True)
CONTACTS_OF_TASKS = ApiCall(
    "POST",
    f"{V4}/associations/tasks/contacts/batch/read",
    "list the contacts of a task that has very many",
    retry=True,
    limit="associations",
)
# Only where the account keeps the reference unique: an existing task is updated, not created again.
# docs/hubspot-facts.md#unique-task-reference
UPSERT_TASKS = ApiCall(
    "POST",
    f"{V3}/objects/tasks/batch/upsert",
    "create tasks that may have been created before",
    retry=True,
)
# The same batch as CREATE_TASKS, where the account refuses a second task of one reference.
CREATE_GUARDED_TASKS = ApiCall(
    "POST",
    f"{V3}/objects/tasks/batch/create",
    "create tasks that cannot be made twice, with their contact",
    retry=True,
)
UPDATE_TASKS = ApiCall("POST", f"{V3}/objects/tasks/batch/update", "update tasks by id", retry=True)
ARCHIVE_TASKS = ApiCall("POST", f"{V3}/objects/tasks/batch/archive", "delete tasks", retry=True)
ASSOCIATE_TASKS = ApiCall(
    "POST",
    f"{V4}/associations/tasks/contacts/batch/create",
    "put tasks on their contact",
    retry=True,
    limit="associations",
)

COMPANIES_OF_CONTACTS = ApiCall(
    "POST",
    f"{V4}/associations/contacts/companies/batch/read",
    "list the companies of contacts",
    retry=True,
    limit="associations",
)
READ_COMPANIES = ApiCall(
    "POST", f"{V3}/objects/companies/batch/read", "read the owners of companies", retry=True
)

# Finds which records changed. Their properties are read by id, since the index lags.
# docs/hubspot-facts.md#search-index-lag
SEARCH_CONTACTS = ApiCall(
    "POST",
    f"{V3}/objects/contacts/search",
    "list the contacts that were changed",
    retry=True,
    limit="search",
)
SEARCH_DEALS = ApiCall(
    "POST",
    f"{V3}/objects/deals/search",
    "list the deals that were changed",
    retry=True,
    limit="search",
)

DEALS_OF_CONTACTS = ApiCall(
    "POST",
    f"{V4}/associations/contacts/deals/batch/read",
    "list the deals of contacts",
    retry=True,
    limit="associations",
)
CONTACTS_OF_DEALS = ApiCall(
    "POST",
    f"{V4}/associations/deals/contacts/batch/read",
    "list the contacts of deals",
    retry=True,
    limit="associations",
)
READ_DEALS = ApiCall("POST", f"{V3}/objects/deals/batch/read", "read deals", retry=True)

PROPERTIES = ApiCall(
    "GET", f"{V3}/properties/contacts", "list the properties of contacts", retry=True
)
LEAD_STATUS = ApiCall(
    "GET",
    f"{V3}/properties/contacts/hs_lead_status",
    "list the values of the lead status",
    retry=True,
)
PROPERTY_GROUPS = ApiCall(
    "GET", f"{V3}/properties/contacts/groups", "list the property groups", retry=True
)
# A second create of one name is a 409, so these are safe to repeat.
# docs/hubspot-facts.md#property-definitions
CREATE_PROPERTY = ApiCall(
    "POST", f"{V3}/properties/contacts", "create a property of contacts", retry=True
)
CREATE_PROPERTY_GROUP = ApiCall(
    "POST", f"{V3}/properties/contacts/groups", "create the property group", retry=True
)

TASK_PROPERTIES = ApiCall(
    "GET", f"{V3}/properties/tasks", "tell whether tasks have a unique reference", retry=True
)
CREATE_TASK_PROPERTY = ApiCall(
    "POST", f"{V3}/properties/tasks", "create the reference of tasks", retry=True
)

# Every constant above, so that none can be forgotten.
CALLS = tuple(each for each in list(globals().values()) if isinstance(each, ApiCall))


def register_calls(version: str = CLASSIC) -> tuple[CrmCall, ...]:
    """Return all entries as the audit prints them, with the paths of an API version."""
    return tuple(call.in_version(version).told() for call in CALLS)

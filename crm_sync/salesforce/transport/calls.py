"""List every request that is made to Salesforce. The client makes no other; the audit prints them."""

from dataclasses import dataclass
from typing import Literal

from crm_sync.port import CrmCall
from crm_sync.salesforce.transport.versions import support_ends

DATA = "/services/data/v{version}"
Answer = Literal["object", "list"]
IN_WORDS = {
    "day": "all calls of the org, per 24 h",
    "logins": "logins of the integration user, per hour",
    "none": "none",
}


@dataclass(frozen=True, slots=True)
class SalesforceCall:
    """A kind of request. `purpose` completes "when asked to".

    `retry`: safe to repeat after an unknown outcome. `writes`: it changes records, for which the
    org's assignment and duplicate rules are told what to do. `names_record`: its path names what may be
    absent, so a 404 says that and nothing worse. `limit`: a key of IN_WORDS.
    """

    method: str
    path: str
    purpose: str
    retry: bool
    answer: Answer = "object"
    writes: bool = False
    names_record: bool = False
    limit: str = "day"

    def told(self, version: str) -> CrmCall:
        """Return the entry as the audit prints it."""
        versioned = "{version}" in self.path
        return CrmCall(
            self.method,
            self.path.replace("{version}", version),
            self.purpose,
            self.retry,
            IN_WORDS[self.limit],
            support_ends(version) if versioned else None,
        )


# docs/salesforce-facts.md#log-in
LOG_IN = SalesforceCall(
    "POST", "/services/oauth2/token", "log in as the integration user", retry=True, limit="logins"
)
VERSIONS = SalesforceCall(
    "GET",
    "/services/data",
    "list the versions of its interface",
    retry=True,
    answer="list",
    limit="none",
)
DESCRIBE = SalesforceCall(
    "GET",
    f"{DATA}/sobjects/{{object}}/describe",
    "list an object's fields and what may be done with it",
    retry=True,
    names_record=True,
)

# docs/salesforce-facts.md#queries
QUERY = SalesforceCall("GET", f"{DATA}/query", "read records", retry=True)
QUERY_ALL = SalesforceCall(
    "GET", f"{DATA}/queryAll", "read records, deleted ones among them", retry=True
)
QUERY_MORE = SalesforceCall(
    "GET", f"{DATA}/query/{{locator}}", "read the next page of records", retry=True
)
# docs/salesforce-facts.md#several-queries-in-one-call
QUERIES = SalesforceCall(
    "POST", f"{DATA}/composite", "read records of up to five queries in one call", retry=True
)

# docs/salesforce-facts.md#collections
UPDATE_CONTACTS = SalesforceCall(
    "PATCH",
    f"{DATA}/composite/sobjects",
    "update leads and contacts by id",
    retry=True,
    answer="list",
    writes=True,
)
# Whoever saves again looks for the address first.
CREATE_LEADS = SalesforceCall(
    "POST",
    f"{DATA}/composite/sobjects",
    "create leads whose address is nowhere yet",
    retry=True,
    answer="list",
    writes=True,
)
CREATE_TASKS = SalesforceCall(
    "POST",
    f"{DATA}/composite/sobjects",
    "create tasks with their lead or contact",
    retry=False,
    answer="list",
    writes=True,
)
# The same call, where the org refuses a second task of one reference.
# docs/salesforce-facts.md#unique-task-reference
CREATE_GUARDED_TASKS = SalesforceCall(
    "POST",
    f"{DATA}/composite/sobjects",
    "create tasks that cannot be made twice",
    retry=True,
    answer="list",
    writes=True,
)
UPDATE_TASKS = SalesforceCall(
    "PATCH",
    f"{DATA}/composite/sobjects",
    "update tasks by id, and move them to another lead or contact",
    retry=True,
    answer="list",
    writes=True,
)
DELETE_TASKS = SalesforceCall(
    "DELETE",
    f"{DATA}/composite/sobjects",
    "delete tasks, into the recycle bin",
    retry=True,
    answer="list",
    writes=True,
)

# docs/salesforce-facts.md#record-types-and-stages
STAGES_OF_TYPE = SalesforceCall(
    "GET",
    f"{DATA}/ui-api/object-info/Opportunity/picklist-values/{{record_type}}/StageName",
    "list the stages that a record type offers",
    retry=True,
    names_record=True,
)

# Set-up alone makes these. A second field or permission of one name is refused, so they may be repeated.
# docs/salesforce-facts.md#custom-fields
TOOLING_QUERY = SalesforceCall(
    "GET",
    f"{DATA}/tooling/query",
    "list the custom fields, hidden ones among them",
    retry=True,
    names_record=True,
)
CREATE_FIELD = SalesforceCall(
    "POST",
    f"{DATA}/tooling/sobjects/CustomField",
    "create a custom field",
    retry=True,
    names_record=True,
)
CREATE_PERMISSION_SET = SalesforceCall(
    "POST", f"{DATA}/sobjects/PermissionSet", "create a permission set for our fields", retry=True
)
ASSIGN_PERMISSION_SET = SalesforceCall(
    "POST",
    f"{DATA}/sobjects/PermissionSetAssignment",
    "give the permission set to the integration user",
    retry=True,
)
CREATE_FIELD_PERMISSIONS = SalesforceCall(
    "POST",
    f"{DATA}/composite/sobjects",
    "let the permission set see and change our fields",
    retry=True,
    answer="list",
)

# Every constant above, so that none can be forgotten.
CALLS = tuple(each for each in list(globals().values()) if isinstance(each, SalesforceCall))


def registered_calls(version: str) -> tuple[CrmCall, ...]:
    """Return all entries as the audit prints them, with the paths of an API version."""
    return tuple(call.told(version) for call in CALLS)

"""List every request that is made to Pipedrive. The client makes no other; the audit prints them."""

from dataclasses import dataclass

from crm_sync.port import CrmCall

# docs/pipedrive-facts.md#api-versions
V1, V2 = "/v1", "/api/v2"


@dataclass(frozen=True, slots=True)
class PipedriveCall:
    """A kind of request. `purpose` completes "when asked to".

    `retry`: safe to repeat after an unknown outcome, see docs/pipedrive-facts.md#unknown-outcomes.
    `cost`: in tokens of the day, docs/pipedrive-facts.md#tokens-of-a-day. `search`: counts against the
    limit of searches too.
    """

    method: str
    path: str
    purpose: str
    cost: int
    retry: bool = True
    search: bool = False

    def told(self) -> CrmCall:
        """Return the entry as the audit prints it. No end of support is published for any."""
        tokens = f"{self.cost} token{'s' if self.cost > 1 else ''} of the day"
        limit = f"{tokens}, 10 searches in 2 s" if self.search else tokens
        return CrmCall(self.method, self.path, self.purpose, self.retry, limit)


ME = PipedriveCall("GET", f"{V1}/users/me", "tell whose account this is", 2)
USERS = PipedriveCall("GET", f"{V1}/users", "list the users", 20)
ACTIVITY_TYPES = PipedriveCall(
    "GET", f"{V1}/activityTypes", "list the kinds of activities that the account uses", 20
)

LIST_PERSONS = PipedriveCall("GET", f"{V2}/persons", "list people by id or by change", 10)
READ_PERSON = PipedriveCall("GET", f"{V2}/persons/{{id}}", "tell whether a person was deleted", 1)
SEARCH_PERSONS = PipedriveCall(
    "GET", f"{V2}/persons/search", "find a person by e-mail address", 20, search=True
)
# docs/pipedrive-facts.md#no-unique-address
CREATE_PERSON = PipedriveCall(
    "POST", f"{V2}/persons", "create a person whose address nobody has", 5, retry=False
)
UPDATE_PERSON = PipedriveCall("PATCH", f"{V2}/persons/{{id}}", "update a person", 5)
LIST_ORGANIZATIONS = PipedriveCall(
    "GET", f"{V2}/organizations", "read the owners of organizations", 10
)

LIST_ACTIVITIES = PipedriveCall(
    "GET", f"{V2}/activities", "list activities by id, by person, or all", 10
)
READ_ACTIVITY = PipedriveCall(
    "GET", f"{V2}/activities/{{id}}", "tell whether an activity was deleted", 1
)
# docs/pipedrive-facts.md#no-idempotency-key
CREATE_ACTIVITY = PipedriveCall(
    "POST", f"{V2}/activities", "create an activity with its person", 5, retry=False
)
UPDATE_ACTIVITY = PipedriveCall(
    "PATCH", f"{V2}/activities/{{id}}", "update an activity, or put it on another person", 5
)
DELETE_ACTIVITY = PipedriveCall("DELETE", f"{V2}/activities/{{id}}", "delete an activity", 3)

LIST_DEALS = PipedriveCall(
    "GET", f"{V2}/deals", "list deals by id, by person, by change, or all", 10
)
# docs/pipedrive-facts.md#archived-deals
LIST_ARCHIVED_DEALS = PipedriveCall("GET", f"{V2}/deals/archived", "list archived deals", 20)
DEAL_PARTICIPANTS = PipedriveCall(
    "GET", f"{V1}/deals/{{id}}/participants", "list the people of a deal", 10
)
PIPELINES = PipedriveCall("GET", f"{V2}/pipelines", "list the deal pipelines", 5)
STAGES = PipedriveCall("GET", f"{V2}/stages", "list the stages of deals", 5)

PERSON_FIELDS = PipedriveCall("GET", f"{V2}/personFields", "list the fields of people", 10)
# docs/pipedrive-facts.md#field-keys
CREATE_PERSON_FIELD = PipedriveCall(
    "POST", f"{V2}/personFields", "create a field of people", 5, retry=False
)

LIST_WEBHOOKS = PipedriveCall(
    "GET", f"{V1}/webhooks", "tell whether it sends us what was changed", 10
)
CREATE_WEBHOOK = PipedriveCall(
    "POST", f"{V1}/webhooks", "have it send us what was changed", 10, retry=False
)

# Every constant above, so that none can be forgotten.
CALLS = tuple(each for each in list(globals().values()) if isinstance(each, PipedriveCall))
REGISTER = tuple(call.told() for call in CALLS)

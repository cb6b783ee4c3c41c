"""Which endpoint answers which path. What a call costs, and what it takes, is in the descriptions.

v2 is under /api/v2 alone, v1 under /v1 and /api/v1. Only what the product, its tests or the demo reach
is here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from . import (
    activities,
    deals,
    merging,
    organizations,
    participants,
    person_fields,
    persons,
    pipelines,
    search,
    users,
    webhooks,
)
from .bodies import whole
from .call import Answer, Call
from .descriptions import operation
from .refusals import Refusal, not_found


@dataclass(frozen=True)
class Route:
    """`path`: as described, after its version. `kind`: of the records that it reads or writes."""

    method: str
    path: str
    endpoint: Callable[[Call], Answer]
    kind: str = ""
    is_search: bool = False

    @cached_property
    def described(self) -> dict[str, Any]:
        return operation(self.method, self.path)

    @cached_property
    def schema(self) -> dict[str, Any] | None:
        """Of the body; None for requests without one."""
        content = self.described.get("requestBody", {}).get("content", {})
        return next((each["schema"] for each in content.values()), None)

    @property
    def cost(self) -> int:
        return int(self.described["x-token-cost"])

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return list(self.described.get("parameters", []))

    def rules(self) -> list[Rule]:
        path = self.path.replace("{", "<").replace("}", ">")
        roots = ("/api",) if path.startswith("/v2") else ("", "/api")
        return [Rule(root + path, methods=[self.method], endpoint=self) for root in roots]


FIELD = "/v2/personFields/{field_code}"
PARTICIPANTS = "/v1/deals/{id}/participants"
ROUTES = (
    Route("GET", "/v2/persons", persons.page, "persons"),
    Route("POST", "/v2/persons", persons.create, "persons"),
    Route("GET", "/v2/persons/{id}", persons.read, "persons"),
    Route("PATCH", "/v2/persons/{id}", persons.update, "persons"),
    Route("DELETE", "/v2/persons/{id}", persons.delete, "persons"),
    Route("GET", "/v2/personFields", person_fields.page),
    Route("POST", "/v2/personFields", person_fields.create, "fields"),
    Route("GET", FIELD, person_fields.read),
    Route("PATCH", FIELD, person_fields.update, "fields"),
    Route("DELETE", FIELD, person_fields.delete, "fields"),
    Route("POST", f"{FIELD}/options", person_fields.add_options, "fields"),
    Route("GET", "/v2/activities", activities.page, "activities"),
    Route("POST", "/v2/activities", activities.create, "activities"),
    Route("GET", "/v2/activities/{id}", activities.read, "activities"),
    Route("PATCH", "/v2/activities/{id}", activities.update, "activities"),
    Route("DELETE", "/v2/activities/{id}", activities.delete, "activities"),
    Route("GET", "/v2/deals", deals.page, "deals"),
    Route("POST", "/v2/deals", deals.create, "deals"),
    Route("GET", "/v2/deals/archived", deals.archived, "deals"),
    Route("GET", "/v2/deals/{id}", deals.read, "deals"),
    Route("PATCH", "/v2/deals/{id}", deals.update, "deals"),
    Route("DELETE", "/v2/deals/{id}", deals.delete, "deals"),
    Route("GET", PARTICIPANTS, participants.page, "deals"),
    Route("POST", PARTICIPANTS, participants.add, "deals"),
    Route("DELETE", f"{PARTICIPANTS}/{{deal_participant_id}}", participants.remove, "deals"),
    Route("PUT", "/v1/deals/{id}/merge", merging.deals, "deals"),
    Route("PUT", "/v1/persons/{id}/merge", merging.persons, "persons"),
    Route("GET", "/v2/organizations", organizations.page, "organizations"),
    Route("POST", "/v2/organizations", organizations.create, "organizations"),
    Route("GET", "/v2/organizations/{id}", organizations.read, "organizations"),
    Route("GET", "/v2/persons/search", search.persons, "persons", is_search=True),
    Route("GET", "/v2/organizations/search", search.organizations, "organizations", is_search=True),
    Route("GET", "/v2/itemSearch/field", search.by_field, "persons", is_search=True),
    Route("GET", "/v2/pipelines", pipelines.page),
    Route("GET", "/v2/pipelines/{id}", pipelines.read),
    Route("GET", "/v2/stages", pipelines.stages),
    Route("GET", "/v2/stages/{id}", pipelines.read_stage),
    Route("GET", "/v1/users", users.page),
    Route("GET", "/v1/users/me", users.me),
    Route("GET", "/v1/users/{id}", users.read),
    Route("GET", "/v1/activityTypes", users.activity_types),
    Route("GET", "/v1/webhooks", webhooks.page),
    Route("POST", "/v1/webhooks", webhooks.create, "webhooks"),
    Route("DELETE", "/v1/webhooks/{id}", webhooks.delete, "webhooks"),
)
MAP = Map(
    [rule for route in ROUTES for rule in route.rules()], strict_slashes=False, merge_slashes=False
).bind("", "/")


def find(method: str, path: str) -> tuple[Route, dict[str, Any]]:
    """The route and the values of its placeholders."""
    try:
        route, found = MAP.match(path, method)
    except MethodNotAllowed:
        raise Refusal(405, f"{method} is not allowed here") from None
    except NotFound:
        raise not_found("Resource") from None
    kinds = {
        each["name"]: each["schema"]["type"] for each in route.parameters if each["in"] == "path"
    }
    return route, {
        name: whole(text, name) if kinds.get(name) == "integer" else text
        for name, text in found.items()
    }

"""Which endpoint answers which path, in which versions, and what a token must be allowed for it.

Paths are those of the published descriptions (descriptions/); only what the product, its tests or
the demo reach is here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from . import (
    account,
    associations,
    merging,
    object_batches,
    objects,
    owners,
    pipelines,
    properties,
    search,
)
from .call import Answer, Call, kind_named
from .refusals import Refusal, not_found

DATED = ("2026-03", "2026-09")
ALL = ("", *DATED)


@dataclass(frozen=True, slots=True)
class Route:
    """`path`: as the classic version writes it.

    `need`: read, write (of the record's type), links read, links write (of both ends), schema, owners,
    preferences, any, none. `bucket`: whose rate it counts against. `versions`: "" is the classic one.
    """

    method: str
    path: str
    endpoint: Callable[[Call], Answer]
    need: str
    bucket: str = "ordinary"
    versions: tuple[str, ...] = ALL

    @property
    def classic(self) -> str:
        """v3, or v4."""
        return next(part for part in self.path.split("/") if part in ("v3", "v4"))

    def rules(self) -> list[Rule]:
        """`crm/v3/objects/…`, `crm/objects/2026-03/…`, `account-info/2026-03/…`."""
        return [
            Rule(
                _in_version(self.path, self.classic, version).replace("{", "<").replace("}", ">"),
                methods=[self.method],
                endpoint=(self, version or self.classic),
            )
            for version in self.versions
        ]


def _in_version(path: str, classic: str, version: str) -> str:
    if not version:
        return path
    before, _, after = path.partition(f"/{classic}/")
    if before != "/crm":
        return f"{before}/{version}/{after}"
    area, slash, rest = after.partition("/")
    return f"/crm/{area}/{version}{slash}{rest}"


OBJECTS = "/crm/v3/objects/{objectType}"
LINK = "/crm/v4/objects/{objectType}/{objectId}/associations"
TO = "{toObjectType}/{toObjectId}"
PAIR = "/crm/v4/associations/{objectType}/{toObjectType}"
PIPELINES = "/crm/v3/pipelines/{objectType}"
PROPERTIES = "/crm/v3/properties/{objectType}"
STATUSES = "/communication-preferences/v4/statuses/{subscriberIdString}"

ROUTES = (
    Route("POST", f"{OBJECTS}/search", search.search, "read", "search"),
    Route("POST", f"{OBJECTS}/batch/read", object_batches.read, "read"),
    Route("POST", f"{OBJECTS}/batch/create", object_batches.create, "write"),
    Route("POST", f"{OBJECTS}/batch/update", object_batches.update, "write"),
    Route("POST", f"{OBJECTS}/batch/upsert", object_batches.upsert, "write"),
    Route("POST", f"{OBJECTS}/batch/archive", object_batches.archive, "write"),
    Route("POST", f"{OBJECTS}/merge", merging.merge, "write"),
    Route("POST", f"{OBJECTS}/gdpr-delete", merging.gdpr_delete, "write"),
    Route("POST", OBJECTS, objects.create, "write"),
    Route("GET", OBJECTS, objects.page, "read"),
    Route("GET", f"{OBJECTS}/{{objectId}}", objects.read, "read"),
    Route("PATCH", f"{OBJECTS}/{{objectId}}", objects.update, "write"),
    Route("DELETE", f"{OBJECTS}/{{objectId}}", objects.archive, "write"),
    # Absent from the 2026-09 description.
    Route(
        "GET", f"{LINK}/{{toObjectType}}", associations.read, "links read", versions=("", "2026-03")
    ),
    Route("PUT", f"{LINK}/default/{TO}", associations.set_default, "links write"),
    Route("PUT", f"{LINK}/{TO}", associations.set_labels, "links write"),
    Route("DELETE", f"{LINK}/{TO}", associations.remove, "links write"),
    Route("POST", f"{PAIR}/batch/read", associations.batch_read, "links read", "links"),
    Route("POST", f"{PAIR}/batch/create", associations.batch_create, "links write", "links"),
    Route("GET", PIPELINES, pipelines.page, "any"),
    Route("GET", f"{PIPELINES}/{{pipelineId}}", pipelines.read, "any"),
    Route("POST", f"{PIPELINES}/{{pipelineId}}/stages", pipelines.create_stage, "schema"),
    Route("GET", "/crm/v3/owners", owners.page, "owners"),
    Route("GET", "/crm/v3/owners/{ownerId}", owners.read, "owners"),
    Route("GET", PROPERTIES, properties.page, "any"),
    Route("POST", PROPERTIES, properties.create, "schema"),
    Route("GET", f"{PROPERTIES}/groups", properties.groups, "any"),
    Route("POST", f"{PROPERTIES}/groups", properties.create_group, "schema"),
    Route("GET", f"{PROPERTIES}/{{propertyName}}", properties.read, "any"),
    Route("PATCH", f"{PROPERTIES}/{{propertyName}}", properties.update, "schema"),
    Route("DELETE", f"{PROPERTIES}/{{propertyName}}", properties.archive, "schema"),
    Route("POST", f"{STATUSES}/unsubscribe-all", account.unsubscribe_all, "preferences"),
    Route("GET", "/account-info/v3/details", account.details, "none"),
    Route("GET", "/account-info/v3/api-usage/daily/private-apps", account.usage, "none"),
)
# The endpoints that make records.
MAKERS = (objects.create, object_batches.create, object_batches.upsert)
MAP = Map(
    [rule for route in ROUTES for rule in route.rules()], strict_slashes=False, merge_slashes=False
).bind("", "/")


def find(method: str, path: str) -> tuple[Route, str, dict[str, str]]:
    """The route, its version and the placeholders' values; 404, or 405 where only the method is wrong."""
    try:
        (route, version), args = MAP.match(path, method)
    except MethodNotAllowed:
        raise Refusal(405, "VALIDATION_ERROR", f"{method} is not allowed here") from None
    except NotFound:
        raise not_found() from None
    return route, version, dict(args)


ANY = {f"crm.objects.{noun}.read" for noun in ("contacts", "deals", "companies")}
FIXED: dict[str, list[set[str]]] = {
    "none": [],
    "owners": [{"crm.objects.owners.read"}],
    "preferences": [{f"communication_preferences.{verb}" for verb in ("write", "read_write")}],
    "any": [ANY],
}


def scopes(route: Route, args: dict[str, str]) -> list[set[str]]:
    """What a token needs: one scope out of each set."""
    if route.need in FIXED:
        return FIXED[route.need]
    nouns = [_noun(value) for name, value in args.items() if name.lower().endswith("objecttype")]
    if route.need == "schema":
        return [{f"crm.schemas.{noun}.write"} for noun in nouns]
    verb = route.need.removeprefix("links ")
    return [{f"crm.objects.{noun}.{verb}"} for noun in nouns]


def _noun(kind: str) -> str:
    """Tasks are under the contacts' scopes (as described)."""
    named = kind_named(kind)
    return "contacts" if named == "tasks" else named

"""Which endpoint answers which path, in which versions, and what a token must be allowed for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

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
    subscriptions,
)
from .call import Answer, Call, kind_named
from .refusals import Refusal, not_found

DATED = ("2026-03", "2026-09")
V3 = ("v3", *DATED)
V4 = ("v4", *DATED)


@dataclass(frozen=True, slots=True)
class Route:
    """`need`: read, write (of the record's type), links (of both ends), schema, owners, preferences,
    any, none.

    `bucket`: whose rate it counts against.
    """

    method: str
    area: str
    pattern: tuple[str, ...]
    endpoint: Callable[[Call], Answer]
    need: str
    versions: tuple[str, ...] = V3
    bucket: str = "ordinary"

    def match(self, parts: list[str]) -> dict[str, str] | None:
        if len(parts) != len(self.pattern):
            return None
        args = {}
        for part, wanted in zip(parts, self.pattern, strict=True):
            if wanted.startswith("{"):
                args[wanted[1:-1]] = part
            elif part != wanted:
                return None
        return args


class Address(NamedTuple):
    version: str
    area: str
    parts: list[str]


def _route(
    line: str,
    endpoint: Callable[[Call], Answer],
    need: str,
    versions: tuple[str, ...] = V3,
    bucket: str = "ordinary",
) -> Route:
    method, path = line.split(" ")
    area, *pattern = path.split("/")
    return Route(method, area, tuple(pattern), endpoint, need, versions, bucket)


LINK = "objects/{kind}/{id}/associations"
PAIR = "associations/{kind}/{to}"
STAGES = "pipelines/{kind}/{pipeline}/stages"

ROUTES = [
    _route("POST objects/{kind}/search", search.search, "read", bucket="search"),
    _route("POST objects/{kind}/batch/read", object_batches.read, "read"),
    _route("POST objects/{kind}/batch/create", object_batches.create, "write"),
    _route("POST objects/{kind}/batch/update", object_batches.update, "write"),
    _route("POST objects/{kind}/batch/upsert", object_batches.upsert, "write"),
    _route("POST objects/{kind}/batch/archive", object_batches.archive, "write"),
    _route("POST objects/{kind}/merge", merging.merge, "write"),
    _route("POST objects/contacts/gdpr-delete", merging.gdpr_delete, "contacts"),
    _route("POST objects/{kind}", objects.create, "write"),
    _route("GET objects/{kind}", objects.page, "read"),
    _route("GET objects/{kind}/{id}", objects.read, "read"),
    _route("PATCH objects/{kind}/{id}", objects.update, "write"),
    _route("DELETE objects/{kind}/{id}", objects.archive, "write"),
    # Absent from the 2026-09 description.
    _route(f"GET {LINK}/{{to}}", associations.read, "links read", ("v4", "2026-03")),
    _route(f"PUT {LINK}/default/{{to}}/{{to_id}}", associations.set_default, "links write", V4),
    _route(f"PUT {LINK}/{{to}}/{{to_id}}", associations.set_labels, "links write", V4),
    _route(f"DELETE {LINK}/{{to}}/{{to_id}}", associations.remove, "links write", V4),
    _route(f"POST {PAIR}/batch/read", associations.batch_read, "links read", V4, "links"),
    _route(f"POST {PAIR}/batch/create", associations.batch_create, "links write", V4, "links"),
    _route(
        f"POST {PAIR}/batch/associate/default",
        associations.batch_default,
        "links write",
        V4,
        "links",
    ),
    _route(f"POST {PAIR}/batch/archive", associations.batch_archive, "links write", V4, "links"),
    _route(
        f"POST {PAIR}/batch/labels/archive",
        associations.batch_labels_archive,
        "links write",
        V4,
        "links",
    ),
    _route(f"GET {PAIR}/labels", associations.labels, "links read", V4),
    _route("GET pipelines/{kind}", pipelines.page, "any"),
    _route("POST pipelines/{kind}", pipelines.create, "schema"),
    _route("GET pipelines/{kind}/{pipeline}", pipelines.read, "any"),
    _route("PATCH pipelines/{kind}/{pipeline}", pipelines.update, "schema"),
    _route(f"GET {STAGES}", pipelines.stages, "any"),
    _route(f"POST {STAGES}", pipelines.create_stage, "schema"),
    _route(f"GET {STAGES}/{{stage}}", pipelines.read_stage, "any"),
    _route(f"PATCH {STAGES}/{{stage}}", pipelines.update_stage, "schema"),
    _route(f"DELETE {STAGES}/{{stage}}", pipelines.archive_stage, "schema"),
    _route("GET owners", owners.page, "owners"),
    _route("GET owners/{id}", owners.read, "owners"),
    _route("GET properties/{kind}", properties.page, "any"),
    _route("POST properties/{kind}", properties.create, "schema"),
    _route("POST properties/{kind}/batch/read", properties.batch_read, "any"),
    _route("POST properties/{kind}/batch/create", properties.batch_create, "schema"),
    _route("POST properties/{kind}/batch/archive", properties.batch_archive, "schema"),
    _route("GET properties/{kind}/groups", properties.groups, "any"),
    _route("POST properties/{kind}/groups", properties.create_group, "schema"),
    _route("GET properties/{kind}/groups/{name}", properties.read_group, "any"),
    _route("GET properties/{kind}/{name}", properties.read, "any"),
    _route("PATCH properties/{kind}/{name}", properties.update, "schema"),
    _route("DELETE properties/{kind}/{name}", properties.archive, "schema"),
    _route(
        "POST communication-preferences/statuses/{address}/unsubscribe-all",
        subscriptions.unsubscribe_all,
        "preferences",
        V4,
    ),
    _route("GET account-info/details", account.details, "none"),
    _route("GET account-info/api-usage/daily/private-apps", account.usage, "none"),
]
# The endpoints that make records.
MAKERS = (objects.create, object_batches.create, object_batches.upsert)


def address(parts: list[str]) -> Address | None:
    """`crm/v3/objects/…`, `crm/objects/2026-03/…`, `account-info/v3/…`; None for no API path."""
    match parts:
        case ["crm", "v3" | "v4" as version, area, *rest]:
            return Address(version, area, rest)
        case ["crm", area, version, *rest] if version in DATED:
            return Address(version, area, rest)
        case ["account-info", version, *rest] if version in V3:
            return Address(version, "account-info", rest)
        case ["communication-preferences", version, *rest] if version in V4:
            return Address(version, "communication-preferences", rest)
        case ["crm" | "account-info" | "communication-preferences", *_]:
            raise not_found()
    return None


def find(method: str, asked: Address) -> tuple[Route, dict[str, str]]:
    """The route and the placeholders' values; 404, or 405 where only the method is wrong."""
    matching = [
        (route, args)
        for route in ROUTES
        if route.area == asked.area
        and asked.version in route.versions
        and (args := route.match(asked.parts)) is not None
    ]
    for route, args in matching:
        if route.method == method:
            return route, args
    if matching:
        raise Refusal(405, "VALIDATION_ERROR", f"{method} is not allowed here")
    raise not_found()


def scopes(route: Route, args: dict[str, str]) -> list[set[str]]:
    """What a token needs: one scope out of each set."""
    if route.need == "none":
        return []
    if route.need == "owners":
        return [{"crm.objects.owners.read"}]
    if route.need == "preferences":
        return [{f"communication_preferences.{verb}" for verb in ("write", "read_write")}]
    if route.need == "any":
        return [{f"crm.objects.{noun}.read" for noun in ("contacts", "deals", "companies")}]
    if route.need == "contacts":
        return [{"crm.objects.contacts.write"}]
    if route.need == "schema":
        return [{f"crm.schemas.{_noun(args['kind'])}.write"}]
    verb = route.need.removeprefix("links ")
    ends = (args["kind"], args["to"]) if route.need.startswith("links") else (args["kind"],)
    return [{f"crm.objects.{_noun(end)}.{verb}"} for end in ends]


def _noun(kind: str) -> str:
    """Tasks are under the contacts' scopes (as described)."""
    named = kind_named(kind)
    return "contacts" if named == "tasks" else named

"""Every answer over real HTTP is valid against HubSpot's published descriptions.

Read strictly: a key that the description of an object does not have is a violation too.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from sandbox.hubspot.descriptions import FOLDER
from sandbox.hubspot.routes import ROUTES, scopes
from sandbox.hubspot.store import KINDS
from tests.sandbox.conftest import DEAL_TO_CONTACT, KIM, TO_CONTACT, Hub

OR_NULL = {"type": ["string", "null"]}
# Where HubSpot answers other than it describes; sources in the fact sheet (1.2, 1.5, 1.7, 3).
KNOWN_DIFFERENCES: dict[tuple[str, str], Any] = {
    ("SimplePublicObject", "properties"): {"type": "object", "additionalProperties": OR_NULL},
    ("SimplePublicUpsertObject", "properties"): {
        "type": "object",
        "additionalProperties": OR_NULL,
    },
    ("SimplePublicObjectWithAssociations", "properties"): {
        "type": "object",
        "additionalProperties": OR_NULL,
    },
    ("StandardError", "subCategory"): {"type": "string"},
    ("MultiAssociatedObjectWithLabel", "toObjectId"): {"type": "integer"},
    ("AssociationSpecWithLabel", "label"): OR_NULL,
    ("PublicOwner", "userId"): {"type": ["integer", "null"]},
    ("Error", "status"): {"enum": ["error"]},
}


@cache
def description(name: str) -> dict[str, Any]:
    """A published document, each object closed, with what is known to differ put right."""
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    for title, schema in document["components"]["schemas"].items():
        for (owner, key), right in KNOWN_DIFFERENCES.items():
            if owner == title:
                schema["properties"][key] = right
        if schema.get("properties"):
            schema["additionalProperties"] = False
    return document


def violations(name: str, method: str, template: str, status: int, body: Any) -> list[str]:
    """What of an answer the description does not allow."""
    document = description(name)
    answers = document["paths"][template][method.lower()]["responses"]
    if str(status) not in answers and status < 400:
        return [f"{status} is not described"]
    schema = {"$ref": f"urn:{name}#/components/schemas/Error"}
    if status < 400:
        content = answers[str(status)].get("content")
        if not content:
            return [] if body is None else ["a body is not described"]
        pointer = next(iter(content.values()))["schema"]["$ref"]
        schema = {"$ref": f"urn:{name}{pointer}"}
    resource: Resource[Any] = DRAFT4.create_resource(document)
    registry: Registry[Any] = Registry().with_resource(f"urn:{name}", resource)
    checker = Draft4Validator(schema, registry=registry, format_checker=FormatChecker())
    return [f"{each.json_path}: {each.message}" for each in checker.iter_errors(body)]


Step = tuple[str, str, str, str, Any, int]  # document, method, template, path, body, status


def spec(type_id: int) -> dict[str, Any]:
    return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}


def of_objects(hub: Hub) -> Iterator[Step]:
    kinds = {
        "contacts": ("contacts-v3", "contacts", "contactId", {"email": "new@lead.example"}),
        "tasks": ("tasks-v3", "tasks", "taskId", {"hs_timestamp": "1790000000000"}),
        "0-3": ("deals-v3", "0-3", "dealId", {"dealname": "P", "dealstage": "closedwon"}),
        "companies": ("objects-v3", "{objectType}", "objectId", {"name": "Bolt"}),
    }
    contact = hub.contact(hubspot_owner_id=KIM)
    task, deal = hub.task(contact, hs_task_status="COMPLETED"), hub.deal(contact, amount="12")
    company = hub.company("Acme", hubspot_owner_id=KIM)
    ends = f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}"
    hub.ask("PUT", ends, [spec(1)])
    ids = {"contacts": contact, "tasks": task, "0-3": deal, "companies": company}
    for kind, (name, path, argument, new) in kinds.items():
        base, id_ = f"/crm/v3/objects/{kind}", ids[kind]
        described = f"/crm/v3/objects/{path}"
        one = f"{described}/{{{argument}}}"
        asked = (
            "properties=email,hubspot_owner_id,notes_last_contacted,hs_task_completion_date,amount"
            "&propertiesWithHistory=email"
        )
        linked = "associations=contacts,tasks,deals,companies"
        yield name, "POST", described, base, {"properties": new}, 201
        yield name, "POST", described, base, {"properties": {"nope": "1"}}, 400
        yield name, "GET", described, f"{base}?limit=1&{asked}&{linked}", None, 200
        yield name, "GET", one, f"{base}/{id_}?{asked}&{linked}", None, 200
        yield name, "GET", one, f"{base}/1", None, 404
        yield name, "PATCH", one, f"{base}/{id_}", {"properties": {"hubspot_owner_id": ""}}, 200
        yield name, "POST", f"{described}/search", f"{base}/search", {"limit": 1}, 200
        both = {"inputs": [{"id": id_}, {"id": "1"}]}
        yield name, "POST", f"{described}/batch/read", f"{base}/batch/read", both, 207
        found = {"inputs": [{"id": id_}], "properties": ["hubspot_owner_id"]}
        yield name, "POST", f"{described}/batch/read", f"{base}/batch/read", found, 200
        yield from of_batches(hub, name, (described, base), id_, new)
        yield name, "DELETE", one, f"{base}/{id_}", None, 204


def of_batches(
    hub: Hub, name: str, paths: tuple[str, str], id_: str, new: dict[str, str]
) -> Iterator[Step]:
    """`paths`: as described, and as asked."""
    kind = paths[1].rpartition("/")[2].replace("0-3", "deals")
    hub.define(kind, "lead_key", hasUniqueValue=True)
    if kind == "contacts":
        new = {"firstname": "Ada"}
    fresh: Any = {"properties": new, "associations": [], "objectWriteTraceId": "t1"}
    bad: Any = {"properties": {"nope": "1"}, "objectWriteTraceId": "t2"}
    create, update, upsert, archive, read = (
        (f"{paths[0]}/batch/{verb}", f"{paths[1]}/batch/{verb}")
        for verb in ("create", "update", "upsert", "archive", "read")
    )
    yield name, "POST", *create, {"inputs": [fresh, bad]}, 207
    yield name, "POST", *create, {"inputs": [{"properties": {"nope": "1"}}]}, 400
    key: Any = {"id": "K1", "idProperty": "lead_key", "objectWriteTraceId": "t1"}
    known = {"properties": new}
    yield name, "POST", *upsert, {"inputs": [key | known]}, 200
    yield name, "POST", *upsert, {"inputs": [key | known, key | bad | {"id": "K2"}]}, 207
    change: Any = {"id": id_, "properties": {"lead_key": "K9"}, "objectWriteTraceId": "t1"}
    yield name, "POST", *update, {"inputs": [change]}, 200
    yield name, "POST", *update, {"inputs": [change, change | {"id": "1"}]}, 207
    yield name, "POST", *archive, {"inputs": [{"id": "1"}]}, 204
    # The same with made-up trouble: what a client is told is described too.
    hub.trouble("partial")
    yield name, "POST", *create, {"inputs": [fresh, fresh]}, 207
    hub.mend()
    yield name, "POST", *read, {"inputs": [{"id": id_}]}, 200


def of_contacts(hub: Hub) -> Iterator[Step]:
    base = "/crm/v3/objects/contacts"
    first, second = hub.contact("ada@lead.example"), hub.contact("bo@lead.example")
    taken = {"properties": {"email": "ada@lead.example"}}
    yield "contacts-v3", "POST", base, base, taken, 409
    body = {"primaryObjectId": first, "objectIdToMerge": second}
    yield "contacts-v3", "POST", f"{base}/merge", f"{base}/merge", body, 200
    gone = {"objectId": "cy@lead.example", "idProperty": "email"}
    yield "contacts-v3", "POST", f"{base}/gdpr-delete", f"{base}/gdpr-delete", gone, 204


def of_associations(hub: Hub) -> Iterator[Step]:
    name, contact = "associations-v4", hub.contact()
    deal, task = hub.deal(contact), hub.task()
    record = "/crm/v4/objects/{objectType}/{objectId}/associations/{toObjectType}"
    pair = "/crm/v4/associations/{fromObjectType}/{toObjectType}"
    yield name, "GET", record, f"/crm/v4/objects/deals/{deal}/associations/contacts", None, 200
    ends = f"/crm/v4/objects/tasks/{task}/associations/contacts/{contact}"
    yield name, "PUT", f"{record}/{{toObjectId}}", ends, [spec(TO_CONTACT)], 201
    yield name, "PUT", f"{record}/{{toObjectId}}", ends, [spec(203)], 400
    default = (
        "/crm/v4/objects/{fromObjectType}/{fromObjectId}"
        "/associations/default/{toObjectType}/{toObjectId}"
    )
    usual = f"/crm/v4/objects/tasks/{task}/associations/default/contacts/{contact}"
    yield name, "PUT", default, usual, None, 200
    read = "/crm/v4/associations/contacts/deals/batch/read"
    yield name, "POST", f"{pair}/batch/read", read, {"inputs": [{"id": contact}]}, 200
    mixed = {"inputs": [{"id": contact}, {"id": "1"}]}
    yield name, "POST", f"{pair}/batch/read", read, mixed, 207
    there = "/crm/v4/associations/deals/contacts/batch"
    item = {"from": {"id": deal}, "to": {"id": contact}, "types": [spec(DEAL_TO_CONTACT)]}
    wrong = item | {"to": {"id": "1"}}
    yield name, "POST", f"{pair}/batch/create", f"{there}/create", {"inputs": [item]}, 201
    yield name, "POST", f"{pair}/batch/create", f"{there}/create", {"inputs": [item, wrong]}, 207
    yield name, "DELETE", f"{record}/{{toObjectId}}", ends, None, 204


def of_properties(hub: Hub) -> Iterator[Step]:
    name, base, kind = "properties-v3", "/crm/v3/properties/{objectType}", "/crm/v3/properties"
    group = {"name": "lead_scoring", "label": "Lead scoring"}
    made: dict[str, Any] = {
        "name": "lead_score",
        "label": "Score",
        "type": "number",
        "fieldType": "number",
        "groupName": "lead_scoring",
    }
    grade = made | {"name": "lead_grade", "type": "enumeration", "fieldType": "select"}
    grade |= {"options": [{"label": "A", "value": "A", "hidden": False, "displayOrder": 0}]}
    for each in ("contacts", "tasks", "deals"):
        yield name, "GET", base, f"{kind}/{each}", None, 200
        yield name, "GET", f"{base}/groups", f"{kind}/{each}/groups", None, 200
    here = f"{kind}/contacts"
    yield name, "POST", f"{base}/groups", f"{here}/groups", group, 201
    yield name, "POST", base, here, made, 201
    yield name, "POST", base, here, made, 409
    yield name, "POST", base, here, grade, 201
    one = f"{base}/{{propertyName}}"
    yield name, "GET", one, f"{here}/lead_grade", None, 200
    yield name, "GET", one, f"{here}/nope", None, 404
    yield name, "PATCH", one, f"{here}/lead_grade", {"label": "Grade"}, 200
    yield name, "DELETE", one, f"{here}/lead_grade", None, 204
    yield name, "GET", one, f"{here}/lead_grade?archived=true", None, 200


def of_pipelines(hub: Hub) -> Iterator[Step]:
    name, base = "pipelines-v3", "/crm/v3/pipelines/{objectType}"
    here, one = "/crm/v3/pipelines/deals", f"{base}/{{pipelineId}}"
    stage = {"label": "S", "displayOrder": 0, "metadata": {"probability": "0.5"}}
    yield name, "GET", base, here, None, 200
    yield name, "GET", one, f"{here}/default", None, 200
    yield name, "GET", one, f"{here}/nope", None, 404
    yield name, "POST", f"{one}/stages", f"{here}/default/stages", stage, 201
    yield name, "POST", f"{one}/stages", f"{here}/default/stages", stage | {"metadata": {}}, 400


def of_the_rest(hub: Hub) -> Iterator[Step]:
    owners = "/crm/v3/owners"
    yield "owners-v3", "GET", owners, f"{owners}?limit=1", None, 200
    yield "owners-v3", "GET", owners, f"{owners}?archived=true", None, 200
    yield "owners-v3", "GET", f"{owners}/{{ownerId}}", f"{owners}/{KIM}", None, 200
    yield "owners-v3", "GET", f"{owners}/{{ownerId}}", f"{owners}/1", None, 404
    account = "/account-info/v3"
    yield "account-info-v3", "GET", f"{account}/details", f"{account}/details", None, 200
    usage = f"{account}/api-usage/daily/private-apps"
    yield "account-info-v3", "GET", usage, usage, None, 200


@pytest.mark.parametrize(
    "steps",
    [of_objects, of_contacts, of_associations, of_properties, of_pipelines, of_the_rest],
)
def test_answers_are_as_described(hub: Hub, steps: Any) -> None:
    hub.sandbox.settings.search_rate = 0
    for name, method, template, path, body, status in steps(hub):
        answer = hub.ask(method, path, body)
        found = answer.json() if answer.content else None

        assert answer.status_code == status, (method, path, answer.text)
        assert violations(name, method, template, status, found) == [], (method, path)


def test_every_endpoint_that_is_described_was_asked(hub: Hub) -> None:
    every = (of_objects, of_contacts, of_associations, of_properties, of_pipelines, of_the_rest)
    asked = {
        (method, path.partition("?")[0])
        for steps in every
        for _, method, _, path, _, _ in steps(reset(hub))
    }

    unasked = [
        f"{route.method} {route.path}"
        for route in ROUTES
        # Of a description that is not there.
        if "/communication-preferences/" not in route.path
        and not any(
            method == route.method and re.fullmatch(pattern(route.path), path)
            for method, path in asked
        )
    ]
    assert unasked == []


def pattern(path: str) -> str:
    """A path with placeholders as a regular expression."""
    return re.sub(r"\{\w+\}", "[^/]+", path)


def reset(hub: Hub) -> Hub:
    hub.sandbox.state.reset()
    return hub


def test_every_scope_that_is_asked_for_is_described() -> None:
    lacking = [
        (method, path, wanted)
        for file in FOLDER.glob("*.json")
        for path, operations in description(file.stem)["paths"].items()
        for method, operation in operations.items()
        for route in ROUTES
        if route.method == method.upper() and re.fullmatch(pattern(route.path), path)
        for wanted in scopes(route, kinds_in(path))
        if wanted.isdisjoint(operation["scopes"])
    ]
    assert lacking == []


def kinds_in(path: str) -> dict[str, str]:
    """The object types that a described path is about."""
    parts = path.split("/")
    there = {part for part in parts if part in KINDS}
    return {"objectType": next(iter(there), "companies")} | (
        {"toObjectType": "contacts"} if "{toObjectType}" in parts else {}
    )


def test_a_key_that_is_not_described_is_a_violation() -> None:
    body = {"results": [], "more": 1}

    assert violations("owners-v3", "GET", "/crm/v3/owners", 200, body)

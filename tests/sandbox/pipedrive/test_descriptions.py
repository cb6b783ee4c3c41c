"""Every answer over real HTTP is valid against Pipedrive's published descriptions.

Read strictly: a key that the description of an object does not have is a violation too.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft4Validator

from sandbox.pipedrive.definitions import KIM
from sandbox.pipedrive.descriptions import operation
from sandbox.pipedrive.routes import ROUTES
from tests.sandbox.pipedrive.conftest import Pipe

Step = tuple[str, str, str, Any]  # method, described path, path as asked, body
# Where Pipedrive answers other than it describes. Null where nothing is: the fact sheet (1.2, 5).
MORE_KEYS = {
    # `include_fields` and `include_labels` are described as parameters only.
    "/v2/persons": {"open_deals_count", "marketing_status", "labels"},
    "/v2/persons/{id}": {"open_deals_count", "marketing_status", "labels"},
    "/v2/deals": {"participants_count"},
    "/v2/activities": {"attendees"},
}


def closed(schema: Any, more: set[str]) -> Any:
    """The schema as JSON Schema has it: parts in one, objects closed, null for what is not there."""
    if not isinstance(schema, dict):
        return schema
    parts = [closed(each, more) for each in schema.get("allOf", [])]
    made = {name: value for name, value in schema.items() if name not in ("allOf", "nullable")}
    if "properties" in made:
        made["properties"] = {name: closed(each, more) for name, each in made["properties"].items()}
    for part in parts:
        for name, value in part.items():
            if name in ("properties", "required") and name in made:
                made[name] = made[name] | value if name == "properties" else made[name] + value
            else:
                made.setdefault(name, value)
    if "items" in made:
        made["items"] = closed(made["items"], more)
    if "oneOf" in made:
        made["oneOf"] = [closed(each, more) for each in made["oneOf"]]
    if made.get("properties") and made.get("additionalProperties") is not True:
        made["properties"] |= {name: {} for name in more if "id" in made["properties"]}
        made["additionalProperties"] = False
    if isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def violations(method: str, path: str, status: int, body: Any) -> list[str]:
    answers = operation(method, path)["responses"]
    if str(status) not in answers:
        return [f"{status} is not described"]
    content = answers[str(status)].get("content")
    if not content:
        return []
    schema = closed(next(iter(content.values()))["schema"], MORE_KEYS.get(path, set()))
    return [
        f"{each.json_path}: {each.message}" for each in Draft4Validator(schema).iter_errors(body)
    ]


def steps(pipe: Pipe) -> Iterator[Step]:
    pipe.turn(campaigns=True)
    code, tier = pipe.field("Score"), pipe.field("Tier", "enum", "Gold")
    gold = pipe.get(f"/v2/personFields/{tier}")["options"][0]["id"]
    acme = pipe.post("/v2/organizations", {"name": "Acme", "owner_id": KIM})["id"]
    own = {code: 82.5, tier: gold}
    ada = pipe.person(custom_fields=own, org_id=acme, phones=[{"value": "+1 2"}])
    bo, deal = pipe.person("bo@lead.example"), pipe.deal(value=12, person_id=ada)
    task = pipe.task(ada, bo, due_date="2026-05-04", note="Why")
    pipe.patch(f"/v2/deals/{pipe.deal()}", {"is_archived": True})
    asked = "include_fields=open_deals_count,marketing_status&include_labels=true"
    one = {"persons": ada, "activities": task, "deals": deal, "organizations": acme}
    for kind, id_ in one.items():
        yield "GET", f"/v2/{kind}/{{id}}", f"/v2/{kind}/{id_}", None
    yield "GET", "/v2/persons/{id}", f"/v2/persons/{ada}?{asked}", None
    yield "GET", "/v2/persons", f"/v2/persons?{asked}&limit=1&include_option_labels=true", None
    yield "GET", "/v2/deals", "/v2/deals?include_fields=participants_count", None
    yield "GET", "/v2/deals/archived", "/v2/deals/archived", None
    yield "GET", "/v2/activities", "/v2/activities?include_fields=attendees", None
    yield "GET", "/v2/organizations", "/v2/organizations", None
    yield "POST", "/v2/organizations", "/v2/organizations", {"name": "Bolt"}
    yield "POST", "/v2/persons", "/v2/persons", {"name": "Cy", "custom_fields": own}
    yield "PATCH", "/v2/persons/{id}", f"/v2/persons/{bo}", {"label_ids": [1]}
    yield "POST", "/v2/activities", "/v2/activities", {"subject": "Call", "type": "call"}
    yield "PATCH", "/v2/activities/{id}", f"/v2/activities/{task}", {"done": True}
    yield "POST", "/v2/deals", "/v2/deals", {"title": "Plan", "status": "won"}
    yield "PATCH", "/v2/deals/{id}", f"/v2/deals/{deal}", {"status": "lost", "lost_reason": "No"}
    people = "/v1/deals/{id}/participants"
    yield "POST", people, f"/v1/deals/{deal}/participants", {"person_id": bo}
    yield "GET", people, f"/v1/deals/{deal}/participants?limit=1", None
    rows = pipe.get(f"/v1/deals/{deal}/participants")
    row = f"/v1/deals/{deal}/participants/{rows[-1]['id']}"
    yield "DELETE", f"{people}/{{deal_participant_id}}", row, None
    yield "GET", "/v2/persons/search", "/v2/persons/search?term=lead", None
    yield "GET", "/v2/organizations/search", "/v2/organizations/search?term=acme", None
    in_field = "/v2/itemSearch/field?entity_type=person&field=name&term=Ada%20Lind"
    yield "GET", "/v2/itemSearch/field", in_field, None
    for path in ("/v2/pipelines", "/v2/stages", "/v2/personFields", "/v1/users", "/v1/users/me"):
        yield "GET", path, path, None
    spaces = "/v2/personFields?include_fields=ui_visibility,important_fields,required_fields"
    yield "GET", "/v2/personFields", spaces, None
    yield "GET", "/v2/pipelines/{id}", "/v2/pipelines/1", None
    yield "GET", "/v2/stages/{id}", "/v2/stages/11", None
    yield "GET", "/v1/users/{id}", f"/v1/users/{KIM}", None
    yield "GET", "/v1/activityTypes", "/v1/activityTypes", None
    field = "/v2/personFields/{field_code}"
    size = {"field_name": "Size", "field_type": "enum", "options": [{"label": "L"}]}
    yield "POST", "/v2/personFields", "/v2/personFields", size
    yield "GET", field, f"/v2/personFields/{tier}", None
    yield "PATCH", field, f"/v2/personFields/{tier}", {"field_name": "Class"}
    yield "POST", f"{field}/options", f"/v2/personFields/{tier}/options", [{"label": "Tin"}]
    yield "DELETE", field, f"/v2/personFields/{code}", None
    hook = {"subscription_url": pipe.url, "event_action": "*", "event_object": "*", "name": "us"}
    yield "POST", "/v1/webhooks", "/v1/webhooks", hook
    yield "POST", "/v1/webhooks", "/v1/webhooks", hook | {"event_action": "no"}
    yield "GET", "/v1/webhooks", "/v1/webhooks", None
    yield "DELETE", "/v1/webhooks/{id}", "/v1/webhooks/51", None
    yield "DELETE", "/v1/webhooks/{id}", "/v1/webhooks/51", None
    merged = {"merge_with_id": bo}
    yield "PUT", "/v1/persons/{id}/merge", f"/v1/persons/{ada}/merge", merged
    other = pipe.deal()
    yield "PUT", "/v1/deals/{id}/merge", f"/v1/deals/{deal}/merge", {"merge_with_id": other}
    yield "DELETE", "/v2/deals/{id}", f"/v2/deals/{other}", None
    yield "DELETE", "/v2/activities/{id}", f"/v2/activities/{task}", None
    yield "DELETE", "/v2/persons/{id}", f"/v2/persons/{bo}", None


def test_every_answer_is_as_described_and_every_route_is_asked(pipe: Pipe) -> None:
    found, asked = [], set()
    for method, path, address, body in steps(pipe):
        answer = pipe.ask(method, address, body)
        asked.add((method, path))
        for each in violations(method, path, answer.status_code, answer.json()):
            found.append(f"{method} {address}: {each}")

    assert found == []
    assert asked == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("body", [{"success": True, "data": [{"id": "1"}]}, {"more": 1}])
def test_another_type_and_another_key_are_violations(body: Any) -> None:
    assert violations("GET", "/v2/persons", 200, body)


def test_every_route_has_a_cost() -> None:
    assert {route.cost for route in ROUTES} <= {1, 2, 3, 5, 6, 10, 20, 40}

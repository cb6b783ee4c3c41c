"""Property definitions and their groups: read, create, change, archive."""

import re
from typing import Any

from ..server.moments import iso
from .call import NOTHING, Answer, Call, Item, text_of
from .definitions import Definition, definition
from .refusals import bad_json, bad_request, conflict, not_found
from .values import choices

UNIQUE_LIMIT = 10
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
FIELDS = {
    "string": {"text", "textarea", "html", "file", "phonenumber", "calculation_equation"},
    "number": {"number", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox", "calculation_equation"},
    "bool": {"booleancheckbox", "calculation_equation"},
    "phone_number": {"phonenumber"},
}
CHANGEABLE = {
    "label": str,
    "description": str,
    "groupName": str,
    "displayOrder": int,
    "hidden": bool,
    "formField": bool,
    "fieldType": str,
    "options": list,
}
MORE = ("numberDisplayHint", "textDisplayHint", "externalOptions", "referencedObjectType")


def page(call: Call) -> Answer:
    found = call.store.definitions[call.kind()].values()
    wanted = [each for each in found if each["archived"] == call.flag("archived")]
    return 200, {"results": [view(call, each) for each in wanted]}


def read(call: Call) -> Answer:
    found = call.store.definitions[call.kind()].get(call.args["propertyName"])
    if found is None or found["archived"] != call.flag("archived"):
        raise not_found(f"property {call.args['propertyName']} does not exist")
    return 200, view(call, found)


def create(call: Call) -> Answer:
    made = _made(call, call.document())
    call.store.define(call.kind(), made)
    return 201, view(call, made)


def update(call: Call) -> Answer:
    """Change how a property looks; its type and uniqueness are for ever."""
    found, sent = _own(call), call.document()
    for name, kind in CHANGEABLE.items():
        if name in sent and not isinstance(sent[name], kind):
            raise bad_json(f"{name} is of the wrong type")
    if sent.get("type", found["type"]) != found["type"] or "hasUniqueValue" in sent:
        raise bad_request("type and hasUniqueValue cannot be changed")
    changes = {name: sent[name] for name in CHANGEABLE if name in sent}
    if "options" in sent:
        changes["options"] = _options(sent)
    _check(call, found | changes)
    found |= changes | {"updatedAt": iso(call.at)}
    return 200, view(call, found)


def archive(call: Call) -> Answer:
    found = _own(call)
    call.store.define(call.kind(), found | {"archived": True, "archivedAt": iso(call.at)})
    return NOTHING


def groups(call: Call) -> Answer:
    return 200, {"results": list(call.store.groups[call.kind()].values())}


def create_group(call: Call) -> Answer:
    sent, known = call.document(), call.store.groups[call.kind()]
    name = _named(sent)
    if name in known:
        raise conflict(f"A property group named '{name}' already exists.")
    order = sent.get("displayOrder", -1)
    if not isinstance(order, int):
        raise bad_json("displayOrder must be an integer")
    label = text_of(sent, "label")
    known[name] = {"name": name, "label": label, "displayOrder": order, "archived": False}
    return 201, known[name]


def view(call: Call, found: Definition) -> Item:
    """Stages and pipelines are options, read when asked; owners are not (as documented)."""
    if found["name"] not in ("pipeline", "dealstage"):
        return found
    shown = [
        {"label": label, "value": value, "displayOrder": order, "hidden": False}
        for order, (value, label) in enumerate(choices(call.store, found).items())
    ]
    return found | {"options": shown}


def _own(call: Call) -> Definition:
    found = call.store.definition(call.kind(), call.args["propertyName"])
    if found is None:
        raise not_found(f"property {call.args['propertyName']} does not exist")
    if found["hubspotDefined"]:
        raise bad_request(f"{found['name']} is HubSpot's own and cannot be changed")
    return found


def _made(call: Call, sent: Item) -> Definition:
    """A checked new definition."""
    name, kind = _named(sent), call.kind()
    if call.store.definition(kind, name):
        raise conflict(f"A property named '{name}' already exists.")
    made = definition(
        name,
        text_of(sent, "label"),
        text_of(sent, "groupName"),
        _type(sent),
        fieldType=text_of(sent, "fieldType"),
        description=str(sent.get("description") or ""),
        hidden=sent.get("hidden") is True,
        formField=sent.get("formField") is True,
        hasUniqueValue=sent.get("hasUniqueValue") is True,
        hubspotDefined=False,
        modificationMetadata={
            "archivable": True,
            "readOnlyDefinition": False,
            "readOnlyValue": False,
        },
        createdAt=iso(call.at),
        updatedAt=iso(call.at),
        **{key: sent[key] for key in MORE if key in sent},
    )
    made["options"] = _options(sent) if sent.get("options") else made["options"]
    _check(call, made)
    _check_unique(call, kind, made)
    return made


def _named(sent: Item) -> str:
    name = text_of(sent, "name")
    if not NAME.fullmatch(name):
        raise bad_request(f"'{name[:100]}' is no name: lower-case letters, digits, underscores")
    return name


def _type(sent: Item) -> str:
    type_ = text_of(sent, "type")
    if type_ not in FIELDS:
        raise bad_request(f"{type_} is no property type: {', '.join(FIELDS)}")
    return type_


def _check(call: Call, made: Definition) -> None:
    if made["groupName"] not in call.store.groups[call.kind()]:
        raise bad_request(f"property group {made['groupName']} does not exist")
    if made["fieldType"] not in FIELDS[made["type"]]:
        raise bad_request(f"fieldType {made['fieldType']} does not go with type {made['type']}")
    if made["type"] == "enumeration" and not (made["options"] or made["externalOptions"]):
        raise bad_request("an enumeration needs options")


def _check_unique(call: Call, kind: str, made: Definition) -> None:
    if not made["hasUniqueValue"]:
        return
    if made["type"] not in ("string", "number"):
        raise bad_request("only text and numbers can be unique")
    if kind == "tasks" and not call.settings.unique_task_properties:
        raise bad_request("tasks cannot have properties with unique values")
    own = [each for each in call.store.unique_names(kind) if each != "email"]
    if len(own) >= UNIQUE_LIMIT:
        raise bad_request(f"an object type has at most {UNIQUE_LIMIT} unique properties")


def _options(sent: Item) -> list[dict[str, Any]]:
    found = sent["options"]
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise bad_json("options must be a list of {label, value}")
    made = [
        {
            "label": text_of(each, "label"),
            "value": text_of(each, "value"),
            "displayOrder": each.get("displayOrder", order),
            "hidden": each.get("hidden") is True,
            "description": str(each.get("description") or ""),
        }
        for order, each in enumerate(found)
    ]
    if len({each["value"] for each in made}) < len(made):
        raise bad_request("two options have one value")
    return made

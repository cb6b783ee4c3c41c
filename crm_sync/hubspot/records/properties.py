"""Read and create properties of contacts."""

from collections.abc import Iterator, Mapping, Sequence

from crm_sync.hubspot.records.batches import list_field, object_field
from crm_sync.hubspot.transport.calls import (
    CREATE_PROPERTY,
    CREATE_PROPERTY_GROUP,
    LEAD_STATUS,
    PROPERTIES,
    PROPERTY_GROUPS,
)
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.port import CrmProperty, CrmRejected, SetUpStep

GROUP = "lead_scoring"
GROUP_LABEL = "Lead scoring"
# Ours → HubSpot's type and fieldType. docs/hubspot-facts.md#property-definitions
TYPES = {
    "number": ("number", "number"),
    "text": ("string", "text"),
    "long_text": ("string", "textarea"),
    "enumeration": ("enumeration", "select"),
    "datetime": ("datetime", "date"),
    "date": ("date", "date"),
}
# HubSpot's type → ours. Text of several lines is recognised by its fieldType.
OURS = {
    "string": "text",
    "phone_number": "text",
    "number": "number",
    "enumeration": "enumeration",
    "bool": "yes_no",
    "date": "date",
    "datetime": "datetime",
}
MOST_OPTIONS = 1000


def read_lead_statuses(client: HubSpotClient) -> list[str]:
    """Return the options that a person may choose; skip hidden ones.

    docs/hubspot-facts.md#lead-statuses
    """
    options = list_field(client.ask(LEAD_STATUS), "options")
    return [str(each.get("value")) for each in options if not each.get("hidden")]


def read_properties(client: HubSpotClient) -> list[CrmProperty]:
    """Return all properties of contacts. Those with external options, as owners, count as read-only.

    docs/hubspot-facts.md#property-definitions
    """
    found = list_field(client.ask(PROPERTIES), "results")
    return [_told(each) for each in found if isinstance(each.get("name"), str)]


def _told(found: Json) -> CrmProperty:
    type_ = OURS.get(str(found.get("type")), "other")
    if type_ == "text" and found.get("fieldType") in ("textarea", "html"):
        type_ = "long_text"
    options = [each for each in list_field(found, "options") if not each.get("hidden")][
        :MOST_OPTIONS
    ]
    return CrmProperty(
        name=found["name"],
        label=str(found.get("label") or found["name"])[:200],
        type=type_,
        options=tuple(str(each.get("value")) for each in options),
        labels=tuple(str(each.get("label")) for each in options),
        read_only=is_read_only(found)
        or found.get("calculated") is True
        or found.get("externalOptions") is True,
    )


def set_up_properties(
    client: HubSpotClient, wanted: Sequence[CrmProperty], *, plan: bool
) -> list[SetUpStep]:
    """Create the group and the missing properties. Never change an existing one; report it if
    unfit.
    """
    existing = {
        str(each.get("name")): each for each in list_field(client.ask(PROPERTIES), "results")
    }
    missing = [each for each in wanted if each.name not in existing]
    steps = list(_unfit(wanted, existing))
    if missing and not _has_group(client):
        what = f"Create the property group “{GROUP_LABEL}”"
        steps.append(_made(client, what, {"name": GROUP, "label": GROUP_LABEL}, plan=plan))
    for each in missing:
        what = f"Create the property {each.name} ({each.label}, {each.type.replace('_', ' ')})"
        steps.append(_made(client, what, _definition(each), plan=plan))
    return steps


def _has_group(client: HubSpotClient) -> bool:
    groups = list_field(client.ask(PROPERTY_GROUPS), "results")
    return any(each.get("name") == GROUP for each in groups)


def _made(client: HubSpotClient, what: str, body: Json, *, plan: bool) -> SetUpStep:
    if plan:
        return SetUpStep(what)
    try:
        client.ask(CREATE_PROPERTY if "type" in body else CREATE_PROPERTY_GROUP, body)
    except CrmRejected as refused:
        return SetUpStep(what, problem=str(refused))
    return SetUpStep(what)


def _unfit(wanted: Sequence[CrmProperty], existing: Mapping[str, Json]) -> Iterator[SetUpStep]:
    for each in wanted:
        if each.name in existing and (why := property_problem(each, existing[each.name])):
            yield SetUpStep(f"Use the property {each.name}", why)


def property_problem(wanted: CrmProperty, found: Json) -> str:
    """Return why an existing property cannot take our values, "" when it can."""
    type_ = str(found.get("type"))
    if type_ != TYPES[wanted.type][0]:
        return f"it is of the type {type_} there, and {TYPES[wanted.type][0]} is needed"
    if is_read_only(found):
        return "it is read-only there"
    there = {str(each.get("value")) for each in list_field(found, "options")}
    lacking = [option for option in wanted.options if option not in there]
    return f"it lacks the options {', '.join(lacking)} there" if lacking else ""


def is_read_only(found: Json) -> bool:
    # docs/hubspot-facts.md#property-definitions
    return bool(object_field(found, "modificationMetadata").get("readOnlyValue"))


def _definition(wanted: CrmProperty) -> Json:
    type_, field = TYPES[wanted.type]
    options = [
        {"label": option, "value": option, "displayOrder": place, "hidden": False}
        for place, option in enumerate(wanted.options)
    ]
    definition = {
        "name": wanted.name,
        "label": wanted.label,
        "groupName": GROUP,
        "type": type_,
        "fieldType": field,
    }
    return definition | ({"options": options} if options else {})

"""The property that keeps a task from being made twice, where the account lets tasks have one.

HubSpot has no idempotency key. A property with unique values does the same: a second task of one
reference is refused. Whether tasks may have one is not documented, so set-up tries.
"""

from crm_sync.hubspot.records.batches import list_field
from crm_sync.hubspot.transport.calls import CREATE_TASK_PROPERTY, TASK_PROPERTIES
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.hubspot.transport.errors import MissingScope
from crm_sync.port import CrmRefused, SetUpStep

REFERENCE = "lead_handoff_reference"
DEFINITION = {
    "name": REFERENCE,
    "label": "Lead handoff reference",
    "groupName": "task_information",
    "type": "string",
    "fieldType": "text",
    "hasUniqueValue": True,
}
STEP = f"Create the property {REFERENCE} of tasks, which keeps a task from being made twice"
WITHOUT = (
    "This account cannot keep task references unique ({why}): "
    "tasks are looked for before they are made again"
)


def has_guard(client: HubSpotClient) -> bool:
    return _is_unique(_there(client))


def set_up_guard(client: HubSpotClient, *, plan: bool) -> list[SetUpStep]:
    """Try to make the property. That an account does without is no problem."""
    found = _there(client)
    if _is_unique(found):
        return []
    if found:
        why = f"its property {REFERENCE} is not unique, which cannot be changed"
        return [SetUpStep(WITHOUT.format(why=why))]
    if plan:
        return [SetUpStep(STEP)]
    return [SetUpStep(_made(client))]


def _there(client: HubSpotClient) -> Json:
    """Its definition, or {}. All are listed: an account without it would answer each look with a 404."""
    try:
        found = list_field(client.ask(TASK_PROPERTIES), "results")
    except MissingScope:
        return {}
    return next((each for each in found if each.get("name") == REFERENCE), {})


def _is_unique(found: Json) -> bool:
    return found.get("hasUniqueValue") is True


def _made(client: HubSpotClient) -> str:
    try:
        made = client.ask(CREATE_TASK_PROPERTY, DEFINITION)
    except (CrmRefused, MissingScope) as refused:
        return WITHOUT.format(why=str(refused).rstrip("."))
    if not _is_unique(made):
        return WITHOUT.format(why="it made the property, but not a unique one")
    return STEP

"""Keep a task from being created twice, by a unique task property where the account allows one.

HubSpot has no idempotency key. With a property that has unique values it rejects a second task of one
reference. Whether tasks may have such a property is not documented, so set-up tries.
docs/hubspot-facts.md#no-idempotency-key, docs/hubspot-facts.md#unique-task-reference
"""

from crm_sync.hubspot.records.batches import list_field
from crm_sync.hubspot.records.task_fields import REFERENCE
from crm_sync.hubspot.transport.calls import CREATE_TASK_PROPERTY, TASK_PROPERTIES
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.hubspot.transport.errors import MissingScope
from crm_sync.port import CrmRejected, SetUpStep

DEFINITION = {
    "name": REFERENCE,
    "label": "Lead handoff reference",
    "groupName": "task_information",  # docs/hubspot-facts.md#property-definitions
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
    """Return whether the account keeps the references of tasks unique."""
    return _is_unique(_there(client))


def set_up_guard(client: HubSpotClient, *, plan: bool) -> list[SetUpStep]:
    """Create the property. An account that does not allow it needs no action: without it, tasks are
    looked for before they are created again.
    """
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
    """Return the definition of the property, {} when there is none.

    List all properties: a request for the one is a 404 in every account without it.
    """
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
    except (CrmRejected, MissingScope) as refused:
        return WITHOUT.format(why=str(refused).rstrip("."))
    if not _is_unique(made):
        return WITHOUT.format(why="it made the property, but not a unique one")
    return STEP

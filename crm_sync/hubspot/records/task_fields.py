"""The properties of a task in HubSpot that more than one file names, and how they are read."""

from collections.abc import Mapping

from crm_sync.hubspot.records.batches import property_values
from crm_sync.hubspot.timestamps import parse_instant_value
from crm_sync.hubspot.transport.client import Json
from crm_sync.hubspot.transport.errors import explained_by
from crm_sync.port import CrmError, CrmOwnerRejected, CrmRejected, CrmTask, HtmlText

# Unique where the account allows it. docs/hubspot-facts.md#unique-task-reference
REFERENCE = "lead_handoff_reference"
OWNER = "hubspot_owner_id"
# docs/hubspot-facts.md#task-properties
NOT_STARTED, COMPLETED = "NOT_STARTED", "COMPLETED"
READ = (
    "hs_task_subject",
    "hs_task_body",
    OWNER,
    "hs_task_status",
    "hs_task_completion_date",
    "hs_lastmodifieddate",
)
# The direction matters: from the task to the contact. docs/hubspot-facts.md#association-types
TASK_TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}


class HubSpotTaskText(HtmlText):
    """docs/hubspot-facts.md#task-properties"""

    __slots__ = ()
    longest = 65_536


def parse_task(item: Json) -> CrmTask:
    values = property_values(item)
    status = values.get("hs_task_status", "")
    done = status == COMPLETED
    # Tasks that were completed long ago have no date of it. docs/hubspot-facts.md#task-properties
    done_at = values.get("hs_task_completion_date") or values.get("hs_lastmodifieddate", "")
    return CrmTask(
        task_id=str(item.get("id") or ""),
        subject=values.get("hs_task_subject", ""),
        body=HubSpotTaskText(values.get("hs_task_body", "")),
        owner_id=values.get(OWNER, ""),
        done=done,
        started=status not in ("", NOT_STARTED, COMPLETED),
        done_at=parse_instant_value(done_at) if done else None,
    )


def with_cause(answer: CrmTask | CrmError, sent: Mapping[str, str]) -> CrmTask | CrmError:
    """Return the answer with the port's error for its cause: the owner, or nothing that was sent.

    docs/hubspot-facts.md#owner-ids
    """
    if not isinstance(answer, CrmRejected):
        return answer
    if OWNER in answer.properties:
        return CrmOwnerRejected(str(answer), answer.properties)
    return explained_by(answer, sent)

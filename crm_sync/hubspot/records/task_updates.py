"""Update, associate and delete tasks. Every call is safe to repeat."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from crm_sync.hubspot.records.batches import NEW_LINKS, batch_outcomes, list_field, split_batches
from crm_sync.hubspot.records.task_fields import (
    COMPLETED,
    NOT_STARTED,
    OWNER,
    TASK_TO_CONTACT,
    parse_task,
    with_cause,
)
from crm_sync.hubspot.transport.calls import ARCHIVE_TASKS, ASSOCIATE_TASKS, UPDATE_TASKS
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.hubspot.transport.errors import error_from_item
from crm_sync.port import CrmError, CrmTask, CrmTaskChange
from crm_sync.transport.batches import Outcome, unique_rounds, write_all


class TaskUpdate(NamedTuple):
    trace: str  # the task's id
    properties: dict[str, str]


def update_tasks(client: HubSpotClient, changes: Sequence[CrmTaskChange]) -> Outcome[CrmTask]:
    """Return each updated task or its error, by task id."""
    wanted = [TaskUpdate(each.task_id, _properties(each)) for each in changes]
    batches = [
        batch
        for each in unique_rounds(wanted, lambda change: change.trace)
        for batch in split_batches(each)
    ]
    outcome = write_all(batches, lambda batch: _changed(client, batch))
    sent = {each.trace: each.properties for each in wanted}
    return {task_id: with_cause(answer, sent[task_id]) for task_id, answer in outcome.items()}


def associate_tasks(
    client: HubSpotClient, record_of: Mapping[str, str], until: float | None = None
) -> None:
    """Associate tasks with contacts. `record_of`: record id of the contact by task id.

    Raise CrmMissing or CrmRejected when one of them cannot be associated; others may be by then.
    """
    for batch in split_batches(list(record_of.items()), NEW_LINKS):
        inputs = [
            {"from": {"id": task_id}, "to": {"id": record_id}, "types": [TASK_TO_CONTACT]}
            for task_id, record_id in batch
        ]
        found = client.ask(ASSOCIATE_TASKS, {"inputs": inputs}, until=until)
        for item in list_field(found, "errors"):
            raise error_from_item(ASSOCIATE_TASKS, item)


def archive_tasks(client: HubSpotClient, task_ids: Sequence[str]) -> None:
    """Delete tasks. HubSpot ignores those that do not exist.

    docs/hubspot-facts.md#unknown-outcomes
    """
    for batch in split_batches(list(dict.fromkeys(task_ids))):
        client.ask(ARCHIVE_TASKS, {"inputs": [{"id": task_id} for task_id in batch]})


def _changed(client: HubSpotClient, batch: Sequence[TaskUpdate]) -> Outcome[CrmTask]:
    inputs = [
        {"id": each.trace, "objectWriteTraceId": each.trace, "properties": each.properties}
        for each in batch
    ]
    answer = client.ask(UPDATE_TASKS, {"inputs": inputs})
    outcome = batch_outcomes(UPDATE_TASKS, answer, batch, lambda each: each.trace, _id)
    return {
        trace: found if isinstance(found, CrmError) else parse_task(found)
        for trace, found in outcome.items()
    }


def _properties(wanted: CrmTaskChange) -> dict[str, str]:
    status = None if wanted.done is None else COMPLETED if wanted.done else NOT_STARTED
    said = {
        "hs_task_subject": wanted.subject,
        "hs_task_body": wanted.body,
        OWNER: wanted.owner_id,
        "hs_task_status": status,
    }
    return {name: value for name, value in said.items() if value is not None}


def _id(item: Json) -> str:
    return str(item.get("id") or "")

"""Tasks of contacts: made, and read back."""

from collections.abc import Sequence
from datetime import UTC, datetime

from crm_sync.hubspot.batches import (
    Outcome,
    answers,
    cut,
    read_links,
    read_records,
    values,
    write_all,
)
from crm_sync.hubspot.calls import CREATE_TASKS, READ_TASKS, TASKS_OF_CONTACTS
from crm_sync.hubspot.client import Client, Json
from crm_sync.port import CrmError, CrmTask, CrmTaskWrite

# The direction matters: the task is the record that is being created.
TASK_TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}
READ = ("hs_task_subject", "hs_task_body", "hubspot_owner_id", "hs_task_status")


def create(client: Client, writes: Sequence[CrmTaskWrite]) -> Outcome[CrmTask]:
    return write_all(cut(writes), lambda batch: _created(client, batch))


def of_contacts(client: Client, record_ids: Sequence[str]) -> dict[str, list[CrmTask]]:
    """Read by association, which shows what was just written, not by search, which lags."""
    linked = read_links(client, TASKS_OF_CONTACTS, record_ids)
    ids = [id_ for each in linked.values() for id_ in each]
    tasks = {task.task_id: task for task in map(_task, read_records(client, READ_TASKS, ids, READ))}
    return {
        record_id: [tasks[id_] for id_ in found if id_ in tasks]
        for record_id, found in linked.items()
    }


def _created(client: Client, batch: Sequence[CrmTaskWrite]) -> Outcome[CrmTask]:
    answer = client.ask(CREATE_TASKS, {"inputs": [_input(write) for write in batch]})
    # A body has its reference in it, so it tells which task this is should the trace be missing.
    outcome = answers(CREATE_TASKS, answer, batch, lambda write: write.body, _body)
    return {
        trace: found if isinstance(found, CrmError) else _task(found)
        for trace, found in outcome.items()
    }


def _input(write: CrmTaskWrite) -> Json:
    return {
        "objectWriteTraceId": write.trace,
        "properties": {
            "hs_task_subject": write.subject,
            "hs_task_body": write.body,
            "hs_task_status": "NOT_STARTED",
            "hs_task_priority": "HIGH",
            "hs_task_type": "CALL",
            "hs_timestamp": _iso(write.due_at),
            "hubspot_owner_id": write.owner_id,
        },
        "associations": [{"to": {"id": write.record_id}, "types": [TASK_TO_CONTACT]}],
    }


def _task(item: Json) -> CrmTask:
    held = values(item)
    return CrmTask(
        task_id=str(item.get("id") or ""),
        subject=held.get("hs_task_subject", ""),
        body=held.get("hs_task_body", ""),
        owner_id=held.get("hubspot_owner_id", ""),
        done=held.get("hs_task_status", "") == "COMPLETED",
    )


def _body(item: Json) -> str:
    return values(item).get("hs_task_body", "")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

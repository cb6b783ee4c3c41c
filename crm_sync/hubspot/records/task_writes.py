"""Create tasks with their contact, each once.

Without a unique reference, a task with an unknown outcome has to be looked for. With one, it is
requested again, and HubSpot's existing task is returned.
docs/hubspot-facts.md#no-idempotency-key, docs/hubspot-facts.md#unique-task-reference
"""

from collections.abc import Iterable, Mapping, Sequence

from crm_sync.hubspot.records.batches import (
    batch_outcomes,
    property_values,
    read_records,
    split_batches,
)
from crm_sync.hubspot.records.task_fields import (
    NOT_STARTED,
    OWNER,
    READ,
    REFERENCE,
    TASK_TO_CONTACT,
    parse_task,
    with_cause,
)
from crm_sync.hubspot.records.task_updates import archive_tasks, associate_tasks
from crm_sync.hubspot.timestamps import format_instant
from crm_sync.hubspot.transport.calls import (
    CREATE_GUARDED_TASKS,
    CREATE_TASKS,
    READ_TASKS,
    UPSERT_TASKS,
    ApiCall,
)
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.hubspot.transport.error_details import REASONS
from crm_sync.port import (
    CrmDenied,
    CrmError,
    CrmMissing,
    CrmRejected,
    CrmTask,
    CrmTaskWrite,
)
from crm_sync.transport.batches import Outcome, write_all

Batch = Sequence[CrmTaskWrite]
LOST = (CrmMissing, CrmRejected)
NO_PROPERTY = REASONS["PROPERTY_DOESNT_EXIST"]
GONE = (
    f"The property {REFERENCE} of tasks, which keeps tasks from being made twice, is gone in "
    "HubSpot. Run crm_setup, which makes it again."
)


def create_tasks(client: HubSpotClient, writes: Batch, until: float | None) -> Outcome[CrmTask]:
    """Return each created task or its error, by trace. `until`: see HubSpotClient.ask."""
    outcome = write_all(
        split_batches(writes), lambda batch: _created(client, CREATE_TASKS, batch, until)
    )
    return _with_causes(outcome, writes)


def create_guarded_tasks(
    client: HubSpotClient, writes: Batch, until: float | None
) -> Outcome[CrmTask]:
    """Return each created or existing task or its error, by trace. `until`: see HubSpotClient.ask.

    Look first for those that were tried before (`again`): a rep may have started on them.
    """

    def made(batch: Batch) -> Outcome[CrmTask]:
        write = _made_or_found if batch[0].again else _made_once
        return write(client, batch, until)

    fresh = [write for write in writes if not write.again]
    again = [write for write in writes if write.again]
    outcome = write_all([*split_batches(fresh), *split_batches(again)], made)
    return _with_causes(outcome, writes)


def _made_once(client: HubSpotClient, batch: Batch, until: float | None) -> Outcome[CrmTask]:
    """Create all in one call. Return the existing task where HubSpot rejects a duplicate."""
    try:
        outcome = _created(client, CREATE_GUARDED_TASKS, batch, until)
    except CrmRejected as refused:
        return _made_but_those_there(client, batch, refused, until)
    clashing = [write for write in batch if _is_clash(outcome[write.trace])]
    return outcome | _by_reference(client, clashing)


def _made_but_those_there(
    client: HubSpotClient, batch: Batch, refused: CrmRejected, until: float | None
) -> Outcome[CrmTask]:
    """Create those of a rejected batch that do not exist; HubSpot does not say which do.

    docs/hubspot-facts.md#conflict-on-a-unique-value
    """
    _check_guard([refused])
    there: Outcome[CrmTask] = dict(_by_reference(client, batch)) if _is_clash(refused) else {}
    if not there:
        raise refused
    left = [write for write in batch if write.trace not in there]
    return there | _made_once(client, left, until) if left else there


def _made_or_found(client: HubSpotClient, batch: Batch, until: float | None) -> Outcome[CrmTask]:
    """Return existing tasks by reference; upsert the others and associate all with their contacts."""
    outcome: Outcome[CrmTask] = dict(_by_reference(client, batch))
    new = [write for write in batch if write.trace not in outcome]
    if new:
        outcome |= _upserted(client, new, until)
    tasks = {trace: each for trace, each in outcome.items() if isinstance(each, CrmTask)}
    on_nobody = [write for write in batch if write.trace in tasks]
    associated = write_all(
        split_batches(on_nobody), lambda part: _associated(client, part, tasks, until)
    )
    # A task whose contact is gone would have no contact: delete it.
    lost = [write.trace for write in new if isinstance(associated.get(write.trace), LOST)]
    archive_tasks(client, [tasks[trace].task_id for trace in lost])
    return outcome | associated


def _associated(
    client: HubSpotClient, batch: Batch, tasks: Mapping[str, CrmTask], until: float | None
) -> Outcome[CrmTask]:
    """Associate tasks with their contacts, since an upsert takes no associations.

    docs/hubspot-facts.md#upserts-take-no-associations
    """
    associate_tasks(client, {tasks[write.trace].task_id: write.record_id for write in batch}, until)
    return {write.trace: tasks[write.trace] for write in batch}


def _created(
    client: HubSpotClient, call: ApiCall, batch: Batch, until: float | None
) -> Outcome[CrmTask]:
    inputs = [
        _input(write, guarded=call is CREATE_GUARDED_TASKS)
        | {"associations": [{"to": {"id": write.record_id}, "types": [TASK_TO_CONTACT]}]}
        for write in batch
    ]
    return _told(call, client.ask(call, {"inputs": inputs}, until=until), batch)


def _upserted(client: HubSpotClient, batch: Batch, until: float | None) -> Outcome[CrmTask]:
    key = {"idProperty": REFERENCE}
    inputs = [_input(write, guarded=True) | {"id": write.trace} | key for write in batch]
    answer = client.ask(UPSERT_TASKS, {"inputs": inputs}, until=until)
    return _told(UPSERT_TASKS, answer, batch)


def _told(call: ApiCall, answer: Json, batch: Batch) -> Outcome[CrmTask]:
    # A body contains its reference, so it identifies the task when the trace is missing.
    outcome = batch_outcomes(call, answer, batch, lambda write: write.body, _body)
    found: Outcome[CrmTask] = {
        trace: each if isinstance(each, CrmError) else parse_task(each)
        for trace, each in outcome.items()
    }
    _check_guard(found.values())
    return found


def _with_causes(outcome: Outcome[CrmTask], writes: Batch) -> Outcome[CrmTask]:
    return {
        write.trace: with_cause(outcome[write.trace], _input(write, guarded=True)["properties"])
        for write in writes
    }


def _by_reference(client: HubSpotClient, batch: Batch) -> dict[str, CrmTask]:
    references = [write.trace for write in batch]
    found = read_records(client, READ_TASKS, references, [*READ, REFERENCE], idProperty=REFERENCE)
    try:
        return {property_values(item).get(REFERENCE, ""): parse_task(item) for item in found}
    except CrmRejected:  # nothing else in the request can be rejected
        raise CrmDenied(GONE) from None


def _check_guard(answers: Iterable[object]) -> None:
    """Raise CrmDenied when the reference property was deleted: that concerns the account, not
    one task.
    """
    for answer in answers:
        if isinstance(answer, CrmRejected) and answer.properties.get(REFERENCE) == NO_PROPERTY:
            raise CrmDenied(GONE)


def _is_clash(answer: object) -> bool:
    """Return whether the answer is a duplicate reference: a 409 or 400, of one input or of the batch.

    docs/hubspot-facts.md#conflict-on-a-unique-value
    """
    return isinstance(answer, CrmRejected) and (
        REFERENCE in answer.properties or "already" in str(answer)
    )


def _input(write: CrmTaskWrite, *, guarded: bool) -> Json:
    # docs/hubspot-facts.md#task-properties
    properties = {
        "hs_task_subject": write.subject,
        "hs_task_body": write.body,
        "hs_task_status": NOT_STARTED,
        "hs_task_priority": "HIGH",
        "hs_task_type": "CALL",
        "hs_timestamp": format_instant(write.due_at),
        OWNER: write.owner_id,
    }
    reference = {REFERENCE: write.trace} if guarded else {}
    return {"objectWriteTraceId": write.trace, "properties": properties | reference}


def _body(item: Json) -> str:
    return property_values(item).get("hs_task_body", "")

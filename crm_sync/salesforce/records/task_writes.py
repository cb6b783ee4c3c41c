"""Create, change, move and delete tasks; each is created once.

Where the org keeps the reference unique, a task is requested again after a silence, and the existing one
is answered. Otherwise one with an unknown outcome has to be looked for.
docs/salesforce-facts.md#unique-task-reference
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from crm_sync.port import (
    CrmDenied,
    CrmError,
    CrmMissing,
    CrmTask,
    CrmTaskChange,
    CrmTaskWrite,
    CrmUnexplained,
)
from crm_sync.salesforce.records.ids import full_id, object_of
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.rows import MOST_ROWS, Row, write_rows
from crm_sync.salesforce.records.soql import Query, instant_literal, select
from crm_sync.salesforce.records.successors import present_places
from crm_sync.salesforce.records.task_fields import (
    LONGEST_SUBJECT,
    OWNER,
    PERSON,
    REFERENCE,
    STATUS,
    TASK,
    UNFIT_OWNER,
    SalesforceTaskText,
    keeps_references_unique,
    new_status,
    with_owner_cause,
)
from crm_sync.salesforce.records.task_reads import tasks_by_reference
from crm_sync.salesforce.records.values import text_value
from crm_sync.salesforce.transport.calls import (
    CREATE_GUARDED_TASKS,
    CREATE_TASKS,
    DELETE_TASKS,
    UPDATE_TASKS,
    SalesforceCall,
)
from crm_sync.salesforce.transport.errors import (
    DELETED_RECORD,
    DuplicateReference,
    RecordMoved,
    StaleFields,
    error_from_row,
    rejected_fields_error,
)
from crm_sync.transport.batches import Outcome, unique_rounds, write_all
from leadscoring.common.batching import batched

# A hundred handoffs are what is delivered at once; the org's own triggers work on all rows of a request
# in one transaction, which has limits. docs/salesforce-facts.md#collections
MOST_TASKS = 100
HIGH = "High"
NO_TASK = (
    "Salesforce does not show the task: it is deleted, or not shared with the integration user."
)
GONE = (
    f"The field {REFERENCE} of tasks, which keeps tasks from being made twice, is gone in Salesforce, or "
    "not unique any more, or hidden from the integration user. Run crm_setup, and look at its permission set."
)
HELD_REFERENCE = (
    "Salesforce says that there is a task of this reference, and does not show it: it may be in the "
    "recycle bin, or not shared with the integration user."
)
Batch = Sequence[CrmTaskWrite]


def create_all_tasks(
    org: Org, writes: Batch, zone: str, *, guarded: bool, until: float | None
) -> Outcome[CrmTask]:
    """Return each created or existing task or its error, by trace. `zone`: the org's time zone, in
    which a task is due on a day. `until`: see SalesforceClient.ask.
    """
    call = CREATE_GUARDED_TASKS if guarded else CREATE_TASKS
    once = list({write.trace: write for write in writes}.values())
    outcome = write_all(
        batched(once, MOST_TASKS), lambda batch: _created(org, call, batch, zone, until)
    )
    return {write.trace: with_owner_cause(outcome[write.trace]) for write in once}


def _created(
    org: Org, call: SalesforceCall, batch: Batch, zone: str, until: float | None
) -> Outcome[CrmTask]:
    outcome = _tried(org, call, batch, {}, zone, until)
    lost = [write for write in batch if isinstance(outcome[write.trace], RecordMoved)]
    if lost:
        places = present_places(org, {full_id(write.record_id) for write in lost})
        again = [write for write in lost if full_id(write.record_id) in places]
        outcome |= _tried(org, call, again, places, zone, until) if again else {}
    clashing = [write for write in batch if isinstance(outcome[write.trace], DuplicateReference)]
    there = tasks_by_reference(org, [write.trace for write in clashing]) if clashing else {}
    found: Outcome[CrmTask] = {
        write.trace: there.get(write.trace, CrmUnexplained(HELD_REFERENCE)) for write in clashing
    }
    return {
        write.trace: found.get(write.trace) or _made(org, write, outcome[write.trace])
        for write in batch
    }


def _tried(
    org: Org,
    call: SalesforceCall,
    batch: Batch,
    places: Mapping[str, str],
    zone: str,
    until: float | None,
) -> Outcome[str]:
    """Return the id or error of each. `places`: where people are that have moved, by their former id."""
    unfit = {write.trace: error for write in batch if (error := _unfit(write))}
    left = [write for write in batch if write.trace not in unfit]
    outcome: Outcome[str] = dict(unfit)
    if left:
        outcome |= _with_fresh_task(org, call, left, places, zone, until)
    return {trace: _of_person(each) for trace, each in outcome.items()}


def _with_fresh_task(
    org: Org,
    call: SalesforceCall,
    batch: Batch,
    places: Mapping[str, str],
    zone: str,
    until: float | None,
) -> Outcome[str]:
    """Create; once more without a field that is not there any more: what was refused was not made."""
    outcome: Outcome[str] = {}
    left = list(batch)
    for _ in range(2):
        if call is CREATE_GUARDED_TASKS and not keeps_references_unique(org):
            raise CrmDenied(GONE)
        rows = [_row(org, write, places, zone) for write in left]
        try:
            outcome |= write_rows(org, call, rows, until=until)
        except StaleFields as stale:
            outcome |= dict.fromkeys((row.trace for row in rows), stale)
        left = [write for write in left if isinstance(outcome[write.trace], StaleFields)]
        if not left:
            break
        org.schema.forget()
    return outcome


def _unfit(write: CrmTaskWrite) -> CrmError | None:
    if not object_of(full_id(write.record_id)):
        return CrmMissing(f"The task has nobody to be of: {DELETED_RECORD}.")
    if not full_id(write.owner_id):
        return rejected_fields_error({OWNER: UNFIT_OWNER})
    return None


def _of_person(answer: str | CrmError) -> str | CrmError:
    """Return the answer as a missing person where that is why the task was refused."""
    properties = getattr(answer, "properties", {})
    return RecordMoved(str(answer)) if PERSON in properties else answer


def _row(org: Org, write: CrmTaskWrite, places: Mapping[str, str], zone: str) -> Row:
    # docs/salesforce-facts.md#task-fields
    columns = org.sobject(TASK).columns
    person = full_id(write.record_id)
    priority = columns.get("Priority")
    values: dict[str, Any] = {
        "Subject": write.subject[:LONGEST_SUBJECT],
        "Description": write.body[: SalesforceTaskText.longest],
        PERSON: places.get(person, person),
        OWNER: full_id(write.owner_id),
        "ActivityDate": write.due_at.astimezone(_zone(zone)).date().isoformat(),
        "IsReminderSet": True,
        "ReminderDateTime": instant_literal(write.due_at),
        REFERENCE: write.trace,
    }
    if priority and HIGH in priority.options:
        values["Priority"] = HIGH
    sent = {name: value for name, value in values.items() if _is_createable(columns.get(name))}
    return Row(write.trace, TASK, "", sent)


def _is_createable(column: Any) -> bool:
    return column is not None and column.createable


def _zone(name: str) -> Any:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def _made(org: Org, write: CrmTaskWrite, answer: str | CrmError) -> CrmTask | CrmError:
    if isinstance(answer, CrmError):
        return answer
    return CrmTask(
        task_id=full_id(answer),
        subject=write.subject[:LONGEST_SUBJECT],
        body=SalesforceTaskText(write.body),
        owner_id=full_id(write.owner_id),
        done=False,
        started=False if new_status(org) else None,
    )


def update_tasks_by_id(org: Org, changes: Sequence[CrmTaskChange]) -> Outcome[CrmTask]:
    """Return each changed task, with the values that were written, or its error, by task id."""
    closed = _closed_status(org) if any(change.done for change in changes) else ""
    rows: list[Row] = []
    outcome: Outcome[CrmTask] = {}
    for change in changes:
        if not full_id(change.task_id):
            outcome[change.task_id] = CrmMissing(NO_TASK)
        elif change.owner_id is not None and not full_id(change.owner_id):
            outcome[change.task_id] = with_owner_cause(rejected_fields_error({OWNER: UNFIT_OWNER}))
        else:
            rows.append(
                Row(change.task_id, TASK, full_id(change.task_id), _values(org, change, closed))
            )
    answers = _update(org, rows)
    written = {change.task_id: change for change in changes}
    return outcome | {
        task_id: with_owner_cause(answer)
        if isinstance(answer, CrmError)
        else _changed(org, written[task_id])
        for task_id, answer in answers.items()
    }


def move_tasks(org: Org, record_of: Mapping[str, str]) -> None:
    """Put tasks on other people: a task has one. `record_of`: the person's record by task id.

    Raise CrmMissing or CrmRejected when one of them cannot be put there; others may be by then.
    """
    if not record_of:
        return
    rows = []
    for task_id, record_id in record_of.items():
        if not full_id(task_id) or not object_of(full_id(record_id)):
            raise CrmMissing(f"A task cannot be put on a person: {DELETED_RECORD}.")
        rows.append(Row(task_id, TASK, full_id(task_id), {PERSON: full_id(record_id)}))
    answers = {task_id: _of_person(each) for task_id, each in _update(org, rows).items()}
    lost = [row for row in rows if isinstance(answers[row.trace], RecordMoved)]
    if lost:
        places = present_places(org, {row.values[PERSON] for row in lost})
        again = [
            Row(row.trace, TASK, row.record_id, {PERSON: places[row.values[PERSON]]})
            for row in lost
            if row.values[PERSON] in places
        ]
        answers |= _update(org, again)
    for answer in answers.values():
        if isinstance(answer, CrmError):
            raise answer


def delete_tasks(org: Org, task_ids: Sequence[str]) -> None:
    """Delete tasks, into the recycle bin. Those that do not exist are deleted already."""
    ids = list(dict.fromkeys(filter(None, map(full_id, task_ids))))
    for batch in batched(ids, MOST_ROWS):
        query = [("ids", ",".join(batch)), ("allOrNone", "false")]
        for answer in org.client.ask(DELETE_TASKS, query=query):
            if isinstance(answer, dict) and answer.get("success") is not True:
                error = error_from_row(DELETE_TASKS, answer)
                if not isinstance(error, CrmMissing):
                    raise error


def _update(org: Org, rows: Sequence[Row]) -> Outcome[str]:
    batches = [
        batch
        for each in unique_rounds(rows, lambda row: row.record_id)
        for batch in batched(each, MOST_ROWS)
    ]
    return write_all(batches, lambda batch: write_rows(org, UPDATE_TASKS, batch))


def _values(org: Org, change: CrmTaskChange, closed: str) -> dict[str, Any]:
    status = None if change.done is None else closed if change.done else new_status(org)
    values = {
        "Subject": change.subject and change.subject[:LONGEST_SUBJECT],
        "Description": change.body and change.body[: SalesforceTaskText.longest],
        OWNER: change.owner_id and full_id(change.owner_id),
        STATUS: status or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _changed(org: Org, change: CrmTaskChange) -> CrmTask:
    return CrmTask(
        task_id=change.task_id,
        subject=change.subject or "",
        body=SalesforceTaskText(change.body or ""),
        owner_id=change.owner_id or "",
        done=bool(change.done),
        started=False if new_status(org) else None,
    )


def _closed_status(org: Org) -> str:
    """Return the org's status of finished tasks. docs/salesforce-facts.md#task-status"""
    columns = ["ApiName", "IsClosed", "SortOrder"]
    query = select(columns, "TaskStatus", "IsClosed = TRUE", "ORDER BY SortOrder")
    statuses = [text_value(row.get("ApiName")) for row in org.rows(Query(query))]
    return next(filter(None, statuses), "")

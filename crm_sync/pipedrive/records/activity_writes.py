"""Create activities with their person, each once; update, move and delete them.

Nothing keeps Pipedrive from making a second one, so one whose outcome is unknown is looked for.
docs/pipedrive-facts.md#no-idempotency-key
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC

from crm_sync.pipedrive.records.activity_fields import parse_activity, people_of_activity
from crm_sync.pipedrive.records.activity_reads import activity_items
from crm_sync.pipedrive.records.activity_types import ActivityTypeMemory
from crm_sync.pipedrive.records.lists import (
    id_text,
    is_record_id,
    object_of,
    records_by_id,
    write_one_by_one,
)
from crm_sync.pipedrive.transport.calls import (
    CREATE_ACTIVITY,
    DELETE_ACTIVITY,
    LIST_PERSONS,
    UPDATE_ACTIVITY,
)
from crm_sync.pipedrive.transport.client import Json, PipedriveClient
from crm_sync.pipedrive.transport.errors import named_faults
from crm_sync.port import (
    CrmError,
    CrmMissing,
    CrmOwnerRejected,
    CrmRejected,
    CrmTask,
    CrmTaskChange,
    CrmTaskWrite,
)

OWNER_WORDS = ("owner_id", "owner", "user_id", "user")
SENT = (
    "subject",
    "type",
    "owner_id",
    "due_date",
    "due_time",
    "note",
    "participants",
    "done",
)


def create_activities(
    client: PipedriveClient,
    types: ActivityTypeMemory,
    writes: Sequence[CrmTaskWrite],
    until: float | None,
) -> dict[str, CrmTask | CrmError]:
    """Return each created activity or its error, by trace. `until`: see PipedriveClient.ask."""
    return write_one_by_one(
        [(write.trace, write) for write in writes],
        lambda write: _create(client, types, write, until),
    )


def _create(
    client: PipedriveClient, types: ActivityTypeMemory, write: CrmTaskWrite, until: float | None
) -> CrmTask:
    body = _new_body(write, types.usual())
    try:
        found = client.ask(CREATE_ACTIVITY, body, until=until)
    except CrmRejected as refused:
        if not named_faults(refused, ["type"]):
            raise _with_cause(refused) from None
        # Somebody has taken this kind of activity away. It was refused, so it was not made.
        kind = types.choose(client)
        if kind in ("", body["type"]):
            raise _with_cause(refused) from None
        found = client.ask(CREATE_ACTIVITY, body | {"type": kind}, until=until)
    except CrmMissing as missing:
        raise CrmRejected(str(missing), {"participants": "there is no such person"}) from None
    return parse_activity(object_of(found))


def _new_body(write: CrmTaskWrite, kind: str) -> Json:
    """Return the body of an activity. The person goes in as a participant, and the time is in UTC.

    docs/pipedrive-facts.md#participants-of-activities, docs/pipedrive-facts.md#due-times
    """
    if not is_record_id(write.record_id):
        raise CrmRejected("There is no such person.", {"participants": "there is no such person"})
    due = write.due_at.astimezone(UTC)
    return {
        "subject": write.subject[:255],
        "type": kind,
        "owner_id": _owner(write.owner_id),
        "due_date": due.strftime("%Y-%m-%d"),
        "due_time": due.strftime("%H:%M"),
        "note": str(write.body),
        "participants": [{"person_id": int(write.record_id), "primary": True}],
    }


def update_activities(
    client: PipedriveClient, changes: Sequence[CrmTaskChange]
) -> dict[str, CrmTask | CrmError]:
    """Return each updated activity or its error, by its id."""

    def update(change: CrmTaskChange) -> CrmTask:
        try:
            return _update(client, change.task_id, _changed_body(change))
        except CrmRejected as refused:
            raise _with_cause(refused) from None

    return write_one_by_one([(change.task_id, change) for change in changes], update)


def associate_activities(client: PipedriveClient, record_of: Mapping[str, str]) -> None:
    """Make people the primary ones of activities; who was that stays as one more.

    Only so is an activity found by its person. docs/pipedrive-facts.md#participants-of-activities
    """
    if not record_of:
        return
    people = records_by_id(client, LIST_PERSONS, record_of.values())
    there = {id_text(each.get("id")) for each in people}
    if lost := set(record_of.values()) - there:
        raise CrmMissing(f"Pipedrive does not show {len(lost)} of the people.")
    items = activity_items(client, list(record_of))
    for task_id, record_id in record_of.items():
        if task_id not in items:
            raise CrmMissing("Pipedrive does not show the activity.")
        people_now = people_of_activity(items[task_id])
        if people_now[:1] == (record_id,):
            continue
        listed = [record_id, *(id_ for id_ in people_now if id_ != record_id)]
        body = [{"person_id": int(id_), "primary": id_ == record_id} for id_ in listed]
        _update(client, task_id, {"participants": body})


def delete_activities(client: PipedriveClient, task_ids: Sequence[str]) -> None:
    """Delete activities. Skip those that are not there."""
    for task_id in filter(is_record_id, dict.fromkeys(task_ids)):
        with suppress(CrmMissing):
            client.ask(DELETE_ACTIVITY, record_id=task_id)


def _update(client: PipedriveClient, task_id: str, body: Json) -> CrmTask:
    if not is_record_id(task_id):
        raise CrmMissing("There is no such activity.")
    found = object_of(client.ask(UPDATE_ACTIVITY, body, record_id=task_id))
    if found.get("is_deleted") is True:
        raise CrmMissing("Pipedrive does not show the activity any more: it was deleted.")
    return parse_activity(found)


def _changed_body(change: CrmTaskChange) -> Json:
    owner = None if change.owner_id is None else _owner(change.owner_id)
    said = {
        "subject": None if change.subject is None else change.subject[:255],
        "note": None if change.body is None else str(change.body),
        "owner_id": owner,
        "done": change.done,
    }
    return {name: value for name, value in said.items() if value is not None}


def _owner(owner_id: str) -> int:
    if not is_record_id(owner_id):
        raise CrmOwnerRejected("There is no such user.", {"owner_id": "there is no such user"})
    return int(owner_id)


def _with_cause(refused: CrmRejected) -> CrmRejected:
    """Return a refusal as the port's error for its cause: the owner, a value, or nothing that was sent."""
    if isinstance(refused, CrmOwnerRejected):
        return refused
    if owners := named_faults(refused, OWNER_WORDS):
        return CrmOwnerRejected(str(refused), {"owner_id": next(iter(owners.values()))})
    faults = named_faults(refused, SENT)
    return CrmRejected(str(refused), faults) if faults else refused
